package store

import (
	"flag"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
)

func TestEventsComeBackAsTheyWereInserted(t *testing.T) {
	s := open(t)
	checks := flag.Lookup("rapid.checks").Value.String()
	t.Cleanup(func() { _ = flag.Set("rapid.checks", checks) })
	_ = flag.Set("rapid.checks", "15") // each is an insert and two queries
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		events := rapid.SliceOfNDistinct(drawEvent(n), 1, 40, func(e *event.Event) string {
			return e.Key().ID + "\x00" + e.Source + "\x00" + e.ID
		}).Draw(t, "events")
		if err := s.InsertEvents(t.Context(), events, ""); err != nil {
			t.Fatal(err)
		}
		want := map[event.Key]map[string]*event.Event{}
		var keys []event.Key
		for _, e := range events {
			if want[e.Key()] == nil {
				want[e.Key()] = map[string]*event.Event{}
				keys = append(keys, e.Key())
			}
			want[e.Key()][e.Source+"\x00"+e.ID] = e
		}
		records, err := s.ReadCases(t.Context(), keys)
		if err != nil {
			t.Fatal(err)
		}
		got := map[event.Key]map[string]*event.Event{}
		for k, r := range records {
			got[k] = map[string]*event.Event{}
			for _, e := range r.Events {
				got[k][e.Source+"\x00"+e.ID] = e
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestARepeatedBatchIsDroppedByItsToken(t *testing.T) {
	s := open(t)
	events := sample(1000, 0)
	for range 3 {
		if err := s.InsertEvents(t.Context(), events, "journal/events/0/1000"); err != nil {
			t.Fatal(err)
		}
	}
	if rows, distinct, err := countEvents(t, s); err != nil || rows != 1000 || distinct != 1000 {
		t.Errorf("%d rows, %d events, %v; want 1000 of both without any merge", rows, distinct, err)
	}
	// Another token: the rows come twice until they are merged, the events do not.
	if err := s.InsertEvents(t.Context(), events, "journal/events/0/1001"); err != nil {
		t.Fatal(err)
	}
	if _, distinct, err := countEvents(t, s); err != nil || distinct != 1000 {
		t.Errorf("%d events, %v; want 1000", distinct, err)
	}
}

// The trap that tokens must not be used again for: ClickHouse drops the second batch and says nothing.
func TestAReusedTokenDropsOtherEvents(t *testing.T) {
	s := open(t)
	for _, from := range []int{0, 1000} {
		if err := s.InsertEvents(t.Context(), sample(10, from), "same"); err != nil {
			t.Fatal(err)
		}
	}
	if rows, _, err := countEvents(t, s); err != nil || rows != 10 {
		t.Errorf("%d rows, %v: ClickHouse no longer drops by token alone; the shipper's tokens may be simplified", rows, err)
	}
}

func TestABatchThatGoesInPiecesIsDroppedWholeWhenRepeated(t *testing.T) {
	s := open(t)
	events := sample(500, 0)
	for i, e := range events {
		e.OccurredAt = e.OccurredAt.AddDate(-i/100, 0, 0)
	}
	for range 2 {
		if err := s.insertChunks(t.Context(), eventChunks(events, 150, 2), "big"); err != nil {
			t.Fatal(err)
		}
	}
	if rows, distinct, err := countEvents(t, s); err != nil || rows != uint64(len(events)) || distinct != rows {
		t.Errorf("%d rows, %d events, %v; want %d", rows, distinct, err, len(events))
	}
}

func TestEventChunksAreWholeAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := sample(rapid.IntRange(0, 300).Draw(t, "n"), 0)
		for _, e := range events {
			e.OccurredAt = e.OccurredAt.AddDate(-rapid.IntRange(0, 200).Draw(t, "years"), 0, 0)
		}
		var all []*event.Event
		maxRows, maxYears := rapid.IntRange(1, 100).Draw(t, "rows"), rapid.IntRange(1, 70).Draw(t, "max years")
		for _, chunk := range eventChunks(events, maxRows, maxYears) {
			years := map[int]bool{}
			for _, e := range chunk {
				years[e.OccurredAt.Year()] = true
			}
			if len(years) > maxYears || len(chunk) == 0 || len(chunk) > maxRows {
				t.Fatalf("chunk of %d events and %d years", len(chunk), len(years))
			}
			all = append(all, chunk...)
		}
		if !slices.Equal(all, events) {
			t.Fatal("the chunks are not the batch")
		}
	})
}

// countEvents returns how many rows the table events has, and how many different events they are: repetitions that
// ClickHouse has not merged away yet make the difference.
func countEvents(t *testing.T, s *Store) (rows, events uint64, err error) {
	t.Helper()
	const sql = `SELECT (SELECT count() FROM events), (SELECT count() FROM events FINAL)`
	err = s.queryOne(t.Context(), "count events", sql, &rows, &events)
	return rows, events, err
}
