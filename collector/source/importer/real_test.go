package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/send"
)

// The tests of this file run on real records of other cities, which are not part of the repository.
func realFile(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "data", name+".csv.gz")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no real records here: %v", err)
	}
	return path
}

// slowTable reads a file the plain way: the whole of it, by the standard library.
func slowTable(t *testing.T, path string) []map[string]string {
	t.Helper()
	rows := slowRows(t, path)
	out := make([]map[string]string, 0, len(rows)-1)
	for _, r := range rows[1:] {
		m := map[string]string{}
		for i, c := range r {
			m[rows[0][i]] = c
		}
		out = append(out, m)
	}
	return out
}

func slowRows(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func slowTime(t *testing.T, layout, text string, loc *time.Location) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	at, err := time.ParseInLocation(layout, text, loc)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// importInto imports files and fails the test on anything but success.
func importInto(t *testing.T, d *fakeCollector, mapping string, files ...string) Summary {
	t.Helper()
	sum, err := Import(context.Background(), Options{Mapping: load(t, mapping), Files: files,
		Rejects: filepath.Join(t.TempDir(), "rejects.csv"), Collector: d.client(send.Config{})})
	if err != nil {
		t.Fatalf("import: %v\n%s", err, sum.Text(""))
	}
	return sum
}

// shuffled writes the rows of a file in another order, as plain CSV with semicolons, a title and a byte order mark.
func shuffled(t *testing.T, path string) string {
	t.Helper()
	rows := slowRows(t, path)
	r := rand.New(rand.NewPCG(7, 7))
	r.Shuffle(len(rows)-1, func(i, j int) { rows[i+1], rows[j+1] = rows[j+1], rows[i+1] })
	out := filepath.Join(t.TempDir(), "shuffled.csv")
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.WriteString(f, "\ufeffLaporan tahunan\n\n"); err != nil {
		t.Fatal(err)
	}
	w := csv.NewWriter(f)
	w.Comma = ';'
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return out
}

// kinds counts the subjects and the events of each type.
func kinds(d *fakeCollector) (subjects map[event.Kind]int, types map[string]int) {
	seen := map[event.Key]bool{}
	subjects, types = map[event.Kind]int{}, map[string]int{}
	for _, e := range d.events {
		types[e.Type.String()]++
		if !seen[e.Key()] {
			seen[e.Key()] = true
			subjects[e.Kind]++
		}
	}
	return subjects, types
}

// again imports more files of the same rows and wants nothing new.
func again(t *testing.T, d *fakeCollector, name string, files ...string) {
	t.Helper()
	before := len(d.events)
	for _, file := range files {
		sum := importInto(t, d, name, file)
		if sum.Totals.Accepted != 0 || sum.Totals.Duplicates != sum.Events || len(d.events) != before {
			t.Errorf("%s again: %d accepted, %d known of %d; want every event known", filepath.Base(file), sum.Totals.Accepted,
				sum.Totals.Duplicates, sum.Events)
		}
	}
}

// sameEvents wants the same events of two files, each once, byte for byte.
func sameEvents(t *testing.T, name, one, other string) {
	t.Helper()
	var lines [2][]string
	for i, file := range []string{one, other} {
		var out bytes.Buffer
		if _, err := Import(context.Background(),
			Options{Mapping: load(t, name), Files: []string{file}, Events: &out}); err != nil {
			t.Fatal(err)
		}
		lines[i] = strings.Split(out.String(), "\n")
		slices.Sort(lines[i])
	}
	if !slices.Equal(lines[0], lines[1]) {
		t.Errorf("%s and its shuffled rows give different events: %d and %d", name, len(lines[0]), len(lines[1]))
	}
}

func TestRealSanFrancisco(t *testing.T) {
	const name = "sf-fire-2009-2018"
	path := realFile(t, name)
	d := newFakeCollector(t)
	importInto(t, d, name, path)
	subjects, types := kinds(d)
	if subjects[event.KindCall] != 901 || subjects[event.KindTicket] != 901 {
		t.Errorf("%d calls and %d tickets, want 901 of each", subjects[event.KindCall], subjects[event.KindTicket])
	}

	// The same from the file, slowly: the earliest of each stamp of a call, the latest Available.
	loc := location(t, "America/Los_Angeles")
	want := map[string]time.Time{}
	pick := func(key string, at time.Time, latest bool) {
		if old, ok := want[key]; !at.IsZero() && (!ok || at.Before(old) != latest) {
			want[key] = at
		}
	}
	for _, r := range slowTable(t, path) {
		at := func(col string) time.Time { return slowTime(t, "01/02/2006 03:04:05 PM", r[col], loc) }
		id := r["Call Number"]
		pick("call/"+id+".received", at("Received DtTm"), false)
		pick("ticket/"+id+".opened", at("Entry DtTm"), false)
		pick("ticket/"+id+".assigned", at("Dispatch DtTm"), false)
		pick("ticket/"+id+".departed", at("Response DtTm"), false)
		pick("ticket/"+id+".arrived", at("On Scene DtTm"), false)
		pick("ticket/"+id+".closed", at("Available DtTm"), true)
	}
	got := map[string]time.Time{}
	var responses []int
	for _, e := range d.events {
		if e.Type == event.FeedHeartbeat {
			continue // what the file carries
		}
		got[e.ID] = e.OccurredAt
		if e.Type == event.TicketOpened && !slices.Equal(e.Calls, []string{e.Subject}) {
			t.Errorf("ticket %s names calls %v", e.Subject, e.Calls)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stamps differ from those of the file (-file +events):\n%.2000s", diff)
	}
	for _, e := range d.events {
		if arrived, ok := got["ticket/"+e.Subject+".arrived"]; e.Type == event.CallReceived && ok {
			responses = append(responses, int(arrived.Sub(e.OccurredAt).Seconds()))
		}
	}
	slices.Sort(responses)
	nearest := func(percent int) int { return responses[(len(responses)*percent+99)/100-1] }
	if len(responses) != 866 || nearest(50) != 258 || nearest(90) != 379 {
		t.Errorf("%d responses, median %d s, 90th percentile %d s; want 866, 258, 379 (%v)", len(responses), nearest(50),
			nearest(90), types)
	}
	again(t, d, name, path, shuffled(t, path))
}

func TestRealMexicoCity(t *testing.T) {
	const name = "cdmx-c5-2020-jun-aug"
	path := realFile(t, name)
	if raceDetector {
		t.Skip("takes a minute under the race detector and runs nothing that San Francisco does not")
	}
	d := newFakeCollector(t)
	importInto(t, d, name, path)
	classes, results := map[string]int{}, map[string]int{}
	for _, e := range d.events {
		switch e.Type {
		case event.CallClassified:
			classes[e.Class]++
		case event.TicketConfirmed:
			results[e.Result]++
		}
	}
	if diff := cmp.Diff(map[string]int{"duplikat": 12129, "normal": 13764, "prank_palsu": 170, "informasi": 15},
		classes); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"tidak_ditemukan": 4782, "benar": 8982, "palsu": 170}, results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	subjects, _ := kinds(d)
	if subjects[event.KindCall] != 26078 || subjects[event.KindTicket] != 4782+8982+170 {
		t.Errorf("%d calls, %d tickets", subjects[event.KindCall], subjects[event.KindTicket])
	}
	loc := location(t, "America/Mexico_City")
	for _, r := range slowTable(t, path) {
		e, ok := d.events["cdmx-c5\x00call/"+r["folio"]+".received"]
		if at := slowTime(t, "2006-01-02 15:04:05", r["fecha_creacion"]+" "+r["hora_creacion"], loc); !ok ||
			!e.OccurredAt.Equal(at) || e.Kecamatan != r["delegacion_inicio"] {
			t.Fatalf("call %s: %v, want received at %v in %s", r["folio"], e, at, r["delegacion_inicio"])
		}
	}
	sameEvents(t, name, path, shuffled(t, path))
}

func TestRealBoston(t *testing.T) {
	const name = "boston311-2015-h1"
	path := realFile(t, name)
	if raceDetector {
		t.Skip("takes a minute under the race detector and runs nothing that San Francisco does not")
	}
	d := newFakeCollector(t)
	sum := importInto(t, d, name, path)
	loc := location(t, "America/New_York")
	open, early, due, mismatched := 0, 0, 0, 0
	for _, r := range slowTable(t, path) {
		ev := func(typ string) event.Event { return d.events["boston-311\x00ticket/"+r["CASE_ENQUIRY_ID"]+"."+typ] }
		at := func(col string) time.Time { return slowTime(t, "01/02/2006 03:04:05 PM", r[col], loc) }
		opened, assigned, resolved, closed := ev("opened"), ev("assigned"), ev("resolved"), ev("closed")
		if closed.ID == "" {
			open++
		} else if closed.OccurredAt.Before(opened.OccurredAt) {
			early++
		}
		if !assigned.Due.IsZero() {
			due++
		}
		if !opened.OccurredAt.Equal(at("OPEN_DT")) || !closed.OccurredAt.Equal(at("CLOSED_DT")) ||
			!resolved.OccurredAt.Equal(closed.OccurredAt) ||
			!assigned.Due.Equal(at("TARGET_DT")) || assigned.OPD != r["Department"] || opened.Kecamatan != r["neighborhood"] {
			mismatched++
		}
	}
	subjects, _ := kinds(d)
	got := fmt.Sprint(subjects[event.KindTicket], " tickets ", open, " open ", early, " closed early ", due, " due ",
		mismatched, " mismatched")
	if want := "58119 tickets 8993 open 84 closed early 43592 due 0 mismatched"; got != want {
		t.Errorf("got  %s\nwant %s\n%s", got, want, sum.Text(""))
	}
	sameEvents(t, name, path, shuffled(t, path))
}
