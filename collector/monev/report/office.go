package report

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/monev112/monev112/collector/event"
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
		data, err := rtl.ParseForm(f.Name, f.Data)
		if err != nil {
			return fmt.Errorf("form %s of %s: %w", f.Name, name, err)
		}
		s.Typed = append(s.Typed, typedTables(data)...)
	}
	return nil
}

func typedTables(data rtl.FormData) []TypedTable {
	number := func(n int64) string { return indonesian.Number(n) }
	some := func(n *int) string {
		if n == nil {
			return document.NotApplicable
		}
		return strconv.Itoa(*n)
	}
	switch f := data.(type) {
	case *rtl.Staff:
		t := TypedTable{Title: "Sumber daya manusia menurut fungsi.",
			Columns: []string{"Fungsi", "Jumlah", "Kebutuhan", "Per sif", "Keterangan"}}
		for _, r := range f.Rows {
			t.Rows = append(t.Rows, []string{r.Function, strconv.Itoa(r.Count), some(r.Needed), some(r.PerShift), r.Note})
		}
		t.Note = "Jumlah seluruhnya: " + strconv.Itoa(f.Total())
		return []TypedTable{t}
	case *rtl.Budget:
		t := TypedTable{Title: "Anggaran, dalam rupiah.",
			Columns: []string{"Kode", "Uraian", "Pagu", "Realisasi", "Keterangan"}}
		for _, r := range f.Rows {
			t.Rows = append(t.Rows, []string{r.Code, r.Item, number(r.Granted), number(r.Spent), r.Note})
		}
		granted, spent := f.Total()
		t.Note = fmt.Sprintf("Jumlah: pagu %s, realisasi %s", number(granted), number(spent))
		if granted > 0 {
			t.Note += " (" + document.Percent(float64(spent)/float64(granted), 1, document.Key{}).String() + ")"
		}
		return []TypedTable{t}
	case *rtl.Survey:
		c := f.Compute()
		t := TypedTable{Title: "Survei kepuasan masyarakat (PermenPANRB 14/2017).",
			Columns: []string{"Unsur", "n", "Nilai rata-rata", "Tertimbang"}}
		for i, name := range rtl.Elements {
			t.Rows = append(t.Rows, []string{fmt.Sprintf("U%d %s", i+1, name), strconv.Itoa(c.N[i]),
				indonesian.Decimal(c.NRR[i], 2), indonesian.Decimal(c.Weighted[i], 2)})
		}
		t.Note = fmt.Sprintf("IKM %s, mutu %s (%s), dari %d responden.", indonesian.Decimal(c.IKM, 2), c.Quality, c.Words,
			f.Respondents)
		return []TypedTable{t}
	}
	return nil
}
