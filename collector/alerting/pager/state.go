package pager

import (
	"cmp"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
)

// Limits and times of what is pushed.
const (
	Lifetime = 15 * time.Minute // an alert that is not pushed again ends after it: far beyond any interval

	maxPerOPD  = 1_000               // tickets of one OPD that are pushed; of more the highest levels, then the oldest
	maxTickets = 20_000              // tickets that are pushed at all, chosen likewise
	maxWaiting = 20_000              // the oldest are forgotten
	maxEnded   = 20_000              // the oldest are forgotten, and expire in Alertmanager
	waitingFor = 30 * 24 * time.Hour // how long a ticket that was alerted is remembered for its closing
	untakenFor = 24 * time.Hour      // how long a closing is pushed that no Alertmanager takes: it is no news any more
)

// dueTicket is an open ticket of the board that has reached a level.
type dueTicket struct {
	Center, ID string
	OPD        string // its label; "none" at the centre
	Priority   string
	Category   string // its name; empty when it is sensitive, absent or unknown
	Kecamatan  string // its name; empty when absent or unknown
	clockLevel
}

// ticketStatus is what the board knows of a ticket, whether it has reached a level or not.
type ticketStatus struct {
	State               casefile.State
	OPD                 string // its label
	Category, Kecamatan string // as of a dueTicket
	ClosedAt            time.Time
}

// boardView is what the board says at one instant.
type boardView struct {
	Now     time.Time
	Tickets []dueTicket
	Status  func(center, id string) (ticketStatus, bool) // false: not in memory, which says nothing
	Centers []directory.Center
	Counts  func(from, to time.Time) map[opdKey]digestCounts // closed tickets within [from, to), all others now
}

// opdKey names an OPD, by its label, of a centre.
type opdKey struct{ center, opd string }

// identity is what a ticket's alert is known by: its labels but the constant ones.
type identity struct {
	Center   string `json:"center"`
	Ticket   string `json:"ticket"`
	OPD      string `json:"opd"`
	Level    Level  `json:"level"`
	Priority string `json:"priority"`
}

func (t *dueTicket) compare(o *dueTicket) int {
	if c := cmp.Compare(t.Center, o.Center); c != 0 {
		return c
	}
	if c := cmp.Compare(t.ID, o.ID); c != 0 { // nearly always: the rest is not looked at
		return c
	}
	return cmp.Or(cmp.Compare(t.OPD, o.OPD), cmp.Compare(t.Level, o.Level), cmp.Compare(t.Priority, o.Priority))
}

func (t *dueTicket) identity() identity {
	return identity{Center: t.Center, Ticket: t.ID, OPD: t.OPD, Level: t.Level, Priority: t.Priority}
}

type ticketKey struct{ center, ticket string }

func (a identity) ticket() ticketKey { return ticketKey{a.Center, a.Ticket} }

type activeAlert struct {
	identity
	StartsAt time.Time `json:"starts_at"`
}

type endedAlert struct {
	activeAlert
	EndedAt time.Time `json:"ended_at"`
}

// waitingTicket was alerted, last at the level of its identity, is in time again, and waits for its closing.
type waitingTicket struct {
	identity
	Since time.Time `json:"since"`
}

// closing is the alert of a ticket that was closed.
type closing struct {
	activeAlert
	Category  string    `json:"category,omitzero"`
	Kecamatan string    `json:"kecamatan,omitzero"`
	ClosedAt  time.Time `json:"closed_at"`
	Until     time.Time `json:"until,omitzero"` // when it ends; zero until an Alertmanager took it
}

// state is what the pager has pushed. It is the content of the state file.
type state struct {
	Version  int                  `json:"version"`
	Accepted time.Time            `json:"accepted,omitzero"` // when an Alertmanager last took a push
	Active   []activeAlert        `json:"active"`
	Ended    []endedAlert         `json:"ended"`
	Waiting  []waitingTicket      `json:"waiting"`
	Closings []closing            `json:"closings"`
	Digests  []digest             `json:"digests"`
	Told     map[string]time.Time `json:"digest_told"` // by centre: the instant for which the latest digest was due
}

