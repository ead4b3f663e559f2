package table

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

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
	for _, name := range w.Sheets() {
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
				if err != io.EOF {
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
		{"a number that is none", `<w><sheetData><row><c><v>0x1p4</v></c></row></sheetData></w>`, "error"},
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
