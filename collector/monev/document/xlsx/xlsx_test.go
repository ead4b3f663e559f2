package xlsx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/document/documenttest"
)

var out = flag.String("out", "", "write the documents into this folder, to be looked at")

func written(t testing.TB, d *document.Document, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, d); err != nil {
		t.Fatal(err)
	}
	if *out != "" {
		if err := os.WriteFile(filepath.Join(*out, name+".xlsx"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func opened(t testing.TB, file []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestNumbersAreReadBack(t *testing.T) {
	for name, d := range map[string]*document.Document{
		"monthly": documenttest.Monthly(12), "sixty": documenttest.Monthly(60), "nasty": documenttest.Nasty(),
	} {
		found, err := Read(written(t, d, name))
		documenttest.Check(t, d, true, found, err)
	}
}

func TestNumbersAreReadBackAfterAnOfficeSavedThem(t *testing.T) {
	d := documenttest.Monthly(12)
	found, err := Read(documenttest.Office(t, written(t, d, "office"), "xlsx", "xlsx:Calc MS Excel 2007 XML"))
	documenttest.Check(t, d, true, found, err)
}

// TestAChangedNumberIsFound changes every number once, one at a time, as a person would: in its cell.
func TestAChangedNumberIsFound(t *testing.T) {
	d := documenttest.Monthly(3)
	file := written(t, d, "changed")
	readings, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := d.Numbers(true)
	for i, r := range readings {
		if i > 12 && i%20 != 0 {
			continue // the hours
		}
		f := opened(t, file)
		sheet, cell, _ := strings.Cut(r.Where, "!")
		text, err := f.GetCellValue(sheet, cell, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		if kind, _ := f.GetCellType(sheet, cell); kind == excelize.CellTypeSharedString {
			err = f.SetCellStr(sheet, cell,
				strings.NewReplacer("0", "1", "4", "5", "8", "9", "tidak tercatat", "0").Replace(text))
		} else {
			err = f.SetCellValue(sheet, cell, want[i].Value*1.001+0.001)
		}
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		found, err := Read(b.Bytes())
		if _, differences := document.Compare(want, found); err != nil || len(differences) == 0 {
			t.Errorf("%s %q of %s: %v, %v", r.Where, text, want[i].Key, differences, err)
		}
	}
}

func TestANumberMovesWithItsRow(t *testing.T) {
	d := documenttest.Monthly(3)
	f := opened(t, written(t, d, "moved"))
	if err := f.InsertRows("1 Ringkasan", 3, 2); err != nil {
		if err = f.InsertRows(f.GetSheetList()[1], 3, 2); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	found, err := Read(b.Bytes())
	documenttest.Check(t, d, true, found, err)
}

func TestADeletedRowIsMissing(t *testing.T) {
	d := documenttest.Monthly(3)
	file := written(t, d, "deleted")
	readings, _ := Read(file)
	at := slices.IndexFunc(readings, func(r document.Reading) bool { return strings.HasPrefix(r.Where, "Corong!B") })
	f := opened(t, file)
	_, row, err := excelize.CellNameToCoordinates(strings.TrimPrefix(readings[at].Where, "Corong!"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.RemoveRow("Corong", row); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	found, err := Read(b.Bytes())
	if _, differences := document.Compare(d.Numbers(true), found); err != nil || len(differences) == 0 {
		t.Errorf("%v, %v", differences, err)
	}
}

func TestTheSameBytesAgain(t *testing.T) {
	for range 3 {
		if !bytes.Equal(written(t, documenttest.Monthly(12), "a"), written(t, documenttest.Monthly(12), "b")) {
			t.Fatal("two files of one document")
		}
	}
}

// TestNothingHostileIsAlive: no formula, no external link, every text as it was.
func TestNothingHostileIsAlive(t *testing.T) {
	d := documenttest.Nasty()
	file := written(t, d, "nasty")
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		part, err := read(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(f.Name, "xl/worksheets/") &&
			(bytes.Contains(part, []byte("<f>")) || bytes.Contains(part, []byte("<f "))) {
			t.Errorf("%s has a formula", f.Name)
		}
		if bytes.Contains(part, []byte(`TargetMode="External"`)) {
			t.Errorf("%s leaves the file", f.Name)
		}
		if strings.HasSuffix(f.Name, ".xml") {
			dec := xml.NewDecoder(bytes.NewReader(part))
			for err == nil {
				_, err = dec.Token()
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
	}
	x, all := opened(t, file), map[string]bool{}
	for _, sheet := range x.GetSheetList() {
		rows, err := x.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			for _, c := range r {
				all[c] = true
			}
		}
	}
	for _, s := range documenttest.Hostile {
		if s = document.Clean(s); !all[s] && strings.TrimSpace(s) != "" {
			t.Errorf("%q cannot be read", s)
		}
	}
}

func TestHostileWorkbooksOpenInAnOffice(t *testing.T) {
	if pdf := documenttest.Office(t, written(t, documenttest.Nasty(), "nasty"), "xlsx", "pdf"); !bytes.HasPrefix(pdf,
		[]byte("%PDF")) {
		t.Error("no PDF")
	}
}

func TestSheetsAreNamedAsAWorkbookTakesThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		used := map[string]bool{"sampul": true, "history": true}
		for range 12 {
			s := rapid.OneOf(rapid.SampledFrom(documenttest.Hostile), rapid.String(), rapid.Just("History"),
				rapid.Just(strings.Repeat("ä😀", 20))).Draw(t, "name")
			before := len(used)
			got := sheetName(s, used)
			if len(used) != before+1 || len(utf16.Encode([]rune(got))) > 31 || got == "" ||
				strings.ContainsAny(got, `:\/?*[]`) ||
				strings.HasPrefix(got, "'") || strings.HasSuffix(got, "'") {
				t.Fatalf("%q becomes %q", s, got)
			}
		}
	})
}

func TestNumbersAreNumbersAndChartsAreNative(t *testing.T) {
	f := opened(t, written(t, documenttest.Monthly(12), "monthly"))
	want := []string{"Sampul", "Ringkasan", "Corong", "OPD tepat waktu semua", "Pengesahan"}
	if got := f.GetSheetList(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	numbers := 0
	rows, err := f.GetRows("Corong", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		for j := range r {
			name, _ := excelize.CoordinatesToCellName(j+1, i+1)
			if kind, _ := f.GetCellType("Corong", name); kind == excelize.CellTypeUnset && r[j] != "" {
				numbers++
			}
		}
	}
	if numbers != 7*24+8 {
		t.Errorf("%d numbers", numbers)
	}
	charts := 0
	z := written(t, documenttest.Monthly(12), "monthly")
	r, _ := zip.NewReader(bytes.NewReader(z), int64(len(z)))
	for _, p := range r.File {
		if strings.HasPrefix(p.Name, "xl/charts/chart") {
			charts++
		}
	}
	if charts != 2 {
		t.Errorf("%d charts", charts)
	}
}

func TestWhatIsNoWorkbookIsRefused(t *testing.T) {
	for _, file := range []string{"", "PK", "<html>"} {
		if _, err := Read([]byte(file)); err == nil || !strings.Contains(err.Error(), "XLSX: ") {
			t.Errorf("%q: %v", file, err)
		}
	}
}
