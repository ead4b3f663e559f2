package sla

import (
	"compress/gzip"
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// records reads a file of real records of another city; they lie beside the repository, never in it.
func records(t *testing.T, name string) []map[string]string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", name)
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("no real records at %s: %v", path, err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]map[string]string, 0, len(rows)-1)
	for _, r := range rows[1:] {
		m := make(map[string]string, len(r))
		for i, v := range r {
			m[rows[0][i]] = v
		}
		out = append(out, m)
	}
	return out
}

func usStamp(t *testing.T, s string, zone *time.Location) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	v, err := time.ParseInLocation("01/02/2006 03:04:05 PM", s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return v.UTC()
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// Boston gives each ticket a due time and says itself which were on time: an oracle for the given clock.
func TestGivenClockAgreesWithBostonsOwnVerdict(t *testing.T) {
	rows := records(t, "boston311-2015-h1.csv.gz")
	b := shippedBook(t)
	newYork := zone(t, "America/New_York")
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var targets, late, onTime, open, backwards, both, agree int
	lateOf, closedOf := map[string]int{}, map[string]int{}
	for _, r := range rows {
		opened, due, closed := usStamp(t, r["OPEN_DT"], newYork), usStamp(t, r["TARGET_DT"], newYork),
			usStamp(t, r["CLOSED_DT"], newYork)
		tk := &casefile.Ticket{
			Key: event.Key{Center: "boston", Kind: event.KindTicket, ID: r["CASE_ENQUIRY_ID"]}, OpenedAt: opened, Due: due,
			DueOPD: r["Department"], OPD: r["Department"],
			ResolvedAt: closed, LastResolvedAt: closed, FirstClosedAt: closed, ClosedAt: closed,
		}
		var given *Clock
		for _, c := range b.Ticket(tk, ownScope) {
			if c.Name == Given {
				given = &c
			}
		}
		if given == nil {
			if !due.IsZero() {
				t.Fatalf("%s has a target and no given clock", tk.Key.ID)
			}
			continue
		}
		targets++
		state := given.State(now)
		if given.StoppedAt.IsZero() {
			open++
			continue
		}
		closedOf[given.OPD]++
		switch state {
		case Breached:
			late++
			lateOf[given.OPD]++
		case Met:
			onTime++
		case Void: // in neither number
			if !closed.Before(opened) {
				t.Fatalf("%s is closed and its clock %s", tk.Key.ID, state)
			}
			backwards++
			continue
		}
		if verdict := r["OnTime_Status"]; verdict != "" {
			both++
			if (verdict == "OVERDUE") == (state == Breached) {
				agree++
			}
		}
	}
	for _, c := range []struct {
		what      string
		got, want int
	}{
		{"tickets with a target", targets, 43592}, {"closed late", late, 10025}, {"on time", onTime, 27255},
		{"closed before opened", backwards, 40},
		{"open with a target", open, 6272}, {"rows where both speak", both, 37217}, {"rows where both agree", agree, 37217},
		{"PWDx late", lateOf["PWDx"], 4430}, {"PWDx closed", closedOf["PWDx"], 16716}, {"ISD late", lateOf["ISD"], 3161},
		{"ISD closed", closedOf["ISD"], 7246},
		{"BTDT late", lateOf["BTDT"], 1256}, {"BTDT closed", closedOf["BTDT"], 7188},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.what, c.got, c.want)
		}
	}
}

func TestSanFranciscoArrivesWithin15Minutes(t *testing.T) {
	rows := records(t, "sf-fire-2009-2018.csv.gz")
	b := shippedBook(t, "spm-damkar-15")
	losAngeles := zone(t, "America/Los_Angeles")
	calls := map[string]*casefile.Ticket{}
	for _, r := range rows {
		tk := calls[r["Call Number"]]
		if tk == nil {
			tk = &casefile.Ticket{Key: event.Key{Center: "sf", Kind: event.KindTicket, ID: r["Call Number"]}}
			calls[tk.Key.ID] = tk
		}
		tk.ReceivedAt = earliest(tk.ReceivedAt, usStamp(t, r["Received DtTm"], losAngeles))
		tk.OpenedAt = earliest(tk.OpenedAt, usStamp(t, r["Entry DtTm"], losAngeles))
		tk.ArrivedAt = earliest(tk.ArrivedAt, usStamp(t, r["On Scene DtTm"], losAngeles))
		if closed := usStamp(t, r["Available DtTm"], losAngeles); closed.After(tk.ClosedAt) {
			tk.ClosedAt, tk.FirstClosedAt = closed, closed
		}
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	states := map[string]int{}
	stillOpen := 0
	for _, tk := range calls {
		c := find(t, b.Ticket(tk, ownScope), Arrive, 1)
		if c.StoppedAt.IsZero() {
			stillOpen++
			continue
		}
		states[c.State(now)]++
	}
	// Of the other calls 33 were closed in time without an arrival, and 2 were never closed: those two run on.
	if states[Met] != 865 || states[Breached] != 1 || states[Void] != 33 || stillOpen != 2 {
		t.Errorf("met %d, breached %d, void %d, open %d; want 865, 1, 33, 2", states[Met], states[Breached], states[Void],
			stillOpen)
	}
}
