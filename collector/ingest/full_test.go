package ingest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
)

// said is an event of a ticket as a source sends it; data are the members of its data beside the centre.
func said(id, source, typ, data string, at time.Time) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"monev112.%s","subject":"ticket/T-1",`+
		`"time":%q,"data":{"center":"35.15"%s}}`, id, source, typ, at.Format(time.RFC3339), data)
}

// A case that one sender fills takes what others have to say of it, and tells the one that it is full.
func TestAFullCaseTellsTheSenderAndTakesTheFactsOfOthers(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	in.board.TrustFilter()
	in.start()
	send := func(source string, lines ...string) event.Receipt {
		t.Helper()
		r, err := in.Submit(t.Context(), ingest.Request{
			Form: event.NDJSON, Body: []byte(strings.Join(lines, "\n")), Source: source,
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	ticket := func() *casefile.Ticket {
		t.Helper()
		row, _, ok := in.board.Case(event.Key{Center: "35.15", Kind: event.KindTicket, ID: "T-1"})
		if !ok {
			t.Fatal("the ticket is not to be seen")
		}
		return row.Ticket
	}

	at := t0.Add(-4 * time.Hour)
	// Every event names 256 calls that nobody heard of.
	var storm []string
	for i := range 150 {
		calls := make([]string, event.MaxCalls)
		for c := range calls {
			calls[c] = fmt.Sprintf(`"C-%d"`, i*event.MaxCalls+c)
		}
		storm = append(storm, said(fmt.Sprint("storm", i), "foe", "ticket.resumed",
			`,"calls":[`+strings.Join(calls, ",")+`]`, at))
	}
	r := send("foe", storm...)
	if r.Accepted+len(r.Rejected) != 150 || len(r.Reduced) == 0 || r.Reduced[0].Reason != event.CaseFull ||
		r.Reduced[0].Field != event.FieldCalls {
		t.Errorf("of a storm of calls %d are accepted, %d rejected, %d reduced", r.Accepted, len(r.Rejected), len(r.Reduced))
	}
	if got := ticket(); len(got.Calls) > casefile.MaxCalls+casefile.ReserveCalls ||
		!slices.Contains(got.Flags, casefile.FlagCaseFull) {
		t.Errorf("the ticket is linked with %d calls, flagged %q", len(got.Calls), got.Flags)
	}
	storm = storm[:0]
	for i := range 1500 {
		storm = append(storm, said(fmt.Sprint("p", i), "foe", "ticket.paused", `,"reason":"cuaca"`,
			at.Add(time.Duration(i)*time.Second)))
	}
	r = send("foe", storm...)
	if n := len(r.Rejected); n == 0 || r.Rejected[n-1].Reason != event.CaseFull || r.Accepted+n != 1500 {
		t.Errorf("of 1500 events %d are accepted and %d rejected", r.Accepted, n)
	}
	if !in.counted(fmt.Sprintf(`monev112_events_rejected_total{reason="case_full"} %d`, len(r.Rejected))) {
		t.Error("refused events are not counted")
	}
	if n := len(storm); send("foe", storm...).Duplicates != r.Accepted || n != 1500 {
		t.Error("what was accepted is not known again")
	}

	// The honest feed: each fact counts, its call too.
	r = send("feed", said("1", "feed", "ticket.opened", `,"calls":["REAL"]`, at),
		said("2", "feed", "ticket.assigned", `,"opd":"damkar"`, at.Add(time.Minute)),
		said("3", "feed", "ticket.acknowledged", ``, at.Add(2*time.Minute)),
		said("4", "feed", "ticket.resolved", ``, at.Add(3*time.Hour)))
	if r.Accepted != 4 || len(r.Rejected)+len(r.Reduced) != 0 {
		t.Errorf("the honest feed is told %+v", r)
	}
	if got := ticket(); got.OPD != "damkar" || got.ResolvedAt.IsZero() || !slices.Contains(got.Calls, "REAL") {
		t.Errorf("the ticket is %s at %q", got.State, got.OPD)
	}
	if reasons, _ := in.kept(); !slices.Contains(reasons, "case_full") {
		t.Error("the quarantine does not keep what found no room")
	}
}

// A copy in the same group as the event that finds no room is not told that it was known.
func TestACopyOfARefusedEventIsRefused(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	in.board.TrustFilter()
	in.start()
	var lines []string
	for i := range casefile.MaxEvents + casefile.ReservedEvents {
		lines = append(lines, said(fmt.Sprint("p", i), "s", "ticket.paused", `,"reason":"cuaca"`, t0))
	}
	last := said("last", "s", "ticket.paused", `,"reason":"cuaca"`, t0)
	r, err := in.submit(append(lines, last, last)...)
	if err != nil || r.Accepted != casefile.MaxEvents || r.Duplicates != 0 ||
		len(r.Rejected) != casefile.ReservedEvents+2 {
		t.Errorf("%d accepted, %d duplicates, %d rejected, %v", r.Accepted, r.Duplicates, len(r.Rejected), err)
	}
}
