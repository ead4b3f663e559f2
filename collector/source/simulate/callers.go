package simulate

// callers draws telephone numbers. All begin with 0860, which Indonesia's numbering plan gives to no operator, so that
// no number of the simulation can be a person's.
type callers struct {
	s             stream
	repeatCallers []string // a handful who call again and again
	pranksters    []string
	variety       bool // write numbers in several forms, as telephone systems do
}

const (
	repeatCallersN = 14
	prankstersN    = 2500
)

func newCallers(s stream, variety bool) *callers {
	c := &callers{s: s, variety: variety}
	for range repeatCallersN {
		c.repeatCallers = append(c.repeatCallers, c.fresh())
	}
	for range prankstersN {
		c.pranksters = append(c.pranksters, c.fresh())
	}
	return c
}

func (c *callers) fresh() string {
	return "0860" + pad(int(c.s.between(10_000_000, 99_999_999)), 8)
}

// repeatCaller is one of the few; the first of them call most.
func (c *callers) repeatCaller() string {
	return c.written(c.repeatCallers[min(c.s.IntN(repeatCallersN), c.s.IntN(repeatCallersN))])
}

// prankster is a repeat caller in one call of three.
func (c *callers) prankster() string {
	if c.s.permille(330) {
		return c.repeatCaller()
	}
	return c.written(c.pranksters[c.s.IntN(prankstersN)])
}

// anyone is a number that has hardly ever called before; one in 200 is a repeat caller's, with a real event for once.
func (c *callers) anyone() string {
	if c.s.permille(5) {
		return c.repeatCaller()
	}
	return c.written(c.fresh())
}

// written is the number as a telephone system might write it.
func (c *callers) written(n string) string {
	if !c.variety {
		return n
	}
	switch c.s.IntN(20) {
	case 0:
		return "+62" + n[1:]
	case 1:
		return n[:4] + "-" + n[4:8] + "-" + n[8:]
	}
	return n
}
