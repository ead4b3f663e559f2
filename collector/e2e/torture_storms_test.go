package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Hostile and yet well-formed senders: each event of a storm passes the door's rules, and what it adds up to is what
// nobody would send in good faith. The service may refuse such an event; one that it acknowledges it keeps like any
// other.

// permilleStorm of the parcels are part of a storm.
const permilleStorm = 25

const (
	stormCalls   = 256 // named by one event of a huge ticket, the most that the door takes
	stormParcel  = 12  // events in one parcel of a storm
	stormMembers = 4   // tickets in one ring of references
)

// storm makes the next events of a storm, by its number: each kind goes on where it stopped, so that one case grows.
func (p *supply) storm() []*sent {
	p.storms++
	n := p.storms
	at := p.until.Add(-simulatedHours * time.Hour)
	var out []*sent
	add := func(kind, subject, data string) string {
		at = at.Add(time.Second)
		id := fmt.Sprintf("storm-%d-%d-%d", p.seed, n, len(out))
		line := fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"source":"storm","type":"monev112.%s","subject":%q,"time":%q,`+
			`"data":{%s}}`, id, kind, subject, at.Format(time.RFC3339), data)
		e := p.ledger.know("storm", id, line)
		e.hostile = true
		out = append(out, e)
		return id
	}
	switch n % 4 {
	case 0: // one ticket names ever more calls
		subject := fmt.Sprintf("ticket/HUGE-%d", n/400)
		add("ticket.opened", subject, `"category":"pju"`)
		for i := range stormParcel {
			calls := make([]string, stormCalls)
			for j := range calls {
				calls[j] = fmt.Sprintf("%q", fmt.Sprintf("huge-%d-%d-%d", n, i, j))
			}
			add("ticket.resumed", subject, `"calls":[`+strings.Join(calls, ",")+`]`)
		}
	case 1: // tickets that are merged in a ring, into themselves, and into what nobody opened
		ring := func(i int) string { return fmt.Sprintf("RING-%d-%d", n, i%stormMembers) }
		for i := range stormMembers {
			add("ticket.opened", "ticket/"+ring(i), `"category":"kebakaran","priority":"darurat"`)
		}
		for i := range stormMembers {
			master := []string{ring(i + 1), ring(i), ring(i) + "-nobody"}[n/4%3]
			add("ticket.merged", "ticket/"+ring(i), fmt.Sprintf(`"master":%q`, master))
		}
	case 2: // one call is corrected again and again
		subject := fmt.Sprintf("call/CORRECTED-%d", n/400)
		last := add("call.received", subject, `"queue":"112"`)
		for range stormParcel {
			last = add("call.received", subject, fmt.Sprintf(`"queue":"112","replaces":%q`, last))
		}
	case 3: // one ticket changes its priority and its OPD all the time
		subject := fmt.Sprintf("ticket/RESTLESS-%d", n/400)
		add("ticket.opened", subject, `"category":"pju"`)
		for i := range stormParcel {
			add("ticket.assigned", subject, fmt.Sprintf(`"opd":%q,"priority":%q`,
				[]string{"dishub", "damkar", "pln"}[i%3], []string{"darurat", "non_darurat"}[i%2]))
		}
	}
	return out
}

// openTicket is what the ledger knows of one ticket, read from the bare events without any code of the service.
type openTicket struct {
	opened, ended time.Time
	reopened      time.Time
	master        string
	mergedAt      time.Time
	test          bool
}

// invisible counts the open tickets that stand nowhere: not in the list of open tickets, and not behind a chain of
// masters that ends in a listed one, or in one that was handled since. A ticket whose end and reopening fall on one
// instant is left out.
func (f *fresh) invisible() (n int) {
	f.t.Helper()
	tickets := f.h.ledger.tickets()
	listed := f.listed()
	for _, id := range slices.Sorted(maps.Keys(tickets)) {
		t := tickets[id]
		open := !t.opened.IsZero() && (t.ended.IsZero() || t.reopened.After(t.ended))
		if !open || t.test || listed[id] {
			continue
		}
		if end := chainEnd(tickets, id); end != id {
			master := tickets[end]
			if listed[end] || master != nil && !master.ended.IsZero() && !master.ended.Before(t.mergedAt) {
				continue // it waits for its master, or was handled with it
			}
		}
		if n++; n <= 4 {
			f.h.ledger.violate("open and nowhere to be seen: ticket %s, opened %s, merged into %q %s, ended %s", id,
				t.opened, t.master, t.mergedAt, t.ended)
		}
	}
	return n
}

// chainEnd follows the masters of a ticket; a ring ends where it began.
func chainEnd(tickets map[string]*openTicket, id string) string {
	passed := map[string]bool{}
	for end := id; !passed[end]; {
		passed[end] = true
		t := tickets[end]
		if t == nil || t.master == "" {
			return end
		}
		end = t.master
	}
	return id
}

// tickets reads the stored events of the ledger. Events that a correction replaced are left out.
func (l *ledger) tickets() map[string]*openTicket {
	type data struct {
		Calls    []string `json:"calls"`
		Master   string   `json:"master"`
		Replaces string   `json:"replaces"`
		Class    string   `json:"class"`
	}
	type line struct {
		ID, Source, Type, Subject string
		Time                      time.Time
		Data                      data
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []line
	void, tests := map[string]bool{}, map[string]bool{}
	for _, e := range l.events {
		var x line
		if !e.stored || json.Unmarshal(e.line, &x) != nil {
			continue
		}
		all = append(all, x)
		if x.Data.Replaces != "" {
			void[x.Source+"\x00"+x.Data.Replaces] = true
		}
		if call, ok := strings.CutPrefix(x.Subject, "call/"); ok && x.Data.Class == "uji" {
			tests[call] = true
		}
	}
	tickets := map[string]*openTicket{}
	for _, x := range all {
		id, ok := strings.CutPrefix(x.Subject, "ticket/")
		if !ok || void[x.Source+"\x00"+x.ID] {
			continue
		}
		t := tickets[id]
		if t == nil {
			t = &openTicket{}
			tickets[id] = t
		}
		for _, call := range x.Data.Calls {
			t.test = t.test || tests[call]
		}
		latest := func(at *time.Time) bool {
			if x.Time.After(*at) {
				*at = x.Time
				return true
			}
			return false
		}
		switch strings.TrimPrefix(x.Type, "monev112.ticket.") {
		case "opened":
			latest(&t.opened)
		case "resolved", "closed", "confirmed":
			latest(&t.ended)
		case "reopened":
			latest(&t.reopened)
		case "merged":
			if latest(&t.mergedAt) {
				t.master = x.Data.Master
			}
		}
	}
	return tickets
}

// listed are the open tickets that the service shows.
func (f *fresh) listed() map[string]bool {
	f.t.Helper()
	out := map[string]bool{}
	for cursor := ""; ; {
		r, err := http.Get("http://" + f.h.addr + "/v1/tickets?limit=500&cursor=" + url.QueryEscape(cursor))
		if err != nil {
			f.t.Fatal(err)
		}
		var page struct {
			Tickets []struct{ ID string }
			Next    string
		}
		err = json.NewDecoder(r.Body).Decode(&page)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK {
			f.t.Fatal("the list of open tickets: ", r.Status, err)
		}
		for _, t := range page.Tickets {
			out[t.ID] = true
		}
		if page.Next == "" {
			return out
		}
		cursor = page.Next
	}
}
