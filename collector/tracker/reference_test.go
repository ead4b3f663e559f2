package tracker

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// TestAReferenceIsOfTheKindThatDefinesIt gives events of every type references of every kind, in any order, of cases
// that are new and of cases that have to be read back. The rows are those of the same events without the references
// that their kind does not define: calls and master are of tickets, replaces is within one case.
func TestAReferenceIsOfTheKindThatDefinesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := []string{"0", "1", "2"}
		var outcomes []Outcome
		boards := [2]*Board{newBoard(&outcomes), newBoard(&outcomes)}
		var keys []event.Key
		for _, id := range ids {
			for _, kind := range []event.Kind{event.KindCall, event.KindTicket} {
				k := event.Key{Center: "35.15", Kind: kind, ID: id}
				keys = append(keys, k)
				if rapid.Bool().Draw(t, "seen before") {
					boards[0].AddSubjects([]event.Key{k})
					boards[1].AddSubjects([]event.Key{k})
				}
			}
		}
		for n := range rapid.IntRange(1, 20).Draw(t, "events") {
			typ := rapid.SampledFrom(event.Types()).Draw(t, "type")
			e := event.Event{
				Source: "s", ID: fmt.Sprint("e", n), Type: typ, Kind: typ.Kind(), Center: "35.15", ReceivedAt: noon,
				OccurredAt: noon, Subject: rapid.SampledFrom(ids).Draw(t, "subject"),
				Calls:    rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, 2, rapid.ID[string]).Draw(t, "calls"),
				Master:   rapid.SampledFrom([]string{"", "0", "1"}).Draw(t, "master"),
				Replaces: rapid.SampledFrom([]string{"", "e0", "e1"}).Draw(t, "replaces"),
			}
			if e.Kind == 0 { // an event of any kind, as a withdrawal is
				e.Kind = rapid.SampledFrom([]event.Kind{event.KindCall, event.KindTicket}).Draw(t, "kind")
			}
			slices.Sort(e.Calls)
			e.Digest[0] = byte(n)
			boards[0].Apply(&e, event.AppendBinary(nil, &e), uint64(n+1), true)
			if e.Kind != event.KindTicket {
				e.Calls, e.Master = nil, ""
			}
			boards[1].Apply(&e, event.AppendBinary(nil, &e), uint64(n+1), true)
		}
		var rows [2][]Row
		for i, b := range boards {
			for missing := b.MissingCases(keys); len(missing) > 0; missing = b.MissingCases(keys) {
				var empty []Loaded
				for _, k := range missing {
					empty = append(empty, Loaded{Key: k})
				}
				b.Load(empty)
			}
			rows[i] = b.Rows(keys)
			slices.SortFunc(rows[i], func(a, b Row) int {
				return slices.Index(keys, a.Key) - slices.Index(keys, b.Key)
			})
			for _, r := range rows[i] {
				if r.Call != nil {
					r.Call.Flags = slices.DeleteFunc(r.Call.Flags, func(f string) bool { return f == casefile.FlagReferenceIgnored })
				}
			}
		}
		ignore := cmpopts.IgnoreFields(Row{}, "gen")
		if diff := cmp.Diff(rows[1], rows[0], ignore, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Row{})); diff != "" {
			t.Errorf("rows (-without foreign references +with):\n%s", diff)
		}
	})
}
