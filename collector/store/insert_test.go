package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
)

func TestEventsComeBackAsTheyWereInserted(t *testing.T) {
	s := open(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		events := rapid.SliceOfNDistinct(drawEvent(n), 1, 20, func(e *event.Event) string { return e.Key().ID + "\x00" + e.Source + "\x00" + e.ID }).Draw(t, "events")
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
