package rtl

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
)

var wib = time.FixedZone("WIB", 7*3600)

// change is an event of the office at a minute.
func change(id, subject string, minute int, by string, record map[string]string) *event.Event {
	e := &event.Event{
		Source: "s", ID: id, Type: event.RTLSet, Kind: event.KindRTL, Subject: subject, Center: "35.15",
		OccurredAt: time.Date(2026, 10, 1, 17, minute, 0, 0, time.UTC), Record: record, ChangedBy: by,
	}
	e.ReceivedAt = e.OccurredAt
	return e
}

func TestFoldOfARecommendation(t *testing.T) {
	l := Fold([]*event.Event{
		change("3", "R1", 3, "sekda", map[string]string{"status": "selesai", "remarks": "Sudah."}),
		change("1", "R1", 1, "kominfo", map[string]string{"text": "Tambah petugas", "owner": "diskominfo", "due": "2026-10-31"}),
		change("2", "R1", 2, "kominfo", map[string]string{"due": "2026-11-30", "owner": "diskominfo"}),
		{Type: event.CallReceived, Kind: event.KindCall, Subject: "C1"},
		{Source: "s", ID: "m1", Type: event.RemarkSet, Kind: event.KindRemark, Subject: "2026-10/kendala", Center: "35.15",
			Record: map[string]string{"text": "Hujan"}},
	}, wib)
	if len(l.Recommendations) != 1 || len(l.Remarks) != 1 || l.Remarks[0].Section != "kendala" || l.Remarks[0].Month != "2026-10" {
		t.Fatalf("%+v", l)
	}
	r := l.Recommendations[0]
	if r.Text != "Tambah petugas" || r.Due != "2026-11-30" || r.Status != "selesai" || r.Remarks != "Sudah." {
		t.Errorf("%+v", r)
	}
	if r.Completed != "2026-10-02" { // 17.03 UTC is after midnight
		t.Errorf("completed %q", r.Completed)
	}
	want := []Change{
		{At: r.Changes[0].At, By: "kominfo", Set: []Setting{{"text", "", "Tambah petugas"}, {"owner", "", "diskominfo"},
			{"due", "", "2026-10-31"}}},
		{At: r.Changes[1].At, By: "kominfo", Set: []Setting{{"due", "2026-10-31", "2026-11-30"}}},
		{At: r.Changes[2].At, By: "sekda", Set: []Setting{{"status", "", "selesai"}, {"remarks", "", "Sudah."}}},
	}
	if diff := cmp.Diff(want, r.Changes); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestReplacedAndWithdrawnChangesCountForNothing(t *testing.T) {
	second := change("2", "R1", 1, "a", map[string]string{"text": "kedua"})
	second.Replaces = "1"
	events := []*event.Event{
		change("1", "R1", 1, "a", map[string]string{"text": "pertama", "owner": "damkar"}), second,
		change("3", "R1", 2, "a", map[string]string{"status": "batal"}),
		{Source: "s", ID: "w", Type: event.EventWithdrawn, Kind: event.KindRTL, Subject: "R1", Center: "35.15", Replaces: "3"},
	}
	for range 2 {
		r := Fold(events, wib).Recommendations[0]
		if r.Text != "kedua" || r.Owner != "" || r.Status != "usulan" || len(r.Changes) != 1 {
			t.Errorf("%+v", r)
		}
		slices.Reverse(events)
	}
}

// drawChanges draws changes with ties in time, revisions, replacements and withdrawals.
func drawChanges(t *rapid.T) []*event.Event {
	var out []*event.Event
	for i := range rapid.IntRange(0, 12).Draw(t, "n") {
		kind := rapid.SampledFrom([]event.Kind{event.KindRTL, event.KindRemark, event.KindForm}).Draw(t, "kind")
		e := &event.Event{
			Source: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "source"), ID: fmt.Sprint(i), Kind: kind, Center: "35.15",
			OccurredAt: time.UnixMilli(1_790_000_000_000 + int64(rapid.IntRange(0, 3).Draw(t, "at"))).UTC(),
			Revision:   uint32(rapid.IntRange(0, 2).Draw(t, "revision")), ChangedBy: rapid.SampledFrom([]string{"", "x"}).Draw(t, "by"),
		}
		e.ReceivedAt = e.OccurredAt.Add(time.Duration(i) * time.Second)
		e.Subject = rapid.SampledFrom([]string{"R1", "R2"}).Draw(t, "subject")
		switch kind {
		case event.KindRTL:
			e.Type = event.RTLSet
		case event.KindRemark:
			e.Type, e.Subject = event.RemarkSet, "2026-10/"+e.Subject
		case event.KindForm:
			e.Type, e.Subject = event.FormSet, "2026-10/skm"
		}
		e.Record = map[string]string{}
		for range rapid.IntRange(1, 3).Draw(t, "members") {
			name := rapid.SampledFrom(event.RecordMembers(e.Type)).Draw(t, "name")
			e.Record[name] = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "value")
		}
		if i > 0 && rapid.IntRange(0, 4).Draw(t, "replaces") == 0 {
			e.Replaces = fmt.Sprint(rapid.IntRange(0, i-1).Draw(t, "which"))
			if rapid.Bool().Draw(t, "withdrawn") {
				e.Type, e.Record = event.EventWithdrawn, nil
			}
		}
		out = append(out, e)
	}
	return out
}

// The ledger is a function of the set of changes: neither their order nor repetition matters.
func TestOrderAndRepetitionDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawChanges(t)
		want := Fold(events, wib)
		again := slices.Clone(events)
		for _, e := range events {
			if rapid.Bool().Draw(t, "twice") {
				later := *e
				later.ReceivedAt = later.ReceivedAt.Add(time.Hour)
				later.ChangedBy = "z"
				again = append(again, &later)
			}
		}
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Shuffle(len(again), func(i, j int) {
			again[i], again[j] = again[j], again[i]
		})
		if diff := cmp.Diff(want, Fold(again, wib)); diff != "" {
			t.Errorf("(-in order +shuffled):\n%s", diff)
		}
	})
}

func TestOverdueOnesAreListedFirst(t *testing.T) {
	list := []Recommendation{
		{ID: "batal", Status: "batal", Due: "2026-01-01"},
		{ID: "selesai-lama", Status: "selesai", Completed: "2026-09-01"},
		{ID: "selesai", Status: "selesai", Completed: "2026-10-01", Due: "2026-01-01"},
		{ID: "tanpa-batas", Status: "usulan"},
		{ID: "nanti", Status: "berjalan", Due: "2026-11-10"},
		{ID: "hari-ini", Status: "disetujui", Due: "2026-11-09"},
		{ID: "terlambat", Status: "berjalan", Due: "2026-11-08"},
		{ID: "lebih-terlambat", Status: "usulan", Due: "2026-10-08"},
	}
	var got []string
	for _, r := range Listed(list, "2026-11-09") {
		got = append(got, r.ID)
	}
	want := []string{"lebih-terlambat", "terlambat", "hari-ini", "nanti", "tanpa-batas", "selesai", "selesai-lama", "batal"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
