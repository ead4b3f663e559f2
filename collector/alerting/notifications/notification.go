// Package notifications owns the record of messages: who was told what, and when. Alertmanager delivers each message to
// a webhook of the collector beside the channels that people read; the record keeps what it was about, never its text.
//
// A message is acknowledged once it is durable in a journal of its own; Run brings it to ClickHouse, which may be away
// for days. Alertmanager sends a message again when it did not hear the answer, and what it sends holds no id and no
// time: the same content within SameMessage of the first is one message. Rows have keys that follow from the message,
// so that an insert that is repeated changes nothing.
package notifications

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Limits of a message, and how long its repetitions are taken for one.
const (
	MaxBodyBytes = 4 << 20 // five hundred tickets have less than half of one
	MaxAlerts    = 2000    // further ones are counted, and not listed
	maxCodeBytes = 128

	// SameMessage lies above the time for which Alertmanager tries to deliver (group_interval) and below the time after
	// which it tells again (repeat_interval).
	SameMessage = 30 * time.Minute
)

// Kinds of what people are told about.
const (
	Ticket    = "ticket"
	Digest    = "digest"
	Condition = "condition"
)

// ErrPayload says that a body is not Alertmanager's webhook payload of version 4.
var ErrPayload = errors.New("not a webhook payload of Alertmanager, version 4")

// Row is one alert of one message to one receiver.
type Row struct {
	Center    string `json:"center,omitzero"`
	Kind      string `json:"kind"`
	Subject   string `json:"subject,omitzero"` // id of the ticket
	Alertname string `json:"alertname"`
	// of a ticket: risk, overdue, escalated, escalated2, closed; of a condition its severity
	Level       string    `json:"level,omitzero"`
	Status      string    `json:"status"`       // firing or resolved
	OPD         string    `json:"opd,omitzero"` //
	Priority    string    `json:"priority,omitzero"`
	Fingerprint string    `json:"fingerprint"` // 16 hexadecimal digits
	StartsAt    time.Time `json:"starts_at"`
	EndsAt      time.Time `json:"ends_at,omitzero"` // of a resolved alert
}

// Message is what one receiver was told at once.
type Message struct {
	ID       string    `json:"id"`      // 32 hexadecimal digits
	ToldAt   time.Time `json:"told_at"` // when the collector first heard of it
	Receiver string    `json:"receiver"`
	Alerts   int       `json:"alerts"` // in the message, also those beyond MaxAlerts
	Rows     []Row     `json:"rows"`
}

// payload is what Alertmanager sends; fields that are not read here may be added at any time.
type payload struct {
	Version         string            `json:"version"`
	GroupKey        string            `json:"groupKey"`
	TruncatedAlerts int               `json:"truncatedAlerts"`
	Receiver        string            `json:"receiver"`
	CommonLabels    map[string]string `json:"commonLabels"`
	Alerts          []alert           `json:"alerts"`
}

type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// decode reads a body. Of the labels it keeps those that say what the alert was about; annotations, which are text for
// people, are not read. content names the message whatever the time.
func decode(body []byte) (m Message, content [sha256.Size]byte, err error) {
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return m, content, fmt.Errorf("%w: it is no such JSON", ErrPayload) // the reader's error could quote text
	}
	switch {
	case p.Version != "4":
		return m, content, fmt.Errorf("%w: version is not \"4\"", ErrPayload)
	case p.GroupKey == "" || code(p.Receiver) == "":
		return m, content, fmt.Errorf("%w: groupKey or receiver is missing or no name", ErrPayload)
	case len(p.Alerts) == 0:
		return m, content, fmt.Errorf("%w: it has no alerts", ErrPayload)
	case p.TruncatedAlerts < 0:
		return m, content, fmt.Errorf("%w: truncatedAlerts is negative", ErrPayload)
	}
	m.Receiver, m.Alerts = code(p.Receiver), len(p.Alerts)+p.TruncatedAlerts
	for i := range p.Alerts {
		a := &p.Alerts[i]
		if a.Status != "firing" && a.Status != "resolved" || a.StartsAt.IsZero() || !fingerprint(a.Fingerprint) {
			return m, content, fmt.Errorf("%w: alert %d lacks a status, a start or a fingerprint", ErrPayload, i)
		}
		r := Row{
			Center: code(a.Labels["center"]), Kind: Condition, Alertname: code(a.Labels["alertname"]),
			Level: code(a.Labels["severity"]), Status: a.Status,
			OPD: code(a.Labels["opd"]), Priority: code(a.Labels["priority"]), Fingerprint: a.Fingerprint,
			StartsAt: a.StartsAt.UTC().Truncate(time.Millisecond),
		}
		switch a.Labels["kind"] {
		case Ticket:
			r.Kind, r.Subject, r.Level = Ticket, code(a.Labels["ticket"]), code(a.Labels["level"])
		case Digest:
			r.Kind, r.Level = Digest, ""
		}
		if a.Status == "resolved" && !a.EndsAt.IsZero() {
			r.EndsAt = a.EndsAt.UTC().Truncate(time.Millisecond)
		}
		m.Rows = append(m.Rows, r)
	}
	slices.SortFunc(m.Rows, func(a, b Row) int {
		return strings.Compare(a.Fingerprint+a.Status, b.Fingerprint+b.Status)
	})
	m.Rows = slices.CompactFunc(m.Rows, func(a, b Row) bool { return a.Fingerprint == b.Fingerprint })

	h := sha256.New()
	fmt.Fprintf(h, "%q %q %d\n", p.Receiver, p.GroupKey, m.Alerts)
	for i := range m.Rows {
		r := &m.Rows[i]
		// The end of an alert that fires moves with every push; that of one that ended does not.
		fmt.Fprintf(h, "%s %s %d %d\n", r.Fingerprint, r.Status, r.StartsAt.UnixMilli(), r.EndsAt.UnixMilli())
	}
	h.Sum(content[:0])
	if len(m.Rows) > MaxAlerts {
		m.Rows = m.Rows[:MaxAlerts]
	}
	return m, content, nil
}

// name gives a message its id and time.
func (m *Message) name(content [sha256.Size]byte, toldAt time.Time) {
	m.ToldAt = toldAt.UTC().Truncate(time.Millisecond)
	h := sha256.New()
	h.Write(content[:])
	fmt.Fprintf(h, "%d", m.ToldAt.UnixMilli())
	m.ID = hex.EncodeToString(h.Sum(nil)[:16])
}

// code returns s if it has the shape of a name, and nothing else: a label is no place for text.
func code(s string) string {
	if len(s) > maxCodeBytes || strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_./:#@+", r)
	}) {
		return ""
	}
	return s
}

func fingerprint(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 8
}
