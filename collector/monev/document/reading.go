package document

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Reading is one number of a finished file. What was rounded for people stands for a range.
type Reading struct {
	ID     string // Key.ID
	Text   string // as it stands there
	Where  string // in the file: "Ringkasan!C5"; empty where the format has no places
	Low    float64
	High   float64
	Absent bool   // something that is no number, "tidak tercatat"
	Rest   string // of a number within a longer text: all that follows from its place on
}

// exactly is how far two exact numbers may differ, relative to their size: office programs keep 15 digits.
const exactly = 1e-13

// Exact reads a number that was not rounded.
func Exact(id, text, where string, v float64) Reading {
	slack := math.Abs(v) * exactly
	return Reading{ID: id, Text: text, Where: where, Low: v - slack, High: v + slack}
}

var (
	shown = regexp.MustCompile(`^(?:Rp )?([−-]?)(\d{1,3}(?:\.\d{3})*|\d+)(?:,(\d+))?(?: (%))?(?: |$)`)
	spans = regexp.MustCompile(`^([−-]?)(\d+(?:\.\d{3})*) (hari|jam|menit)(?: (\d+) (jam|menit|detik))?$`)
)

// unitSeconds are the seconds of a unit, and the seconds of the smaller unit that stands after it.
var unitSeconds = map[string][2]float64{"hari": {86400, 3600}, "jam": {3600, 60}, "menit": {60, 1}, "detik": {1, 1}}

// Parse reads a number as Cell.String writes it. A percentage is a share of 1, a duration is in seconds.
func Parse(id, text, where string) Reading {
	r := Reading{ID: id, Text: text, Where: where}
	s := strings.TrimSpace(strings.ReplaceAll(text, nbsp, " "))
	if m := spans.FindStringSubmatch(s); m != nil {
		unit := unitSeconds[m[3]]
		n, _ := strconv.ParseFloat(strings.ReplaceAll(m[2], ".", ""), 64)
		v := n * unit[0]
		if m[4] != "" {
			n, _ = strconv.ParseFloat(m[4], 64)
			v += n * unitSeconds[m[5]][0]
		}
		r.Low, r.High = v, v+unit[1]
		if m[1] != "" {
			r.Low, r.High = -r.High, -r.Low
		}
		return r
	}
	m := shown.FindStringSubmatch(s)
	if m == nil {
		r.Absent = true
		return r
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(m[2], ".", "")+"."+m[3], 64)
	if err != nil {
		r.Absent = true
		return r
	}
	if m[1] != "" {
		v = -v
	}
	half := 0.5 * math.Pow10(-len(m[3]))
	if m[4] != "" {
		v, half = v/100, half/100
	}
	half += math.Abs(v) * exactly
	r.Low, r.High = v-half, v+half
	return r
}

// a number, and its unit or a second number with its unit, at the beginning of a longer text.
var leading = regexp.MustCompile(
	`^(?:Rp )?[−-]?\d[\d.]*(?:,\d+)?(?: %| hari(?: \d+ jam)?| jam(?: \d+ menit)?| menit(?: \d+ detik)?)?`)

// ParsePrefix reads the number that a longer text begins with; the rest is prose.
func ParsePrefix(id, text, where string) Reading {
	s := strings.ReplaceAll(text, nbsp, " ")
	if m := leading.FindString(s); m != "" {
		// "pukul 4.295." ends in a full stop of the sentence
		s = strings.TrimRight(m, ".")
	} else if len(s) > 40 {
		s = s[:40]
	}
	r := Parse(id, s, where)
	r.Rest = text
	return r
}

// Matches says whether the reading is that of a cell.
func (r Reading) Matches(c Cell) bool {
	if c.Kind == TextCell || c.Kind == DateCell { // word for word
		want := plain(c.String())
		return plain(r.Text) == want || want != "" && strings.HasPrefix(plain(r.Rest), want)
	}
	if r.Absent || c.Kind == AbsentCell {
		return r.Absent && c.Kind == AbsentCell
	}
	return r.Low <= c.Value && c.Value <= r.High
}

// plain is a text as a comparison sees it: office programs change the spaces.
func plain(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, nbsp, " ")), " ")
}

// Difference is a number of a file that is not what the figures say.
type Difference struct {
	Key   Key    // zero for a number that the document does not have
	Where string // in the file
	File  string // what stands there; empty where it is missing
	Want  string // what should; empty where nothing should
}

func (d Difference) String() string {
	at := d.Where
	if at != "" {
		at += ": "
	}
	switch {
	case d.File == "":
		return fmt.Sprintf("%s%s is missing, should be %s", at, d.Key, d.Want)
	case d.Want == "":
		return fmt.Sprintf("%s%q is no number of this report", at, d.File)
	}
	return fmt.Sprintf("%s%s is %q, should be %s", at, d.Key, d.File, d.Want)
}

// Compare holds what a file has against the cells that it should have, each as often as it stands there. It returns how
// many numbers were compared, and every difference in the order of want.
func Compare(want []Cell, found []Reading) (compared int, differences []Difference) {
	by := map[string][]Reading{}
	for _, r := range found {
		by[r.ID] = append(by[r.ID], r)
	}
	for _, c := range want {
		id := c.Key.ID()
		rs := by[id]
		if len(rs) == 0 {
			differences = append(differences, Difference{Key: c.Key, Want: c.String()})
			continue
		}
		r := rs[0]
		by[id] = rs[1:]
		compared++
		if !r.Matches(c) {
			differences = append(differences, Difference{c.Key, r.Where, r.Text, c.String()})
		}
	}
	for _, r := range found {
		if rs := by[r.ID]; len(rs) > 0 {
			by[r.ID] = rs[1:]
			differences = append(differences, Difference{Where: r.Where, File: r.Text})
		}
	}
	return compared, differences
}
