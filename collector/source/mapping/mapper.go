package mapping

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/tabular"
)

// Event is one event that a row gave, as a CloudEvents JSON object.
type Event struct {
	ID   string
	Unix int64 // when it happened, milliseconds since 1970 UTC
	JSON []byte
	Hash uint64 // of the content without the caller; events of one id with one hash say the same
	Rule int    // which of the mapping's events it is
	// Rank is what tells which of several rows of a case is the latest: the time, or the field that the rule names.
	Rank float64
	// Subject is what it is about, such as call/C-1.
	Subject string
}

const (
	maxIDBytes = event.MaxIDBytes
	eventHead  = `{"specversion":"1.0","id":` // of every event's JSON
)

// Version returns the JSON of the event as a later version of itself: with another id, the id that it replaces and the
// number of the revision.
func (e *Event) Version(id, replaces string, revision uint32) []byte {
	rest := e.JSON[len(eventHead)+len(appendJSON(nil, e.ID)):]
	out := appendJSON([]byte(eventHead), id)
	out = append(out, rest[:len(rest)-2]...)
	out = append(out, `,"replaces":`...)
	out = appendJSON(out, replaces)
	out = append(out, `,"revision":`...)
	out = strconv.AppendUint(out, uint64(revision), 10)
	return append(out, "}}"...)
}

// Binding says where the fields of a mapping stand in one table.
type Binding struct {
	header []string
	cols   [][]int  // for each field the indexes of its columns, -1 where an optional one is absent
	by     []*field // for each column the field that reads it; of several the one that keeps most to itself
}

// Bind finds the mapping's fields below a header that its Layout has found.
func (m *Mapping) Bind(h tabular.Header) *Binding {
	b := &Binding{header: h.Cells, cols: make([][]int, len(m.fields)), by: make([]*field, len(h.Cells))}
	at := h.Columns
	for i := range m.fields {
		f := &m.fields[i]
		b.cols[i], at = at[:len(f.columns)], at[len(f.columns):]
		for _, found := range b.cols[i] {
			if found < 0 {
				continue
			}
			if old := b.by[found]; old == nil || f.kind == phoneField || f.values == nil && old.kind != phoneField {
				b.by[found] = f
			}
		}
	}
	return b
}

// RepeatsHeader reports whether row is the header again, as where exports were joined.
func (b *Binding) RepeatsHeader(row tabular.Row) bool { return slices.Equal(row.Cells, b.header) }

// Mapper applies a Mapping to the rows of one table; it belongs to one goroutine.
type Mapper struct {
	*Binding
	HideCallers  bool // but for their last three digits: for events that people will look at
	CollectNames bool // into Names
	OnlyTimes    bool // events get no JSON and no hash: for a first look at all rows
	// Names are those of OPDs, kecamatan and categories that the last row says, each once, when CollectNames is set.
	Names []Name
	Notes Notes // of the rows that were taken

	// Absent are the ids of the events that the last row would give if a cell of it were not empty, that of the event's
	// time or one that the rule asks to be filled, when CollectAbsent is set.
	Absent        []string
	CollectAbsent bool

	// Sequence is what a SequenceReader has found out of all rows; nil where the mapping asks for none.
	Sequence *Sequence

	mapping *Mapping
	zone    zone
	step    rowStep
	// unchanged says that the row lacks an event because nothing has changed since the one before it.
	unchanged bool
	values    []value
	events    []Event
	text      []byte
	hash      *xxhash.Digest
	times     []int // fields that the times of events need, for MayTell
}

// Name is what a row calls an OPD, a kecamatan or a category.
type Name struct {
	Kind string // opd, kecamatan or category
	Name string
}

// NewMapper returns a Mapper for the rows of one table.
func (m *Mapping) NewMapper(b *Binding) *Mapper {
	return &Mapper{
		Binding: b, mapping: m, zone: zone{loc: m.location}, values: make([]value, len(m.fields)), hash: xxhash.New(),
	}
}

