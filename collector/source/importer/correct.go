package importer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/source/tabular"
)

// History is what a collector tells of the events that it holds; send.Client is one. Both methods return
// send.ErrMayNotRead where it may not be asked.
type History interface {
	// Sources returns the names of the sources that it has ever heard of; "other" stands for those beyond its limit.
	Sources(ctx context.Context) (map[string]bool, error)
	// Events returns the events of one call or ticket, voided ones included. kind is "call" or "ticket".
	Events(ctx context.Context, kind, center, id string) ([]send.HeldEvent, error)
}

// corrector decides in which version each event of a run is sent. An event that the collector does not hold goes under
// its own id; one whose content is what it holds goes under the id of that version, so that it is a duplicate; one
// whose content has changed becomes a correction, after all rows were read. Rows of one run that say different things
// of one event are no correction: the content that the collector holds counts, else the first one, and the others are
// refused.
type corrector struct {
	run     *run
	memory  *memory
	history History

	changes map[*entry]*changed
	order   []*entry // of changes
	bytes   int64    // of changes

	remapped bool  // earlier files were read by another version of the mapping
	movedRow place // the latest row that moved

	from, to int64 // the rows of this run lie between these times, when spanned
	spanned  bool

	conflicts []conflict                  // answers of the collector, to be looked into after all else was sent
	resolving bool                        // these are being looked into
	resent    int                         // how many of them were sent again
	cases     map[string][]send.HeldEvent // answers of the history; events of one row ask for the same case
}

// changed holds the contents that rows give an event which the collector holds with another one.
type changed struct {
	held      version
	fresh     bool // the collector does not hold it: it waits for what becomes of its row, which moved
	confirmed bool // another row has the content that the collector holds
	contents  []content
}

type content struct {
	hash    uint64
	json    []byte
	row     int64
	from    submission
	subject string
}

// conflict is an event that the collector holds with another content than the memory knew.
type conflict struct {
	submission submission
	sent       version
	json       []byte // as it would be sent under its own id
	refusal    event.Refusal
}

// Limits of a run.
const (
	maxConflicts = 100_000 // that are looked into; further ones are refused
	maxConfirmed = 20_000  // changes up to which each is confirmed by the history; beyond, the memory is trusted
	maxCases     = 1000    // that are remembered of the history
)

func newCorrector(r *run, m *memory, h History) *corrector {
	return &corrector{run: r, memory: m, history: h, changes: map[*entry]*changed{}}
}

// prepare finds out, where the memory is not complete, whether the history may know more.
func (c *corrector) prepare(ctx context.Context) error {
	before, known := c.memory.carried[c.run.mapping.Name]
	c.remapped = known && before.version != c.run.mapping.Version()
	if !c.memory.incomplete {
		return nil
	}
	sources, err := c.history.Sources(ctx)
	if c.hidden(err) {
		return nil
	}
	if err != nil {
		return &send.CollectorError{Cause: err}
	}
	c.memory.incomplete = sources[c.run.mapping.Source] || sources["other"]
	return nil
}

// hidden notes that the history may not be asked: changed rows are conflicts then.
func (c *corrector) hidden(err error) bool {
	if errors.Is(err, send.ErrMayNotRead) {
		c.run.sum.HistoryHidden = true
	}
	return c.run.sum.HistoryHidden
}

