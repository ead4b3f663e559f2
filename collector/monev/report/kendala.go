package report

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/monev/share"
	"github.com/monev112/monev112/collector/sla"
)

// Kendala tells why the cases of a month failed; kendala.Runner has one.
type Kendala func(ctx context.Context, q kendala.Request) (kendala.Result, error)

// causesOf asks why the cases of a month failed, as they are known now. A month with more cases than are answered at a
// time has no such section.
func causesOf(ctx context.Context, ask Kendala, q kendala.Request, private func(category string) bool) (out []CauseSet,
	err error) {
	result, err := ask(ctx, q)
	var no *kendala.RefusedError
	if errors.As(err, &no) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range result.Indicators {
		in := &result.Indicators[i]
		if in.Late == 0 {
			continue
		}
		set := CauseSet{Indicator: in.Indicator, Name: in.Name, Failing: in.Late, Decided: in.N, Largest: in.Largest,
			Change: changeWords(in.Changes, secretPart(private))}
		stated, n := map[string]uint64{}, uint64(0)
		for _, c := range in.Causes {
			set.Causes = append(set.Causes, Cause{Code: c.Cause, Name: c.Word, N: c.N, OPD: c.OPD})
			for reason, k := range c.Stated {
				stated[reason] += k
				n += k
			}
		}
		if n > 0 {
			set.Stated = fmt.Sprintf("Menurut OPD sendiri, pada %s dari %s yang gagal: %s.", indonesian.Number(int64(n)),
				indonesian.Number(int64(in.Late)), kendala.StatedWords(stated))
		}
		out = append(out, set)
	}
	return out, nil
}

// changeWords says what moved an indicator since the month before: the value of the dimension that moved it most.
// Shares are of cases in time, so that more is better. A value that secret holds is told by none.
func changeWords(changes []kendala.Change, secret func(dimension string, p *kendala.Part) bool) string {
	var best *kendala.Change
	var by *kendala.Part
	all := false // every case has the value of by
	moved := func(p *kendala.Part) float64 { return math.Abs(p.Mix + p.Rate) }
	for i := range changes {
		c := &changes[i]
		for j := range c.Parts {
			p := &c.Parts[j]
			if secret(c.Dimension, p) {
				continue
			}
			// A value that every case has, such as "not recorded", moved all and explains nothing.
			whole := p.Before.N == c.Before.N && p.After.N == c.After.N
			if by == nil || !whole && all || whole == all && moved(p) > moved(by) {
				best, by, all = c, p, whole
			}
		}
	}
	if best == nil {
		return ""
	}
	points := func(v float64) string {
		s := indonesian.Decimal(100*v, 1)
		if v > 0 && s != indonesian.Decimal(0, 1) {
			s = "+" + s
		}
		return s
	}
	of := func(s share.Share) string {
		return fmt.Sprintf("%s %% (%s dari %s)", indonesian.Decimal(100*s.Value(), 1), indonesian.Number(int64(s.K)),
			indonesian.Number(int64(s.N)))
	}
	s := fmt.Sprintf("Yang tepat waktu berubah %s poin dari bulan sebelumnya, dari %s menjadi %s (selang 95 %% %s sampai "+
		"%s); terbesar pada %s %s: %s poin karena komposisi, %s poin karena tingkat ketepatannya.", points(best.Delta),
		of(best.Before), of(best.After), points(best.Low), points(best.High), kendala.DimensionWords()[best.Dimension],
		by.Name, points(by.Mix), points(by.Rate))
	if best.Few || by.Few {
		s += " Data terbatas."
	}
	return s
}

// secretPart tells values that are not named: sensitive categories, and places with few cases.
func secretPart(private func(category string) bool) func(dimension string, p *kendala.Part) bool {
	return func(dimension string, p *kendala.Part) bool {
		switch dimension {
		case "category":
			return private(p.Value)
		case "kecamatan":
			return min(p.Before.N, p.After.N) < hidden
		}
		return false
	}
}

// setOf finds why the cases of an indicator failed. Of fires it is told from all tickets that arrived late.
func (r *Report) setOf(indicator string) *CauseSet {
	if indicator == Fire {
		indicator = sla.Arrive
	}
	for i := range r.Causes {
		if r.Causes[i].Indicator == indicator {
			return &r.Causes[i]
		}
	}
	return nil
}

// largest is the cause of the most cases.
func (s *CauseSet) largest() *Cause {
	var best *Cause
	for i := range s.Causes {
		if c := &s.Causes[i]; best == nil || c.N > best.N || c.Code == s.Largest {
			if best == nil || best.Code != s.Largest {
				best = c
			}
		}
	}
	return best
}

// kindOfHoax says of which class most hoax calls are.
func (w *writer) kindOfHoax() document.Line {
	var best *Figure
	for _, class := range []string{"prank", "prank_palsu"} {
		if f := w.figure("calls_class", "class="+class); f != nil && (best == nil || f.Numerator > best.Numerator) {
			best = f
		}
	}
	if best == nil {
		return nil
	}
	return line("{}"+nameIn(classNames, best.dim("class"))+", {} dari {} panggilan hoaks.", text("Terbanyak: ").Bold(),
		best.number(document.Numerator), w.number(indicatorFigure, indicatorDims(Hoax), document.Numerator))
}
