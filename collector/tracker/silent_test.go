package tracker

import (
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/deploy"
)

func shippedRules(t testing.TB) Config {
	t.Helper()
	var files []sla.File
	for _, pattern := range []string{"defaults/calendars/*.yaml", "defaults/policies/*.yaml"} {
		names, err := fs.Glob(deploy.Defaults, pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, n := range names {
			data, err := fs.ReadFile(deploy.Defaults, n)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, sla.File{Name: n, Data: data})
		}
	}
	book, err := sla.Load(files, sla.Config{Default: sla.Use{Profiles: []string{"sidoarjo"}, Calendar: "id-sidoarjo"}})
	if err != nil {
		t.Fatal(err)
	}
	return Rules(directory.MustLoad("directory.yaml", deploy.Directory), book)
}

// TestNoDaruratIsEverSilent: whatever is said of a few tickets, and whatever their sources carry, each open emergency of
// a live centre has a clock that counts, so that the pager tells of it when it is late, or is in the number behind the
// alert "penanganan tidak tercatat". One that was merged is so with the ticket that it waits for.
func TestNoDaruratIsEverSilent(t *testing.T) {
	cfg := shippedRules(t)
	day := time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)
	now := day.AddDate(0, 0, 3)
	types := []event.Type{
		event.TicketOpened, event.TicketOpened, event.TicketAssigned, event.TicketAcknowledged, event.TicketDeparted,
		event.TicketArrived, event.TicketPaused, event.TicketResumed, event.TicketResolved, event.TicketReopened,
		event.TicketRejected, event.TicketConfirmed, event.TicketClosed, event.TicketMerged, event.TicketMerged,
		event.EventWithdrawn, event.EventWithdrawn, event.CallReceived, event.CallClassified,
	}
	carries := [][]string{
		nil, {"ticket.opened"}, {"ticket.opened", "ticket.resolved"}, {"ticket.opened", "ticket.assigned", "ticket.acknowledged"},
	}
	rapid.Check(t, func(t *rapid.T) {
		b := New(cfg)
		b.TrustFilter()
		b.SetComplete(true)
		pick := func(name string, n int) int { return rapid.IntRange(0, n-1).Draw(t, name) }
		for i := range rapid.IntRange(1, 20).Draw(t, "events") {
			e := &event.Event{
				Source: []string{"a", "b", casefile.ConfirmSource}[min(pick("source", 9)/4, 2)], ID: fmt.Sprint("e", i),
				Type: types[pick("type", len(types))], Center: "35.15", OccurredAt: day.Add(time.Duration(pick("at", 4000)) * time.Minute),
			}
			e.Kind, e.Subject = event.KindTicket, fmt.Sprint("t", pick("ticket", 4))
			e.ReceivedAt = e.OccurredAt.Add(time.Duration(pick("late", 300)) * time.Minute)
			switch e.Type {
			case event.CallReceived, event.CallClassified:
				e.Kind, e.Subject = event.KindCall, fmt.Sprint("c", pick("call", 2))
				if e.Type == event.CallClassified {
					e.Class = []string{event.ClassUji, event.ClassNormal}[pick("class", 2)]
				}
			case event.EventWithdrawn:
				e.Replaces = fmt.Sprint("e", pick("replaces", 20))
			case event.TicketMerged:
				e.Master = fmt.Sprint("t", pick("master", 5))
			case event.TicketPaused:
				e.Reason = "menunggu_pelapor"
			}
			if e.Type == event.TicketAssigned {
				e.OPD = []string{"damkar", "dishub", "pln", "siapa"}[pick("opd", 4)]
			}
			if e.Type == event.TicketAcknowledged {
				e.Priority = []string{event.PriorityDarurat, ""}[pick("priority", 2)]
			}
			if e.Type == event.TicketOpened || e.Type == event.TicketAssigned {
				e.Carries = carries[pick("carries", len(carries))]
				e.Category = []string{"kebakaran", "pju", "entah", ""}[pick("category", 4)]
				e.Priority = []string{event.PriorityDarurat, event.PriorityDarurat, "", "non_darurat"}[pick("priority", 4)]
				if pick("calls", 3) == 0 {
					e.Calls = []string{fmt.Sprint("c", pick("names", 3))}
				}
			}
			e.Digest[0] = byte(i + 1)
			b.Apply(e, event.AppendBinary(nil, e), uint64(i+1), true)
		}
		listed := map[string]*Row{}
		rows := b.OpenTickets(TicketFilter{}, now, event.Key{}, 100)
		for i := range rows {
			listed[rows[i].Key.ID] = &rows[i]
		}
		silent := 0 // open emergencies that no clock will tell of
		for id := range 5 {
			key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: fmt.Sprint("t", id)}
			row, events, ok := b.Case(key)
			if !ok {
				continue
			}
			k := row.Ticket
			void := casefile.Voided(slices.Clone(events))
			said := func(types ...event.Type) bool {
				return slices.ContainsFunc(events, func(e *event.Event) bool { return !void[e] && slices.Contains(types, e.Type) })
			}
			if k.Priority != event.PriorityDarurat || k.Test() {
				continue
			}
			if r := listed[key.ID]; r == nil {
				// It ended, was confirmed never to have been, or waits for a ticket that is listed, or ended too.
				switch {
				case said(event.TicketResolved, event.TicketClosed, event.TicketConfirmed):
				case k.Events == 0 && !k.Withdrawn:
				case k.State == casefile.Merged:
					end := k
					for n := 0; end.State == casefile.Merged && n < 10; n++ {
						m, _, ok := b.Case(event.Key{Center: "35.15", Kind: event.KindTicket, ID: end.Master})
						if !ok {
							t.Fatalf("%s waits for %q, which is no ticket", key.ID, end.Master)
						}
						end = m.Ticket
					}
					if end.State.Open() && (listed[end.Key.ID] == nil || end.Priority != event.PriorityDarurat) {
						t.Fatalf("%s waits for %s, which is %s, %q", key.ID, end.Key.ID, end.State, end.Priority)
					}
				default:
					t.Fatalf("%s is open, darurat, and on no list: %+v", key.ID, k)
				}
				continue
			}
			counts := slices.ContainsFunc(row.Clocks, func(c sla.Clock) bool {
				s := c.State(now)
				return s != sla.Void && s != sla.Unobserved
			})
			blind := slices.ContainsFunc(row.Clocks, func(c sla.Clock) bool {
				return c.State(now) == sla.Unobserved && c.StoppedAt.IsZero()
			})
			if !counts || blind || k.Withdrawn {
				silent++
			}
		}
		told := 0
		for _, c := range b.Snapshot(now).Centers {
			for _, n := range c.Unrecorded {
				if n.Priority == event.PriorityDarurat {
					told += n.N
				}
			}
		}
		if told != silent {
			t.Fatalf("%d open emergencies are told as not recorded, want %d: %+v", told, silent, listed)
		}
	})
}

