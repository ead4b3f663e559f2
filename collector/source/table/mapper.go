package table

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"github.com/monev112/monev112/collector/event"
)

// Event is one event that a row gave, as a CloudEvents JSON object.
type Event struct {
	ID   string
	Unix int64 // when it happened, milliseconds since 1970 UTC
	JSON []byte
	Hash uint64 // of the content without the caller, 48 bits; events of one id with one hash say the same

	rule int
}

const maxIDBytes = event.MaxIDBytes

// mapper applies a Mapping to the rows of one table; it belongs to one goroutine.
type mapper struct {
	*Mapping
	bound  *binding
	hide   bool // callers' numbers but for their last three digits: for events that people will look at
	zone   zone
	notes  Notes
	names  *nameCount // hears the names of OPDs, kecamatan and categories; may be nil
	values []value
	events []Event
	text   []byte
	hash   *xxhash.Digest
}

func (m *Mapping) newMapper(b *binding) *mapper {
	return &mapper{
		Mapping: m, bound: b, zone: zone{loc: m.location}, values: make([]value, len(m.fields)), hash: xxhash.New(),
	}
}

// repeatsHeader reports whether row is the header again, as where exports were joined.
func (m *mapper) repeatsHeader(row Row) bool { return slices.Equal(row.Cells, m.bound.header) }

// apply returns the events of a row, valid until the next call: all of them, or none and an error.
func (m *mapper) apply(row Row) ([]Event, *RowError) {
	before := m.notes
	if m.names != nil {
		m.names.begin()
	}
	events, err := m.convert(row)
	if err != nil {
		m.notes = before // what a refused row held does not count
		return nil, err
	}
	return events, nil
}

func (m *mapper) convert(row Row) ([]Event, *RowError) {
	refuse := func(code Code, format string, args ...any) *RowError {
		return &RowError{File: row.File, Line: row.Line, Code: code, Reason: fmt.Sprintf(format, args...)}
	}
	want := len(m.bound.header)
	if len(row.Cells) < want && !m.padShort && row.since == 0 { // a workbook does not keep empty cells at the end
		return nil, refuse(CodeColumns, "the row has %d cells, the header %d", len(row.Cells), want)
	}
	for _, extra := range row.Cells[min(want, len(row.Cells)):] {
		if strings.TrimSpace(extra) != "" {
			return nil, refuse(CodeColumns,
				"the row has %d cells, the header %d; is a cell with the separator in it not quoted?", len(row.Cells), want)
		}
	}
	for _, i := range m.order {
		v, err := m.fields[i].read(m, row, m.bound.cols[i], m.values)
		if err != nil {
			return nil, err
		}
		m.values[i] = v
	}
	m.events, m.text = m.events[:0], m.text[:0]
	for i := range m.rules {
		if err := m.emit(i, row, refuse); err != nil {
			return nil, err
		}
	}
	if len(m.events) == 0 {
		return nil, refuse(CodeNoEvent, "no event of the mapping applies to the row")
	}
	return m.events, nil
}

// emit appends the event of rule i, if it applies.
func (m *mapper) emit(i int, row Row, refuse func(Code, string, ...any) *RowError) *RowError {
	r := &m.rules[i]
	for j := range r.when {
		if !r.when[j].holds(m.values) {
			return nil
		}
	}
	at := m.values[r.time]
	if !at.set {
		if r.required {
			return m.fields[r.time].refuse(row, CodeMissing, fmt.Sprintf("the time of %s is missing", r.typ))
		}
		return nil
	}
	var scratch [2 * maxIDBytes]byte
	subject, ok := r.subject.appendTo(scratch[:0], m.fields, m.values)
	if !ok || len(subject) == 0 {
		return refuse(CodeMissing, "the subject of %s is not complete", r.typ)
	}
	if len(subject) > maxIDBytes || !utf8.Valid(subject) {
		return refuse(CodeTooLarge, "the id of the %s is longer than %d bytes", r.kind, maxIDBytes)
	}
	id := m.eventID(r, subject)
	if id == "" {
		return refuse(CodeMissing, "the id of %s is not complete", r.typ)
	}
	if len(id) > maxIDBytes {
		return refuse(CodeTooLarge, "the id of %s is longer than %d bytes; give the event a shorter id", r.typ, maxIDBytes)
	}
	from := len(m.text)
	out := append(m.text, `{"specversion":"1.0","id":`...)
	out = appendJSON(out, id)
	out = append(out, r.head...)
	out = append(out, '"')
	out = append(out, r.kind...)
	out = append(out, '/')
	out = appendJSONTail(out, subject)
	out = append(out, `,"time":"`...)
	out = appendTime(out, at.unix)
	out = append(out, `","data":{"center":`...)
	out = appendJSON(out, m.Center)
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
	ev := Event{ID: id, Unix: at.unix, JSON: out[from:len(out):len(out)], rule: i}
	m.hash.Reset()
	if callerTo > 0 { // the server's digest leaves the caller out, too, and a hash of a number could be undone
		_, _ = m.hash.Write(out[from:callerFrom])
		_, _ = m.hash.Write(out[callerTo:])
	} else {
		_, _ = m.hash.Write(ev.JSON)
	}
	ev.Hash = m.hash.Sum64() & hashMask
	for _, other := range m.events {
		if other.ID == id {
			if string(other.JSON) == string(ev.JSON) {
				return nil
			}
			return refuse(CodeSameID,
				"the row gives two different events with one id (%s and %s); give one of them an id of its own in the mapping",
				m.rules[other.rule].typ, r.typ)
		}
	}
	m.events = append(m.events, ev)
	return nil
}

// eventID returns the id of an event: what the mapping says, or kind, subject and type. It depends on nothing that
// changes when the table is exported again, so that a file sent twice gives the same ids.
func (m *mapper) eventID(r *eventRule, subject []byte) string {
	if r.hasID {
		var scratch [2 * maxIDBytes]byte
		id, ok := r.id.appendTo(scratch[:0], m.fields, m.values)
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
func (m *mapper) appendData(out []byte, d *dataItem) ([]byte, error) {
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
			one, ok := t.appendTo(scratch[:0], m.fields, m.values)
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
	one, ok := d.tmpl[0].appendTo(scratch[:0], m.fields, m.values)
	if !ok || len(one) == 0 {
		return out, nil
	}
	if m.names != nil && nameKeys[d.key] {
		m.names.hear(d.key, string(one))
	}
	if m.hide && d.kind == dataCaller {
		for i := range max(len(one)-3, 0) {
			one[i] = '*'
		}
	}
	key()
	return appendJSON(out, one), nil
}
