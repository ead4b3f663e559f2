package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/deploy"
)

// officeMapping is one for the columns that the centre's platform exports.
const officeMapping = `version: 1
name: kantor
source: kantor
center: "35.15"
timezone: Asia/Jakarta
nulls: ["-"]
fields:
  number: {column: No Tiket, required: true}
  shift: {column: Shift, optional: true}
  received: {columns: [Tanggal, Jam Masuk], type: time, formats: [office], required: true, night_shift: {until: "07.00", field: shift, in: [Malam]}}
  answered: {columns: [Tanggal, Jam Jawab], type: time, formats: [office], follows: received, roll_day: true}
  caller: {column: No HP, type: phone, optional: true}
  wait: {column: Tunggu, type: number, decimal: ",", multiply: 1000, optional: true}
  district: {column: Kecamatan, optional: true}
events:
  - {type: call.received, subject: "call/{number}", time: received, required: true, data: {caller: "{caller}", kecamatan: "{district}"}}
  - {type: call.answered, subject: "call/{number}", time: answered, data: {wait_ms: "{wait}"}}
`

// workbook writes a file as an office makes it: merged titles, a summary sheet, two months, every way to write a time.
func workbook(t *testing.T, date1904 bool) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &date1904}))
	shift := 0.0
	if date1904 {
		shift = 1462
	}
	check(f.SetSheetName("Sheet1", "Rekap"))
	check(f.SetSheetRow("Rekap", "A1", &[]any{"REKAPITULASI", "Jumlah"}))
	header := []any{"No Tiket", "Tanggal", "Jam Masuk", "Jam Jawab", "Shift", "No HP", "Tunggu", "Kecamatan"}
	for _, month := range []struct {
		sheet string
		rows  [][]any
	}{
		{"Februari", [][]any{
			{"F-1", 44984 - shift, 0.3125, 0.3127315, "Pagi", 81234567890, 1.125, "Waru"},
			{"F-2", "27 Februari 2023", "21.50", "21.50.10", "Malam", "081234567891", "1,5", "Kec. Taman"},
			{"F-3", "Senin, 27 Peb 2023", "00.10", "00.11", "Malam", "8,12E+10", "", "Negeri Antah"},
			{"F-4", "28/02/23", 0.25, "-", "Siang", 6281234567892, "", "Sda"},
			{"F-5", "28/02/2023", 7.3, "-", "Siang", "", "", "Waru"},
			{"F-6", "Senin, 28 Februari 2023", "08.00", "-", "Siang", "", "", "Waru"},
		}},
		{"Maret", [][]any{
			{1.2345678901234567e20, 44986 - shift, "6:15:00", "6.16", "Pagi", "", "", "Waru"},
			{1001, 44986.25 - shift, "", "", "Pagi", "", "", ""},
			{"M-2", 44986 - shift, "6:15:00", "6.16", "Pagi", "", "", "Waru"},
		}},
	} {
		sheet, rows := month.sheet, month.rows
		_, err := f.NewSheet(sheet)
		check(err)
		check(f.SetCellValue(sheet, "A1", "LAPORAN 112"))
		check(f.MergeCell(sheet, "A1", "H1"))
		check(f.MergeCell(sheet, "A2", "H2"))
		check(f.SetSheetRow(sheet, "A4", &header))
		for i, row := range rows {
			check(f.SetSheetRow(sheet, fmt.Sprintf("A%d", 5+i), &row))
		}
	}
	path := filepath.Join(t.TempDir(), "laporan.xlsx")
	check(f.SaveAs(path))
	return path
}

