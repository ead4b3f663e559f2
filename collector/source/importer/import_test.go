package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/monev112/monev112/collector/internal/noleaks"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/source/tabular"
	"github.com/monev112/monev112/deploy"
)

func TestMain(m *testing.M) { noleaks.Main(m) }

const head = `version: 1
name: t
source: test
center: c1
timezone: America/New_York
`

const simple = head + `fields:
  no: {column: No, required: true}
  at: {column: Waktu, type: time, formats: ["yyyy-MM-dd HH:mm:ss"], required: true}
  district: {column: Kecamatan, optional: true}
  caller: {column: No HP, type: phone, optional: true}
events:
  - {type: call.received, subject: "call/{no}", time: at, data: {kecamatan: "{district}", caller: "{caller}"}}
  - {type: call.ended, subject: "call/{no}", time: at}
`

// write puts a file into a new folder.
func write(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func rowsOf(from, to int) string {
	var b strings.Builder
	b.WriteString("No,Waktu\n")
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "K-%d,2026-01-01 00:00:%02d\n", i, i%60)
	}
	return b.String()
}

func load(t testing.TB, name string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Load(name, deploy.Defaults)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func parse(t testing.TB, text string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Parse("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// options returns those of an import into d, with requests of 10 events and no waiting.
func options(t *testing.T, d *fakeCollector, mapping string, files ...string) Options {
	t.Helper()
	return Options{
		Mapping: parse(t, mapping), Files: files, Rejects: filepath.Join(t.TempDir(), "rejects.csv"),
		Batching: send.Batching{Events: 10}, Collector: d.client(send.Config{}), Name: d.URL,
	}
}

func TestImportThroughAFailingServer(t *testing.T) {
	d := newFakeCollector(t)
	d.fail = func(n int) int {
		switch n % 5 {
		case 1:
			return 503
		case 3:
			return 429
		}
		return 0
	}
	d.lose = func(n int) bool { return n%7 == 4 }
	o := options(t, d, simple, write(t, "a.csv", []byte(rowsOf(0, 200))))
	sum, err := Import(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(o.Rejects); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing was refused, yet there is a rejects file: %v, %s", err, text)
	}
	if len(d.events) != 400 || sum.Totals.Sent != 400 || sum.Totals.Accepted+sum.Totals.Duplicates != 400 ||
		sum.Totals.Retried == 0 {
		t.Errorf("the server has %d events; %+v", len(d.events), sum.Totals)
	}
	if text := sum.Text(""); !strings.Contains(text, "sent more than once") {
		t.Errorf("the summary does not explain the duplicates:\n%s", text)
	}
}

func TestImportCanBeStoppedAndRunAgain(t *testing.T) {
	for _, mapping := range []string{
		simple, strings.NewReplacer("center: c1", "center: c1\ntable: {rows_per_case: several}", "time: at",
			"time: at, pick: earliest").Replace(simple),
	} {
		d := newFakeCollector(t)
		ctx, cancel := context.WithCancel(context.Background())
		d.fail = func(n int) int {
			if n == 5 {
				cancel()
			}
			return 0
		}
		o := options(t, d, mapping, write(t, "a.csv", []byte(rowsOf(0, 2000))))
		sum, err := Import(ctx, o)
		if !errors.Is(err, context.Canceled) || !sum.Stopped ||
			!strings.Contains(sum.Text(""), "run the same command again") {
			t.Fatalf("got %v, %+v", err, sum)
		}
		// The server may still be at requests that were under way.
		before := d.count()
		if before == 0 || before == 4000 {
			t.Fatalf("stopped after %d events: the test tests nothing", before)
		}
		sum, err = Import(context.Background(), o)
		if err != nil || d.count() != 4000 || sum.Totals.Duplicates < before ||
			sum.Totals.Accepted+sum.Totals.Duplicates != 4000 {
			t.Errorf("the second run: %v, %d events, %+v after %d", err, d.count(), sum.Totals, before)
		}
	}
}

func TestImportReportsWhatTheServerRefuses(t *testing.T) {
	d := newFakeCollector(t)
	first := options(t, d, simple, write(t, "a.csv", []byte("No,Waktu,Kecamatan\nK-1,2026-01-01 00:00:00,Waru\n")))
	if _, err := Import(context.Background(), first); err != nil {
		t.Fatal(err)
	}
	// K-1 has changed, K-2 is good, K-3 lies in the future of the server, the fourth has a number where an id belongs.
	changed := options(t, d, simple,
		write(t, "b.csv", []byte(
			"No,Waktu,Kecamatan,No HP\nK-1,2026-01-01 00:00:00,Taman,\nK-2,2026-01-01 00:00:00,Waru,\nK-3,2027-01-01 "+
				"00:00:00,Waru,\n081234567890,2026-01-01 00:00:00,Rumah Budi,081234567890\n")))
	sum, err := Import(context.Background(), changed)
	if !errors.Is(err, ErrRefused) {
		t.Errorf("got %v", err)
	}
	if sum.Refused[CodeConflict] != 1 || sum.Refused[CodeServer] != 4 || sum.Totals.Accepted != 2 ||
		sum.Totals.Duplicates != 1 {
		t.Errorf("refused %v, %+v", sum.Refused, sum.Totals)
	}
	text, err := os.ReadFile(changed.Rejects)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		",2,conflict,", "the row has changed", ",4,refused_by_server,", "time_in_future", ",5,refused_by_server,",
		"phone_like", "… (12 characters)",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the rejects file lacks %q:\n%s", want, text)
		}
	}
	for _, secret := range []string{"081", "8123", "Budi"} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the rejects file shows %q", secret)
		}
	}
}

func TestImportEndsWithAClearError(t *testing.T) {
	good := write(t, "a.csv", []byte(rowsOf(0, 50)))
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"no file", func(o *Options) { o.Files = nil }, "no file"},
		{"file that is not there", func(o *Options) { o.Files = []string{"/nowhere.csv"} }, "no such file"},
		{"folder", func(o *Options) { o.Files = []string{t.TempDir()} }, "is a folder"},
		{"empty file", func(o *Options) { o.Files = []string{write(t, "e.csv", nil)} }, "table is empty"},
		{"workbook", func(o *Options) {
			o.Files = []string{write(t, "e.xlsx", []byte("PK\x03\x04rest"))}
		}, "was it copied whole"},
		{"header of another table", func(o *Options) {
			o.Files = []string{write(t, "e.csv", []byte("a,b\n1,2\n"))}
		}, `lacks ["Waktu" "No"]`},
		{"header twice", func(o *Options) { o.Files = []string{write(t, "e.csv", []byte("No,Waktu,no\n1,2,3\n"))} }, "twice"},
		{"file cut short", func(o *Options) {
			o.Files = []string{write(t, "e.csv.gz", packGzip(t, rowsOf(0, 5000))[:3000])}
		}, "unexpected EOF"},
		{"rejects over an input", func(o *Options) { o.Rejects = good }, "one of the files"},
		{"rejects in no folder", func(o *Options) { o.Rejects = "/nowhere/r.csv" }, "rejects file"},
		{"wrong key", func(o *Options) { o.Collector = nil }, "API key"},
		{"unpacks to too much", func(o *Options) { o.Limits.FileBytes = 100 }, "unpacks to more than 100 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newFakeCollector(t)
			d.key = "right"
			o := options(t, d, simple, good)
			o.Collector = d.client(send.Config{Key: "right"})
			if c.change(&o); o.Collector == nil {
				o.Collector = d.client(send.Config{Key: "wrong"})
			}
			_, err := Import(context.Background(), o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if text, err := os.ReadFile(good); err != nil || string(text) != rowsOf(0, 50) {
		t.Errorf("the input has changed: %v", err)
	}
}

func TestGroupingHasALimit(t *testing.T) {
	d := newFakeCollector(t)
	o := options(t, d, strings.NewReplacer("center: c1", "center: c1\ntable: {rows_per_case: several}", "time: at",
		"time: at, pick: earliest").Replace(simple), write(t, "a.csv", []byte(rowsOf(0, 2000))))
	o.Limits.GroupBytes = 100_000
	_, err := Import(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), "needs more than 100000 bytes") || len(d.events) != 0 {
		t.Errorf("got %v with %d events sent", err, len(d.events))
	}
}

