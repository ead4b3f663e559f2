package sla

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// TestVerdicts plays testdata/verdicts.txt: what happens to a ticket, and what its clocks say of it, in every order of
// arrival that a seed gives. The file's head has the words.
func TestVerdicts(t *testing.T) {
	file, err := os.ReadFile("testdata/verdicts.txt")
	if err != nil {
		t.Fatal(err)
	}
	b := shippedBook(t)
	var title string
	var events []*event.Event
	lines := bufio.NewScanner(strings.NewReader(string(file)))
	for n := 1; lines.Scan(); n++ {
		switch line := lines.Text(); {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "== "):
			title, events = line[3:], nil
		case strings.HasPrefix(line, "-> "):
			for round := range 20 {
				got, want := verdict(t, b, events, line[3:], round), line[3:]
				if got != want {
					t.Errorf("verdicts.txt:%d: %s, round %d\n got %s\nwant %s", n, title, round, got, want)
					break
				}
			}
		default:
			events = append(events, happened(t, line, len(events)))
		}
	}
}

// happened reads an event: when, its type, fields; heard=TIME when it was received, else then.
func happened(t *testing.T, line string, n int) *event.Event {
	words := strings.Fields(line)
	typ, ok := event.ParseType(event.TypePrefix + "ticket." + words[2])
	if !ok {
		t.Fatalf("no type %q", words[2])
	}
	e := &event.Event{
		Source: "s", ID: "e" + strconv.Itoa(n), Type: typ, Kind: event.KindTicket, Subject: ticketKey.ID,
		Center:     ticketKey.Center,
		OccurredAt: at(t, words[0]+" "+words[1]),
	}
	e.ReceivedAt, e.Digest[0] = e.OccurredAt, byte(n)
	fields := map[string]*string{
		"id": &e.ID, "src": &e.Source, "replaces": &e.Replaces, "opd": &e.OPD, "reason": &e.Reason, "category": &e.Category,
		"priority": &e.Priority,
	}
	for _, w := range words[3:] {
		name, value, _ := strings.Cut(w, "=")
		value = strings.ReplaceAll(value, "T", " ")
		switch p := fields[name]; {
		case p != nil:
			*p = value
		case name == "heard":
			e.ReceivedAt = at(t, value)
		case name == "due":
			e.Due = at(t, value)
		case name == "rev":
			r, _ := strconv.Atoi(value)
			e.Revision = uint32(r)
		default:
			t.Fatalf("no field %q", name)
		}
	}
	return e
}

// verdict answers a question such as "2026-07-09 10:00 resolve breached due=2026-07-08T10:00 opd=dishub": the same
// words with what the clock says; "none" for a clock that is not.
func verdict(t *testing.T, b *Book, events []*event.Event, question string, seed int) string {
	r := rand.New(rand.NewPCG(uint64(seed), 3))
	arrived := slices.Clone(events)
	r.Shuffle(len(arrived), func(i, j int) { arrived[i], arrived[j] = arrived[j], arrived[i] })
	tk := casefile.FoldTicket(ticketKey, arrived, casefile.CallFacts{})
	tk.DefaultPriorities(func(category string) string {
		return map[string]string{"kebakaran": "darurat", "banjir": "mendesak"}[category]
	})
	words := strings.Fields(question)
	now := at(t, words[0]+" "+words[1])
	name, seq, _ := strings.Cut(words[2], "/")
	out := words[:3:3]
	var c *Clock
	clocks := b.Ticket(&tk, ownScope)
	for i := range clocks {
		if clocks[i].Name == name && (seq == "" || seq == strconv.Itoa(clocks[i].Seq)) {
			c = &clocks[i]
		}
	}
	if c == nil {
		return strings.Join(append(out, "none"), " ")
	}
	out = append(out, c.State(now))
	for _, w := range words[4:] {
		switch key, _, _ := strings.Cut(w, "="); key {
		case "due":
			w = "due=" + c.DueAt.In(wib).Format("2006-01-02T15:04")
		case "opd":
			w = "opd=" + c.OPD
		case "scope":
			w = "scope=" + c.Scope
		case "priority":
			w = "priority=" + c.Priority
		case "flag":
			f := strings.TrimPrefix(w[5:], "not:")
			if w = "flag=" + f; !slices.Contains(tk.Flags, f) {
				w = "flag=not:" + f
			}
		case "says":
			said := strings.Join(b.Explain(c, &tk, ownScope, now, "en"), "\n")
			if words := strings.ReplaceAll(w[5:], "_", " "); !strings.Contains(said, words) {
				w = "says=" + said
			}
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// TestOnceLateAlwaysLate: whatever is known when a clock is late, nothing that comes later heals it, unless it is a
// correction or tells of a stop in time.
func TestOnceLateAlwaysLate(t *testing.T) {
	b := shippedBook(t)
	begin := at(t, "2026-07-06 08:00")
	late := 0
	rapid.Check(t, func(t *rapid.T) {
		minutes := func(label string, most int) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(t, label)) * time.Minute
		}
		events := []*event.Event{{Type: event.TicketOpened, OccurredAt: begin, ReceivedAt: begin.Add(minutes("heard", 2))}}
		for range rapid.IntRange(1, 8).Draw(t, "events") {
			e := &event.Event{
				Type: rapid.SampledFrom([]event.Type{
					event.TicketAssigned, event.TicketPaused, event.TicketResumed, event.TicketRejected, event.TicketOpened,
				}).Draw(t, "type"),
				OccurredAt: begin.Add(minutes("at", 4*1440)),
				Category:   rapid.SampledFrom([]string{"", "pju", "kebakaran", "jalan_rusak"}).Draw(t, "category"),
				Priority:   rapid.SampledFrom([]string{"", "darurat", "mendesak", "non_darurat", "informasi"}).Draw(t, "priority"),
				Reason:     rapid.SampledFrom([]string{"cuaca", "menunggu_pelapor", "lain"}).Draw(t, "reason"),
			}
			if e.Type == event.TicketAssigned {
				e.OPD = rapid.SampledFrom([]string{"damkar", "dishub", "pln"}).Draw(t, "opd")
			}
			e.ReceivedAt = e.OccurredAt
			if rapid.Bool().Draw(t, "dated back") {
				e.ReceivedAt = e.ReceivedAt.Add(minutes("lag", 3*1440))
			}
			events = append(events, e)
		}
		for i, e := range events {
			e.Source, e.ID, e.Kind, e.Center, e.Subject = "s", fmt.Sprint("e", i), event.KindTicket, ticketKey.Center,
				ticketKey.ID
			e.Digest[0] = byte(i)
		}
		slices.SortStableFunc(events, func(a, b *event.Event) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
		wasLate := map[string]time.Time{}
		for n := 1; n <= len(events); n++ {
			known := slices.Clone(events[:n])
			tk := casefile.FoldTicket(ticketKey, known, casefile.CallFacts{})
			is := map[string]bool{}
			next := begin.Add(30 * 24 * time.Hour)
			if n < len(events) {
				next = events[n].ReceivedAt
			}
			for _, c := range b.Ticket(&tk, ownScope) {
				if name := c.Name; c.Name != Acknowledge && c.State(next) == Breached {
					is[name] = true
				}
			}
			for name, at := range wasLate {
				if !is[name] {
					t.Fatalf("%s was late at %s, and is not when %d events are known, at %s", name, at, n, next)
				}
			}
			for name := range is {
				late++
				wasLate[name] = next
			}
		}
	})
	if late == 0 {
		t.Error("no clock was ever late")
	}
}
