package kendala

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/share"
)

// maxParts is how many values of a dimension Write shows.
const maxParts = 3

func percent(v float64) string { return indonesian.Decimal(100*v, 1) + " %" }

// points are the difference of two shares in percentage points.
func points(v float64) string {
	sign := "+"
	if v < 0 {
		sign = "−"
	}
	return sign + indonesian.Decimal(math.Abs(100*v), 1)
}

func number(n uint64) string { return indonesian.Number(int64(n)) }

// Write prints a result for people.
func (r *Result) Write(w io.Writer) {
	fmt.Fprintf(w, "Kendala %s, pusat %s", r.Month, r.Center)
	if r.OPD != "" {
		fmt.Fprintf(w, ", OPD %s", r.OPD)
	}
	fmt.Fprintf(w, " (definisi %s", r.DefinitionVersion)
	if !r.AsOf.IsZero() {
		fmt.Fprintf(w, ", per %s", r.AsOf.Format("2006-01-02 15:04:05 MST"))
	}
	if r.Frozen > 0 {
		fmt.Fprintf(w, ", batas jawab %d detik seperti dibekukan, revisi %d", r.Target, r.Frozen)
	}
	fmt.Fprintln(w, ")")
	if len(r.Indicators) == 0 {
		fmt.Fprintln(w, "Tidak ada kasus yang sudah putus dalam bulan ini.")
	}
	for i := range r.Indicators {
		r.Indicators[i].write(w, r.Against)
	}
	if c := r.Check; c != nil {
		fmt.Fprintf(w, "\nPemeriksaan: %d kasus dan %d angka dibandingkan, %d berbeda\n", c.Cases, c.Counts, c.Differences)
		for _, d := range c.Examples {
			fmt.Fprintln(w, "  "+d)
		}
	}
}

func (i *Indicator) write(w io.Writer, against string) {
	fmt.Fprintf(w, "\n%s: %s dari %s tidak tercapai (%s, %s–%s)%s\n", capital(i.Name), number(i.Late), number(i.N),
		percent(i.Share),
		percent(i.Low), percent(i.High), few(i.Few))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range i.Causes {
		stated := StatedWords(c.Stated)
		if stated != "" {
			stated = "; menurut OPD: " + stated
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s%s%s\n", c.Cause, number(c.N), percent(c.Share), c.Word, c.OPDName,
			reasons(c.Reasons), stated)
	}
	_ = t.Flush() // a printer that fails is seen by its owner
	for _, c := range i.Changes {
		fmt.Fprintf(w, "  sejak %s menurut %s: %s poin (%s sampai %s) = komposisi %s, tingkat %s; n %s dan %s%s\n", against,
			DimensionWords()[c.Dimension], points(c.Delta), points(c.Low), points(c.High), points(c.Mix), points(c.Rate),
			number(c.Before.N), number(c.After.N), few(c.Few))
		for _, p := range c.Parts[:min(maxParts, len(c.Parts))] {
			if p.Mix+p.Rate != 0 {
				fmt.Fprintf(w, "    %s: %s poin (%s dari %s → %s dari %s)%s\n", p.Name, points(p.Mix+p.Rate), ratio(p.Before),
					number(p.Before.N), ratio(p.After), number(p.After.N), few(p.Few))
			}
		}
	}
}

func ratio(s share.Share) string {
	if s.N == 0 {
		return "–"
	}
	return percent(s.Value())
}

func few(yes bool) string {
	if yes {
		return "; data terbatas"
	}
	return ""
}

func reasons(by map[string]uint64) string {
	var out []string
	for _, r := range slices.Sorted(maps.Keys(by)) {
		out = append(out, fmt.Sprintf("%s %d", strings.ReplaceAll(r, "_", " "), by[r]))
	}
	if out == nil {
		return ""
	}
	return " (" + strings.Join(out, ", ") + ")"
}

// StatedWords says what OPDs gave as their reasons, the most frequent first; empty where they gave none.
func StatedWords(by map[string]uint64) string {
	var out []string
	for _, r := range slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		return cmp.Or(cmp.Compare(by[b], by[a]), cmp.Compare(a, b))
	}) {
		out = append(out, fmt.Sprintf("%s %d", cmp.Or(DelayWords()[r], strings.ReplaceAll(r, "_", " ")), by[r]))
	}
	return strings.Join(out, ", ")
}

func capital(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }
