package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Of a source the events that stand are listed, whole cases a portion, each once.
func TestSourceEvents(t *testing.T) {
	s := open(t)
	var events []*event.Event
	say := func(key event.Key, typ event.Type, source, id, replaces string, day int) {
		events = append(events, &event.Event{
			Source: source, ID: id, Type: typ, Kind: key.Kind, Subject: key.ID, Center: key.Center, Replaces: replaces,
			OccurredAt: at("2026-10-01 00:00:00").AddDate(0, 0, day), ReceivedAt: at("2026-10-20 00:00:00"),
			Digest: event.Digest{byte(len(events)), byte(len(events) >> 8), 1},
		})
	}
	var want []string
	for i := range sourceRows/2 + 50 { // two events a case: a portion ends within one
		key := callKey(fmt.Sprintf("c%05d", i))
		say(key, event.CallReceived, "s", key.ID+"/r", "", i%20)
		say(key, event.CallAnswered, "s", key.ID+"/a", "", i%20)
		want = append(want, key.ID+"/a", key.ID+"/r")
	}
	elsewhere := ticketKey("elsewhere")
	elsewhere.Center = "35.78"
	say(elsewhere, event.TicketOpened, "s", "elsewhere/o", "", 3)
	k := ticketKey("t")
	say(k, event.TicketOpened, "s", "t/o", "", 3)
	say(k, event.TicketOpened, "s", "t/o~r1", "t/o", 4) // what it corrects is void
	say(k, event.TicketAssigned, "s", "t/as", "", 3)
	say(k, event.EventWithdrawn, "s", "t/w", "t/as", 3)
	say(k, event.TicketAcknowledged, "other", "t/ack", "t/o~r1", 3) // another source voids nothing here
	say(event.Key{Center: "35.15", Kind: event.KindFeed, ID: "s"}, event.FeedHeartbeat, "s", "beat", "", 3)
	want = append(want, "t/o~r1")
	if err := s.InsertEvents(t.Context(), events, "x"); err != nil {
		t.Fatal(err)
	}
	list := func(center string, since, until time.Time) (ids []string, portions int) {
		t.Helper()
		for after := (event.Key{}); ; portions++ {
			part, next, err := s.SourceEvents(t.Context(), center, "s", since, until, after)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range part {
				ids = append(ids, e.ID)
			}
			if next == nil {
				return ids, portions + 1
			}
			after = *next
		}
	}
	got, portions := list("35.15", time.Time{}, time.Time{})
	if slices.Sort(got); !slices.Equal(got, want) || portions < 2 {
		t.Errorf("%d events in %d portions, want %d", len(got), portions, len(want))
	}
	all, _ := list("", time.Time{}, time.Time{})
	if len(all) != len(want)+1 || all[len(all)-1] != "elsewhere/o" {
		t.Errorf("%d events of all centres, want %d", len(all), len(want)+1)
	}
	of, _ := list("35.15", at("2026-10-05 00:00:00"), at("2026-10-06 00:00:00"))
	if len(of) != 2*((len(want)/2+19-4)/20)+1 || of[len(of)-1] != "t/o~r1" {
		t.Errorf("%d events of a day, the last %s", len(of), of[len(of)-1])
	}
}