// The emergencies of which no clock can tell are counted, each once.
func TestWhatNoClockTellsOfIsCounted(t *testing.T) {
	cfg, at := shippedRules(t), time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)
	say := func(id string, typ event.Type, change func(*event.Event)) *event.Event {
		e := &event.Event{
			Source: "s", ID: id, Type: typ, Kind: event.KindTicket, Subject: "t", Center: "35.15", OccurredAt: at, ReceivedAt: at,
			Priority: event.PriorityDarurat, Digest: event.Digest{id[0]},
		}
		if change != nil {
			change(e)
		}
		return e
	}
	for name, c := range map[string]struct {
		events []*event.Event
		want   int
	}{
		"a live feed": {[]*event.Event{say("a", event.TicketOpened, nil)}, 0},
		"an export of calls": {[]*event.Event{say("a", event.TicketOpened, func(e *event.Event) {
			e.Carries = []string{"ticket.opened"}
		})}, 1},
		"no opening is known": {[]*event.Event{say("a", event.TicketAcknowledged, nil)}, 1},
		"its opening was withdrawn": {[]*event.Event{
			say("a", event.TicketOpened, nil), say("w", event.EventWithdrawn, func(e *event.Event) { e.Replaces = "a" }),
		}, 1},
		"it is resolved": {[]*event.Event{say("a", event.TicketAcknowledged, nil), say("b", event.TicketResolved, nil)}, 0},
	} {
		b := New(cfg)
		b.TrustFilter()
		b.SetComplete(true)
		for i, e := range c.events {
			b.Apply(e, event.AppendBinary(nil, e), uint64(i+1), true)
		}
		n := 0
		for _, ctr := range b.Snapshot(at.Add(time.Hour)).Centers {
			for _, u := range ctr.Unrecorded {
				n += u.N
			}
		}
		if n != c.want {
			t.Errorf("%s: %d, want %d", name, n, c.want)
		}
	}
}

// As of an instant no exact place is shown of a case that became private after it, of its own or through its call.
func TestNoPlaceIsShownOfBeforeACaseWasPrivate(t *testing.T) {
	cfg, at := shippedRules(t), time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)
	lat, lon := -7.350123, 112.730456
	say := func(kind event.Kind, typ event.Type, category string, calls ...string) *event.Event {
		e := &event.Event{
			Source: "s", ID: typ.String() + category, Type: typ, Kind: kind, Subject: "x", Center: "35.15", OccurredAt: at,
			ReceivedAt: at, Category: category, Calls: calls,
		}
		if typ == event.TicketOpened {
			e.Lat, e.Lon, e.Kecamatan = &lat, &lon, "35.15.18"
		}
		return e
	}
	key := func(kind event.Kind) event.Key { return event.Key{Center: "35.15", Kind: kind, ID: "x"} }
	later := []*event.Event{say(event.KindTicket, event.TicketAssigned, "kdrt")}
	call := Loaded{Key: key(event.KindCall), Events: []*event.Event{say(event.KindCall, event.CallReceived, "")}}
	private := call
	private.Later = []*event.Event{say(event.KindCall, event.CallClassified, "kdrt")}
	master := Loaded{Key: event.Key{Center: "35.15", Kind: event.KindTicket, ID: "m"}, Later: later}
	for name, c := range map[string]struct {
		later []*event.Event
		with  []Loaded
		want  bool
	}{
		"nothing private":        {nil, []Loaded{call}, false},
		"a later category":       {later, []Loaded{call}, true},
		"a later class of call":  {nil, []Loaded{private}, true},
		"a later one of a group": {nil, []Loaded{call, master}, true},
	} {
		l := Loaded{
			Key: key(event.KindTicket), Events: []*event.Event{say(event.KindTicket, event.TicketOpened, "kecelakaan", "x")}, Later: c.later,
		}
		row, events := New(cfg).Fold(l, c.with)
		shown := events[0].Lat != nil && *events[0].Lat == lat || row.Ticket.Lat != nil && *row.Ticket.Lat == lat
		if row.Private != c.want || shown == c.want {
			t.Errorf("%s: private %v, the exact place is shown: %v", name, row.Private, shown)
		}
	}
}
