package mapping

import (
	"fmt"

	"github.com/monev112/monev112/collector/source/tabular"
)

// NightCheck judges whether the rules night_shift of a mapping fit a table: it compares the order of the rows as their
// dates are written with the order after the move. Exports list their rows by time, up or down: a move that is right
// mends the order, a move that is wrong breaks it. An order that says nothing (shuffled rows) passes.
type NightCheck struct {
	fields []int
	names  []string
	orders []nightOrder
}

// NewNightCheck returns a check for one table; nil when the mapping has no night_shift.
func (m *Mapping) NewNightCheck() *NightCheck {
	c := &NightCheck{}
	for i, f := range m.fields {
		if f.night != nil {
			c.fields, c.names = append(c.fields, i), append(c.names, f.name)
		}
	}
	if len(c.fields) == 0 {
		return nil
	}
	c.orders = make([]nightOrder, len(c.fields))
	return c
}

// Add takes the row that m has applied last.
func (c *NightCheck) Add(m *Mapper, row tabular.Row) {
	for i, f := range c.fields {
		c.orders[i].add(m.values[f], row.File)
	}
}

// Err says which rule would put the rows out of order.
func (c *NightCheck) Err() error {
	for i := range c.orders {
		if err := c.orders[i].judge(c.names[i]); err != nil {
			return err
		}
	}
	return nil
}

// nightOrder counts how often a time lies before and after the one above it, as written and as moved.
type nightOrder struct {
	file                   string
	any                    bool
	written, moved         int64 // of the row before
	backWritten, upWritten int
	backMoved, upMoved     int
	rows                   int // that were moved
}

func (o *nightOrder) add(v value, file string) {
	if !v.set {
		return
	}
	written := v.wall
	if v.moved {
		written -= 86400
		o.rows++
	}
	if o.any {
		step(written-o.written, &o.backWritten, &o.upWritten)
		step(v.wall-o.moved, &o.backMoved, &o.upMoved)
	}
	o.any, o.written, o.moved, o.file = true, written, v.wall, file
}

func step(by int64, back, up *int) {
	switch {
	case by < 0:
		*back++
	case by > 0:
		*up++
	}
}

func (o *nightOrder) judge(field string) error {
	before, after := min(o.backWritten, o.upWritten), min(o.backMoved, o.upMoved)
	if after <= before {
		return nil
	}
	return fmt.Errorf(
		"%s: night_shift of the field %s would move %d times to the next day and put the rows out of order in %d places "+
			"instead of %d: the dates of this file seem to be right; nothing was sent; remove night_shift, or correct its "+
			"until, field and in", o.file, field, o.rows, after, before)
}
