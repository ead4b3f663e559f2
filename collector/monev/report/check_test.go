package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event/form"
	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/store"
)

// everything is a frozen month with every section.
func everything() Facts {
	f := month("dishub", "bpbd")
	f.Frozen = &Frozen{Revision: 1, At: f.Now, DefinitionVersion: "2", Details: true}
	f.Figures = slices.DeleteFunc(f.Figures, func(g store.Figure) bool { return strings.HasSuffix(g.Dims, "-05") }) // a day without
	for h := range 24 {
		f.Figures = append(f.Figures, figure("calls_hour", fmt.Sprintf("hour=%02d,weekday=1", h), float64(h), 4295))
	}
	v := .9
	for _, m := range []string{"2023-07", "2023-08", "2023-09", "2023-10", "2022-10"} {
		for _, id := range indicatorOrder {
			f.Trend = append(f.Trend, MonthFigure{m, m < "2023-09", Figure{indicatorFigure, indicatorDims(id), 90, 100, 100, &v}})
		}
	}
	f.TrendTargets = map[string]int{"2023-07": 20}
	f.Causes = []CauseSet{
		{Indicator: Answer, Name: "dijawab", Failing: 165, Decided: 4295, Largest: "lonjakan", Change: "Berubah 1,2 poin.",
			Causes: []Cause{{"lonjakan", "lonjakan", 160, ""}, {"sibuk", "semua sibuk", 5, ""}}},
		{Indicator: Acknowledge, Failing: 12, Decided: 60, Causes: []Cause{{"terima", "terlambat menerima", 12, "bpbd"}}}}
	f.Recommendations = []Recommendation{{ID: "r1", Text: "Piket malam", Owner: "bpbd", Indicator: Acknowledge, Due: f.Now,
		Status: "berjalan", Overdue: true}, {ID: "r2", Text: "Edaran", Owner: "dishub", Due: f.Now, Status: "selesai",
		Effect: "Setelah selesai 80,0 % (8 dari 10)."}}
	f.Information = &Information{Calls: 40, Outcomes: []Count{{"Dijawab", 20}, {"Tidak tercatat", 20}}, Told: &Share{20, 40},
		First: &Share{15, 25}, Repeated: &Share{2, 25}, Gaps: []Gap{{"KTP", 6, 2, 9}, {"", 1, 0, 2}},
		Outside: []Gap{{"Listrik", 0, 0, 7}}}
	needed, survey := 8, form.Survey{Respondents: 2}
	for i := range survey.Answers {
		survey.Answers[i] = [4]int{0, 0, 1, 1}
	}
	for _, data := range []form.Data{&form.Staff{Rows: []form.StaffRow{{Function: "Petugas", Count: 12, Needed: &needed}}},
		&form.Budget{Rows: []form.BudgetRow{{Code: "1", Item: "Gaji", Granted: 1_250_000_000, Spent: 900_000_001}}}, &survey} {
		f.Typed = append(f.Typed, typedTables(data)...)
	}
	f.Changed = []freeze.Report{{Month: "2023-09", Revision: 1, FrozenAt: f.Now, Differences: []freeze.Difference{{
		Figure: "hoax", Dims: "measure=belum", Frozen: &freeze.Value{Numerator: 1, Denominator: 2, N: 2}, Why: []string{"late"}}}}}
	return f
}

