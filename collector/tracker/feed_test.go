package tracker

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// TestCarriesIsWhatASourceSaidLast: dated, whatever the order in which it is said; by the checkpoint too.
func TestCarriesIsWhatASourceSaidLast(t *testing.T) {
	day := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	say := func(id string, at time.Time, replaces string, carries ...string) *event.Event {
		e := &event.Event{
			Source: "x", ID: id, Type: event.FeedHeartbeat, Kind: event.KindFeed, Subject: "x", Center: "35.15", OccurredAt: at,
			ReceivedAt: at, Carries: carries, Replaces: replaces,
		}
		if replaces != "" && carries == nil {
			e.Type = event.EventWithdrawn
		}
		return e
	}
	events := []*event.Event{
		say("b", day.Add(48*time.Hour), "", "ticket.opened", "ticket.arrived"), say("a", day, "", "ticket.opened"),
		say("h", day.Add(time.Hour), ""), say("c", day.Add(72*time.Hour), "", "ticket.closed"),
		say("w", day, "c"),
	}
	cfg := Config{Center: func(string) (CenterConfig, bool) { return CenterConfig{Location: time.UTC}, true }}
	for turn := range events {
		b := New(cfg)
		for i := range events {
			e := events[(i+turn)%len(events)]
			b.Apply(e, event.AppendBinary(nil, e), uint64(i+1), true)
		}
		var saved bytes.Buffer
		if err := b.Checkpoint()(&saved); err != nil {
			t.Fatal(err)
		}
		again := New(cfg)
		if err := again.ReadCheckpoint(&saved); err != nil {
			t.Fatal(err)
		}
		for _, board := range []*Board{b, again} {
			for at, want := range map[time.Duration]string{
				-time.Hour: "", 0: "ticket.opened", 47 * time.Hour: "ticket.opened",
				48 * time.Hour: "ticket.opened ticket.arrived", 99 * time.Hour: "ticket.opened ticket.arrived",
			} {
				if got := strings.Join(board.Carries("35.15", "x", day.Add(at)), " "); got != want {
					t.Errorf("at %v: %q, want %q", at, got, want)
				}
			}
			if board.Carries("35.15", "y", day) != nil || board.Carries("35.78", "x", day) != nil {
				t.Error("what one source says of one centre counts for another")
			}
		}
	}
}

// TestAFeedIsBounded: whatever is said in its name, the work for an event does not grow, and the statement stays.
func TestAFeedIsBounded(t *testing.T) {
	at := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	for name, more := range map[string]func(i int) event.Event{
		"takes back what never was":      func(i int) event.Event { return event.Event{Replaces: fmt.Sprint("none", i)} },
		"each takes back the one before": func(i int) event.Event { return event.Event{Replaces: fmt.Sprint("e", i-1)} },
		"two take back each other": func(i int) event.Event {
			return event.Event{Type: event.EventWithdrawn, Replaces: fmt.Sprint("e", i^1)}
		},
		"says the same again": func(int) event.Event { return event.Event{Carries: []string{"ticket.opened"}} },
	} {
		b := newBoard(nil)
		apply := func(id string, e event.Event, after time.Duration) {
			if e.Source, e.ID, e.Kind, e.Subject = "x", id, event.KindFeed, "x"; e.Type == 0 {
				e.Type = event.FeedHeartbeat
			}
			e.Center, e.OccurredAt, e.ReceivedAt = "35.15", at.Add(after), at.Add(after)
			b.Apply(&e, event.AppendBinary(nil, &e), 1, true)
		}
		apply("first", event.Event{Carries: []string{"ticket.opened"}}, 0)
		for i := range 3 * maxFeedEvents {
			apply(fmt.Sprint("e", i), more(i), time.Duration(i+1)*time.Minute)
		}
		for _, f := range b.feeds {
			if len(f.events) > maxFeedEvents {
				t.Errorf("%s: %d events are kept", name, len(f.events))
			}
		}
		for _, after := range []time.Duration{0, time.Hour, 100 * time.Hour} {
			if got := b.Carries("35.15", "x", at.Add(after)); len(got) != 1 {
				t.Errorf("%s: after %v it carries %v", name, after, got)
			}
		}
	}
}
