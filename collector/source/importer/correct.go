package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/source/tabular"
)

// correction holds the contents that rows give an event which the server holds with another content.
type correction struct {
	held     remembered
	settled  bool // a row says what the server holds: the others contradict it
	contents []offered
}

type offered struct {
	hash uint64
	json []byte
	row  int64
	tag  tag
}

// conflict is an event that the server holds with another content than the memory knew.
type conflict struct {
	tag     tag
	refusal send.Refusal
}

// maxConflicts bounds how many conflicts are looked up at the end of an import; further ones are refused.
const maxConflicts = 100_000

func isMayNotRead(err error) bool { return errors.Is(err, send.ErrMayNotRead) }

func (im *importer) newStream(ctx context.Context, client *send.Client) *send.Stream[tag] {
	s := send.NewStream(ctx, client, im.o.Batching, im.refusedByServer)
	if im.memory != nil {
		s.Taken = func(t tag) {
			if t.ev != nil {
				im.memory.taken(*t.ev)
			}
		}
	}
	return s
}

// offerVersion sends an event as the version that it is: under its first id when the server does not hold it yet, under
// the id of the version that the server holds when nothing has changed, and after all rows as a correction when it has.
// Rows of one run that say different things of one event are no correction: the one that the server holds stands, else
// the first to be sent, and the others are refused.
func (im *importer) offerVersion(ctx context.Context, e mapping.Event, row int64, t tag) error {
	m := im.memory
	e.Hash &= hashMask
	if !m.spanned {
		m.from, m.to, m.spanned = row, row, true
	}
	m.from, m.to = min(m.from, row), max(m.to, row)
	if plan, ok := m.plans[e.ID]; ok {
		if plan.hash != e.Hash {
			im.contradicts(t)
			return nil
		}
		return im.sendVersion(e.JSON, plan, t)
	}
	if m.full(e.ID) {
		return fmt.Errorf(
			"%s:%d: the memory of earlier imports holds %d events already; import without it (--state none), changed rows are conflicts then", t.from.file, t.from.line, m.limit)
	}
	held, known, err := im.held(ctx, e)
	if err != nil {
		return err
	}
	switch {
	case !known:
		plan := remembered{id: e.ID, hash: e.Hash, row: row}
		m.plans[e.ID] = plan
		return im.sendVersion(e.JSON, plan, t)
	case held.hash == e.Hash:
		held.row = row
		m.plans[e.ID] = held
		if c := m.deferred[e.ID]; c != nil {
			c.settled = true
		}
		return im.sendVersion(e.JSON, held, t)
	}
	c := m.deferred[e.ID]
	if c == nil {
		c = &correction{held: held}
		m.deferred[e.ID] = c
		m.order = append(m.order, e.ID)
	}
	for _, o := range c.contents {
		if o.hash == e.Hash {
			return nil // the row says nothing new
		}
	}
	if m.bytes += int64(len(e.JSON)) + groupOverhead; m.bytes > m.maxBytes {
		return fmt.Errorf("%s:%d: more than %d bytes of rows have changed since the last import; import the file in parts",
			t.from.file, t.from.line, m.maxBytes)
	}
	t.row.Cells = nil // refused rows of the end are told by their place
	t.bound = nil
	c.contents = append(c.contents, offered{e.Hash, bytes.Clone(e.JSON), row, t})
	return nil
}

// sendVersion sends an event's JSON as version v. The version's id and what it replaces are the same each time, so that
// sending again is a repetition.
func (im *importer) sendVersion(text []byte, v remembered, t tag) error {
	id := versionID(v.id, v.revision, v.hash)
	t.ev, t.json = &v, bytes.Clone(text)
	if v.revision == 0 {
		return im.emit(text, t)
	}
	if len(id) > event.MaxIDBytes {
		im.rejects.note(&tabular.RowError{File: t.from.file, Line: t.from.line, Code: tabular.CodeTooLarge,
			Reason: fmt.Sprintf(
				"the row has changed, and the id of its correction is longer than %d bytes; give the event a shorter id in the mapping", event.MaxIDBytes)}, mapping.Mask(v.id, 2*event.MaxIDBytes), nil)
		return nil
	}
	e := mapping.Event{ID: v.id, JSON: text}
	return im.emit(e.Version(id, versionID(v.id, v.revision-1, v.before), v.revision), t)
}

