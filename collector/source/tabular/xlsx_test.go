package tabular

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

func workbookSeed(t testing.TB) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	if err := errors.Join(f.SetSheetRow("Sheet1", "A1", &[]any{"No", "Waktu", 1.5, true}),
		f.SetSheetRow("Sheet1", "A3", &[]any{"x", "y"})); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// variedWorkbook has two sheets, merged titles, gaps, numbers, dates, formulas and texts that need escaping.
func variedWorkbook(t testing.TB) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	_, err := f.NewSheet("Maret & April")
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range [][]any{
		{"LAPORAN 112"}, {}, {"No Tiket", "Tanggal", "Jam Masuk", "No HP", "Tunggu"},
		{"F-1", 44984, 0.3125, 81234567890, 1.125}, {"F-2", "27 Februari 2023", "21.50", "081234567891", "1,5"},
		{1001, 44986.25, "", nil, 7.3}, {"<a> & \"b\"", "dua\nbaris", " spasi ", "é", "_x000D_"},
	} {
		for _, sheet := range f.GetSheetList() {
			if err := f.SetSheetRow(sheet, fmt.Sprintf("A%d", i+1), &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	var b bytes.Buffer
	if err := errors.Join(f.MergeCell("Sheet1", "A1", "E1"), f.SetCellFormula("Sheet1", "F4", "E4*2"),
		f.Write(&b)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// write puts a file into a new folder.
func write(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// rawWorkbook is the smallest workbook around a sheet's XML.
func rawWorkbook(t testing.TB, sheet string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range [][2]string{
		{"_rels/.rels", `<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook><sheets><sheet name="S" id="r1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels",
			`<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/s.xml"/><Relationship Id="r2" Type="x/sharedStrings" Target="/xl/shared.xml"/></Relationships>`},
		{"xl/shared.xml", `<sst><si><t>satu</t><rPh><t>x</t></rPh></si><si><r><t>du</t></r><r><t>a_x000D_</t></r></si></sst>`},
		{"xl/worksheets/s.xml", sheet},
	} {
		w, err := z.Create(part[0])
		if err == nil {
			_, err = io.WriteString(w, part[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readWorkbook returns every row and refusal of a file's sheets, and the error that ended one.
func readWorkbook(t testing.TB, path string) (out []string) {
	t.Helper()
	limits := Limits{WorkbookBytes: 1 << 20, SharedBytes: 1 << 16, Columns: 50, CellBytes: 1000, RowBytes: 5000}
	w, err := OpenWorkbook(path, limits)
	if err != nil {
		return []string{"error " + err.Error()}
	}
	defer w.Close()
	for _, name := range allSheets(w) {
		s, err := w.Sheet(name)
		if err != nil {
			return append(out, "error "+err.Error())
		}
		last := 0
		for {
			row, err := s.Next()
			var bad *RowError
			if errors.As(err, &bad) {
				out = append(out, fmt.Sprintf("%d! %s", bad.Line, bad.Code))
				continue
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					out = append(out, "error "+err.Error())
				}
				break
			}
			if row.Line <= last || len(row.Cells) > 50 || len(row.numeric) != len(row.Cells) {
				t.Fatalf("row %d after %d with %d cells", row.Line, last, len(row.Cells))
			}
			last = row.Line
			for _, c := range row.Cells {
				if !utf8.ValidString(c) || len(c) > 1000 {
					t.Fatalf("row %d holds %q", row.Line, c)
				}
			}
			out = append(out, fmt.Sprintf("%d: %s", row.Line, strings.Join(row.Cells, "|")))
		}
		s.Close()
	}
	return out
}

func TestSheetsThatAreNotWhole(t *testing.T) {
	row := `<row r="1"><c r="A1"><v>1</v></c></row>`
	for _, c := range []struct{ name, sheet, want string }{
		{"whole", `<w><sheetData>` + row + `</sheetData></w>`, "1: 1"},
		{"rich and shared texts", `<w><sheetData><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row></sheetData></w>`,
			"1: satu|dua\r"},
		{"cut behind a row", `<w><sheetData>` + row, "1: 1; error"},
		{"cut within a row", `<w><sheetData><row r="1"><c r="A1"><v>1</v></c>`, "error"},
		{"cut within a cell", `<w><sheetData>` + row + `<row r="2"><c r="A2"><v>1`, "1: 1; error"},
		{"no such text", `<w><sheetData><row><c t="s"><v>9</v></c></row></sheetData></w>`, "error"},
		{"a text without its kind", `<w><sheetData><row><c><v>0x1p4</v></c></row></sheetData></w>`, "1: 0x1p4"},
		{"cells with a kind and no value", `<w><sheetData><row><c t="s"/><c t="s"><v>-1</v></c><c t="b"/><c t="n"/><c t="e"/>` +
			`<c t="e"><v>#REF!</v></c><c><v>7</v></c></row></sheetData></w>`, "1: ||||||7"},
		{"a guard against losing a 0", `<w><sheetData><row><c t="str"><v>="0234"</v></c></row></sheetData></w>`, "1: 0234"},
		{"rows backwards", `<w><sheetData>` + row + row + `</sheetData></w>`, "1: 1; error"},
		{"cells backwards", `<w><sheetData><row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row></sheetData></w>`,
			"error"},
		{"a cell of another row", `<w><sheetData><row r="1"><c r="A2"><v>1</v></c></row></sheetData></w>`, "error"},
		{"gaps", `<w><sheetData><row r="3"><c r="C3"><v>1</v></c></row></sheetData></w>`, "3: ||1"},
		{"too many cells cost their row",
			`<w><sheetData><row r="1"><c r="XFD1"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row></sheetData></w>`,
			"1! too_large; 2: 2"},
		{"a long cell costs its row",
			`<w><sheetData><row r="1"><c r="A1" t="str"><v>` + strings.Repeat("x", 1001) +
				`</v></c></row><row r="2"><c r="A2"><v>2</v></c></row></sheetData></w>`, "1! too_large; 2: 2"},
		{"entities of its own", `<!DOCTYPE w [<!ENTITY a "b">]><w><sheetData><row><c t="str"><v>&a;</v></c></row></sheetData></w>`, "error"},
		{"nests without end", strings.Repeat("<a>", 1000), "error"},
	} {
		path := write(t, "f.xlsx", rawWorkbook(t, c.sheet))
		var got []string
		for _, line := range readWorkbook(t, path) {
			if strings.HasPrefix(line, "error") {
				line = "error"
			}
			got = append(got, line)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: got %q, want %q", c.name, strings.Join(got, "; "), c.want)
		}
	}
}

// A small archive that unpacks to much is refused by what it says of itself, and one that lies by what comes out of it.
func TestZipBomb(t *testing.T) {
	path := write(t, "f.xlsx",
		rawWorkbook(t, `<w><sheetData><row><c t="str"><v>`+strings.Repeat(" ", 2<<20)+`</v></c></row></sheetData></w>`))
	if got := readWorkbook(t, path); len(got) != 1 || !strings.Contains(got[0], "unpacks to more than 1048576 bytes") {
		t.Errorf("got %.200q", got)
	}
}

// What a program reads of a workbook and what we read is the same.
func TestWorkbookAgainstAnotherReader(t *testing.T) {
	path := write(t, "f.xlsx", variedWorkbook(t))
	other, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	w, err := OpenWorkbook(path, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if diff := cmp.Diff(other.GetSheetList(), allSheets(w)); diff != "" {
		t.Fatal(diff)
	}
	for _, name := range allSheets(w) {
		want, err := other.GetRows(name, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := w.Sheet(name)
		if err != nil {
			t.Fatal(err)
		}
		for {
			row, err := sheet.Next()
			if err != nil {
				break
			}
			if strings.Join(row.Cells, "") != strings.Join(want[row.Line-1], "") {
				t.Errorf("%s:%d: %q, another reader %q", name, row.Line, row.Cells, want[row.Line-1])
			}
		}
		sheet.Close()
	}
}

// A workbook of any bytes ends in rows or an error, and a row is whole or refused.
func FuzzWorkbook(f *testing.F) {
	seed := workbookSeed(f)
	f.Add(seed, 0, byte(0))
	for _, at := range []int{30, 200, 800, 2000, len(seed) - 40} {
		f.Add(seed, at, byte(0xff))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, in []byte, at int, flip byte) {
		in = bytes.Clone(in)
		if len(in) > 0 && at >= 0 {
			in[at%len(in)] ^= flip
		}
		path := filepath.Join(dir, "f.xlsx")
		if err := os.WriteFile(path, in, 0o600); err != nil {
			t.Fatal(err)
		}
		readWorkbook(t, path)
	})
}

// FuzzSheet has the sheet's XML as its input, so that what is fuzzed gets past the archive.
func FuzzSheet(f *testing.F) {
	f.Add(`<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>No</t></is></c><c r="C1"><v>44984.5</v></c></row></sheetData></worksheet>`)
	f.Add(`<worksheet><sheetData><row><c t="s"><v>0</v></c></row><row r="7"><c r="B7" t="b"><v>1</v></c><c t="e"><v>#N/A</v></c>`)
	f.Add(`<worksheet><sheetData><row r="2"><c r="A2"><v>1e5</v></c></row><row r="1"/></sheetData></worksheet>`)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, sheet string) {
		path := filepath.Join(dir, "f.xlsx")
		if err := os.WriteFile(path, rawWorkbook(t, sheet), 0o600); err != nil {
			t.Fatal(err)
		}
		readWorkbook(t, path)
	})
}

func allSheets(w *Workbook) []string {
	visible, hidden := w.Sheets()
	return append(visible, hidden...)
}
