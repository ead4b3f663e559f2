package store

import (
	"context"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// OfficeEvents returns what the office of a centre ever wrote: every event of its recommendations, remarks and forms.
func (s *Store) OfficeEvents(ctx context.Context, center string) (out []*event.Event, err error) {
	err = s.queryEvents(ctx, "read events of the office",
		"center = "+quote(center)+" AND subject_kind IN ('rtl', 'remark', 'form')",
		func(e *event.Event) error {
			own := *e
			out = append(out, &own)
			return nil
		})
	return out, err
}

// OfficeCenters returns the centres whose office ever wrote something.
func (s *Store) OfficeCenters(ctx context.Context) ([]string, error) {
	return queryAll(ctx, s, "read centres of offices",
		"SELECT DISTINCT center::String AS center FROM events WHERE subject_kind IN ('rtl', 'remark', 'form') ORDER BY center",
		func(c *string) []any { return []any{c} })
}

// IndicatorQuery asks for an indicator inside a scope and outside of it: see the view monev_indicator. An empty part of
// the scope is everything.
type IndicatorQuery struct {
	Center, Indicator                  string
	OPD, Category, Priority, Kecamatan string
	Since, Until                       time.Time // days, Until excluded
	AsOf                               time.Time // zero: as it stands now
}

// Ratio is a share: k of n.
type Ratio struct{ K, N uint64 }

// Indicator counts an indicator inside a scope and outside of it.
func (s *Store) Indicator(ctx context.Context, q IndicatorQuery) (inside, outside Ratio, err error) {
	var parts []string
	for _, p := range [][2]string{
		{"center", q.Center}, {"indicator", q.Indicator}, {"opd", q.OPD}, {"category", q.Category}, {"priority", q.Priority},
		{"kecamatan", q.Kecamatan}, {"since", q.Since.Format(time.DateOnly)}, {"until", q.Until.Format(time.DateOnly)},
	} {
		parts = append(parts, p[0]+" = "+quote(p[1]))
	}
	sql := "SELECT inside, numerator, denominator FROM " + viewAt("monev_indicator", q.AsOf, strings.Join(parts, ", "))
	err = s.query(ctx, "count an indicator", sql, func(scan func(...any) error) error {
		var in uint8
		var r Ratio
		if err := scan(&in, &r.K, &r.N); err != nil {
			return err
		}
		if in != 0 {
			inside = r
		} else {
			outside = r
		}
		return nil
	})
	return inside, outside, err
}
