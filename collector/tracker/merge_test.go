package tracker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

func master(id string) func(*event.Event) { return func(e *event.Event) { e.Master = id } }

// TestAllMembersFollowTheirMaster: however many tickets were merged into one, each is open again when it turns out that
// its master was closed before.
func TestAllMembersFollowTheirMaster(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	f.say(event.TicketOpened, "M", noon)
	const n = 70
	for i := range n {
		f.say(event.TicketOpened, fmt.Sprintf("T%02d", i), noon.Add(time.Second))
		f.say(event.TicketMerged, fmt.Sprintf("T%02d", i), noon.Add(10*time.Minute), master("M"))
	}
	if _, open := f.b.Size(); open != 1 {
		t.Fatalf("%d open tickets, want the master", open)
	}
	f.late = 10 * time.Minute
	f.say(event.TicketClosed, "M", noon.Add(5*time.Minute))
	if _, open := f.b.Size(); open != n {
		t.Errorf("%d open tickets, want all %d", open, n)
	}
	for i := range n {
		key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: fmt.Sprintf("T%02d", i)}
		if row, _, _ := f.b.Case(key); !slices.Contains(row.Ticket.Flags, casefile.FlagMasterClosed) {
			t.Errorf("%s: %v", key.ID, row.Ticket.Flags)
		}
		if !f.b.cases[key].dirty {
			t.Errorf("the row of %s is not made anew", key.ID)
		}
	}
}

// TestATicketThatWasNotOpenedStaysWhereItWas: merged, it keeps its clocks until its opening comes.
func TestATicketThatWasNotOpenedStaysWhereItWas(t *testing.T) {
	b := newBoard(nil)
	b.cfg.TicketClocks = func(t *casefile.Ticket) []sla.Clock {
		k := sla.Clock{
			Key: t.Key, Name: sla.Acknowledge, Seq: 1, StartedAt: t.AssignedAt, BreachAt: t.AssignedAt.Add(time.Hour),
		}
		k.Void = t.State == casefile.Merged
		return []sla.Clock{k}
	}
	f := &feed{b: b}
	f.say(event.TicketOpened, "M", noon)
	f.say(event.TicketAssigned, "T", noon.Add(time.Minute), opd("dishub"))
	f.say(event.TicketMerged, "T", noon.Add(2*time.Minute), master("M"))
	key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: "T"}
	row, _, _ := b.Case(key)
	if row.Ticket.State != casefile.Assigned || row.Clocks[0].Void ||
		!slices.Contains(row.Ticket.Flags, casefile.FlagMasterUnknown) {
		t.Errorf("%s, %v, clocks %+v", row.Ticket.State, row.Ticket.Flags, row.Clocks)
	}
	if _, open := b.Size(); open != 2 {
		t.Errorf("%d open tickets, want 2", open)
	}
	f.late = 3 * time.Minute
	f.say(event.TicketOpened, "T", noon.Add(30*time.Second))
	if row, _, _ := b.Case(key); row.Ticket.State != casefile.Merged {
		t.Errorf("opened, it is %s", row.Ticket.State)
	}
}

// TestTheLastOfManyMembersRaisesItsMaster: of as many tickets as may be merged into one, any gives it its priority and
// its clock; so does one that comes through a chain.
func TestTheLastOfManyMembersRaisesItsMaster(t *testing.T) {
	b := newBoard(nil)
	b.cfg.TicketClocks = func(t *casefile.Ticket) []sla.Clock {
		due := t.OpenedAt.Add(time.Hour)
		return []sla.Clock{{
			Key: t.Key, Name: sla.Resolve, Seq: 1, StartedAt: t.OpenedAt, DueAt: due, BreachAt: due, StoppedAt: t.ResolvedAt,
		}}
	}
	f := &feed{b: b}
	priority := func(p string) func(*event.Event) { return func(e *event.Event) { e.Priority = p } }
	f.say(event.TicketOpened, "M", noon.Add(time.Minute), priority("non_darurat"))
	key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: "M"}
	for i := range casefile.MaxMembers - 1 {
		id := fmt.Sprintf("T%03d", i)
		f.say(event.TicketOpened, id, noon.Add(time.Minute), priority("non_darurat"))
		f.say(event.TicketMerged, id, noon.Add(10*time.Minute), master("M"))
	}
	if row, _, _ := b.Case(key); row.Ticket.Priority != "non_darurat" ||
		slices.Contains(row.Ticket.Flags, casefile.FlagCaseFull) {
		t.Fatalf("before: %s, %v", row.Ticket.Priority, row.Ticket.Flags)
	}
	for _, into := range []string{"M", "T510"} {
		f.say(event.TicketOpened, "Z", noon, priority("darurat"))
		f.say(event.TicketMerged, "Z", noon.Add(20*time.Minute), master(into))
		row, _, _ := b.Case(key)
		if row.Ticket.Priority != "darurat" || !row.Clocks[0].BreachAt.Equal(noon.Add(time.Hour)) ||
			!slices.Contains(row.Ticket.Flags, casefile.FlagCaseFull) {
			t.Errorf("into %s: %s, %v, due %s", into, row.Ticket.Priority, row.Ticket.Flags, row.Clocks[0].BreachAt)
		}
	}
}