// offer sends an event in its version, or keeps it for sendChanges. row is the time that stands for its row.
func (c *corrector) offer(ctx context.Context, e mapping.Event, row int64, s submission) error {
	e.Hash &= hashMask
	if !c.spanned {
		c.from, c.to, c.spanned = row, row, true
	}
	c.from, c.to = min(c.from, row), max(c.to, row)
	known, ok := c.memory.entry(e.ID)
	if !ok {
		return fmt.Errorf("%s: the memory of earlier imports holds %d events already; import without it (--state none), "+
			"changed rows are conflicts then", s.from.place(), c.memory.limit)
	}
	s.entry = known
	if known.planned {
		if known.hash != e.Hash {
			c.run.contradiction(s)
			return nil
		}
		return c.send(e, known.version, s)
	}
	held, found, err := c.held(ctx, e, known, row)
	if err != nil {
		return err
	}
	change := c.changes[known]
	fresh := !found && (change != nil || s.from.place() == c.movedRow)
	if !found && !fresh {
		return c.sendNew(e, row, noted(e.ID, e.Subject), s)
	}
	if found && held.hash == e.Hash {
		known.same = true
		v := version{
			hash: e.Hash, previous: held.previous, revision: held.revision, row: row, subject: noted(e.ID, e.Subject),
			file: held.file,
		}
		c.memory.plan(known, v, known.held)
		if change != nil {
			change.confirmed = true
		}
		return c.send(e, v, s)
	}
	if change == nil {
		change = &changed{held: held, fresh: fresh}
		c.changes[known] = change
		c.order = append(c.order, known)
	}
	if slices.ContainsFunc(change.contents, func(o content) bool { return o.hash == e.Hash }) {
		return nil
	}
	if c.bytes += int64(len(e.JSON)) + groupOverhead; c.bytes > c.run.limits.GroupBytes {
		return fmt.Errorf("%s: more than %d bytes of rows have changed since the last import; import the file in parts",
			s.from.place(), c.run.limits.GroupBytes)
	}
	s.from = s.from.place().origin() // its cells are not kept
	change.contents = append(change.contents, content{e.Hash, bytes.Clone(e.JSON), row, s, noted(e.ID, e.Subject)})
	if change.moved() {
		c.movedRow = s.from.place()
	}
	return nil
}

// sendNew sends an event that the collector does not hold.
func (c *corrector) sendNew(e mapping.Event, row int64, subject string, s submission) error {
	v := version{hash: e.Hash, row: row, subject: subject, file: c.run.fileNumber(s.from.row.File)}
	c.memory.plan(s.entry, v, false)
	return c.send(e, v, s)
}

// send sends an event as version v. The ids are the same each time, so that sending again is a duplicate.
func (c *corrector) send(e mapping.Event, v version, s submission) error {
	if v.revision == 0 {
		return c.run.emit(e.JSON, s)
	}
	id := versionID(e.ID, v.revision, v.hash)
	if len(id) > event.MaxIDBytes {
		s.from = s.from.place().origin()
		c.run.refuse(s, tabular.CodeTooLarge, fmt.Sprintf("the row has changed, and the id of its correction is longer than "+
			"%d bytes; give the event a shorter id in the mapping", event.MaxIDBytes))
		return nil
	}
	s.json = bytes.Clone(e.JSON)
	return c.run.emit(e.Version(id, versionID(e.ID, v.revision-1, v.previous), v.revision), s)
}

