package tabular

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

func TestCleanCell(t *testing.T) {
	for given, want := range map[string]string{
		`="0234"`: "0234", ` ="081 ""x"" 2" `: `081 "x" 2`, "'0812": "0812", "'+62812": "+62812", "'tis": "'tis", "'": "'",
		"#REF!": "", "#n/a": "", " #VALUE! ": "", "####": "", "#": "#", "#1": "#1", "#REF!x": "#REF!x", "Err:502": "", "Err:x": "Err:x",
		"=1+1": "=1+1", `="x`: `="x`, "": "", " a ": " a ", "Eraser": "Eraser",
	} {
		if got := CleanCell(given); got != want {
			t.Errorf("%q is %q, want %q", given, got, want)
		}
	}
}

// rowsOf reads a file with the columns No and Jam as people would save it.
func rowsOf(t *testing.T, name string, data []byte) (rows []string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	l := Layout{Columns: []Column{{Headers: []string{"No"}}, {Headers: []string{"Jam"}}}, HeaderRows: 5, Encoding: UTF8}
	f, err := l.Open(path, Limits{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for {
		table, err := f.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		for {
			r, err := table.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return rows, err
			}
			rows = append(rows, strings.Join(r.Cells, "|"))
		}
	}
}

func TestFilesAsOldProgramsSaveThem(t *testing.T) {
	for name, tt := range map[string]struct{ text, want, err string }{
		"lines that end in CR alone": {"No,Jam\r1,08:00\r2,\"09\r00\"\r", "1|08:00;2|09\n00", ""},
		"CR LF":                      {"No,Jam\r\n1,08:00\r\n", "1|08:00", ""},
		"a page":                     {"<html><body><table><tr><td>No</td><td>Jam</td></tr></table>", "", "web page"},
		"a page in capitals":         {"\n <TABLE border=1><tr><td>No,Jam", "", "web page"},
		"an XML spreadsheet":         {`<?xml version="1.0"?><Workbook>`, "", "web page"},
	} {
		rows, err := rowsOf(t, "x.xls", []byte(tt.text))
		if strings.Join(rows, ";") != tt.want || (err == nil) != (tt.err == "") ||
			err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %q, %v; want %q, %q", name, rows, err, tt.want, tt.err)
		}
	}
}

// book makes a workbook of a few sheets with one row each; the ones named are hidden.
func book(t *testing.T, hidden ...string) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, sheet := range []string{"Sheet1", "Lama"} {
		if _, err := f.NewSheet(sheet); err != nil {
			t.Fatal(err)
		}
		for row, cells := range [][]any{{"No", "Jam"}, {sheet, i}} {
			if err := f.SetSheetRow(sheet, []string{"A1", "A2"}[row], &cells); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, sheet := range hidden {
		if err := f.SetSheetVisible(sheet, false); err != nil {
			t.Fatal(err)
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A hidden sheet is often last month's copy: it is not read twice with the one that is seen, and it is named.
func TestHiddenSheetsAreNotRead(t *testing.T) {
	if rows, err := rowsOf(t, "x.xlsx", book(t)); err != nil || strings.Join(rows, ";") != "Sheet1|0;Lama|1" {
		t.Errorf("both seen: %q, %v", rows, err)
	}
	if rows, err := rowsOf(t, "x.xlsx", book(t, "Lama")); err != nil || strings.Join(rows, ";") != "Sheet1|0" {
		t.Errorf("one hidden: %q, %v", rows, err)
	}
}

// Some exporters write their parts in UTF-16.
func TestPartsInUTF16(t *testing.T) {
	plain := book(t, "Lama")
	r, err := zip.NewReader(strings.NewReader(string(plain)), int64(len(plain)))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	w := zip.NewWriter(&out)
	for _, part := range r.File {
		in, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(part.Name, "xl/worksheets/") || part.Name == "xl/workbook.xml" {
			wide := []byte{0xff, 0xfe}
			for _, u := range utf16.Encode([]rune(strings.Replace(string(text), "UTF-8", "UTF-16", 1))) {
				wide = append(wide, byte(u), byte(u>>8))
			}
			text = wide
		}
		to, err := w.Create(part.Name)
		if err == nil {
			_, err = to.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if rows, err := rowsOf(t, "x.xlsx", []byte(out.String())); err != nil || strings.Join(rows, ";") != "Sheet1|0" {
		t.Errorf("%q, %v", rows, err)
	}
}
