package rtl

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/monev112/monev112/collector/event"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func workbook(t *testing.T, sheets map[string][][]any) string {
	t.Helper()
	f := excelize.NewFile()
	for name, rows := range sheets {
		if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			if err := f.SetSheetRow(name, fmt.Sprint("A", i+1), &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "buku.xlsx")
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestYAMLAndSheetSayTheSame(t *testing.T) {
	const text = "rtl:\n" +
		"  - text: Tambah petugas sif malam, Rp 1.250.000.000\n    owner: diskominfo\n    month: 2026-10\n    due: 2026-11-30\n" +
		"    indicator: answer\n    baseline: 2026-10\n    status: berjalan\n    remarks: \"-\"\n" +
		"  - id: R-2\n    status: batal\n"
	fromYAML, err := ReadFile(write(t, "rtl.yaml", text))
	if err != nil {
		t.Fatal(err)
	}
	header := []any{}
	for _, c := range Columns {
		header = append(header, c.Header)
	}
	header = append(header, "Hasil")
	fromSheet, err := ReadFile(workbook(t, map[string][][]any{"RTL": {
		{"Rekomendasi dan tindak lanjut"}, header,
		{"", "Tambah petugas sif malam, Rp 1.250.000.000", "diskominfo", "Oktober 2026", time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC),
			"Berjalan", "", "answer", "", "", "", "", "2026-10", "-", "Setelah selesai ..."},
		{},
		{"R-2", "", "", "", "", "batal"},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range fromYAML {
		fromYAML[i].Place, fromSheet[i].Place = "", ""
	}
	if diff := cmp.Diff(fromYAML, fromSheet); diff != "" {
		t.Errorf("(-yaml +sheet):\n%s", diff)
	}
	if v, ok := fromYAML[0].Set["remarks"]; !ok || v != "" {
		t.Error("a dash does not clear")
	}
	if fromYAML[0].ID != NewID("2026-10", "tambah  petugas sif malam, rp 1.250.000.000") {
		t.Errorf("id %q", fromYAML[0].ID)
	}
}

// What the report writes and an import reads back changes nothing.
func TestASheetReadBackChangesNothing(t *testing.T) {
	now := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	var events []*event.Event
	for _, set := range []map[string]string{
		{"text": "=cmd|' /C calc'!A0", "owner": "diskominfo", "due": "2026-10-31", "status": "selesai", "indicator": "resolve",
			"opd": "damkar", "baseline": "2026-09", "month": "2026-09"},
		{"text": "Baris satu\nbaris dua <b>tebal</b>", "owner": "Kepala Bidang TIK"},
	} {
		raw, changed, err := Set("35.15", NewID("", set["text"]), nil, set, now)
		if err != nil || !changed {
			t.Fatal(changed, err)
		}
		events = append(events, &event.Event{Source: raw.Source, ID: raw.ID, Type: raw.Type, Kind: event.KindRTL,
			Subject: raw.Subject, Center: raw.Center, OccurredAt: raw.Time, Record: raw.Record})
	}
	l := Fold(events, wib)
	rows := [][]any{{}}
	for _, c := range Columns {
		rows[0] = append(rows[0], c.Header)
	}
	for i := range l.Recommendations {
		row := []any{}
		for _, c := range l.Recommendations[i].Cells() {
			row = append(row, c)
		}
		rows = append(rows, row)
	}
	entries, err := ReadFile(workbook(t, map[string][][]any{"RTL": rows}))
	if err != nil || len(entries) != 2 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		if raw, changed, err := Set("35.15", e.ID, l.Find(e.ID), e.Set, now); changed || err != nil {
			t.Errorf("%s: %v %v", e.Place, raw.Record, err)
		}
	}
}

func TestWrongFilesSayWhereAndWhat(t *testing.T) {
	for name, c := range map[string]struct{ path, want string }{
		"unknown key":  {write(t, "a.yaml", "rtl:\n  - teks: x\n"), "a.yaml:2: rtl[0].teks"},
		"nothing":      {write(t, "a.yaml", ""), "no recommendation"},
		"neither":      {write(t, "a.yaml", "rtl:\n  - owner: damkar\n"), "neither an id nor a text"},
		"twice":        {write(t, "a.yaml", "rtl:\n  - id: a\n    text: x\n  - id: a\n    text: y\n"), "a is there twice"},
		"no sheet":     {workbook(t, map[string][][]any{"Lain": {{"Rekomendasi"}}}), "no sheet RTL"},
		"no header":    {workbook(t, map[string][][]any{"RTL": {{"Judul"}}}), "no row has the column Rekomendasi"},
		"no day":       {workbook(t, map[string][][]any{"RTL": {{"Rekomendasi", "Batas waktu"}, {"x", "besok"}}}), `row 2, column Batas waktu: "besok" is no day`},
		"missing file": {filepath.Join(t.TempDir(), "none.yaml"), "none.yaml"},
	} {
		if _, err := ReadFile(c.path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestRecommendationsThatContradictThemselves(t *testing.T) {
	now := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	for want, set := range map[string]map[string]string{
		"says what is to be done": {"owner": "damkar"},
		"it is one of answer":     {"text": "x", "indicator": "kecepatan"},
		"lie at no OPD":           {"text": "x", "indicator": "rasio_hoaks", "opd": "damkar"},
		"status selesai":          {"text": "x", "completed": "2026-10-01"},
		"telephone number":        {"text": "hubungi 081234567890"},
		"one of usulan":           {"text": "x", "status": "beres"},
	} {
		if _, _, err := Set("35.15", "R1", nil, set, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", set, err, want)
		}
	}
	was := &Recommendation{ID: "R1", Text: "x", History: History{[]Change{{At: now.Add(time.Hour)}}}}
	raw, changed, err := Set("35.15", "R1", was, map[string]string{"status": "berjalan"}, now)
	if err != nil || !changed || !raw.Time.After(now.Add(time.Hour)) {
		t.Errorf("a change by a clock that is behind takes no effect: %v %v %v", raw.Time, changed, err)
	}
}