// The codes of rows that the mapping refuses.
const (
	CodeColumns   tabular.Code = "wrong_cell_count"  // more or fewer cells than the header
	CodeMissing   tabular.Code = "missing_value"     // a required value is empty
	CodeTime      tabular.Code = "bad_time"          // a time that fits none of the formats or does not exist
	CodeNumber    tabular.Code = "bad_number"        // a number that cannot be read or is out of range
	CodeValue     tabular.Code = "unknown_value"     // a value that the value map does not list
	CodeNoEvent   tabular.Code = "no_event"          // the row gives no event at all
	CodeSameID    tabular.Code = "same_id"           // one row gives two different events with one id
	CodeTimeRange tabular.Code = "time_out_of_range" // before 2000 or after 2099
)

// Apply returns the events of a row, valid until the next call: all of them, or none and an error. A row that only says
// what the row before it said gives none, without an error.
func (m *Mapper) Apply(row tabular.Row) ([]Event, *tabular.RowError) {
	before := m.Notes
	m.Names = m.Names[:0]
	events, err := m.convert(row)
	if err != nil {
		m.Notes = before // what a refused row held does not count
		return nil, err
	}
	return events, nil
}

// MayTell reports whether a row may give an event before an instant, or one of a rule that was not seen yet: it reads
// the times of events and nothing else. It is for mappings without a Sequence.
func (m *Mapper) MayTell(row tabular.Row, before int64, seen []bool) bool {
	if m.times == nil {
		m.times = m.mapping.timeFields()
	}
	for _, i := range m.times {
		v, err := m.mapping.fields[i].read(m, row, m.cols[i], m.values)
		if err != nil {
			return false // Apply would refuse the row
		}
		m.values[i] = v
	}
	for i := range m.mapping.rules {
		if at := m.values[m.mapping.rules[i].time]; at.set && (at.unix < before || !seen[i]) {
			return true
		}
	}
	return false
}

// timeFields are the fields of the times of events and those that they need, in the order of evaluation.
func (m *Mapping) timeFields() (out []int) {
	need := make([]bool, len(m.fields))
	for _, r := range m.rules {
		need[r.time] = true
	}
	for _, i := range slices.Backward(m.order) {
		f := &m.fields[i]
		if !need[i] {
			continue
		}
		for _, other := range [...]int{f.follows, f.plus} {
			if other >= 0 {
				need[other] = true
			}
		}
		if f.night != nil && f.night.field >= 0 {
			need[f.night.field] = true
		}
	}
	for _, i := range m.order {
		if need[i] {
			out = append(out, i)
		}
	}
	return out
}

func (m *Mapper) convert(row tabular.Row) ([]Event, *tabular.RowError) {
	refuse := func(code tabular.Code, format string, args ...any) *tabular.RowError {
		return &tabular.RowError{File: row.File, Line: row.Line, Code: code, Reason: fmt.Sprintf(format, args...)}
	}
	want := len(m.header)
	// a workbook does not keep empty cells at the end
	if len(row.Cells) < want && !m.mapping.padShort && !row.FromWorkbook() {
		return nil, refuse(CodeColumns, "the row has %d cells, the header %d", len(row.Cells), want)
	}
	for _, extra := range row.Cells[min(want, len(row.Cells)):] {
		if strings.TrimSpace(extra) != "" {
			return nil, refuse(CodeColumns,
				"the row has %d cells, the header %d; is a cell with the separator in it not quoted?", len(row.Cells), want)
		}
	}
	m.step, m.unchanged = m.Sequence.of(row), false
	for _, i := range m.mapping.order {
		v, err := m.mapping.fields[i].read(m, row, m.cols[i], m.values)
		if err != nil {
			return nil, err
		}
		if s := m.mapping.sequence; s != nil && s.time == i && v.set && m.step.shift > 0 {
			v.unix += m.step.shift
			m.Notes.RowOrder++
		}
		m.values[i] = v
	}
	m.events, m.text, m.Absent = m.events[:0], m.text[:0], m.Absent[:0]
	for i := range m.mapping.rules {
		if err := m.emit(i, row, refuse); err != nil {
			return nil, err
		}
	}
	switch {
	case len(m.events) > 0:
	case m.unchanged:
		m.Notes.Unchanged++
	default:
		return nil, refuse(CodeNoEvent, "no event of the mapping applies to the row")
	}
	return m.events, nil
}

