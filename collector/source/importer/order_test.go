package importer

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
)

// stateLog reads a log of states: a row is a look at a ticket, and only a row that differs from the one before it means
// something.
const stateLog = `version: 1
name: log
source: log
center: "35.15"
timezone: Asia/Jakarta
table: {sequence: {case: number, time: at}}
fields:
  number: {column: Tiket, required: true}
  at: {column: Waktu, type: time, formats: [office], required: true}
  state: {column: Status, ignore_case: true, values: {"ditunda*": paused, "lanjut*": resumed}, otherwise: other}
events:
  - {type: ticket.opened, subject: "ticket/{number}", time: at, id: "{number}-{at}-buka", when: [{field: number, changed: true}]}
  - {type: ticket.paused, subject: "ticket/{number}", time: at, id: "{number}-{at}-tunda", when: [{field: state, equals: paused}, {field: state, changed: true}]}
  - {type: ticket.resumed, subject: "ticket/{number}", time: at, id: "{number}-{at}-lanjut", when: [{field: state, equals: resumed}, {field: state, changed: true}]}
`

// told imports a file and returns subject, time and type of its events, sorted, and the summary.
func told(t *testing.T, text string, files ...string) (string, Summary) {
	t.Helper()
	m, err := mapping.Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var events bytes.Buffer
	sum, err := Import(t.Context(), Options{Mapping: m, Files: files, Events: &events})
	if err != nil && !errors.Is(err, ErrRefused) {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(events.String()) {
		part := func(key string) string {
			_, rest, _ := strings.Cut(line, `"`+key+`":"`)
			value, _, _ := strings.Cut(rest, `"`)
			return value
		}
		_, name, _ := strings.Cut(part("type"), ".")
		out = append(out, strings.TrimPrefix(part("subject"), "ticket/")+" "+part("time")[11:]+" "+
			strings.TrimPrefix(name, "ticket."))
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), "\n"), sum
}

func TestWhatDiffersFromTheRowBefore(t *testing.T) {
	rows := []string{
		"T-1,05/01/2026 09:00,Baru", "T-1,05/01/2026 09:14,Ditunda (hujan)", "T-1,05/01/2026 09:14,Lanjut",
		"T-1,05/01/2026 09:14,Lanjut", // the same row once more
		"T-1,05/01/2026 09:20,Lanjut", "T-1,05/01/2026 10:00,Ditunda", "T-2,05/01/2026 09:00,Baru",
		"T-2,05/01/2026 09:00,", "T-2,05/01/2026 09:30,Ditunda",
	}
	want := `T-1 02:00:00Z opened
T-1 02:14:00.001Z resumed
T-1 02:14:00Z paused
T-1 03:00:00Z paused
T-2 02:00:00Z opened
T-2 02:30:00Z paused`
	write := func(rows []string) string {
		return write(t, "x.csv", []byte("Tiket,Waktu,Status\n"+strings.Join(rows, "\n")+"\n"))
	}
	got, sum := told(t, stateLog, write(rows))
	if got != want || sum.Notes.RowOrder == 0 || sum.Notes.Unchanged != 2 || sum.RefusedTotal() > 0 {
		t.Errorf("got\n%s\n%+v", got, sum)
	}
	// Newest first.
	turned := slices.Clone(rows)
	slices.Reverse(turned)
	if got, _ := told(t, strings.Replace(stateLog, "time: at}", "time: at, rows: newest_first}", 1),
		write(turned)); got != want {
		t.Errorf("newest first: got\n%s", got)
	}
	// The cases one among the other, each in its own order.
	mixed := slices.Clone(rows)
	slices.SortStableFunc(mixed, func(a, b string) int { return strings.Compare(a[5:21], b[5:21]) })
	if got, _ := told(t, stateLog, write(mixed)); got != want {
		t.Errorf("mixed: got\n%s", got)
	}
	// Rows of different times may stand anywhere.
	free := slices.Concat(rows[:1], rows[4:])
	before, _ := told(t, stateLog, write(free))
	r := rand.New(rand.NewPCG(1, 1))
	for range 5 {
		r.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
		if free[0][:3] != "T-2" {
			continue // both rows of T-2 at 09:00 say the same but for their state
		}
		if got, _ := told(t, stateLog, write(free)); got != before {
			t.Errorf("shuffled: got\n%s\nwant\n%s", got, before)
		}
	}
	// A bound of memory is an error before anything is made.
	m, err := mapping.Parse("x.yaml", []byte(stateLog))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Import(t.Context(),
		Options{Mapping: m, Files: []string{write(rows)}, Limits: Limits{GroupBytes: 500}}); err == nil ||
		!strings.Contains(err.Error(), "parts that hold whole cases") {
		t.Errorf("%v", err)
	}
}

func TestTheLatestRowByAnotherColumn(t *testing.T) {
	text := `version: 1
name: x
source: x
center: "35.15"
timezone: Asia/Jakarta
table: {rows_per_case: several}
fields:
  number: {column: Tiket, required: true}
  at: {column: Lapor, type: time, formats: [office], required: true}
  version: {column: Versi, type: number}
  opd: {column: OPD}
events:
  - {type: ticket.opened, subject: "ticket/{number}", time: at, pick: latest, by: version, data: {kecamatan: "{opd}"}}
`
	for _, rows := range []string{
		"T,05/01/2026 09:00,2,b\nT,05/01/2026 10:00,1,a\nT,05/01/2026 11:00,,c\n",
		"T,05/01/2026 11:00,,c\nT,05/01/2026 10:00,1,a\nT,05/01/2026 09:00,2,b\n",
	} {
		got, _ := told(t, text, write(t, "x.csv", []byte("Tiket,Lapor,Versi,OPD\n"+rows)))
		if got != "T 02:00:00Z opened" {
			t.Errorf("got %s", got)
		}
	}
}

