// Package number finds what a published percentage may be: every measure of ours, and every usual pair of counts of
// calls, whose share rounds to it. The same year was called 70 % and 80.7 % hoax; a number without its numerator and
// denominator says nothing. Search is pure; Runner asks ClickHouse for the counts.
package number

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Wanted is a share as somebody wrote it: Digits divided by ten to the power of Places, in percent. Places is below 0
// where even the whole percent is rounded, as in 0.8.
type Wanted struct {
	Digits int64
	Places int
	Text   string // as it was written
}

var written = regexp.MustCompile(`^(\d{1,3})(?:[.,](\d{1,6}))?(%|persen|percent)?$`)

// Parse reads a percentage: 80.7%, 80,7 %, 80.7 and 0.807 are the same; without a percent sign a number up to 1 with
// decimals is a fraction. The error is a sentence.
func Parse(text string) (Wanted, error) {
	s := strings.ToLower(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\u00a0' || r == '\u202f' {
			return -1
		}
		return r
	}, text))
	m := written.FindStringSubmatch(s)
	if m == nil {
		return Wanted{}, fmt.Errorf("%q is no percentage: write it as 80.7%%, 80,7 or 0.807", strings.ToValidUTF8(text, ""))
	}
	digits, _ := strconv.ParseInt(m[1]+m[2], 10, 64) // nine digits at most
	w := Wanted{Digits: digits, Places: len(m[2]), Text: strings.TrimSpace(text)}
	one := int64(math.Pow10(w.Places))
	if m[3] == "" && w.Places > 0 && w.Digits <= one {
		w.Places -= 2
	}
	if w.Percent() > 100 {
		return Wanted{}, fmt.Errorf("%q is more than 100 %%: a share never is", text)
	}
	return w, nil
}

// Percent is the number in percent.
func (w Wanted) Percent() float64 { return float64(w.Digits) / math.Pow10(w.Places) }

// fits reports whether a share rounds to the number; a half may be rounded up or down.
func (w Wanted) fits(numerator, denominator int64) bool {
	up, down := int64(1), int64(1)
	if w.Places > 0 {
		up = int64(math.Pow10(w.Places))
	} else {
		down = int64(math.Pow10(-w.Places))
	}
	off := 100*numerator*up - w.Digits*down*denominator
	return 2*max(off, -off) <= down*denominator
}

// Text is one text in both languages of the pages.
type Text struct {
	Indonesian string `json:"id"`
	English    string `json:"en"`
}

// Match is a share: a measure of ours, or a pair of counts.
type Match struct {
	Measure     string  `json:"measure,omitempty"` // name and dimensions, as in monev_figures; empty of a pair of counts
	Numerator   Text    `json:"numerator"`
	Denominator Text    `json:"denominator"`
	Counted     int64   `json:"counted"` // of the numerator
	Of          int64   `json:"of"`      // of the denominator
	N           int64   `json:"n"`       // what the measure rests on; of a pair of counts all calls that came in
	Percent     float64 `json:"percent"`
}

// MaxNearest is how many matches are told where none fits.
const MaxNearest = 5

// Search returns the shares that round to a number, the nearest first, and where there are none the nearest. Shares of
// nothing, and a share that came before under another name with the same numerator and denominator, are left out.
func Search(w Wanted, all []Match) (fits, nearest []Match) {
	type pair struct{ numerator, denominator Text }
	seen := map[pair]bool{}
	for _, m := range all {
		p := pair{m.Numerator, m.Denominator}
		if m.Of <= 0 || m.Counted < 0 || m.Counted > m.Of || seen[p] {
			continue
		}
		seen[p] = true
		m.Percent = 100 * float64(m.Counted) / float64(m.Of)
		nearest = append(nearest, m)
	}
	off := func(m Match) float64 { return math.Abs(m.Percent - w.Percent()) }
	slices.SortStableFunc(nearest, func(a, b Match) int {
		return cmp.Or(cmp.Compare(off(a), off(b)), cmp.Compare(b.Of, a.Of))
	})
	for _, m := range nearest {
		if w.fits(m.Counted, m.Of) {
			fits = append(fits, m)
		}
	}
	if len(fits) > 0 {
		return fits, nil
	}
	return nil, nearest[:min(len(nearest), MaxNearest)]
}
