package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// TestRetentionBlanksByOccurrence stores events of two years at once, as an import does: what is due follows from when
// it happened, not from when it came, and the cases fold as before.
func TestRetentionBlanksByOccurrence(t *testing.T) {
	s := open(t)
	now := at("2026-11-20 00:00:00")
	var events []*event.Event
	var calls []*casefile.Call
	for i, when := range []string{
		"2024-11-01 08:00:00", "2025-10-01 08:00:00", "2025-11-01 08:00:00", "2026-11-01 08:00:00",
	} {
		e := sample(1, 10*i)[0]
		e.OccurredAt, e.ReceivedAt, e.Attributes = at(when), now, map[string]string{"note": "x"}
		e.Digest[15] = byte(i + 1)
		events = append(events, e)
		call := casefile.FoldCall(e.Key(), []*event.Event{e}, nil)
		calls = append(calls, &call)
	}
	if err := s.InsertEvents(t.Context(), events, "t"); err != nil {
		t.Fatal(err)
	}
	if err := s.upsertCalls(t.Context(), calls, 1); err != nil {
		t.Fatal(err)
	}
	policy := keepMonths{13, 24}
	for range 2 { // at every start
		if err := s.FollowRetention(t.Context(), policy.months); err != nil {
			t.Fatal(err)
		}
	}
	due, err := s.Due(t.Context(), policy.cutoffAt(now))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range due {
		got = append(got, fmt.Sprint(i.Where, " ", i.Kind, " ", i.Due, " ", i.Oldest.Format("2006-01-02")))
		if err := s.Redact(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(got)
	if d := cmp.Diff([]string{"calls caller 2 2024-11-01", "events attributes 1 2024-11-01", "events caller 2 2024-11-01"},
		got); d != "" {
		t.Error(d)
	}
	again, err := s.Due(t.Context(), policy.cutoffAt(now))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range again {
		if i.Due != 0 {
			t.Errorf("still due: %+v", i)
		}
	}
	if err := s.RecordRetention(t.Context(), now, due); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"3 5"}, lines(t, s, "SELECT count(), sum(due) FROM retention")); d != "" {
		t.Error(d)
	}
	read, err := s.ReadCases(t.Context(), []event.Key{events[0].Key(), events[3].Key()})
	if err != nil {
		t.Fatal(err)
	}
	want := *events[0]
	want.Caller, want.Attributes = event.Caller{}, nil
	if d := cmp.Diff([]*event.Event{&want}, read[events[0].Key()].Events); d != "" {
		t.Error("a blanked event differs in more than what was blanked:\n", d)
	}
	if d := cmp.Diff([]*event.Event{events[3]}, read[events[3].Key()].Events); d != "" {
		t.Error("an event that is not due was changed:\n", d)
	}
	// Longer, as long as may be said, and for ever.
	for _, p := range []keepMonths{{36, 24}, {1200, 1200}, {-1, -1}} {
		for range 2 { // at every start
			if err := s.FollowRetention(t.Context(), p.months); err != nil {
				t.Fatal(err)
			}
		}
		due, err := s.Due(t.Context(), p.cutoffAt(now))
		for _, i := range due {
			if i.Due != 0 {
				t.Errorf("%+v: due %+v", p, i)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := s.exec(t.Context(), "merge", "OPTIMIZE TABLE events FINAL"); err != nil {
			t.Fatal(err)
		}
		if got := lines(t, s, "SELECT count() FROM events FINAL WHERE caller_key != ''"); got[0] != "2" {
			t.Errorf("%+v: %s callers stand after a merge, want 2", p, got[0])
		}
	}
}

// keepMonths says how long each kind of personal data is kept.
type keepMonths struct{ caller, attributes int }

func (k keepMonths) months(kind string) int {
	if kind == CallerData {
		return k.caller
	}
	return k.attributes
}

func (k keepMonths) cutoffAt(now time.Time) func(string) (time.Time, bool) {
	return func(kind string) (time.Time, bool) { return now.AddDate(0, -k.months(kind), 0), k.months(kind) > 0 }
}