func packGzip(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// However a table is packed, separated and encoded, it gives the same events.
func TestFormsOfAFile(t *testing.T) {
	const table = "No;Waktu;Kecamatan\r\nK-1;2026-01-01 00:00:00;Café\r\n"
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	latin, err := charmap.Windows1252.NewEncoder().String(table)
	if err != nil {
		t.Fatal(err)
	}
	utf16, err := unicode.UTF16(unicode.LittleEndian,
		unicode.UseBOM).NewEncoder().String(strings.ReplaceAll(table, ";", "\t"))
	if err != nil {
		t.Fatal(err)
	}
	utf16be, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(table)
	if err != nil {
		t.Fatal(err)
	}
	latinMapping := strings.Replace(simple, "center: c1", "center: c1\ntable: {encoding: windows-1252}", 1)
	for _, c := range []struct {
		name, mapping string
		text          []byte
	}{
		{"plain", simple, []byte(table)},
		{"byte order mark", simple, []byte("\ufeff" + table)},
		{"Excel's hint", simple, []byte("sep=;\r\n" + table)},
		{"title rows", simple, []byte("Laporan;;\r\n\"Bulan, \"\"Maret\"\"\";;\r\n;;\r\n" + table)},
		{"a broken title", simple, []byte("Laporan \"x\";\"a\"b\r\n" + table)},
		{"comma", simple, []byte(strings.ReplaceAll(table, ";", ","))},
		{"tab", simple, []byte(strings.ReplaceAll(table, ";", "\t"))},
		{"bar", simple, []byte(strings.ReplaceAll(table, ";", "|"))},
		{"other columns and order", simple, []byte("x,Kecamatan,No,y,waktu\n;1,Café,K-1,,2026-01-01 00:00:00\n")},
		{"gzip", simple, packGzip(t, table)},
		{"zstd", simple, z.EncodeAll([]byte(table), nil)},
		{"windows-1252", latinMapping, []byte(latin)},
		{"UTF-8 mark wins over the mapping", latinMapping, []byte("\ufeff" + table)},
		{"UTF-16", simple, []byte(utf16)},
		{"UTF-16 big endian", simple, []byte(utf16be)},
		{"UTF-16 packed", simple, packGzip(t, utf16)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var events bytes.Buffer
			_, err := Import(context.Background(),
				Options{
					Mapping: parse(t, c.mapping), Files: []string{write(t, "f", c.text)},
					Events: &events,
				})
			if err != nil || strings.Count(events.String(), "\n") != 2 ||
				!strings.Contains(events.String(), `"kecamatan":"Café"`) || !strings.Contains(events.String(), "call/K-1") {
				t.Errorf("%v\n%s", err, events.String())
			}
		})
	}
	_, err = Import(context.Background(),
		Options{Mapping: parse(t, simple), Files: []string{write(t, "f", []byte(latin))}})
	if !errors.Is(err, ErrRefused) {
		t.Errorf("windows-1252 read as UTF-8: %v, want it refused", err)
	}
}

func TestSummaryAndProgressForPeople(t *testing.T) {
	s := Summary{Mapping: "m", Rows: 1234567, Events: 7, Elapsed: 2 * time.Second,
		Refused: map[tabular.Code]int{mapping.CodeTime: 3, tabular.CodeQuote: 1}, FirstRefusals: []string{"f:3: no"},
		Totals: send.Totals{Accepted: 5, Duplicates: 1, Refused: 1}, Notes: mapping.Notes{AmbiguousTimes: 2}}
	golden(t, "summary.txt", s.Text("r.csv"))
	p := progress{rows: 5000, events: 1000, answered: 500, done: 50, size: 100, refused: 2}
	if got, want := p.line(10*time.Second, false),
		"5,000 rows, 500/s, 500 events answered, 2 refused, 38 %, about 17s left"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-file +got); -update writes it anew:\n%s", path, diff)
	}
}

// The traps of an export of the 112 platform, all in one file: title rows, semicolons, 07.30, month names, a call over
// midnight, spoilt telephone numbers, a quoted line end, a header in the middle, a sum at the end.
func TestExportWithEveryTrap(t *testing.T) {
	var events bytes.Buffer
	rejects := filepath.Join(t.TempDir(), "rejects.csv")
	sum, err := Import(context.Background(),
		Options{Mapping: load(t, "sidoarjo-ekspor-112"), Events: &events,
			Files: []string{"testdata/sidoarjo.csv"}, Rejects: rejects})
	if !errors.Is(err, ErrRefused) {
		t.Errorf("got %v, want ErrRefused", err)
	}
	golden(t, "sidoarjo.events.ndjson", events.String())
	text, err := os.ReadFile(rejects)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "sidoarjo.rejects.csv", string(text))
	for _, secret := range []string{"0812", "8123", "Ani", "Wulandari", "Budi", "Jl. R", "Raya"} {
		if bytes.Contains(text, []byte(secret)) || strings.Contains(sum.Text(rejects), secret) {
			t.Errorf("the rejects file or the summary shows %q", secret)
		}
	}
	if info, err := os.Stat(rejects); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("rejects file: %v, %v; want mode 0600", info.Mode(), err)
	}
	if sum.Rows != 12 || sum.BlankRows != 1 || sum.RepeatedHeaders != 1 || sum.Notes.RolledDays != 1 ||
		sum.Notes.LostCallers != 1 {
		t.Errorf("summary: %+v", sum)
	}
	var again bytes.Buffer
	if _, err := Import(context.Background(),
		Options{
			Mapping: load(t, "sidoarjo-ekspor-112"), Events: &again,
			Files: []string{"testdata/sidoarjo.csv"},
		}); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	if !bytes.Equal(events.Bytes(), again.Bytes()) {
		t.Error("the same file gives other events the second time")
	}
}
