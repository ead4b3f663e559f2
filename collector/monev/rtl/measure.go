package rtl

import (
	"context"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/store"
)

// Database is ClickHouse as the ledger needs it; *store.Store is one.
type Database interface {
	OfficeEvents(ctx context.Context, center string) ([]*event.Event, error)
	Indicator(ctx context.Context, q store.IndicatorQuery) (inside, outside store.Ratio, err error)
	Frozen(ctx context.Context, center string, month time.Time) (*store.Freeze, error)
}

// MaxMeasured bounds the recommendations of a list whose effect is measured, those completed last first: each asks
// ClickHouse.
const MaxMeasured = 20

// Measure measures the effect of a recommendation with what happened before the day until (YYYY-MM-DD), as known at
// asOf; the zero asOf is now. Its verdict is NotYet where there is nothing to measure.
func Measure(ctx context.Context, db Database, r *Recommendation, until string, asOf time.Time) (Effect, error) {
	e := Effect{Indicator: r.Indicator, Verdict: NotYet}
	_, known := IndicatorOf(r.Indicator)
	month, err := time.Parse("2006-01", r.Baseline)
	completed, err2 := time.Parse(time.DateOnly, r.Completed)
	end, err3 := time.Parse(time.DateOnly, until)
	if !known || err != nil || err2 != nil || err3 != nil {
		return e, nil
	}
	if completed.Before(month.AddDate(0, 1, -1)) {
		return e, nil // the month that it is held against was not over
	}
	since := completed.AddDate(0, 0, 1)
	e.Since, e.Until = since.Format(time.DateOnly), until
	if !since.Before(end) {
		return e, nil
	}
	q := store.IndicatorQuery{Center: r.Center, Indicator: r.Indicator, OPD: r.OPD, Category: r.Category,
		Priority:  r.Priority,
		Kecamatan: r.Kecamatan, Since: month, Until: month.AddDate(0, 1, 0), AsOf: asOf}
	in, out, err := db.Indicator(ctx, q)
	if err != nil {
		return e, err
	}
	e.Before, e.OutsideBefore = Count(in), Count(out)
	q.Since, q.Until = since, end
	if in, out, err = db.Indicator(ctx, q); err != nil {
		return e, err
	}
	e.After, e.OutsideAfter = Count(in), Count(out)
	frozen, err := db.Frozen(ctx, r.Center, month)
	if err != nil {
		return e, err
	}
	if frozen != nil {
		e.Before, e.Frozen = frozenCount(frozen, r, e.Before)
	}
	e.Judge()
	return e, nil
}

// frozenCount returns the baseline as it was frozen, where a frozen figure is of the very scope; else computed.
func frozenCount(z *store.Freeze, r *Recommendation, computed Count) (Count, bool) {
	if r.Category != "" || r.Priority != "" || r.Kecamatan != "" {
		return computed, false
	}
	indicator, _ := IndicatorOf(r.Indicator)
	var out Count
	found := false
	for _, f := range z.Figures {
		switch {
		case indicator.Calls && r.Indicator != "answer":
			if f.Name != "hoax" || f.Dims != "measure="+r.Indicator {
				continue
			}
		case f.Name != "on_time" || !onTimeOf(f.Dims, r):
			continue
		}
		out, found = Count{out.K + uint64(f.Numerator), out.N + uint64(f.Denominator)}, true
	}
	if !found {
		return computed, false
	}
	return out, true
}

// onTimeOf reports whether a frozen figure on_time is of the clock of r and of its OPD; of any OPD of the regency where
// r names none.
func onTimeOf(dims string, r *Recommendation) bool {
	is := func(name, want string) bool {
		value, _ := store.Dim(dims, name)
		return value == want
	}
	return is("clock", r.Indicator) && (r.OPD != "" && is("opd", r.OPD) || r.OPD == "" && is("scope", "own"))
}
