package report

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/event/form"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/rtl"
	"github.com/monev112/monev112/collector/sla"
)

// Office is what the office wrote for its meetings; *rtl.Book is one.
type Office interface {
	Ledger(ctx context.Context, center string) (rtl.Ledger, error)
	Measure(ctx context.Context, r *rtl.Recommendation, until string, asOf time.Time) (rtl.Effect, error)
}

// indicatorOf is the report's indicator that a recommendation's moves; empty for none of the five.
func indicatorOf(code string) string {
	switch code {
	case sla.Answer, sla.Acknowledge, sla.Resolve:
		return code
	case sla.Arrive:
		return Fire
	case "rasio_hoaks":
		return Hoax
	}
	return ""
}

// written adds to s what the office wrote: recommendations up to the month with what came of them, and the remarks and
// typed data of the month.
func written(ctx context.Context, office Office, s *Sections, center string, month time.Time, today string) error {
	ledger, err := office.Ledger(ctx, center)
	if err != nil {
		return err
	}
	name, measured := month.Format(monthLayout), 0
	for _, r := range rtl.Listed(ledger.Recommendations, today) {
		if r.Month > name {
			continue // of a meeting after the month's own
		}
		m := Recommendation{ID: r.ID, Text: r.Text, Owner: r.Owner, Indicator: indicatorOf(r.Indicator), Status: r.Status,
			Overdue: r.Overdue(today)}
		m.Due, _ = time.Parse(time.DateOnly, r.Due)
		if r.Status == event.RTLSelesai && measured < rtl.MaxMeasured {
			measured++
			e, err := office.Measure(ctx, &r, today, time.Time{})
			if err != nil {
				return err
			}
			m.Effect = e.Sentence()
		}
		s.Recommendations = append(s.Recommendations, m)
	}
	for _, r := range ledger.Remarks {
		if last := r.Last(); r.Month == name && r.Text != "" {
			s.Remarks = append(s.Remarks, Remark{r.Section, r.Text, last.By, last.At})
		}
	}
	for _, f := range ledger.Forms {
		if f.Month != name || f.Data == "" {
			continue
		}
		data, err := form.Parse(f.Name, f.Data)
		if err != nil {
			return fmt.Errorf("form %s of %s: %w", f.Name, name, err)
		}
		s.Typed = append(s.Typed, typedTables(data)...)
	}
	return nil
}

// add adds a row: texts, and numbers as *float64, nil for one that nobody gave.
func (t *TypedTable) add(cells ...any) {
	said, values := make([]string, len(cells)), make([]*float64, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case string:
			said[i] = c
		case *float64:
			said[i] = document.NotApplicable
			if values[i] = c; c != nil {
				said[i] = indonesian.Decimal(*c, t.decimals(i))
			}
		}
	}
	t.Rows, t.Values = append(t.Rows, said), append(t.Values, values)
}

func (t *TypedTable) decimals(column int) int {
	if column < len(t.Decimals) {
		return t.Decimals[column]
	}
	return 0
}

// cell is one cell of the table, a number where it was given as one.
func (t *TypedTable) cell(k document.Key, row, column int) document.Cell {
	if row < len(t.Values) && column < len(t.Values[row]) && t.Values[row][column] != nil {
		return document.Number(*t.Values[row][column], t.decimals(column), "", k)
	}
	if column < len(t.Rows[row]) {
		return text(t.Rows[row][column])
	}
	return text("")
}

func typedTables(data form.Data) []TypedTable {
	of := func(n float64) *float64 { return &n }
	some := func(n *int) *float64 {
		if n == nil {
			return nil
		}
		return of(float64(*n))
	}
	switch f := data.(type) {
	case *form.Staff:
		t := TypedTable{Title: "Sumber daya manusia menurut fungsi.",
			Columns: []string{"Fungsi", "Jumlah", "Kebutuhan", "Per sif", "Keterangan"}}
		for _, r := range f.Rows {
			t.add(r.Function, of(float64(r.Count)), some(r.Needed), some(r.PerShift), r.Note)
		}
		t.Note = "Jumlah seluruhnya: " + strconv.Itoa(f.Total())
		return []TypedTable{t}
	case *form.Budget:
		t := TypedTable{Title: "Anggaran, dalam rupiah.",
			Columns: []string{"Kode", "Uraian", "Pagu", "Realisasi", "Keterangan"}}
		for _, r := range f.Rows {
			t.add(r.Code, r.Item, of(float64(r.Granted)), of(float64(r.Spent)), r.Note)
		}
		granted, spent := f.Total()
		t.Note = fmt.Sprintf("Jumlah: pagu %s, realisasi %s", indonesian.Number(granted), indonesian.Number(spent))
		if granted > 0 {
			t.Note += " (" + document.Percent(float64(spent)/float64(granted), 1, document.Key{}).String() + ")"
		}
		return []TypedTable{t}
	case *form.Survey:
		c := f.Compute()
		t := TypedTable{Title: "Survei kepuasan masyarakat (PermenPANRB 14/2017).",
			Columns: []string{"Unsur", "n", "Nilai rata-rata", "Tertimbang"}, Decimals: []int{0, 0, 2, 2}}
		for i, name := range form.Elements {
			t.add(fmt.Sprintf("U%d %s", i+1, name), of(float64(c.N[i])), of(c.NRR[i]), of(c.Weighted[i]))
		}
		t.Note = fmt.Sprintf("IKM %s, mutu %s (%s), dari %d responden.", indonesian.Decimal(c.IKM, 2), c.Quality, c.Words,
			f.Respondents)
		return []TypedTable{t}
	}
	return nil
}
