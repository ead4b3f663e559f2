package tracker

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
)

// TestAGroupIsTheSameAsItsEvents applies the same events one by one and in groups.
func TestAGroupIsTheSameAsItsEvents(t *testing.T) {
	types := []event.Type{event.CallReceived, event.CallAnswered, event.CallClassified, event.CallEnded,
		event.TicketOpened, event.TicketAssigned,
		event.TicketResolved, event.TicketReopened, event.TicketClosed, event.AgentState}
	rapid.Check(t, func(t *rapid.T) {
		var single, grouped []Outcome
		one, many := newBoard(&single), newBoard(&grouped)
		var (
			refs     []*event.Event
			payloads [][]byte
			ends     []uint64
			keys     []event.Key
			silent   bool // something came late
		)
		for n := range rapid.IntRange(1, 60).Draw(t, "events") {
			typ := rapid.SampledFrom(types).Draw(t, "type")
			e := &event.Event{Source: "s", ID: fmt.Sprint("e", n), Type: typ, Kind: typ.Kind(),
				Subject:    fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "subject")),
				Center:     rapid.SampledFrom([]string{"35.15", "35.15", "old"}).Draw(t, "center"),
				OccurredAt: noon.Add(-time.Duration(rapid.IntRange(0, 59).Draw(t, "ago")) * time.Minute),
				ReceivedAt: noon, Class: rapid.SampledFrom([]string{"", "prank", "normal"}).Draw(t, "class"),
				OPD: rapid.SampledFrom([]string{"", "dishub", "pln"}).Draw(t, "opd")}
			if typ == event.TicketOpened {
				e.Calls = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"0", "1", "2"}), 0, 2, rapid.ID[string]).Draw(t,
					"calls")
			}
			if rapid.IntRange(0, 2).Draw(t, "late") == 0 {
				e.OccurredAt, silent = e.OccurredAt.Add(-2*time.Hour), true
			}
			e.Digest[0] = byte(n)
			payload := event.AppendBinary(nil, e)
			one.Apply(e, payload, uint64(n+1), true)
			refs, payloads, ends, keys = append(refs, e), append(payloads, payload), append(ends, uint64(n+1)),
				append(keys, e.Key())
		}
		for len(refs) > 0 {
			n := rapid.IntRange(1, len(refs)).Draw(t, "group")
			many.ApplyGroup(refs[:n], payloads[:n], ends[:n], true)
			refs, payloads, ends = refs[n:], payloads[n:], ends[n:]
		}
		rows := cmpopts.IgnoreFields(Row{}, "gen")
		if diff := cmp.Diff(one.Rows(keys), many.Rows(keys), rows, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("rows (-single +grouped):\n%s", diff)
		}
		if diff := cmp.Diff(one.Snapshot(noon), many.Snapshot(noon), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("board (-single +grouped):\n%s", diff)
		}
		// What came late is told neither way; a case that it reads in between may count a step that the whole does not have.
		if diff := cmp.Diff(single, grouped); !silent && diff != "" {
			t.Errorf("outcomes (-single +grouped):\n%s", diff)
		}
	})
}
