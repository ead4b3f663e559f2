package document

import (
	"crypto/sha256"
	"encoding/base32"
	"math"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/internal/indonesian"
)

// Kind is what a cell holds.
type Kind int

// TextCell is text; the others hold values. AbsentCell holds none: nothing is recorded or there is nothing to measure.
const (
	TextCell Kind = iota
	NumberCell
	PercentCell
	DurationCell
	DateCell
	AbsentCell
)

// Cell is one value in a table or in running text. Make one with the functions below.
type Cell struct {
	Kind     Kind
	Text     string    // of a TextCell; of an AbsentCell what stands there
	Value    float64   // exact: a share of 1 for PercentCell, seconds for DurationCell
	Decimals int       // shown
	Unit     string    // after a number, "Rp" before it
	At       time.Time // of a DateCell, in the zone that it is shown in
	Clock    bool      // a DateCell with the time of day
	Key      Key       // which figure it is; zero for what no figure stands behind
	Strong   bool
	Tone     Tone
}

// Tone colours a cell; the words must say the same, because paper is black and white.
type Tone int

// Plain, Good (tercapai), Bad (tidak tercapai), Attention.
const (
	Plain Tone = iota
	Good
	Bad
	Attention
)

// Key names a number: a figure of a period and which of its numbers.
type Key struct {
	Period string `json:"period,omitempty"` // "2023-10"; empty where the document has only one
	Figure string `json:"figure"`           // "service_level"
	Dims   string `json:"dims,omitempty"`   // "measure=ketat,target=15", as store.Figure has it
	Part   Part   `json:"part"`
}

// Part is which of a figure's numbers.
type Part string

// The parts of a figure.
const (
	Numerator   Part = "numerator"
	Denominator Part = "denominator"
	N           Part = "n"
	Value       Part = "value"
	Low         Part = "low"
	High        Part = "high"
	Sentence    Part = "sentence" // of a Verbatim cell
)

func (k Key) String() string {
	return Clean(strings.Join([]string{k.Period, k.Figure, k.Dims, string(k.Part)}, "|"))
}

// ID is a short name of the key, the same in every file: 24 lower-case letters and digits, short enough for a bookmark.
// The zero key has none.
func (k Key) ID() string {
	if k == (Key{}) {
		return ""
	}
	return ID(k.String())
}

// ID is the short name of a key in words, as Key.String writes it.
func ID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:15]))
}

// NotRecorded is what stands for a fact that no source records.
const NotRecorded = "tidak tercatat"

// NoRows is what stands in a table without rows.
const NoRows = "Tidak ada data pada periode ini"

// NotApplicable is what stands where there is nothing to measure.
const NotApplicable = "–"

// Text is text as people or sources wrote it; renderers make it harmless.
func Text(s string) Cell { return Cell{Kind: TextCell, Text: s} }

// Count is a whole number, 4.295.
func Count(n float64, k Key) Cell { return Number(n, 0, "", k) }

// Number is a number with so many decimals and a unit: 14,3 detik. A NaN or infinity is absent.
func Number(v float64, decimals int, unit string, k Key) Cell {
	return known(Cell{Kind: NumberCell, Value: v, Decimals: decimals, Unit: unit, Key: k})
}

// Percent is a share of 1: 0.807 is 80,7 %.
func Percent(share float64, decimals int, k Key) Cell {
	return known(Cell{Kind: PercentCell, Value: share, Decimals: decimals, Key: k})
}

// Duration is a length of time in seconds, in its two largest units: 2 jam 10 menit. Below two minutes it has decimals.
func Duration(seconds float64, decimals int, k Key) Cell {
	return known(Cell{Kind: DurationCell, Value: seconds, Decimals: decimals, Key: k})
}

// Verbatim is a sentence of the program with numbers in it, which a finished file must hold word for word.
func Verbatim(s string, k Key) Cell { return Cell{Kind: TextCell, Text: s, Key: k} }

// Day is a day that a figure stands behind.
func Day(t time.Time, k Key) Cell { return Cell{Kind: DateCell, At: t, Key: k} }

// Date is a day, 28 November 2023.
func Date(t time.Time) Cell { return Cell{Kind: DateCell, At: t} }

// Instant is a day and a time, 28 November 2023 07.30 WIB.
func Instant(t time.Time) Cell { return Cell{Kind: DateCell, At: t, Clock: true} }

// Absent is a number that is not there; why is NotRecorded, NotApplicable or a reason of few words, "kurang dari 5".
func Absent(why string, k Key) Cell { return Cell{Kind: AbsentCell, Text: why, Key: k} }

// Bold returns the cell in bold.
func (c Cell) Bold() Cell { c.Strong = true; return c }

// In returns the cell in a tone.
func (c Cell) In(t Tone) Cell { c.Tone = t; return c }

func known(c Cell) Cell {
	if math.IsNaN(c.Value) || math.IsInf(c.Value, 0) {
		return Absent(NotApplicable, c.Key)
	}
	return c
}

// Numeric says whether the cell stands on the right of a column.
func (c Cell) Numeric() bool {
	return c.Kind == NumberCell || c.Kind == PercentCell || c.Kind == DurationCell
}

// nbsp keeps a number and its unit on one line.
const nbsp = "\u00a0"

// String is the cell as people read it.
func (c Cell) String() string {
	switch c.Kind {
	case NumberCell:
		s := indonesian.Decimal(c.Value, c.Decimals)
		switch c.Unit {
		case "":
			return s
		case "Rp":
			return "Rp" + nbsp + s
		}
		return s + nbsp + Clean(c.Unit)
	case PercentCell:
		return indonesian.Decimal(c.Value*100, c.Decimals) + nbsp + "%"
	case DurationCell:
		return spoken(c.Value, c.Decimals)
	case DateCell:
		if c.Clock {
			return indonesian.Date(c.At)
		}
		return indonesian.Day(c.At)
	}
	return Clean(c.Text)
}

// spoken writes seconds in their two largest units; what is less than the smaller one is cut off.
func spoken(seconds float64, decimals int) string {
	sign := ""
	if seconds < 0 {
		sign, seconds = "−", -seconds
	}
	whole := int64(seconds)
	switch {
	case seconds < 120:
		return sign + indonesian.Decimal(seconds, decimals) + nbsp + "detik"
	case seconds < 3600:
		s := sign + indonesian.Number(whole/60) + nbsp + "menit"
		if whole%60 > 0 {
			s += " " + indonesian.Number(whole%60) + nbsp + "detik"
		}
		return s
	}
	return sign + indonesian.Duration(time.Duration(whole)*time.Second)
}
