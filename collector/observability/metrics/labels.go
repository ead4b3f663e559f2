package metrics

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// closed is a set of label values with the value that stands for the rest.
type closed struct {
	values   []string // sorted, the fallback and None (if any) included
	fallback string
	none     string // what an empty value becomes
	index    map[string]string
}

func newClosed(values []string, fallback, none string) closed {
	all := append(slices.Clone(values), fallback, none)
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	slices.Sort(all)
	all = slices.Compact(all)
	c := closed{values: all, fallback: fallback, none: cmp.Or(none, fallback), index: make(map[string]string, len(all))}
	for _, v := range all {
		c.index[v] = v
	}
	return c
}

func (c closed) of(v string) string {
	if v == "" {
		return c.none
	}
	if known, ok := c.index[v]; ok {
		return known // the set's own string: a label must not pin a request body in memory
	}
	return c.fallback
}

func (c closed) has(v string) bool {
	_, ok := c.index[v]
	return ok
}

// known are the values without the fallback.
func (c closed) known() []string {
	return slices.DeleteFunc(slices.Clone(c.values), func(v string) bool { return v == c.fallback })
}

// secondsLabel writes a duration as the label value of a target: "15", "7.5".
func secondsLabel(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}

// labels are the closed sets that several metrics share.
type labels struct {
	centers    closed
	opds       map[string]centerOPDs // by centre, Unknown included
	priorities closed
	given      []string // the priorities that series are made for at start: the decoder lets no other pass
	clocks     closed
}

// centerOPDs are the OPDs of one centre.
type centerOPDs struct {
	closed
	scopes map[string]string
}

func newLabels(cfg Config) *labels {
	l := &labels{
		opds:       map[string]centerOPDs{},
		priorities: newClosed(cfg.Vocabulary.Priorities, Unknown, None),
		clocks:     newClosed(cfg.Vocabulary.Clocks, Other, ""),
	}
	l.given = slices.DeleteFunc(slices.Clone(l.priorities.values), func(p string) bool { return p == Unknown })
	var codes []string
	for _, c := range append(slices.Clone(cfg.Centers), Center{Code: Unknown}) {
		codes = append(codes, c.Code)
		scopes := map[string]string{None: "own"} // a ticket that lies at the centre is the centre's own
		var ids []string
		for _, o := range c.OPDs {
			ids = append(ids, o.ID)
			scopes[o.ID] = o.Scope
		}
		l.opds[c.Code] = centerOPDs{newClosed(ids, Unknown, None), scopes}
	}
	l.centers = newClosed(codes, Unknown, "")
	return l
}

// scope is the scope label that goes with an OPD label.
func (o centerOPDs) scope(id string) string { return cmp.Or(o.scopes[id], Unknown) }

// ticketClocks are the clocks that tickets have: that of the answer belongs to calls.
func (l *labels) ticketClocks() []string {
	return slices.DeleteFunc(l.clocks.known(), func(c string) bool { return c == answerClock })
}
