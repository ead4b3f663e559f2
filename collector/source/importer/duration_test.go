package importer

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/monev112/monev112/collector/source/mapping"
)

// A workbook holds what it shows as [h]:mm:ss as a fraction of days.
func TestDurationsOfAWorkbook(t *testing.T) {
	m := parse(t, head+`fields:
  id: {column: No, required: true}
  at: {column: Masuk, type: time, formats: [office], required: true}
  lasted: {column: Lama, type: duration}
  done: {type: time, follows: at, plus: lasted}
events:
  - {type: ticket.resolved, subject: "ticket/{id}", time: done}
`)
	for _, c := range []struct {
		cell any
		want string
	}{
		{0.0625, "T09:30:00Z"}, {1.5, "-02T20:00:00Z"}, {0.000694444444444444, "T08:01:00Z"}, {90, "T08:01:30Z"},
		{3600, "T09:00:00Z"}, {"0.5", "T08:00:00.500Z"}, {"01:30", "T08:01:30Z"},
		{1234.5, "format the column as text"}, {-0.5, "format the column as text"},
	} {
		f := excelize.NewFile()
		for i, row := range [][]any{{"No", "Masuk", "Lama"}, {"A", "01/01/2026 03:00:00", c.cell}} {
			if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(t.TempDir(), "a.xlsx")
		if err := f.SaveAs(path); err != nil {
			t.Fatal(err)
		}
		f.Close()
		var events bytes.Buffer
		sum, err := Import(t.Context(), Options{Mapping: m, Files: []string{path}, Events: &events})
		if got := events.String() + strings.Join(sum.FirstRefusals, ""); !strings.Contains(got, c.want) {
			t.Errorf("%v: %v, %q, want %s", c.cell, err, got, c.want)
		}
	}
}

// Two parts may be hours and minutes: a proposal says how they are read.
func TestAProposalSaysHowTwoPartsAreRead(t *testing.T) {
	for lasted, told := range map[string]bool{"01:30": true, "01:30:00": false, "90 menit": false} {
		file := write(t, "x.csv", []byte("No Tiket,Waktu Lapor,Waktu Disposisi,OPD,Lama Penanganan\n"+
			"T-1,05/01/2026 08:00,05/01/2026 08:04,Dishub,"+lasted+"\n"+
			"T-2,05/01/2026 09:00,05/01/2026 09:04,Dishub,"+lasted+"\n"))
		p, err := mapping.Propose(t.Context(), mapping.ProposeOptions{
			File: file, Name: "x", Source: "x", Center: "c1", Timezone: "Asia/Jakarta",
		})
		if err != nil || strings.Contains(strings.Join(p.Notes, "\n"), "read as minutes and seconds") != told {
			t.Errorf("%s: %v, %q", lasted, err, p.Notes)
		}
	}
}
