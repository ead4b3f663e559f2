package audit

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

var testNow = time.Date(2026, 3, 16, 3, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string) *Log {
	t.Helper()
	l, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func lines(t *testing.T, dir string) (out []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "reads*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
	}
	return out
}

func TestEntriesAreLinesThatStay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	l := open(t, dir)
	l.Record(Entry{At: testNow, Who: "key:k1", Action: Read, Kind: "call", Center: "35.15", ID: "C-1"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir) // appended to, not replaced
	l.Record(Entry{
		At: testNow, Who: "link:ab", Action: Acknowledge, Kind: "ticket", Center: "35.15", OPD: "dishub", ID: "T-1",
	})
	want := []string{
		`{"at":"2026-03-16T03:00:00Z","who":"key:k1","action":"read","kind":"call","center":"35.15","id":"C-1"}`,
		`{"at":"2026-03-16T03:00:00Z","who":"link:ab","action":"acknowledge","kind":"ticket","center":"35.15","opd":"dishub","id":"T-1"}`,
	}
	if got := lines(t, dir); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", got)
	}
	if info, err := os.Stat(filepath.Join(dir, "reads.jsonl")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestTheRecordIsBounded(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	l.fileBytes = 300
	for i := range 100 {
		l.Record(Entry{
			At: testNow, Who: "key:k1", Action: Read, Kind: "ticket", Center: "35.15", ID: fmt.Sprintf("T-%03d", i),
		})
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != maxFiles {
		t.Errorf("%d files", len(files))
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() > l.fileBytes {
			t.Errorf("%s: %v %v", f, info.Size(), err)
		}
	}
	newest, err := os.ReadFile(filepath.Join(dir, "reads.jsonl"))
	if err != nil || !bytes.Contains(newest, []byte("T-099")) {
		t.Errorf("%s %v", newest, err)
	}
	if l.Failed() != 0 {
		t.Error("entries were lost")
	}
}

func TestConcurrentEntriesDoNotMix(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				l.Record(Entry{At: testNow, Who: "key:k1", Action: Read, Kind: "ticket", Center: "35.15", ID: "T"})
			}
		})
	}
	wg.Wait()
	got := lines(t, dir)
	for _, line := range got {
		var e Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	if len(got) != 400 {
		t.Errorf("%d lines", len(got))
	}
}

func TestACutLineCostsNoOther(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "reads.jsonl"), []byte(`{"at":"2026`), 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, dir)
	l.Record(Entry{At: testNow, Who: "key:k1", Action: Read, Kind: "ticket", Center: "35.15", ID: "T"})
	if got := lines(t, dir); len(got) != 2 || !strings.HasSuffix(got[1], `"id":"T"}`) {
		t.Errorf("%q", got)
	}
}

// A disk that was full or away for a while costs what was read meanwhile, and nothing after it.
func TestTheRecordGoesOnAfterAFailure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	l := open(t, dir)
	read := func(id string) { l.Record(Entry{At: testNow, Who: "key:k1", Action: Read, Kind: "ticket", ID: id}) }
	l.fileBytes = 1 // every entry begins a file
	read("A")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	read("B")
	read("C")
	if l.Failed() != 2 {
		t.Errorf("%d failures, want 2", l.Failed())
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	read("D")
	if got := lines(t, dir); l.Failed() != 2 || len(got) != 1 || !strings.HasSuffix(got[0], `"id":"D"}`) {
		t.Errorf("%d failures, %q", l.Failed(), got)
	}
}

// Of a line that is written by half the next one does not become a part.
func TestALineWrittenByHalfIsEnded(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "reads.jsonl"), []byte(`{"at":"2026`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.file.Close(); err != nil { // the rest of it fails
		t.Fatal(err)
	}
	for _, id := range []string{"A", "B"} {
		l.Record(Entry{At: testNow, Who: "key:k1", Action: Read, ID: id})
	}
	got := lines(t, dir)
	if l.Failed() != 1 || len(got) != 2 || !strings.HasSuffix(got[1], `"id":"B"}`) {
		t.Errorf("%d failures, %q", l.Failed(), got)
	}
}

func TestWhatCannotBeWrittenIsCounted(t *testing.T) {
	l := open(t, t.TempDir())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l.Record(Entry{At: testNow, Who: "key:k1", Action: Read})
	if l.Failed() != 1 {
		t.Errorf("%d", l.Failed())
	}
	if err := l.Close(); err != nil {
		t.Error("a second Close fails:", err)
	}
}
