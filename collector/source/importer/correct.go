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

	planned map[string]plan // what this run sends, by the event's own id
	changes map[string]*changed
	order   []string            // of changes
	absent  map[string]struct{} // ids of events of before that rows of this run do not give for an empty cell
	bytes   int64               // of changes

	from, to int64 // the rows of this run lie between these times, when spanned
	spanned  bool

	conflicts []conflict                  // answers of the collector, to be looked into after all else was sent
	resolving bool                        // these are being looked into
	resent    int                         // how many of them were sent again
	cases     map[string][]send.HeldEvent // answers of the history; events of one row ask for the same case
}

// plan is the version of an event that a run sends, without what the event tells.
type plan struct {
	hash, previous uint64
	row            int64
	file           uint64
	revision       uint32
}

func (v *version) plan() plan { return plan{v.hash, v.previous, v.row, v.file, v.revision} }

// changed holds the contents that rows give an event which the collector holds with another one.
type changed struct {
	held      version
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
	refusal    event.Refusal
}

// Limits of a run.
const (
	maxConflicts = 100_000 // that are looked into; further ones are refused
	maxConfirmed = 20_000  // changes up to which each is confirmed by the history; beyond, the memory is trusted
	maxCases     = 1000    // that are remembered of the history
)

func newCorrector(r *run, m *memory, h History) *corrector {
	return &corrector{
		run: r, memory: m, history: h, planned: map[string]plan{}, changes: map[string]*changed{},
		absent: map[string]struct{}{},
	}
}

// prepare finds out, where the memory is not complete, whether the history may know more.
func (c *corrector) prepare(ctx context.Context) error {
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
	if p, ok := c.planned[e.ID]; ok {
		if p.hash != e.Hash {
			c.run.contradiction(s)
			return nil
		}
		return c.send(e, version{e.ID, p.hash, p.previous, p.revision, p.row, e.Subject, p.file}, s)
	}
	if c.memory.full(e.ID, len(c.planned)) {
		return fmt.Errorf("%s: the memory of earlier imports holds %d events already; import without it (--state none), "+
			"changed rows are conflicts then", s.place, c.memory.limit)
	}
	held, known, err := c.held(ctx, e)
	if err != nil {
		return err
	}
	change := c.changes[e.ID]
	if !known || held.hash == e.Hash {
		v := version{
			id: e.ID, hash: e.Hash, previous: held.previous, revision: held.revision, row: row, subject: e.Subject,
			file: held.file,
		}
		if !known {
			v.file = c.run.fileNumber(s.place.file)
		}
		c.planned[e.ID] = v.plan()
		if change != nil {
			change.confirmed = true
		}
		return c.send(e, v, s)
	}
	if change == nil {
		change = &changed{held: held}
		c.changes[e.ID] = change
		c.order = append(c.order, e.ID)
	}
	if slices.ContainsFunc(change.contents, func(o content) bool { return o.hash == e.Hash }) {
		return nil
	}
	if c.bytes += int64(len(e.JSON)) + groupOverhead; c.bytes > c.run.limits.GroupBytes {
		return fmt.Errorf("%s: more than %d bytes of rows have changed since the last import; import the file in parts",
			s.place, c.run.limits.GroupBytes)
	}
	s.row.Cells, s.bound = nil, nil // only the place is told of rows that are refused later
	change.contents = append(change.contents, content{e.Hash, bytes.Clone(e.JSON), row, s, e.Subject})
	return nil
}

// send sends an event as version v. The ids are the same each time, so that sending again is a duplicate.
func (c *corrector) send(e mapping.Event, v version, s submission) error {
	s.version, s.json = &v, bytes.Clone(e.JSON)
	if v.revision == 0 {
		return c.run.emit(e.JSON, s)
	}
	id := versionID(v.id, v.revision, v.hash)
	if len(id) > event.MaxIDBytes {
		s.bound = nil
		c.run.refuse(s, tabular.CodeTooLarge, fmt.Sprintf("the row has changed, and the id of its correction is longer than "+
			"%d bytes; give the event a shorter id in the mapping", event.MaxIDBytes))
		return nil
	}
	return c.run.emit(e.Version(id, versionID(v.id, v.revision-1, v.previous), v.revision), s)
}