// emit appends the event of rule i, if it applies.
func (m *Mapper) emit(i int, row tabular.Row,
	refuse func(tabular.Code, string, ...any) *tabular.RowError) *tabular.RowError {
	r := &m.mapping.rules[i]
	skip, emptied := false, true
	for j := range r.when {
		if w := &r.when[j]; !w.holds(m.values, m.step.changed) {
			skip = true
			m.unchanged = m.unchanged || w.changed >= 0
			emptied = emptied && w.empty != nil && m.emptied(w.field, row)
		}
	}
	if skip {
		if emptied {
			m.absent(r)
		}
		return nil
	}
	at := m.values[r.time]
	if !at.set {
		if r.required {
			return m.mapping.fields[r.time].refuse(row, CodeMissing, fmt.Sprintf("the time of %s is missing", r.typ))
		}
		if m.emptied(r.time, row) {
			m.absent(r)
		}
		return nil
	}
	var scratch [2 * maxIDBytes]byte
	subject, ok := r.subject.appendTo(scratch[:0], m.mapping.fields, m.values)
	if !ok || len(subject) == 0 {
		return refuse(CodeMissing, "the subject of %s is not complete", r.typ)
	}
	if len(subject) > maxIDBytes || !utf8.Valid(subject) {
		return refuse(tabular.CodeTooLarge, "the id of the %s is longer than %d bytes", r.kind, maxIDBytes)
	}
	id := m.eventID(r, subject)
	if id == "" {
		return refuse(CodeMissing, "the id of %s is not complete", r.typ)
	}
	if len(id) > maxIDBytes {
		return refuse(tabular.CodeTooLarge, "the id of %s is longer than %d bytes; give the event a shorter id", r.typ,
			maxIDBytes)
	}
	if m.OnlyTimes {
		m.events = append(m.events, Event{ID: id, Unix: at.unix, Rule: i})
		return nil
	}
	from := len(m.text)
	out := append(m.text, eventHead...)
	out = appendJSON(out, id)
	out = append(out, r.head...)
	out = append(out, '"')
	out = append(out, r.kind...)
	out = append(out, '/')
	out = appendJSONTail(out, subject)
	out = append(out, `,"time":"`...)
	out = appendTime(out, at.unix)
	out = append(out, `","data":{"center":`...)
	out = appendJSON(out, m.mapping.Center)
	callerFrom, callerTo := 0, 0
	for j := range r.data {
		var err error
		before := len(out)
		if out, err = m.appendData(out, &r.data[j]); err != nil {
			return refuse(CodeNumber, "%v", err)
		}
		if r.data[j].kind == dataCaller {
			callerFrom, callerTo = before, len(out)
		}
	}
	out = append(out, "}}"...)
	m.text = out
	ev := Event{
		ID: id, Unix: at.unix, JSON: out[from:len(out):len(out)], Rule: i, Rank: m.rank(r, at),
	}
	if r.hasID {
		ev.Subject = r.kind + "/" + string(subject)
	} else {
		ev.Subject = id[:len(r.kind)+1+len(subject)]
	}
	m.hash.Reset()
	if callerTo > 0 { // the server's digest leaves the caller out, too, and a hash of a number could be undone
		_, _ = m.hash.Write(out[from:callerFrom])
		_, _ = m.hash.Write(out[callerTo:])
	} else {
		_, _ = m.hash.Write(ev.JSON)
	}
	ev.Hash = m.hash.Sum64()
	for _, other := range m.events {
		if other.ID == id {
			if string(other.JSON) == string(ev.JSON) {
				return nil
			}
			return refuse(CodeSameID,
				"the row gives two different events with one id (%s and %s); give one of them an id of its own in the mapping",
				m.mapping.rules[other.Rule].typ, r.typ)
		}
	}
	m.events = append(m.events, ev)
	return nil
}