// Tables whose rows are hours, days or months with counts are refused with a sentence, by map and by import, whatever
// their columns are called; tables of cases that look a little like them are not.
func TestCountsAreNoCases(t *testing.T) {
	counts := map[string]string{
		"hours of a day":   "Jam,Jumlah\n00,3\n01,5\n02,0\n03,1\n04,7\n",
		"hours in English": "Date,Hour,Calls\n2026-01-05,8,3\n2026-01-05,9,5\n2026-01-05,10,2\n2026-01-05,11,2\n",
		"spans": "Tanggal;Jam;Jumlah Panggilan;Terjawab\n05/01/2026;00.00 - 00.59;3;2\n05/01/2026;01.00 - " +
			"01.59;5;4\n05/01/2026;02.00 - 02.59;5;5\n",
		"spans with s/d": "No,Pukul,Normal,Prank,Total\n1,07.00 s/d 08.00,3,2,5\n2,08.00 s/d 09.00,1,2,3\n3,09.00 s/d " +
			"10.00,8,2,10\n,Jumlah,12,6,18\n",
		"instants": "timestamp,total_calls\n2026-01-05 08:00:00,12\n2026-01-05 09:00:00,31\n2026-01-05 " +
			"10:00:00,7\n2026-01-05 11:00:00,19\n",
		"ISO instants":   "Interval Start,Offered,Answered,ASA\n2026-01-05T08:00:00+07:00,12,11,00:08\n2026-01-05T09:00:00+07:00,31,30,00:05\n2026-01-05T10:00:00+07:00,7,7,00:03\n",
		"American hours": "Hour,Incoming Calls\n8 AM,3\n9 AM,4\n10 AM,1\n11 AM,6\n12 PM,2\n1 PM,2\n",
		"hours as columns": "Tanggal," + strings.Join(hours(), ",") + "\n05/01/2026" + strings.Repeat(",3", 24) +
			"\n06/01/2026" + strings.Repeat(",1", 24) + "\n",
		"days":   "Tanggal,Total Panggilan,Prank,Normal\n01/01/2026,30,10,20\n02/01/2026,31,11,20\n03/01/2026,29,9,20\n04/01/2026,29,9,20\n",
		"months": "Bulan,Jumlah\nJanuari 2026,300\nFebruari 2026,310\nMaret 2026,290\n",
		"the hours of OPDs": "ID,Jam,OPD,Jumlah\n1,Jam 08,Dishub,3\n2,Jam 09,Dishub,4\n3,Jam 10,Dishub,4\n4,Jam " +
			"11,Dishub,4\n",
		"hours, newest first": "Jam;Jumlah\n23.00;3\n22.00;5\n21.00;9\n20.00;1\n",
	}
	for name, text := range counts {
		file := write(t, "x.csv", []byte(text))
		_, err := mapping.Propose(t.Context(), mapping.ProposeOptions{
			File: file, Name: "x", Source: "x", Center: "35.15", Timezone: "Asia/Jakarta",
		})
		if !errors.Is(err, mapping.ErrCounts) || !strings.Contains(err.Error(), "export the list") {
			t.Errorf("%s: map: %v", name, err)
		}
		m, err := mapping.Parse("x.yaml", []byte(strings.Replace(stateLog, "column: Tiket", "column: [Jam, Tiket]", 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Import(t.Context(), Options{Mapping: m, Files: []string{file}}); !errors.Is(err, mapping.ErrCounts) {
			t.Errorf("%s: import: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"calls on the hour": "No Tiket,Waktu Masuk,Tunggu\nA-1,05/01/2026 08:00,3\nA-2,05/01/2026 " +
			"09:00,4\nA-3,05/01/2026 10:00,5\nA-4,05/01/2026 11:00,5\n",
		"one a day": "No Tiket,Tanggal,Jam " +
			"Masuk,Lama\n1,05/01/2026,08:00,3\n2,06/01/2026,08:10,4\n3,07/01/2026,10:00,5\n4,08/01/2026,10:20,5\n",
		"numbered, no tickets": "No,ID Laporan,Waktu\n1,90001,05/01/2026 08:03\n2,90002,05/01/2026 " +
			"08:04\n3,90003,05/01/2026 08:05\n",
	} {
		if _, err := mapping.Propose(t.Context(), mapping.ProposeOptions{
			File: write(t, "x.csv", []byte(text)), Name: "x", Source: "x", Center: "35.15", Timezone: "Asia/Jakarta",
		}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A mapping that fits the columns of a table of counts does not make calls of it.
func TestCountsAreRefusedThoughTheMappingFits(t *testing.T) {
	m, err := mapping.Parse("x.yaml", []byte(`version: 1
name: x
source: x
center: "35.15"
timezone: Asia/Jakarta
fields:
  number: {columns: [Tanggal, Jam]}
  at: {columns: [Tanggal, Jam], type: time, formats: [office], required: true}
events:
  - {type: call.received, subject: "call/{number}", time: at}
`))
	if err != nil {
		t.Fatal(err)
	}
	d := newFakeCollector(t)
	file := write(t, "x.csv", []byte("Tanggal,Jam,Jumlah\n05/01/2026,08.00,3\n05/01/2026,09.00,5\n05/01/2026,10.00,5\n"))
	if _, err := Import(t.Context(),
		Options{Mapping: m, Files: []string{file}, Collector: d.client(send.Config{})}); !errors.Is(err,
		mapping.ErrCounts) || d.count() != 0 {
		t.Errorf("%v, %d events", err, d.count())
	}
}

func hours() (out []string) {
	for h := range 24 {
		out = append(out, string(rune('0'+h/10))+string(rune('0'+h%10))+".00")
	}
	return out
}