// sendChanges sends what has changed, once all rows are read. Of several contents the first in the order of their bytes
// counts, so that the order of the rows does not matter.
func (c *corrector) sendChanges(ctx context.Context) error {
	reused := c.reused()
	for i, of := range c.order {
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		change := c.changes[of]
		slices.SortFunc(change.contents, func(a, b content) int { return bytes.Compare(a.json, b.json) })
		for i, o := range change.contents {
			if change.confirmed || i > 0 {
				c.run.contradiction(o.from)
				continue
			}
			if reused && (change.fresh || change.moved()) {
				c.run.refuse(o.from, CodeConflict, "the numbers of cases begin anew: most that an earlier import gave "+
					"stand here at another time, more than a week away; give a case a number of its own, as with its date "+
					"before it, or, if the earlier import was wrong, take it back first (monev112 withdraw)")
				continue
			}
			if change.fresh {
				if err := c.sendNew(mapping.Event{ID: of.id, JSON: o.json, Hash: o.hash}, o.row, o.subject, o.from); err != nil {
					return err
				}
				continue
			}
			held := change.held
			if len(c.order) <= maxConfirmed {
				// Another program may have corrected the event meanwhile: two corrections of one version would both stand.
				now, ok, err := c.find(ctx, of.id, o.json, o.hash, o.row)
				if err != nil {
					return err
				}
				if ok && now.revision > held.revision {
					held = now
				}
			}
			if err := c.correct(held, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// A number of a case is used again, rather than its row corrected, when its time is further from that of the earlier
// row than this, in most of the changed events and in so many cases of which nothing stayed. By a changed mapping all
// rows may move.
const (
	movedMS     = 7 * 24 * 3600 * 1000
	reusedCases = 3
)

// moved reports whether the row of a change happened at quite another time than the earlier one, which stands.
func (c *changed) moved() bool {
	by := c.contents[0].row - c.held.row
	return c.held.row != 0 && !c.held.withdrawn() && !c.confirmed && max(by, -by) > movedMS
}

// reused reports whether the file's numbers are those of other cases, as where a system counts from 1 each month. As
// corrections they would take the cases of the month before away.
func (c *corrector) reused() bool {
	moved, all, cases := 0, 0, map[string]bool{}
	for _, of := range c.order {
		change := c.changes[of]
		if change.moved() {
			moved++
			cases[cmp.Or(change.contents[0].subject, subjectOf(of.id))] = true
		}
		if !change.fresh {
			all++
		}
	}
	if c.remapped || 2*moved <= all || len(cases) < reusedCases {
		return false
	}
	for _, e := range c.memory.entries {
		if e.same {
			delete(cases, e.about())
		}
	}
	return len(cases) >= reusedCases
}

// correct sends a content as the version after the one that is held, or as that one when it is the same.
func (c *corrector) correct(held version, o content) error {
	next := held
	if held.hash != o.hash {
		next = version{hash: o.hash, previous: held.hash, revision: held.revision + 1, file: held.file}
		c.run.sum.Corrected++
	}
	next.row, next.subject = o.row, o.subject
	o.from.next = &next
	return c.send(mapping.Event{ID: o.from.id, JSON: o.json}, next, o.from)
}

// defers reports whether a rejection is a conflict that resolveConflicts looks into.
func (c *corrector) defers(s submission, r event.Refusal) bool {
	if s.next != nil && s.next.withdrawn() && isConflict(r) {
		c.memory.accepted(s.entry, s.next) // withdrawn before, at another instant
		c.resent++
		return true
	}
	if c.resolving || s.entry == nil || !isConflict(r) || len(c.conflicts) >= maxConflicts {
		return false
	}
	lost := conflict{submission: s, sent: s.entry.version, json: s.json, refusal: r}
	if s.next != nil {
		lost.sent = *s.next
	}
	if lost.json == nil { // it was sent under its own id
		lost.json = bytes.Clone(r.Raw)
	}
	lost.refusal.Raw = nil
	c.conflicts = append(c.conflicts, lost)
	return true
}

// resolveConflicts looks up what the collector holds of the events that it answered with a conflict (the memory is of
// another collector, or another program imports the same source) and sends them as corrections. All else is answered.
func (c *corrector) resolveConflicts(ctx context.Context) error {
	c.resolving, c.cases = true, nil
	for _, lost := range c.conflicts {
		s, sent := lost.submission, lost.sent
		held, ok, err := c.find(ctx, s.id, lost.json, sent.hash, sent.row)
		if err != nil {
			return err
		}
		if !ok {
			c.run.reject(s, lost.refusal)
			continue
		}
		c.resent++
		if held.revision == 0 {
			held.hash = ^sent.hash & hashMask // it looks the same, and the collector says that it is not
		}
		if err := c.correct(held, content{sent.hash, lost.json, sent.row, s, sent.subject}); err != nil {
			return err
		}
	}
	return nil
}

// held returns the version of an event that the collector holds: by the memory, or by the history where the memory is
// not complete.
func (c *corrector) held(ctx context.Context, e mapping.Event, known *entry, row int64) (v version, ok bool,
	err error) {
	if known.held {
		v, ok = known.version, true
	}
	if !c.memory.incomplete || c.run.sum.HistoryHidden || ok && v.hash == e.Hash && v.revision > 0 {
		return v, ok, nil
	}
	found, there, err := c.find(ctx, e.ID, e.JSON, e.Hash, row)
	if c.run.sum.HistoryHidden {
		return v, ok, nil
	}
	return found, there, err
}

// find asks the history for the version of an event that counts. Of revision 0 the collector keeps no hash of ours, so
// its content is compared, names as the directory resolves them; where that is not certain it counts as another, and
// costs a correction that changes nothing. The time of its row is told by how far the event moved.
func (c *corrector) find(ctx context.Context, id string, text []byte, hash uint64, row int64) (v version, found bool,
	err error) {
	var ours struct {
		Type    string         `json:"type"`
		Subject string         `json:"subject"`
		Time    time.Time      `json:"time"`
		Data    map[string]any `json:"data"`
	}
	if err := json.Unmarshal(text, &ours); err != nil {
		return v, false, fmt.Errorf("decode an event of this import: %w", err)
	}
	events, err := c.caseEvents(ctx, ours.Subject)
	if c.hidden(err) {
		return v, false, nil
	}
	for _, e := range events {
		revision, theirHash, ok := parseVersion(id, e.ID)
		if !ok || e.Source != c.run.mapping.Source || found && revision < v.revision {
			continue
		}
		var data map[string]any
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return v, false, fmt.Errorf("decode the collector's event %s: %w", mapping.Mask(e.ID, event.MaxIDBytes), err)
		}
		found, v = true, version{hash: theirHash, revision: revision, row: row + e.Time.Sub(ours.Time).Milliseconds()}
		switch replaced, _ := data["replaces"].(string); {
		case revision > 0:
			_, v.previous, _ = parseVersion(id, replaced)
		case e.Type == ours.Type && e.Time.Equal(ours.Time) && c.sameData(ours.Data, data):
			v.hash = hash
		default:
			v.hash = ^hash & hashMask
		}
	}
	return v, found, err
}

// caseEvents asks the history for the case of a subject such as call/1.
func (c *corrector) caseEvents(ctx context.Context, subject string) ([]send.HeldEvent, error) {
	kind, id, _ := strings.Cut(subject, "/")
	if kind != "call" && kind != "ticket" || c.run.sum.HistoryHidden {
		return nil, nil
	}
	if events, ok := c.cases[subject]; ok {
		return events, nil
	}
	events, err := c.history.Events(ctx, kind, c.run.mapping.Center, id)
	if err != nil {
		return nil, &send.CollectorError{Cause: err}
	}
	if c.cases == nil || len(c.cases) > maxCases {
		c.cases = map[string][]send.HeldEvent{}
	}
	c.cases[subject] = events
	return events, nil
}

// sameData compares the data of an event with what the collector shows of it. The caller and attributes that the
// collector does not keep do not count.
func (c *corrector) sameData(ours, theirs map[string]any) bool {
	for _, key := range []string{"caller", "center", "carries"} {
		delete(ours, key)
		delete(theirs, key)
	}
	for key, v := range ours {
		if shown, ok := theirs[key]; ok && c.sameValue(key, v, shown) || !ok && !mapping.IsDataKey(key) {
			continue
		}
		return false
	}
	for key := range theirs {
		if _, ok := ours[key]; !ok {
			return false
		}
	}
	return true
}

func (c *corrector) sameValue(key string, ours, theirs any) bool {
	a, isText := ours.(string)
	b, alsoText := theirs.(string)
	if !isText || !alsoText {
		return reflect.DeepEqual(ours, theirs)
	}
	if key == "due" {
		x, err1 := time.Parse(time.RFC3339, a)
		y, err2 := time.Parse(time.RFC3339, b)
		return err1 == nil && err2 == nil && x.Equal(y)
	}
	if dir := c.run.o.Directory; dir != nil {
		a = cmp.Or(resolve(dir, c.run.mapping.Center, mapping.Name{Kind: key, Name: a}), a)
	}
	return a == b
}

// withdraw takes back, once all rows are read: events of the days of this run whose cells are empty in it; with
// Options.Withdraw also those that no row gives any more, unless a row was refused, since they may be of that row. It
// reports the others.
func (c *corrector) withdraw(ctx context.Context) error {
	var gone []*entry // rows that vanished, or that a changed mapping makes otherwise
	empty := 0
	missed := c.missed()
	var reaches map[uint64]reach
	if slices.ContainsFunc(missed, func(e *entry) bool { return !e.emptied }) {
		reaches = c.reaches()
	}
	send := func(e *entry) error {
		next := version{
			hash: withdrawnHash, previous: e.hash, revision: e.revision + 1, row: e.row, subject: e.subject, file: e.file,
		}
		subject, id := e.about(), versionID(e.id, next.revision, withdrawnHash)
		if subject == "" || len(id) > event.MaxIDBytes {
			c.run.refuse(submission{from: &origin{}, id: e.id}, tabular.CodeTooLarge, "the event cannot be withdrawn: its id "+
				"is too long, or it was sent by an earlier version and its subject is not known; withdraw it by POST /v1/events")
			return nil
		}
		w := event.RawEvent{
			Source: c.run.mapping.Source, ID: id, Type: event.EventWithdrawn, Time: time.UnixMilli(next.row).UTC(),
			Center: c.run.mapping.Center, Replaces: versionID(e.id, e.revision, e.hash), Revision: next.revision,
		}
		kind, of, _ := strings.Cut(subject, "/")
		w.Kind, _ = event.ParseKind(kind)
		w.Subject = of
		c.run.sum.Withdrawn++
		return c.run.emit(w.AppendCloudEvent(nil), submission{from: &origin{}, id: e.id, entry: e, next: &next})
	}
	var take []*entry
	for _, e := range missed {
		before, after := e.row < c.from, e.row > c.to
		if e.emptied {
			empty++
		} else if r := reaches[e.file]; before && !(r.last && c.to <= r.to) || after && !(r.first && c.from >= r.from) {
			continue
		} else if gone = append(gone, e); !c.run.o.Withdraw || c.run.refusedRows > 0 {
			continue
		}
		take = append(take, e)
	}
	c.run.sum.Emptied = empty
	c.run.sum.Vanished, c.run.sum.VanishedOf = len(gone), countTypes(gone)
	c.run.sum.Withheld = c.run.o.Withdraw && c.run.refusedRows > 0
	for _, e := range gone[:min(len(gone), vanishedShown)] {
		c.run.sum.FirstVanished = append(c.run.sum.FirstVanished, e.id)
	}
	if out := c.run.o.Out; out != nil && len(take) > empty {
		fmt.Fprintf(out, "taking back %s events that no row gives any more: %s\n", group(len(gone)), c.run.sum.VanishedOf)
	}
	for _, e := range take {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := send(e); err != nil {
			return err
		}
	}
	return nil
}

// countTypes says of which types events are, by their ids: "2 call.answered, 1 ticket.opened, 1 other".
func countTypes(events []*entry) string {
	n := map[string]int{}
	for _, e := range events {
		kind, _, _ := strings.Cut(e.about(), "/")
		typ := kind + "." + e.id[strings.LastIndexByte(e.id, '.')+1:]
		if _, known := event.ParseType(event.TypePrefix + typ); !known { // the mapping gives ids of its own
			typ = "other"
		}
		n[typ]++
	}
	var out []string
	for _, typ := range slices.Sorted(maps.Keys(n)) {
		out = append(out, group(n[typ])+" "+typ)
	}
	return strings.Join(out, ", ")
}

// reach is what a file of before holds, and whether this run has its first and its last row.
type reach struct {
	from, to    int64 // of its rows, as version.row
	first, last bool
}

// reaches returns the reach of each file of before. A row that vanished may have been the first or the last of its
// file, and so lie outside of the rows of this run. It counts there only where this run is that file once more: it has
// the row at the other end, and nothing beyond. Else a file of the morning would take back that of the afternoon, and
// an export of the last hours all that came before.
func (c *corrector) reaches() map[uint64]reach {
	out := map[uint64]reach{}
	for v := range c.memory.all() {
		if v.file == 0 || v.withdrawn() {
			continue
		}
		here := c.here(v)
		r, found := out[v.file]
		if !found || v.row < r.from {
			r.from, r.first = v.row, false
		}
		if !found || v.row > r.to {
			r.to, r.last = v.row, false
		}
		r.first, r.last = r.first || here && v.row == r.from, r.last || here && v.row == r.to
		out[v.file] = r
	}
	return out
}

// missed returns what the memory knows of the days of this run and no row gives, by id: the collector took these ids,
// so none is a telephone number.
func (c *corrector) missed() (out []*entry) {
	if !c.spanned {
		return nil
	}
	from, _ := c.run.mapping.Day(c.from)
	_, to := c.run.mapping.Day(c.to)
	for v := range c.memory.all() {
		if !c.here(v) && !v.withdrawn() && v.row >= from && v.row < to {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b *entry) int { return strings.Compare(a.id, b.id) })
	return out
}

// here reports whether a row of this run gives an event.
func (c *corrector) here(e *entry) bool { return e.planned || c.changes[e] != nil }

// vanishedShown is how many of the events that no row gives any more are named.
const vanishedShown = 10

// finish writes the memory down. After a run that ended early, too, the memory is true: it holds what was answered.
func (c *corrector) finish() error { return c.memory.save() }