// rank tells which row of a case is later by the field that the rule names. A row that leaves it empty loses.
func (m *Mapper) rank(r *eventRule, at value) float64 {
	switch {
	case r.by < 0:
		return float64(at.unix)
	case !m.values[r.by].set && r.latest:
		return math.Inf(-1)
	case !m.values[r.by].set:
		return math.Inf(1)
	case m.mapping.fields[r.by].kind == timeField:
		return float64(m.values[r.by].unix)
	}
	return m.values[r.by].num
}

// emptied reports whether field i says nothing because a cell of it is empty, and not because the table has no such
// column or a value map leaves the value out.
func (m *Mapper) emptied(i int, row tabular.Row) bool {
	f := &m.mapping.fields[i]
	if m.values[i].set {
		return false
	}
	if f.plus >= 0 {
		return m.emptied(f.follows, row) || m.emptied(f.plus, row)
	}
	empty := false
	for _, col := range m.cols[i] {
		if col < 0 {
			return false
		}
		one := col >= len(row.Cells) || f.nulls[oneLine(row.Cells[col])]
		if f.firstOf && !one {
			return false
		}
		empty = empty || one
	}
	return empty
}

// absent notes that the row does not give the event of a rule.
func (m *Mapper) absent(r *eventRule) {
	if !m.CollectAbsent {
		return
	}
	var scratch [2 * maxIDBytes]byte
	subject, ok := r.subject.appendTo(scratch[:0], m.mapping.fields, m.values)
	if !ok || len(subject) == 0 {
		return
	}
	if id := m.eventID(r, subject); id != "" {
		m.Absent = append(m.Absent, id)
	}
}

// eventID returns the id of an event: what the mapping says, or kind, subject and type. It depends on nothing that
// changes when the table is exported again, so that a file sent twice gives the same ids.
func (m *Mapper) eventID(r *eventRule, subject []byte) string {
	if r.hasID {
		var scratch [2 * maxIDBytes]byte
		id, ok := r.id.appendTo(scratch[:0], m.mapping.fields, m.values)
		if !ok {
			return ""
		}
		return string(id)
	}
	return r.kind + "/" + string(subject) + r.typ[len(r.kind):]
}

// appendJSONTail appends s and a closing quote to a JSON string that is already begun.
func appendJSONTail(dst, s []byte) []byte {
	at := len(dst)
	dst = appendJSON(dst, s)
	copy(dst[at:], dst[at+1:]) // drop the opening quote that appendJSON wrote
	return dst[:len(dst)-1]
}

// appendData writes one key of data; a key whose field is empty is left out.
func (m *Mapper) appendData(out []byte, d *dataItem) ([]byte, error) {
	key := func() {
		out = append(out, ',', '"')
		out = append(out, d.key...)
		out = append(out, '"', ':')
	}
	switch d.kind {
	case dataNumber, dataInteger:
		num := []byte(d.num)
		if len(num) == 0 {
			v := m.values[d.tmpl[0].only()]
			if !v.set {
				return out, nil
			}
			var err error
			if num, err = numberJSON(d.key, d.kind, v.num); err != nil {
				return out, err
			}
		}
		key()
		return append(out, num...), nil
	case dataList:
		open := false
		for _, t := range d.tmpl {
			var scratch [2 * maxIDBytes]byte
			one, ok := t.appendTo(scratch[:0], m.mapping.fields, m.values)
			if !ok || len(one) == 0 {
				continue
			}
			if !open {
				key()
				out = append(out, '[')
				open = true
			} else {
				out = append(out, ',')
			}
			out = appendJSON(out, one)
		}
		if open {
			out = append(out, ']')
		}
		return out, nil
	}
	var scratch [2 * maxIDBytes]byte
	one, ok := d.tmpl[0].appendTo(scratch[:0], m.mapping.fields, m.values)
	if !ok || len(one) == 0 {
		return out, nil
	}
	if m.CollectNames && (d.key == "opd" || d.key == "kecamatan" || d.key == "category") {
		if n := (Name{d.key, string(one)}); !slices.Contains(m.Names, n) {
			m.Names = append(m.Names, n)
		}
	}
	if m.HideCallers && d.kind == dataCaller {
		for i := range max(len(one)-3, 0) {
			one[i] = '*'
		}
	}
	key()
	return appendJSON(out, one), nil
}