// advance brings s up to the board and returns the tickets of the active alerts, in the order of s.Active.
func (s *state) advance(v boardView, closedFor time.Duration, digestAt time.Duration) []dueTicket {
	now := v.Now
	s.clampFuture(now, closedFor)
	tickets := slices.Clone(v.Tickets)
	slices.SortFunc(tickets, func(a, b dueTicket) int { return a.compare(&b) })

	before := make(map[identity]time.Time, len(s.Active))
	for _, a := range s.Active {
		before[a.identity] = a.StartsAt
	}
	active := make([]activeAlert, 0, len(tickets))
	isActive := make(map[identity]bool, len(tickets))
	alerted := make(map[ticketKey]bool, len(tickets))
	for _, t := range tickets {
		a := activeAlert{t.identity(), now}
		if start, ok := before[a.identity]; ok && s.heldByAlertmanager(start, now) {
			a.StartsAt = start
		}
		active = append(active, a)
		alerted[a.ticket()], isActive[a.identity] = true, true
	}
	for _, a := range s.Active {
		if isActive[a.identity] {
			continue
		}
		s.end(a, now)
		if !alerted[a.ticket()] {
			s.Waiting = append(s.Waiting, waitingTicket{a.identity, now})
		}
	}
	s.Active = active
	s.updateClosings(v, closedFor)
	s.updateWaiting(v, alerted)
	s.forgetEnded(isActive, now)
	s.digest(v, digestAt)
	return tickets
}

// clampFuture brings what was written while the clock was ahead back to now. Alertmanager would hold an alert that ends
// hours from now for true until then, whatever became of its ticket.
func (s *state) clampFuture(now time.Time, closedFor time.Duration) {
	clamp := func(latest time.Time, times ...*time.Time) {
		for _, t := range times {
			if t.After(latest) {
				*t = latest
			}
		}
	}
	clamp(now, &s.Accepted)
	for i := range s.Active {
		clamp(now, &s.Active[i].StartsAt)
	}
	for i := range s.Ended {
		clamp(now, &s.Ended[i].StartsAt, &s.Ended[i].EndedAt)
	}
	for i := range s.Waiting {
		clamp(now, &s.Waiting[i].Since)
	}
	for i := range s.Closings {
		clamp(now, &s.Closings[i].StartsAt)
		clamp(now.Add(closedFor), &s.Closings[i].Until)
	}
	for i := range s.Digests {
		clamp(now, &s.Digests[i].StartsAt)
		clamp(now.Add(DigestFor), &s.Digests[i].Until)
	}
}

// heldByAlertmanager reports whether Alertmanager still holds an alert that started at start, as far as the pager can
// know.
func (s *state) heldByAlertmanager(start, now time.Time) bool {
	if s.Accepted.After(start) {
		start = s.Accepted
	}
	return now.Sub(start) <= Lifetime
}

// end ends an alert, if an Alertmanager may hold it.
func (s *state) end(a activeAlert, now time.Time) {
	if s.heldByAlertmanager(a.StartsAt, now) {
		s.Ended = append(s.Ended, endedAlert{a, now})
	}
}

// updateClosings ends closings that were pushed for long enough, or whose ticket is not closed any more.
func (s *state) updateClosings(v boardView, closedFor time.Duration) {
	for i := range s.Closings {
		if c := &s.Closings[i]; c.Until.IsZero() && !s.Accepted.Before(c.StartsAt) {
			c.Until = s.Accepted.Add(closedFor)
		}
	}
	s.Closings = slices.DeleteFunc(s.Closings, func(c closing) bool {
		status, ok := v.Status(c.Center, c.Ticket)
		if ok && status.State != casefile.Closed {
			s.end(c.activeAlert, v.Now)
			return true
		}
		return !c.Until.IsZero() && !v.Now.Before(c.Until) || c.Until.IsZero() && v.Now.Sub(c.StartsAt) >= untakenFor
	})
}