func (im *importer) contradicts(t tag) {
	var cells []string
	if t.bound != nil {
		cells = t.bound.MaskCells(t.row)
	}
	im.rejects.note(&tabular.RowError{File: t.from.file, Line: t.from.line, Code: CodeConflict,
		Reason: "two rows of this import say different things of one case; the other one counts"}, mapping.Mask(t.id, 2*event.MaxIDBytes),
		cells)
}

// sendCorrections sends what has changed, once all rows are read.
func (im *importer) sendCorrections(ctx context.Context) error {
	if im.memory == nil {
		return nil
	}
	m := im.memory
	for i, id := range m.order {
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		c := m.deferred[id]
		slices.SortFunc(c.contents, func(a, b offered) int { return bytes.Compare(a.json, b.json) })
		for i, o := range c.contents {
			if c.settled || i > 0 {
				im.contradicts(o.tag)
				continue
			}
			held, err := im.confirm(ctx, c.held, o, len(m.order))
			if err != nil {
				return err
			}
			next := remembered{id: id, hash: o.hash, before: held.hash, revision: held.revision + 1, row: o.row}
			if held.hash == o.hash {
				next = held
				next.row = o.row
			} else {
				im.sum.Corrected++
			}
			m.plans[id] = next
			if err := im.sendVersion(o.json, next, o.tag); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxConfirmed bounds how many changed events are confirmed one by one; an import that changes more goes by its memory.
const maxConfirmed = 20_000

// confirm asks the server for the version that stands, should another program have corrected the event meanwhile: two
// corrections of one version would both stand.
func (im *importer) confirm(ctx context.Context, held remembered, o offered, changed int) (remembered, error) {
	if im.sum.Blind || changed > maxConfirmed {
		return held, nil
	}
	asked, ok, err := im.askServer(ctx, held.id, o.json, o.hash)
	if isMayNotRead(err) {
		im.sum.Blind = true
		return held, nil
	}
	if err != nil || !ok || asked.revision <= held.revision {
		return held, err
	}
	return asked, nil
}

// held returns the version of an event that the server holds: by the memory, or by the server's word where the memory
// is not whole.
func (im *importer) held(ctx context.Context, e mapping.Event) (remembered, bool, error) {
	v, ok := im.memory.find(e.ID)
	if !im.memory.ask || ok && v.hash == e.Hash && v.revision > 0 {
		return v, ok, nil
	}
	asked, ok, err := im.askServer(ctx, e.ID, e.JSON, e.Hash)
	if isMayNotRead(err) {
		im.sum.Blind, im.memory.ask = true, false
		return v, v.id != "", nil
	}
	return asked, ok, err
}

// askServer reads the case of an event and finds the version that stands. Of the first version the server keeps no hash
// of ours, so its content is compared, names as the directory resolves them; where that is not certain it counts as
// another, and costs a correction that changes nothing.
func (im *importer) askServer(ctx context.Context, id string, text []byte, hash uint64) (remembered, bool, error) {
	var ours struct {
		Type    string         `json:"type"`
		Subject string         `json:"subject"`
		Time    time.Time      `json:"time"`
		Data    map[string]any `json:"data"`
	}
	if err := json.Unmarshal(text, &ours); err != nil {
		return remembered{}, false, fmt.Errorf("an event of ours cannot be read: %w", err)
	}
	kind, subject, _ := bytes.Cut([]byte(ours.Subject), []byte("/"))
	if k := string(kind); k != "call" && k != "ticket" {
		return remembered{}, false, nil
	}
	events, err := im.caseEvents(ctx, string(kind), string(subject))
	if err != nil {
		return remembered{}, false, err
	}
	best, found := remembered{id: id}, false
	for _, h := range events {
		revision, theirs, ok := parseVersion(id, h.ID)
		if !ok || h.Source != im.m.Source || found && revision < best.revision {
			continue
		}
		found = true
		best.revision, best.hash, best.before = revision, theirs, 0
		var data map[string]any
		if err := json.Unmarshal(h.Data, &data); err != nil {
			return remembered{}, false, fmt.Errorf("the server's event %s cannot be read: %w", mapping.Mask(h.ID, event.MaxIDBytes), err)
		}
		if revision == 0 {
			best.hash = ^hash & hashMask
			if h.Type == ours.Type && h.Time.Equal(ours.Time) && im.sameData(ours.Data, data) {
				best.hash = hash
			}
			continue
		}
		if replaced, ok := data["replaces"].(string); ok {
			_, best.before, _ = parseVersion(id, replaced)
		}
	}
	return best, found, nil
}

// caseEvents asks for a case, once for the events of a row, which speak of one call and one ticket.
func (im *importer) caseEvents(ctx context.Context, kind, subject string) ([]send.Held, error) {
	if im.asked == nil || len(im.asked) > 1000 {
		im.asked = map[string][]send.Held{}
	}
	key := kind + "/" + subject
	if events, ok := im.asked[key]; ok {
		return events, nil
	}
	events, err := im.client.Events(ctx, kind, im.m.Center, subject)
	if err == nil {
		im.asked[key] = events
	}
	return events, err
}

// sameData compares what we would send with what the server shows. Attributes that the server does not keep, and the
// caller, do not count.
func (im *importer) sameData(ours, theirs map[string]any) bool {
	for _, key := range slices.Sorted(maps.Keys(theirs)) {
		if key == "caller" || key == "center" {
			continue
		}
		if _, ok := ours[key]; !ok {
			return false
		}
	}
	for key, v := range ours {
		shown, ok := theirs[key]
		if word := mapping.IsDataKey(key); key == "caller" || key == "center" || !ok && !word {
			continue
		}
		if !ok || !im.sameValue(key, v, shown) {
			return false
		}
	}
	return true
}

func (im *importer) sameValue(key string, ours, theirs any) bool {
	a, isText := ours.(string)
	b, alsoText := theirs.(string)
	if !isText || !alsoText {
		x, err1 := json.Marshal(ours)
		y, err2 := json.Marshal(theirs)
		return err1 == nil && err2 == nil && bytes.Equal(x, y)
	}
	if key == "due" {
		x, err1 := time.Parse(time.RFC3339, a)
		y, err2 := time.Parse(time.RFC3339, b)
		return err1 == nil && err2 == nil && x.Equal(y)
	}
	if dir := im.o.Directory; dir != nil {
		switch key {
		case "opd":
			a, _ = dir.ResolveOPD(im.m.Center, a)
		case "kecamatan":
			a, _ = dir.ResolveKecamatan(im.m.Center, a)
		case "category":
			a, _ = dir.ResolveCategory(im.m.Center, a)
		}
	}
	return a == b
}

// correctConflicts looks up what the server holds of the events that it answered with a conflict (the memory was of
// another server, or another program imports the same source) and sends them as corrections.
func (im *importer) correctConflicts(ctx context.Context, client *send.Client) error {
	lost := im.lost
	im.lost, im.asked = nil, nil
	before := im.sum.Totals
	im.stream = im.newStream(ctx, client)
	im.final = true
	failed := func() error {
		for _, c := range lost {
			v, ok, err := im.askServer(ctx, c.tag.ev.id, c.tag.json, c.tag.ev.hash)
			if isMayNotRead(err) {
				im.sum.Blind = true
				im.refuse(c.tag, c.refusal)
				continue
			}
			if err != nil {
				return err
			}
			if !ok {
				im.refuse(c.tag, c.refusal)
				continue
			}
			before.Sent--
			before.Refused--
			next := v
			if v.hash != c.tag.ev.hash || v.revision == 0 {
				next = remembered{id: v.id, hash: c.tag.ev.hash, before: v.hash, revision: v.revision + 1}
				if v.revision == 0 {
					next.before = 0
				}
				im.sum.Corrected++
			}
			next.row = c.tag.ev.row
			if err := im.sendVersion(c.tag.json, next, c.tag); err != nil {
				return err
			}
		}
		return nil
	}()
	if failed != nil {
		im.stream.Abort()
	}
	totals, err := im.stream.Close()
	totals.Sent += before.Sent
	totals.Accepted += before.Accepted
	totals.Duplicates += before.Duplicates
	totals.Refused += before.Refused
	totals.Requests += before.Requests
	totals.Retried += before.Retried
	im.sum.Totals = totals
	if failed != nil {
		return failed
	}
	return err
}

// goneShown is how many of the events that no row gives any more are named.
const goneShown = 10

// remember counts what no row gives any more and writes the memory down. After an import that ended early, too, it is
// as good as the server's word: it holds what was answered.
func (im *importer) remember(whole bool) error {
	m := im.memory
	if whole && m.spanned {
		var gone []string
		for id, v := range m.known {
			if _, now := m.plans[id]; now || v.row < m.from || v.row > m.to {
				continue
			}
			if c := m.deferred[id]; c != nil {
				continue
			}
			gone = append(gone, id)
		}
		slices.Sort(gone)
		im.sum.Gone = len(gone)
		// The server took these ids, so none is a telephone number.
		im.sum.GoneFirst = append(im.sum.GoneFirst, gone[:min(len(gone), goneShown)]...)
	}
	return m.save()
}
