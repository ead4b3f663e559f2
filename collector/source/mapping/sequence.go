package mapping

import (
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/monev112/monev112/collector/source/tabular"
)

// sequence is a compiled sequenceSpec.
type sequence struct {
	of, time    int
	newestFirst bool
	changed     []int // the fields of conditions with changed: true
}

// compileSequence compiles table.sequence.
func (c *compiler) compileSequence() {
	s := c.spec.Table.Sequence
	if s == nil {
		return
	}
	const at = "table.sequence"
	q := &sequence{newestFirst: c.word(at+".rows", "word", s.Rows, "oldest_first", "newest_first") == "newest_first"}
	var ok bool
	if q.of, ok = c.index[s.Case]; !ok || c.m.fields[q.of].kind != textField {
		c.Wrong(at+".case", fmt.Sprintf("there is no field %q with type: text", s.Case), "name the number of the case")
	}
	if q.time, ok = c.index[s.Time]; !ok || c.m.fields[q.time].kind != timeField {
		c.Wrong(at+".time", fmt.Sprintf("there is no field %q with type: time", s.Time), "name the time of the row")
	}
	c.m.sequence = q
}

// changes returns the bit that says whether a field differs from the row before.
func (c *compiler) changes(at string, field int) int {
	q := c.m.sequence
	if q == nil {
		c.Wrong(at, "changed needs the order of a case's rows", "write table.sequence: {case: number, time: received}")
		return 0
	}
	if i := slices.Index(q.changed, field); i >= 0 {
		return i
	}
	if len(q.changed) == 64 {
		c.Wrong(at, "more than 64 fields are asked for changed", "ask fewer")
		return 0
	}
	q.changed = append(q.changed, field)
	return len(q.changed) - 1
}

// Sequence says of each row how it stands to the row before it of the same case. It is built by a SequenceReader and
// then only read.
type Sequence struct {
	steps map[spot]rowStep // of the rows that are not like plain
	plain rowStep
}

type spot struct {
	file string
	line int
}

// rowStep is what the order of the rows says of one row.
type rowStep struct {
	changed uint64 // bit i: field i of sequence.changed differs from the last row that filled it
	shift   int64  // milliseconds that the row's time is moved, so that rows of one time keep their order
}

func (s *Sequence) of(row tabular.Row) rowStep {
	if s == nil {
		return rowStep{changed: ^uint64(0)}
	}
	if found, ok := s.steps[spot{row.File, row.Line}]; ok {
		return found
	}
	return s.plain
}

// SequenceReader takes every row of an import once, before any event is made, and puts the rows of each case in order:
// by their time, and those of one time as they stand in the file. It holds a few words for each row, under a limit.
type SequenceReader struct {
	mapping *Mapping
	cases   map[string][]sequenceRow
	bytes   int64
	limit   int64
}

type sequenceRow struct {
	at    int64
	where spot
	cells uint64 // hash: the same row twice is one row
	said  []uint64
}

// NewSequenceReader returns a reader that holds at most limit bytes; nil when the mapping asks for no order.
func (m *Mapping) NewSequenceReader(limit int64) *SequenceReader {
	if m.sequence == nil {
		return nil
	}
	return &SequenceReader{mapping: m, cases: map[string][]sequenceRow{}, limit: limit}
}

// Add takes the row that m has applied last.
func (r *SequenceReader) Add(m *Mapper, row tabular.Row) error {
	q := r.mapping.sequence
	of, at := &m.values[q.of], &m.values[q.time]
	if !of.set || !at.set {
		return nil
	}
	one := sequenceRow{at: at.unix, where: spot{row.File, row.Line}, said: make([]uint64, len(q.changed))}
	h := xxhash.New()
	for _, c := range row.Cells {
		_, _ = h.WriteString(c)
		_, _ = h.Write([]byte{0})
	}
	one.cells = h.Sum64()
	for i, f := range q.changed {
		if v := &m.values[f]; v.set {
			one.said[i] = xxhash.Sum64String(fmt.Sprint(v.text, "\x00", v.unix, "\x00", v.num)) | 1
		}
	}
	if _, known := r.cases[of.text]; !known {
		r.bytes += 100 + int64(len(of.text))
	}
	// A row costs its entry here and, at worst, one among the steps.
	if r.bytes += 160 + 8*int64(len(one.said)); r.bytes > r.limit {
		return fmt.Errorf("%s:%d: the order of the rows needs more than %d bytes of memory; import the file in parts that "+
			"hold whole cases", row.File, row.Line, r.limit)
	}
	r.cases[of.text] = append(r.cases[of.text], one)
	return nil
}

// Sequence puts the rows in order. The reader is used up by it.
func (r *SequenceReader) Sequence() *Sequence {
	q := r.mapping.sequence
	out := &Sequence{steps: map[spot]rowStep{}, plain: rowStep{changed: 1<<len(q.changed) - 1}}
	for number, rows := range r.cases {
		if q.newestFirst {
			slices.Reverse(rows)
		}
		slices.SortStableFunc(rows, func(a, b sequenceRow) int { return int(min(max(a.at-b.at, -1), 1)) })
		last := make([]uint64, len(q.changed))
		taken := map[uint64]rowStep{} // rows of this instant, by their cells
		var before int64              // time that the row before was given
		for i, row := range rows {
			if i == 0 || rows[i-1].at != row.at {
				clear(taken)
			}
			s, again := taken[row.cells]
			if !again {
				for j, said := range row.said {
					if said != 0 && said != last[j] {
						s.changed |= 1 << j
						last[j] = said
					}
				}
				if i > 0 && row.at <= before {
					s.shift = before + 1 - row.at
				}
				before = row.at + s.shift
				taken[row.cells] = s
			}
			if s != out.plain {
				out.steps[row.where] = s
			}
		}
		delete(r.cases, number)
	}
	return out
}
