package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// What a feed is believed to carry and never brings is counted by OPD and clock: after 60 days and 20 tickets, until one
// fact comes. What nobody can bring is not.
func TestNeverRecorded(t *testing.T) {
	s, now := openSink(t), time.Now()
	store := func(opd string, tickets, days int, change func(*casefile.Ticket, *sla.Clock)) {
		t.Helper()
		var rows []tracker.Row
		for i := range tickets {
			began := now.AddDate(0, 0, -days).Add(time.Duration(i) * time.Hour)
			k := casefile.Ticket{
				Key: ticketKey(fmt.Sprint(opd, i)), OpenedAt: began, OPD: opd, State: casefile.Assigned, Events: 2, LastEventAt: began,
			}
			c := sla.Clock{
				Key: k.Key, Name: sla.Arrive, Seq: 1, OPD: opd, Scope: "own", StartedAt: began, DueAt: began.Add(time.Hour),
				BreachAt: began.Add(time.Hour), Sources: "crm",
			}
			if change != nil {
				change(&k, &c)
			}
			rows = append(rows, tracker.Row{Key: k.Key, Ticket: &k, Clocks: []sla.Clock{c}})
		}
		if err := s.Upsert(t.Context(), rows, 1); err != nil {
			t.Fatal(err)
		}
	}
	store("damkar", 20, 70, nil)
	store("few", 19, 70, nil)
	store("young", 30, 50, nil)
	store("blind", 30, 70, func(_ *casefile.Ticket, c *sla.Clock) { c.Unobserved = true })
	store("once", 30, 70, func(k *casefile.Ticket, _ *sla.Clock) {
		if k.Key.ID == "once7" {
			k.ArrivedAt = k.OpenedAt.Add(time.Hour)
		}
	})
	if n, err := s.NeverRecorded(t.Context(), "35.15", now); err != nil || n != 1 {
		t.Errorf("%d clocks are never stopped, want that of damkar: %v", n, err)
	}
	if n, err := s.NeverRecorded(t.Context(), "35.78", now); err != nil || n != 0 {
		t.Errorf("another centre has %d: %v", n, err)
	}
}
