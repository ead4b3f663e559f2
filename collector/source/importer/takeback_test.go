package importer

import (
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

func TestWithdrawalID(t *testing.T) {
	for id, want := range map[string]string{
		"call/1.received":                       "call/1.received~r1-aaaaaaaaaaaa",
		"call/1.received~r3-abcdefghijkl":       "call/1.received~r4-aaaaaaaaaaaa",
		"call/1~r2":                             "call/1~r2~r1-aaaaaaaaaaaa",
		"~r1-aaaaaaaaaaaa":                      "~r1-aaaaaaaaaaaa~r1-aaaaaaaaaaaa",
		"x~r4294967296-aaaaaaaaaaaa":            "x~r4294967296-aaaaaaaaaaaa~r1-aaaaaaaaaaaa",
		strings.Repeat("x", event.MaxIDBytes-2): "withdrawn-",
	} {
		if got, _ := WithdrawalID(id); got != want && !(want == "withdrawn-" && strings.HasPrefix(got, want)) {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

// What was withdrawn from outside is sent anew, as a new revision, by the same file: with what the memory was told, and
// with what the collector tells where it only knows that something was.
func TestTheSameFileAfterAWithdrawal(t *testing.T) {
	for _, told := range []bool{true, false} {
		d, state := newFakeCollector(t), t.TempDir()
		text := "No,Masuk,Selesai\nA,2026-01-01 08:00:00,2026-01-01 09:00:00\nB,2026-01-01 08:05:00,\n"
		if sum, ids := day(t, d, state, ticketExport, false, text); sum.Totals.Accepted != 3 || len(ids) != 3 {
			t.Fatalf("%+v, %v", sum, ids)
		}
		o := options(t, d, ticketExport)
		withdraw := func(id, subject string) {
			e := event.RawEvent{
				Source: o.Mapping.Source, Type: event.EventWithdrawn, Kind: event.KindTicket, Center: o.Mapping.Center,
				Subject: strings.TrimPrefix(subject, "ticket/"), Replaces: id, Time: time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC),
			}
			e.ID, e.Revision = WithdrawalID(id)
			if _, err := o.Collector.Submit(t.Context(), append(e.AppendCloudEvent(nil), '\n'), 1); err != nil {
				t.Fatal(err)
			}
		}
		withdraw("ticket/A.opened", "ticket/A")
		withdraw("ticket/B.opened", "ticket/B")
		if told {
			m, err := OpenMemory(state, o.Name, o.Mapping.Source, o.Mapping.Center)
			if err != nil {
				t.Fatal(err)
			}
			m.Withdrawn("ticket/A.opened", "ticket/A", time.Now())
			m.Withdrawn("ticket/B.opened", "ticket/B", time.Now())
			if err := m.Save(); err != nil {
				t.Fatal(err)
			}
			m.Close()
		} else if err := Forget(state, o.Name, o.Mapping.Source, o.Mapping.Center); err != nil {
			t.Fatal(err)
		}
		sum, ids := day(t, d, state, ticketExport, false, text)
		if sum.Corrected != 2 || sum.Totals.Accepted != 2 || len(ids) != 3 ||
			!strings.HasPrefix(ids[0], "ticket/A.opened~r2-") {
			t.Errorf("told %v: %+v, %v", told, sum, ids)
		}
		if sum, _ = day(t, d, state, ticketExport, false, text); sum.Corrected != 0 || sum.Totals.Accepted != 0 {
			t.Errorf("told %v: once more: %+v", told, sum)
		}
	}
}

// A file whose dates were all wrong by a month is taken back and sent again corrected, as the import says that refuses
// it as numbers that begin anew.
func TestACorrectedFileAfterAWithdrawal(t *testing.T) {
	for _, told := range []bool{true, false} {
		d, state := newFakeCollector(t), t.TempDir()
		const wrong = "No,Masuk,Selesai\nA,2025-12-01 08:00:00,\nB,2025-12-02 08:00:00,\nC,2025-12-03 08:00:00,\n"
		right := strings.ReplaceAll(wrong, "2025-12", "2025-11")
		day(t, d, state, ticketExport, false, wrong)
		if sum, _ := day(t, d, state, ticketExport, false, right); sum.Refused[CodeConflict] != 3 {
			t.Errorf("told %v: %v is refused", told, sum.Refused)
		}
		o := options(t, d, ticketExport)
		m, err := OpenMemory(state, o.Name, o.Mapping.Source, o.Mapping.Center)
		if err != nil {
			t.Fatal(err)
		}
		for _, no := range []string{"A", "B", "C"} {
			e := event.RawEvent{
				Source: o.Mapping.Source, Type: event.EventWithdrawn, Kind: event.KindTicket, Center: o.Mapping.Center,
				Subject: no, Replaces: "ticket/" + no + ".opened", Time: time.Date(2025, 12, 1, 1, 0, 0, 0, time.UTC),
			}
			e.ID, e.Revision = WithdrawalID(e.Replaces)
			if _, err := o.Collector.Submit(t.Context(), append(e.AppendCloudEvent(nil), '\n'), 1); err != nil {
				t.Fatal(err)
			}
			if told {
				m.Withdrawn(e.Replaces, "ticket/"+no, e.Time)
			}
		}
		if err := m.Save(); err != nil {
			t.Fatal(err)
		}
		m.Close()
		if !told {
			state = t.TempDir()
		}
		if sum, ids := day(t, d, state, ticketExport, false, right); sum.Corrected != 3 || len(sum.Refused) > 0 {
			t.Errorf("told %v: %d corrected, refused %v, %v", told, sum.Corrected, sum.Refused, ids)
		}
	}
}
