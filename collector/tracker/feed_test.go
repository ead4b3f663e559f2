package tracker

import (
	"bytes"
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
