package report

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/sla"
)

// Kendala tells why the cases of a month failed; kendala.Runner has one.
type Kendala func(ctx context.Context, q kendala.Request) (kendala.Result, error)

// causesOf asks why the cases of a month failed, as they are known now. A month with more cases than are answered at a
// time has no such section.
func causesOf(ctx context.Context, ask Kendala, center, month string) (out []CauseSet, err error) {
	result, err := ask(ctx, kendala.Request{Center: center, Month: month})
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
			Change: changeWords(in.Changes)}
		for _, c := range in.Causes {
			set.Causes = append(set.Causes, Cause{Code: c.Cause, Name: c.Word, N: c.N, OPD: c.OPD})
		}
		out = append(out, set)
	}
	return out, nil
}

// changeWords says what moved an indicator since the month before: the value of the dimension that moved it most.
func changeWords(changes []kendala.Change) string {
	var best *kendala.Change
	moved := func(c *kendala.Change) float64 { return math.Abs(c.Parts[0].Mix + c.Parts[0].Rate) }
	for i := range changes {
		if c := &changes[i]; len(c.Parts) > 0 && (best == nil || moved(c) > moved(best)) {
			best = c
		}
	}
	if best == nil {
		return ""
	}
	points := func(v float64) string { return indonesian.Decimal(100*v, 1) }
	p := &best.Parts[0]
	s := fmt.Sprintf("Yang gagal berubah %s poin dari bulan sebelumnya (selang 95 %% %s sampai %s); terbesar pada %s %s: "+
		"%s poin karena komposisi, %s poin karena tingkat kegagalannya.", points(best.Delta), points(best.Low),
		points(best.High), kendala.DimensionWords()[best.Dimension], p.Name, points(p.Mix), points(p.Rate))
	if best.Few || p.Few {
		s += " Data terbatas."
	}
	return s
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
	return document.Line{text("Terbanyak: ").Bold(), text(nameIn(classNames, best.dim("class")) + ", "),
		best.number(document.Numerator), text(" dari "),
		w.number(indicatorFigure, indicatorDims(Hoax), document.Numerator), text(" panggilan hoaks.")}
}