// updateWaiting turns waiting tickets that were closed into closings, and forgets those that wait for no closing.
func (s *state) updateWaiting(v boardView, alerted map[ticketKey]bool) {
	s.Waiting = slices.DeleteFunc(s.Waiting, func(w waitingTicket) bool {
		if alerted[w.ticket()] {
			return true
		}
		status, ok := v.Status(w.Center, w.Ticket)
		switch {
		case !ok:
		case status.State == casefile.Merged || status.OPD != w.OPD:
			return true // who was told has nothing to do with it any more
		case status.State == casefile.Closed:
			w.Level = Closed
			s.Closings = append(s.Closings, closing{
				activeAlert: activeAlert{w.identity, v.Now}, Category: status.Category, Kecamatan: status.Kecamatan,
				ClosedAt: status.ClosedAt,
			})
			return true
		}
		return v.Now.Sub(w.Since) >= waitingFor
	})
	if more := len(s.Waiting) - maxWaiting; more > 0 {
		s.Waiting = slices.Delete(s.Waiting, 0, more) // appended as they came: the oldest are in front
	}
}

// forgetEnded drops the ended alerts that were pushed for long enough, and those that are active again.
func (s *state) forgetEnded(active map[identity]bool, now time.Time) {
	for _, c := range s.Closings {
		active[c.identity] = true
	}
	s.Ended = slices.DeleteFunc(s.Ended, func(e endedAlert) bool {
		return active[e.identity] || now.Sub(e.EndedAt) > Lifetime
	})
	if more := len(s.Ended) - maxEnded; more > 0 {
		s.Ended = slices.Delete(s.Ended, 0, more)
	}
}

// limit keeps of the tickets those that may be pushed, the highest levels first, of them the oldest, and counts by OPD
// those that it left out.
func limit(tickets []dueTicket, perOPD, total int) (kept []dueTicket, unlisted map[opdKey]int) {
	if len(tickets) <= perOPD {
		return tickets, nil
	}
	// A ticket is long, and there may be a hundred thousand: what decides is put in order.
	type place struct {
		rank, index int
		due         int64
	}
	compare := func(a, b place) int {
		if c := cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(a.due, b.due)); c != 0 {
			return c
		}
		return tickets[a.index].compare(&tickets[b.index])
	}
	// Of each OPD the first perOPD in order, and behind them up to as many that come before the last of these.
	byOPD, unlisted := map[opdKey][]place{}, map[opdKey]int{}
	for i := range tickets {
		t := &tickets[i]
		k, p := opdKey{t.Center, t.OPD}, place{t.Level.rank(), i, t.DueAt.UnixMilli()}
		list := byOPD[k]
		if len(list) >= perOPD && compare(list[perOPD-1], p) < 0 {
			continue
		}
		if list = append(list, p); len(list) == perOPD || len(list) == 2*perOPD {
			slices.SortFunc(list, compare)
			list = list[:perOPD]
		}
		byOPD[k] = list
	}
	var order []place
	for _, list := range byOPD {
		slices.SortFunc(list, compare)
		order = append(order, list[:min(len(list), perOPD)]...)
	}
	slices.SortFunc(order, compare)
	order = order[:min(len(order), total)]
	kept = make([]dueTicket, len(order))
	for i, p := range order {
		kept[i] = tickets[p.index]
	}
	for i := range tickets {
		unlisted[opdKey{tickets[i].Center, tickets[i].OPD}]++
	}
	for i := range kept {
		k := opdKey{kept[i].Center, kept[i].OPD}
		if unlisted[k]--; unlisted[k] == 0 {
			delete(unlisted, k)
		}
	}
	return kept, unlisted
}