// TestAMasterTakesSoManyMembers: a further one is refused at the door, by what is on the board and what comes together;
// one that is among them already is not.
func TestAMasterTakesSoManyMembers(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	f.say(event.TicketOpened, "M", noon)
	for i := range casefile.MaxMembers - 1 {
		f.say(event.TicketMerged, fmt.Sprint("T", i), noon.Add(time.Minute), master("M"))
	}
	merged := func(ticket, into string) *event.Event {
		return &event.Event{Source: "s", ID: ticket, Type: event.TicketMerged, Kind: event.KindTicket, Subject: ticket,
			Center: "35.15", OccurredAt: noon, ReceivedAt: noon, Master: into}
	}
	got := f.b.Admit([]*event.Event{
		merged("T0", "M"), merged("x", "M"), merged("x", "M"), merged("y", "M"), merged("y", "N"),
	})
	for i, want := range []bool{true, true, true, false, true} {
		if is := got != nil && got[i] != nil; is != want {
			t.Errorf("event %d is admitted: %v, want %v", i, is, want)
		}
	}
}

// TestAGroupTakesSoManyTickets: what lies below a ticket, as far as a chain has an effect, counts as one group, on the
// board and in what comes together, whichever way it is built; so the work for an event of one of it is bounded.
func TestAGroupTakesSoManyTickets(t *testing.T) {
	merged := func(ticket, into int) *event.Event {
		return &event.Event{Source: "s", ID: fmt.Sprint("m", ticket), Type: event.TicketMerged, Kind: event.KindTicket,
			Subject: fmt.Sprint("T", ticket), Center: "35.15", OccurredAt: noon, ReceivedAt: noon, Master: fmt.Sprint("T", into)}
	}
	into := map[string]func(i int) (ticket, master int){
		"a tree from the top":    func(i int) (int, int) { return i + 1, i / 3 },
		"a chain from the top":   func(i int) (int, int) { return i + 1, i },
		"a tree from the bottom": func(i int) (int, int) { return 2000 - i, (2000 - i) / 3 },
		"a ring":                 func(i int) (int, int) { return i, (i + 1) % 1000 },
	}
	for name, edge := range into {
		for _, group := range []int{1, 1000} {
			f := &feed{b: newBoard(nil)}
			taken := 0
			for i := 0; i < 1000; i += group {
				var events []*event.Event
				for j := i; j < i+group; j++ {
					events = append(events, merged(edge(j)))
				}
				admitted := f.b.Admit(events)
				for j, e := range events {
					if admitted != nil && admitted[j] == nil {
						continue
					}
					taken++
					f.b.Apply(e, event.AppendBinary(nil, e), uint64(taken), true)
				}
			}
			largest := 0
			for _, en := range f.b.cases {
				seen, level := map[string]bool{en.key.ID: true}, []*entry{en}
				for range maxChain + 1 { // as far as one ticket's facts follow from another's
					var next []*entry
					for _, below := range level {
						for _, id := range below.tickets {
							if !seen[id] {
								seen[id] = true
								next = append(next, f.b.ticketNamed("35.15", id))
							}
						}
					}
					level = next
				}
				largest = max(largest, len(seen))
			}
			if limit := casefile.MaxMembers + 1; largest > limit || taken < limit/2 {
				t.Errorf("%s, by %d: %d of 1000 are taken, the largest group has %d", name, group, taken, largest)
			}
		}
	}
}

// TestAMastersOwnEventsLeaveItsMembersAlone: what changes nothing for those that wait for it folds none of them anew,
// however many they are; what does, all.
func TestAMastersOwnEventsLeaveItsMembersAlone(t *testing.T) {
	steps := map[int]uint64{}
	for _, n := range []int{10, 400} {
		f := &feed{b: newBoard(nil)}
		f.say(event.TicketOpened, "M", noon)
		for i := range n {
			f.say(event.TicketOpened, fmt.Sprint("T", i), noon.Add(time.Second))
			f.say(event.TicketMerged, fmt.Sprint("T", i), noon.Add(time.Minute), master("M"))
		}
		before := f.b.steps.Load()
		f.say(event.TicketResolved, "M", noon.Add(10*time.Minute))
		f.say(event.TicketReopened, "M", noon.Add(11*time.Minute))
		steps[n] = f.b.steps.Load() - before
		f.b.MarkStored(f.b.Rows([]event.Key{{Center: "35.15", Kind: event.KindTicket, ID: "M"}}))
		if _, open := f.b.Size(); open != 1 {
			t.Errorf("%d open tickets, want the master", open)
		}
		f.say(event.TicketResolved, "M", noon.Add(12*time.Minute))
		f.say(event.TicketClosed, "M", noon.Add(13*time.Minute))
		if _, open := f.b.Size(); open != 0 {
			t.Errorf("%d open tickets", open)
		}
		if got := len(slices.Collect(f.b.evictable)); got != n+1 {
			t.Errorf("%d of %d may be evicted", got, n+1)
		}
	}
	t.Logf("%d steps with 10 members, %d with 400", steps[10], steps[400])
	if steps[400] > 10*400 {
		t.Errorf("%d steps with 10 members, %d with 400", steps[10], steps[400])
	}
}