func TestWorkbook(t *testing.T) {
	for _, date1904 := range []bool{false, true} {
		var events bytes.Buffer
		rejects := filepath.Join(t.TempDir(), "r.csv")
		sum, err := Import(context.Background(),
			Options{Mapping: parse(t, officeMapping), Files: []string{workbook(t, date1904)},
				Events: &events, Rejects: rejects, Directory: directory.MustLoad("directory.yaml", deploy.Directory)})
		if !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(events.String()) {
			for _, cut := range []string{
				`{"specversion":"1.0","id":"call/`, `"source":"kantor","type":"monev112.`, `"center":"35.15",`, `,"data":{`,
			} {
				line = strings.ReplaceAll(line, cut, "")
			}
			_, time, _ := strings.Cut(line, `"time":"`)
			id, _, _ := strings.Cut(line, `"`)
			got = append(got, id+" "+strings.TrimSpace(time))
		}
		want := []string{
			`F-1.received 2023-02-27T00:30:00Z""caller":"*********890","kecamatan":"Waru"}}`,
			`F-1.answered 2023-02-27T00:30:20Z""wait_ms":1125}}`,
			`F-2.received 2023-02-27T14:50:00Z""caller":"*********891","kecamatan":"Kec. Taman"}}`,
			`F-2.answered 2023-02-27T14:50:10Z""wait_ms":1500}}`,
			`F-3.received 2023-02-27T17:10:00Z""kecamatan":"Negeri Antah"}}`,
			`F-3.answered 2023-02-27T17:11:00Z""center":"35.15"}}`,
			`F-4.received 2023-02-27T23:00:00Z""caller":"***********892","kecamatan":"Sda"}}`,
			`M-2.received 2023-02-28T23:15:00Z""kecamatan":"Waru"}}`,
			`M-2.answered 2023-02-28T23:16:00Z""center":"35.15"}}`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("1904 %v (-want +got):\n%s", date1904, diff)
		}
		text, err := os.ReadFile(rejects)
		if err != nil {
			t.Fatal(err)
		}
		for _, why := range []string{
			"07.30 that was typed as a number", "the name of the day does not fit the date", "#Maret,6,missing_value",
			"#Maret,5,bad_number",
		} {
			if !strings.Contains(string(text), why) {
				t.Errorf("the rejects do not say %q:\n%s", why, text)
			}
		}
		if bytes.Contains(text, []byte("8123")) || sum.Notes.NightShift != 1 || sum.Notes.LostCallers != 1 ||
			sum.Notes.RepairedCallers != 1 {
			t.Errorf("%+v\n%s", sum.Notes, text)
		}
		summary := sum.Text("")
		for _, line := range []string{
			"laporan.xlsx#Rekap has no such header", `kecamatan "Negeri Antah": 1 rows`, `kecamatan "Sda": 1 rows`,
		} {
			if !strings.Contains(summary, line) {
				t.Errorf("the summary does not say %q:\n%s", line, summary)
			}
		}
	}
}

// A night shift whose dates are right is not moved: the order of the rows tells.
func TestNightShiftIsChecked(t *testing.T) {
	head := "No Tiket,Tanggal,Jam Masuk,Jam Jawab,Shift\n"
	for _, c := range []struct{ name, rows, want string }{
		{"dates of the shift",
			"1,27/02/2023,23.50,23.51,Malam\n2,27/02/2023,00.10,00.11,Malam\n3,28/02/2023,08.00,08.01,Pagi\n", ""},
		{"dates of the day",
			"1,27/02/2023,23.50,23.51,Malam\n2,28/02/2023,00.10,00.11,Malam\n3,28/02/2023,08.00,08.01,Pagi\n",
			"the dates of this file seem to be right"},
		{"newest first", "3,28/02/2023,08.00,08.01,Pagi\n2,27/02/2023,00.10,00.11,Malam\n1,27/02/2023,23.50,23.51,Malam\n",
			""},
	} {
		d := newFakeCollector(t)
		_, err := Import(context.Background(), options(t, d, officeMapping, write(t, "a.csv", []byte(head+c.rows))))
		if c.want == "" && (err != nil || d.count() != 6) || c.want != "" &&
			(err == nil || !strings.Contains(err.Error(), c.want) || d.count() != 0) {
			t.Errorf("%s: %v, %d events", c.name, err, d.count())
		}
	}
}

// Of a workbook a number that a format reads as it stands is read so, and only a part of a day as the time that it shows.
func TestNumbersThatAFormatReads(t *testing.T) {
	for _, format := range []string{"yyyy M d HHmm", "yyyy M d H.mm"} {
		f := excelize.NewFile()
		defer f.Close()
		for i, row := range [][]any{
			{"No", "Tahun", "Bulan", "Tanggal", "Jam"}, {"A", 2026, 10, 1, 1430}, {"B", "2026", "10", "1", 0.25},
		} {
			if err := f.SetSheetRow("Sheet1", fmt.Sprint("A", i+1), &row); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(t.TempDir(), "a.xlsx")
		if err := f.SaveAs(path); err != nil {
			t.Fatal(err)
		}
		var events bytes.Buffer
		_, err := Import(t.Context(), Options{Files: []string{path}, Events: &events, Mapping: parse(t, head+`fields:
  no: {column: No, required: true}
  at: {columns: [Tahun, Bulan, Tanggal, Jam], type: time, formats: ["`+format+`"], required: true}
events:
  - {type: ticket.opened, subject: "ticket/{no}", time: at}
`)})
		if !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
		want := map[string]string{"yyyy M d HHmm": "2026-10-01T18:30:00Z"}[format]
		if !strings.Contains(events.String(), want) || strings.Count(events.String(), "\n") > 1 {
			t.Errorf("%s: %s", format, events.String())
		}
	}
}