// sendChanges sends what has changed, once all rows are read. Of several contents the first in the order of their bytes
// counts, so that the order of the rows does not matter.
func (c *corrector) sendChanges(ctx context.Context) error {
	for i, id := range c.order {
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		change := c.changes[id]
		slices.SortFunc(change.contents, func(a, b content) int { return bytes.Compare(a.json, b.json) })
		for i, o := range change.contents {
			if change.confirmed || i > 0 {
				c.run.contradiction(o.from)
				continue
			}
			held := change.held
			if len(c.order) <= maxConfirmed {
				// Another program may have corrected the event meanwhile: two corrections of one version would both stand.
				now, ok, err := c.find(ctx, id, o.json, o.hash)
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

// correct sends a content as the version after the one that is held, or as that one when it is the same.
func (c *corrector) correct(held version, o content) error {
	next := held
	if held.hash != o.hash {
		next = version{id: held.id, hash: o.hash, previous: held.hash, revision: held.revision + 1, file: held.file}
		c.run.sum.Corrected++
	}
	next.row, next.subject = o.row, o.subject
	c.planned[next.id] = next.plan()
	return c.send(mapping.Event{ID: next.id, JSON: o.json}, next, o.from)
}

// defers reports whether a rejection is a conflict that resolveConflicts looks into.
func (c *corrector) defers(s submission, r event.Refusal) bool {
	if s.version != nil && s.version.withdrawn() && isConflict(r) {
		c.memory.accepted(*s.version) // withdrawn before, at another instant
		c.resent++
		return true
	}
	if c.resolving || s.version == nil || !isConflict(r) || len(c.conflicts) >= maxConflicts {
		return false
	}
	c.conflicts = append(c.conflicts, conflict{s, r})
	return true
}

// resolveConflicts looks up what the collector holds of the events that it answered with a conflict (the memory is of
// another collector, or another program imports the same source) and sends them as corrections. All else is answered.
func (c *corrector) resolveConflicts(ctx context.Context) error {
	c.resolving, c.cases = true, nil
	for _, lost := range c.conflicts {
		s := lost.submission
		held, ok, err := c.find(ctx, s.version.id, s.json, s.version.hash)
		if err != nil {
			return err
		}
		if !ok {
			c.run.reject(s, lost.refusal)
			continue
		}
		c.resent++
		if held.revision == 0 {
			held.hash = ^s.version.hash & hashMask // it looks the same, and the collector says that it is not
		}
		if err := c.correct(held, content{s.version.hash, s.json, s.version.row, s, s.version.subject}); err != nil {
			return err
		}
	}
	return nil
}

// held returns the version of an event that the collector holds: by the memory, or by the history where the memory is
// not complete.
func (c *corrector) held(ctx context.Context, e mapping.Event) (version, bool, error) {
	v, ok := c.memory.find(e.ID)
	if !c.memory.incomplete || c.run.sum.HistoryHidden || ok && v.hash == e.Hash && v.revision > 0 {
		return v, ok, nil
	}
	found, known, err := c.find(ctx, e.ID, e.JSON, e.Hash)
	if c.run.sum.HistoryHidden {
		return v, ok, nil
	}
	return found, known, err
}

// find asks the history for the version of an event that counts. Of revision 0 the collector keeps no hash of ours, so
// its content is compared, names as the directory resolves them; where that is not certain it counts as another, and
// costs a correction that changes nothing.
func (c *corrector) find(ctx context.Context, id string, text []byte, hash uint64) (v version, found bool, err error) {
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
		found, v = true, version{id: id, hash: theirHash, revision: revision}
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
	var gone []version // rows that vanished, or that a changed mapping makes otherwise
	empty := 0
	missed := c.missed()
	var reaches map[uint64]reach
	if slices.ContainsFunc(missed, func(v version) bool { _, emptied := c.absent[v.id]; return !emptied }) {
		reaches = c.reaches()
	}
	send := func(v version) error {
		next := version{
			id: v.id, hash: withdrawnHash, previous: v.hash, revision: v.revision + 1, row: v.row, subject: v.about(),
			file: v.file,
		}
		id := versionID(next.id, next.revision, withdrawnHash)
		if next.subject == "" || len(id) > event.MaxIDBytes {
			c.run.refuse(submission{id: v.id}, tabular.CodeTooLarge, "the event cannot be withdrawn: its id is too long, or "+
				"it was sent by an earlier version and its subject is not known; withdraw it by POST /v1/events")
			return nil
		}
		w := event.RawEvent{
			Source: c.run.mapping.Source, ID: id, Type: event.EventWithdrawn, Time: time.UnixMilli(next.row).UTC(),
			Center: c.run.mapping.Center, Replaces: versionID(v.id, v.revision, v.hash), Revision: next.revision,
		}
		kind, subject, _ := strings.Cut(next.subject, "/")
		w.Kind, _ = event.ParseKind(kind)
		w.Subject = subject
		c.planned[next.id] = next.plan()
		c.run.sum.Withdrawn++
		return c.run.emit(w.AppendCloudEvent(nil), submission{id: v.id, version: &next})
	}
	var take []version
	for _, v := range missed {
		before, after := v.row < c.from, v.row > c.to
		if _, emptied := c.absent[v.id]; emptied {
			empty++
		} else if r := reaches[v.file]; before && !(r.last && c.to <= r.to) || after && !(r.first && c.from >= r.from) {
			continue
		} else if gone = append(gone, v); !c.run.o.Withdraw || c.run.refusedRows > 0 {
			continue
		}
		take = append(take, v)
	}
	c.run.sum.Emptied = empty
	c.run.sum.Vanished, c.run.sum.VanishedOf = len(gone), countTypes(gone)
	c.run.sum.Withheld = c.run.o.Withdraw && c.run.refusedRows > 0
	for i := range gone[:min(len(gone), vanishedShown)] {
		c.run.sum.FirstVanished = append(c.run.sum.FirstVanished, gone[i].id)
	}
	if out := c.run.o.Out; out != nil && len(take) > empty {
		fmt.Fprintf(out, "taking back %s events that no row gives any more: %s\n", group(len(gone)), c.run.sum.VanishedOf)
	}
	for _, v := range take {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := send(v); err != nil {
			return err
		}
	}
	return nil
}

// countTypes says of which types events are, by their ids: "2 call.answered, 1 ticket.opened, 1 other".
func countTypes(events []version) string {
	n := map[string]int{}
	for i := range events {
		kind, _, _ := strings.Cut(events[i].about(), "/")
		typ := kind + "." + events[i].id[strings.LastIndexByte(events[i].id, '.')+1:]
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
		here := c.here(v.id)
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
func (c *corrector) missed() (out []version) {
	if !c.spanned {
		return nil
	}
	from, _ := c.run.mapping.Day(c.from)
	_, to := c.run.mapping.Day(c.to)
	for v := range c.memory.all() {
		if !c.here(v.id) && !v.withdrawn() && v.row >= from && v.row < to {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b version) int { return strings.Compare(a.id, b.id) })
	return out
}

// here reports whether a row of this run gives an event.
func (c *corrector) here(id string) bool {
	_, planned := c.planned[id]
	return planned || c.changes[id] != nil
}

// vanishedShown is how many of the events that no row gives any more are named.
const vanishedShown = 10

// finish writes the memory down. After a run that ended early, too, the memory is true: it holds what was answered.
func (c *corrector) finish() error { return c.memory.save() }
