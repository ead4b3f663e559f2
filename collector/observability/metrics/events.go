package metrics

import (
	"cmp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

// EventResult is what became of an event that was received.
type EventResult string

// The results of an event. Backfilled is counted beside accepted, not instead of it.
const (
	Accepted   EventResult = "accepted"
	Duplicate  EventResult = "duplicate"
	Rejected   EventResult = "rejected"
	Conflict   EventResult = "conflict"
	Backfilled EventResult = "backfilled"
)

// ConflictFound says when a conflict was found.
type ConflictFound string

// When a conflict is found: before the event was accepted, or after.
const (
	BeforeAcceptance ConflictFound = "door"
	AfterAcceptance  ConflictFound = "late"
)

// maxDroppedKeys bounds the names that attributes_dropped_total shows. Senders choose these keys.
const maxDroppedKeys = 32

type events struct {
	total, rejected, dropped, blanked, conflicts, heldBack *prometheus.CounterVec
	results                                                map[EventResult]prometheus.Counter
	reasons, fields                                        closed
	reduced                                                prometheus.Counter

	mu            sync.Mutex
	keys, sources map[string]bool // that have a name as labels
}

func newEvents(b *builder, v *Vocabulary) *events {
	e := &events{
		total:     b.counter("events_total"),
		rejected:  b.counter("events_rejected_total"),
		dropped:   b.counter("attributes_dropped_total"),
		blanked:   b.counter("fields_blanked_total"),
		conflicts: b.counter("conflicts_total"),
		heldBack:  b.counter("source_held_back_total"),
		results:   map[EventResult]prometheus.Counter{},
		reasons:   newClosed(v.RejectReasons, Other, ""),
		fields:    newClosed(blankedFields, Attribute, ""),
		keys:      map[string]bool{},
		sources:   map[string]bool{},
		reduced:   b.counter("events_reduced_total").WithLabelValues(),
	}
	create(e.blanked.MetricVec, e.fields.values)
	for _, r := range [...]EventResult{Accepted, Duplicate, Rejected, Conflict, Backfilled} {
		e.results[r] = e.total.WithLabelValues(string(r))
	}
	create(e.rejected.MetricVec, e.reasons.values)
	e.dropped.WithLabelValues(Other)
	return e
}

// CountEvents counts n events of one result.
func (r *Registry) CountEvents(result EventResult, n int) {
	if c := r.events.results[result]; c != nil && n > 0 {
		c.Add(float64(n))
	}
}

// CountRejected counts one refused event, under its reason and as rejected. A conflict is no rejection: count it with
// CountEvents(Conflict, 1).
func (r *Registry) CountRejected(reason string) {
	r.events.results[Rejected].Inc()
	r.events.rejected.WithLabelValues(r.events.reasons.of(reason)).Inc()
}

// Attribute is the label of a field that the configuration names.
const Attribute = "attribute"

// blankedFields are the members of data that a Decoder or a directory blanks.
var blankedFields = []string{
	"agent", "queue", "position", "channel", "class", "category", "priority", "opd", "kecamatan", "reason", "result",
}

// CountBlanked counts a member of data that was sent and not kept.
func (r *Registry) CountBlanked(field string) {
	r.events.blanked.WithLabelValues(r.events.fields.of(field)).Inc()
}

// CountReduced counts one event that was accepted without the calls that found no room in a case.
func (r *Registry) CountReduced() { r.events.reduced.Inc() }

// CountDroppedAttributes counts n attributes of a key that the configuration does not allow. The first maxDroppedKeys
// keys that look like names keep their name; a key that could hold data (digits, long, upper case) never does.
func (r *Registry) CountDroppedAttributes(key string, n int) {
	r.events.dropped.WithLabelValues(r.events.key(key)).Add(float64(max(0, n)))
}

// CountConflicts counts n events of a source that contradict earlier ones. The first maxSources sources keep their
// name.
func (r *Registry) CountConflicts(source string, found ConflictFound, n int) {
	r.events.conflicts.WithLabelValues(r.events.source(source), string(found)).Add(float64(max(0, n)))
}

// CountHeldBack counts a request that a source has to repeat later.
func (r *Registry) CountHeldBack(source string) {
	r.events.heldBack.WithLabelValues(r.events.source(source)).Inc()
}

func (e *events) key(key string) string {
	if !isName(key) {
		return Other
	}
	return e.label(e.keys, key, maxDroppedKeys)
}

func (e *events) source(source string) string {
	return e.label(e.sources, cmp.Or(validLabel(source), Unknown), maxSources)
}

// label returns value while known, which it grows up to limit values, and Other beyond.
func (e *events) label(known map[string]bool, value string, limit int) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if known[value] {
		return value
	}
	if len(known) >= limit {
		return Other
	}
	value = strings.Clone(value)
	known[value] = true
	return value
}

// isName accepts what people call a column: a lower-case word with at most three digits. A telephone number, a name
// with blanks or an identity number is no name of a key.
func isName(key string) bool {
	if len(key) == 0 || len(key) > 32 || key[0] < 'a' || key[0] > 'z' {
		return false
	}
	digits := 0
	for _, c := range []byte(key) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z', c == '_', c == '-', c == '.':
		default:
			return false
		}
	}
	return digits <= 3
}

// validLabel returns s, or "" where Prometheus would refuse it.
func validLabel(s string) string {
	if !utf8.ValidString(s) {
		return ""
	}
	return s
}
