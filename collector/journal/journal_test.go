package journal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/journal"
)

func open(t testing.TB, opts journal.Options) *journal.Journal {
	t.Helper()
	opts.MinFreeBytes = -1
	j, err := journal.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func records(from, n int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = fmt.Appendf(nil, "record %d", from+i)
	}
	return list
}

// readAll returns the payloads from a position up to the end.
func readAll(t testing.TB, j *journal.Journal, from journal.Position) []string {
	t.Helper()
	r, err := j.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var list []string
	for {
		rec, ok, err := r.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return list
		}
		list = append(list, string(rec.Payload))
	}
}

func TestRecordsComeBackInOrderAcrossSegmentsAndRestarts(t *testing.T) {
	dir := t.TempDir()
	n := 0
	for restart := range 4 {
		j := open(t, journal.Options{Dir: dir, SegmentBytes: 300})
		for g := range 10 {
			start, end, err := j.Append(records(n, g))
			if err != nil {
				t.Fatal(err)
			}
			want := journal.FirstRecord(start)
			for _, r := range records(n, g) {
				want = journal.AfterRecord(want, len(r))
			}
			if end != want {
				t.Fatalf("group ends at %d, want %d", end, want)
			}
			n += g
		}
		got := readAll(t, j, 0)
		if len(got) != n {
			t.Fatalf("restart %d: %d records, want %d", restart, len(got), n)
		}
		for i, s := range got {
			if s != fmt.Sprintf("record %d", i) {
				t.Fatalf("record %d is %q", i, s)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReaderGoesOnFromEveryPositionItReported(t *testing.T) {
	j := open(t, journal.Options{Dir: t.TempDir(), SegmentBytes: 400})
	for i := range 10 {
		if _, _, err := j.Append(records(i*5, 5)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := j.NewReader(0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i := range 50 {
		rec, err := r.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, j, rec.End); len(got) != 49-i || (i < 49 && got[0] != fmt.Sprintf("record %d", i+1)) {
			t.Fatalf("after record %d: %d records, first %q", i, len(got), got)
		}
		if _, err := j.NewReader(rec.End - 1); !errors.Is(err, journal.ErrNotBoundary) {
			t.Fatalf("reader inside a record: %v", err)
		}
	}
}

func TestSecondInstanceIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, journal.Options{Dir: dir})
	_, err := journal.Open(journal.Options{Dir: dir})
	if !errors.Is(err, journal.ErrLocked) {
		t.Fatalf("second Open: %v", err)
	}
}

func TestNextWaitsForAnAppendAndEndsWithItsContext(t *testing.T) {
	j := open(t, journal.Options{Dir: t.TempDir()})
	r, err := j.NewReader(0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := make(chan string)
	go func() {
		rec, err := r.Next(context.Background())
		got <- fmt.Sprint(string(rec.Payload), err)
	}()
	if err := j.Probe(); err != nil { // an empty group must not wake anybody with nothing
		t.Fatal(err)
	}
	if _, _, err := j.Append([][]byte{[]byte("x")}); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "x<nil>" {
		t.Fatalf("got %q", s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled Next: %v", err)
	}
	j.Close()
	if _, err := r.Next(context.Background()); !errors.Is(err, journal.ErrClosed) {
		t.Fatalf("Next after Close: %v", err)
	}
}

func TestRetainDeletesOnlyOldShippedSegments(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	j := open(t, journal.Options{Dir: t.TempDir(), SegmentBytes: 100, Now: func() time.Time { return now }})
	slow, err := j.NewReader(0)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	var ends []journal.Position
	for i := range 6 {
		_, end, err := j.Append(records(i*5, 5)) // each fills a segment
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
		now = now.Add(time.Hour)
	}
	if n, err := j.Retain(0, now); n != 0 || err != nil {
		t.Fatalf("nothing was shipped, yet %d deleted, %v", n, err)
	}
	if n, err := j.Retain(ends[3], now.Add(-4*time.Hour)); n != 1 || err != nil {
		t.Fatalf("%d deleted, %v; want the one that got its successor more than 4 h ago", n, err)
	}
	if n, err := j.Retain(j.End(), now); n != 4 || err != nil {
		t.Fatalf("%d deleted, %v; want all but the last", n, err)
	}
	var gone *journal.GoneError
	if _, err := j.NewReader(0); !errors.As(err, &gone) || gone.First != ends[4] {
		t.Fatalf("reader of a deleted range: %v", err)
	}
	if _, _, err := slow.TryNext(); !errors.As(err, &gone) {
		t.Fatalf("a reader whose records were deleted under it: %v", err)
	}
	if got := readAll(t, j, ends[4]); len(got) != 5 {
		t.Fatalf("%d records left", len(got))
	}
	if at, ok := j.AppendedAt(ends[4]); !ok || !at.Equal(now.Add(-time.Hour)) {
		t.Fatalf("AppendedAt = %v, %v", at, ok)
	}
}

func TestVerifyOnALiveFolder(t *testing.T) {
	dir := t.TempDir()
	opts := journal.Options{Dir: dir, SegmentBytes: 200}
	j := open(t, opts)
	for i := range 9 {
		if _, _, err := j.Append(records(i*3, 3)); err != nil {
			t.Fatal(err)
		}
	}
	rep, err := journal.VerifyOn(fsOS, dir)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Records != 27 || rep.Groups != 9 || rep.End != j.End() || rep.UUID != j.UUID() || len(rep.Corrupt) != 0 ||
		rep.TailBytes != 0 {
		t.Fatalf("report %+v", rep)
	}
}