// Whatever number cell of the workbook is changed, the check tells where, what stands there and what should.
func TestEveryNumberOfTheWorkbookIsChecked(t *testing.T) {
	r := Model(everything(), Settings{}, nil)
	file, err := Write(r, "", "xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := Check(r, r, "", "xlsx", file); err != nil || len(c.Differences)+len(c.Moved) > 0 || c.Compared < 300 {
		t.Fatalf("as it was written: %+v, %v", c, err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	type place struct{ sheet, cell string }
	var places []place
	for _, sheet := range book.GetSheetList() {
		rows, err := book.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for j := range row {
				cell, _ := excelize.CoordinatesToCellName(j+1, i+1)
				kind, _ := book.GetCellType(sheet, cell)
				if value := row[j]; value != "" && (kind == excelize.CellTypeNumber || kind == excelize.CellTypeUnset) {
					places = append(places, place{sheet, cell})
				}
			}
		}
	}
	changed := func(places []place) []string {
		book, err := excelize.OpenReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range places {
			text, _ := book.GetCellValue(p.sheet, p.cell, excelize.Options{RawCellValue: true})
			var v float64
			if _, err := fmt.Sscan(text, &v); err != nil {
				t.Fatalf("%v holds %q", p, text)
			}
			if err := book.SetCellValue(p.sheet, p.cell, v+1); err != nil {
				t.Fatal(err)
			}
		}
		text, err := book.WriteToBuffer()
		if err != nil {
			t.Fatal(err)
		}
		c, err := Check(r, r, "", "xlsx", text.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return c.Differences
	}
	told := changed(places) // all at once, so that none can hide behind a range
	for _, p := range places {
		if !slices.ContainsFunc(told, func(d string) bool {
			return strings.HasPrefix(d, p.sheet+"!"+p.cell+": ") && strings.Contains(d, ", should be ")
		}) {
			t.Errorf("%s!%s is changed and nobody says so", p.sheet, p.cell)
		}
	}
	for i := 0; i < len(places); i += 1 + len(places)/12 { // and some alone
		if told := changed(places[i : i+1]); len(told) != 1 {
			t.Errorf("%v alone: %q", places[i], told)
		}
	}
	t.Logf("%d number cells", len(places))
	for _, sheet := range []string{"Kendala", "Rekomendasi dan tindak lanjut", "SDM, anggaran, dan kepuasan mas",
		"Pusat informasi layanan publik", "Ringkasan"} {
		if !slices.ContainsFunc(places, func(p place) bool { return p.sheet == sheet }) {
			t.Errorf("no number in %s", sheet)
		}
	}
}

// Sentences with numbers are held word for word, in every format.
func TestANumberInASentenceIsChecked(t *testing.T) {
	r := Model(everything(), Settings{}, nil)
	for _, format := range []string{"html", "docx", "xlsx", "json"} {
		file, err := Write(r, "", format)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := Check(r, r, "", format, file); err != nil || len(c.Differences)+len(c.Moved) > 0 {
			t.Errorf("%s as it was written: %+v, %v", format, c, err)
		}
		if format != "html" {
			continue
		}
		for was, is := range map[string]string{"Berubah 1,2 poin.": "Berubah 1,3 poin.", "8 dari 10": "9 dari 10",
			"Jumlah seluruhnya: 12": "Jumlah seluruhnya: 13", `cause=lonjakan,indicator=answer|numerator">160`: `cause=lonjakan,indicator=answer|numerator">161`, "1 hari tanpa": "2 hari tanpa"} {
			changed := strings.Replace(string(file), was, is, 1)
			if c, err := Check(r, r, "", format, []byte(changed)); err != nil || len(c.Differences) == 0 || changed == string(file) {
				t.Errorf("%q: %+v, %v", is, c, err)
			}
		}
	}
}

// Any number of the JSON that is changed is told with its place.
func TestEveryNumberOfTheJSONIsChecked(t *testing.T) {
	r := Model(everything(), Settings{}, nil)
	file, err := Write(r, "", "json")
	if err != nil {
		t.Fatal(err)
	}
	var at []int
	for i := range file { // the first digit of numbers, and of texts that begin with one or have one after a blank
		if file[i] >= '0' && file[i] <= '9' && (file[i-1] == ' ' || file[i-1] == '"') {
			at = append(at, i)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.SampledFrom(at).Draw(t, "place")
		changed := slices.Clone(file)
		changed[i] = '1' + (changed[i]-'0')%9
		if !json.Valid(changed) || bytes.Equal(changed, file) {
			return
		}
		if bytes.Contains(changed[max(0, i-20):i], []byte(`"made_at"`)) {
			return // a draft is made anew
		}
		if c, err := Check(r, r, "", "json", changed); err == nil && len(c.Differences) == 0 {
			t.Fatalf("%s: %+v, %v", changed[max(0, i-60):i+20], c, err)
		}
	})
}

// What no freeze holds may move after a report was handed out: that is told and is no difference. What is frozen may not.
func TestWhatMovesSinceIsNoDifference(t *testing.T) {
	r := Model(everything(), Settings{}, nil)
	file, err := Write(r, "", "xlsx")
	if err != nil {
		t.Fatal(err)
	}
	check := func(change func(*Facts)) Checked {
		f := everything()
		change(&f)
		c, err := Check(r, Model(f, Settings{}, nil), "", "xlsx", file)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := check(func(f *Facts) { f.Causes[0].Causes[0].N++; f.Causes[0].Failing++ }); len(c.Differences) > 0 || len(c.Moved) == 0 {
		t.Errorf("a cause: %+v", c)
	}
	if c := check(func(f *Facts) { f.Recommendations[1].Effect = "Setelah selesai 90,0 %." }); len(c.Differences) > 0 || len(c.Moved) != 1 {
		t.Errorf("an effect: %+v", c)
	}
	if c := check(func(f *Facts) { f.Figures[0].Numerator++ }); len(c.Differences) == 0 {
		t.Errorf("a frozen figure: %+v", c)
	}
	if c := check(func(f *Facts) { f.Frozen.Revision = 2; f.Figures[0].Numerator++ }); len(c.Differences) > 0 || len(c.Moved) == 0 {
		t.Errorf("frozen again: %+v", c)
	}
	draft := everything()
	draft.Frozen = nil
	d := Model(draft, Settings{}, nil)
	if file, err = Write(d, "", "xlsx"); err != nil {
		t.Fatal(err)
	}
	draft.Causes[0].Failing++
	if c, err := Check(d, Model(draft, Settings{}, nil), "", "xlsx", file); err != nil || len(c.Differences) == 0 {
		t.Errorf("a draft: %+v, %v", c, err)
	}
}

// A file of an earlier program has fewer keys: what it has is compared, and what it has not is no fault.
func TestAFileOfAnEarlierProgramIsChecked(t *testing.T) {
	old := Model(everything(), Settings{}, nil)
	doc := old.Document("")
	for i, b := range doc.Blocks { // that program gave causes no key
		if table, ok := b.(document.Table); ok && strings.HasPrefix(table.ID, "t-kendala") {
			for _, row := range table.Rows {
				for j := range row.Cells {
					row.Cells[j].Key = document.Key{}
				}
			}
			doc.Blocks[i] = table
		}
	}
	var file bytes.Buffer
	if err := renderers["xlsx"](&file, doc); err != nil {
		t.Fatal(err)
	}
	old.Layout = 0
	if c, err := Check(old, Model(everything(), Settings{}, nil), "", "xlsx", file.Bytes()); err != nil || len(c.Differences) > 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := Check(Model(everything(), Settings{}, nil), old, "", "xlsx", file.Bytes()); err != nil || len(c.Differences) == 0 {
		t.Errorf("of this program it would be one: %+v, %v", c, err)
	}
}
