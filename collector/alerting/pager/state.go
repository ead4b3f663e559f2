package pager

import (
	"cmp"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
)

// Limits and times of what is pushed.
const (
	Lifetime = 15 * time.Minute // an alert that is not pushed again ends after it: far beyond any interval

	maxPerOPD  = 1_000               // tickets of one OPD that are pushed; of more the highest levels, then the oldest
	maxTickets = 20_000              // tickets that are pushed at all, chosen likewise
	maxWaiting = 20_000              // tickets that were paged, are in time again and not closed: the oldest are forgotten
	maxEnded   = 20_000              // alerts that are said to be over
	keepWait   = 30 * 24 * time.Hour // how long such a ticket is remembered
	giveUp     = 24 * time.Hour      // a closing that no Alertmanager took for so long is no news any more
)

// Ticket is an open ticket of the board that has reached a level.
type Ticket struct {
	Center, ID string
	OPD        string // its label; "none" at the centre
	Priority   string
	Category   string // in words; empty when it is sensitive, absent or unknown
	Kecamatan  string // in words; empty when absent or unknown
	Reading
}

// Found is what the board knows of a ticket that has reached no level, or none any more.
type Found struct {
	State               casefile.State
	OPD                 string // its label
	Category, Kecamatan string // as of a Ticket
	ClosedAt            time.Time
}

// Round is what the board says at one instant.
type Round struct {
	Now     time.Time
	Tickets []Ticket
	Find    func(center, id string) (Found, bool) // false: not in memory, which says nothing
	Centers []Center
	// by OPD label; closed within [from, to), all else now
	Counts func(center string, from, to time.Time) map[string]Counts
}

// identity is what a ticket's alert is known by: its labels but the constant ones.
type identity struct {
	Center   string `json:"center"`
	Ticket   string `json:"ticket"`
	OPD      string `json:"opd"`
	Level    Level  `json:"level"`
	Priority string `json:"priority"`
}

func (a identity) compare(b identity) int {
	return cmp.Or(cmp.Compare(a.Center, b.Center), cmp.Compare(a.Ticket, b.Ticket), cmp.Compare(a.OPD, b.OPD),
		cmp.Compare(a.Level, b.Level), cmp.Compare(a.Priority, b.Priority))
}

// subject is whom an alert is about.
type subject struct{ center, ticket string }

func (a identity) subject() subject { return subject{a.Center, a.Ticket} }

// page is an active alert.
type page struct {
	identity
	StartsAt time.Time `json:"starts_at"`
}

// ended is an alert that is over.
type ended struct {
	page
	EndedAt time.Time `json:"ended_at"`
}

// waiting is a ticket that was paged and waits for its closing; its level is the last.
type waiting struct {
	identity
	Since time.Time `json:"since"`
}

// closing is the alert that tells a closing.
type closing struct {
	page
	Category  string    `json:"category,omitzero"`
	Kecamatan string    `json:"kecamatan,omitzero"`
	ClosedAt  time.Time `json:"closed_at"`
	Until     time.Time `json:"until,omitzero"` // when it ends; zero until an Alertmanager took it
}

// state is what the pager has said. It is the content of the state file.
type state struct {
	Version  int                  `json:"version"`
	Accepted time.Time            `json:"accepted,omitzero"` // when an Alertmanager last took a push
	Active   []page               `json:"active"`
	Ended    []ended              `json:"ended"`
	Waiting  []waiting            `json:"waiting"`
	Closings []closing            `json:"closings"`
	Digests  []digest             `json:"digests"`
	Told     map[string]time.Time `json:"digest_told"` // by centre: the instant for which the latest digest was due
}

// advance brings s up to what the board says and returns what is active, with the tickets that the pages are about, in
// the order of s.Active.
func (s *state) advance(r Round, closedFor time.Duration, digestAt time.Duration) []Ticket {
	now := r.Now
	s.setBack(now, closedFor)
	tickets := slices.Clone(r.Tickets)
	slices.SortFunc(tickets, func(a, b Ticket) int { return a.identity().compare(b.identity()) })

	was := make(map[identity]time.Time, len(s.Active))
	for _, p := range s.Active {
		was[p.identity] = p.StartsAt
	}
	active := make([]page, 0, len(tickets))
	paged := make(map[subject]bool, len(tickets))
	is := make(map[identity]bool, len(tickets))
	for _, t := range tickets {
		p := page{t.identity(), now}
		if start, ok := was[p.identity]; ok && s.alive(start, now) {
			p.StartsAt = start
		}
		active = append(active, p)
		paged[p.subject()], is[p.identity] = true, true
	}

	for _, p := range s.Active {
		if is[p.identity] {
			continue
		}
		s.end(p, now)
		if !paged[p.subject()] {
			s.Waiting = append(s.Waiting, waiting{p.identity, now})
		}
	}
	s.Active = active
	s.close(r, paged, closedFor)
	s.forget(is, now)
	s.digest(r, digestAt)
	return tickets
}

// setBack brings what a clock that was ahead has written back to now. Alertmanager would hold an alert that ends hours
// from now for true until then, whatever became of its ticket.
func (s *state) setBack(now time.Time, closedFor time.Duration) {
	most := func(t *time.Time, ahead time.Duration) {
		if latest := now.Add(ahead); t.After(latest) {
			*t = latest
		}
	}
	most(&s.Accepted, 0)
	for i := range s.Active {
		most(&s.Active[i].StartsAt, 0)
	}
	for i := range s.Ended {
		most(&s.Ended[i].StartsAt, 0)
		most(&s.Ended[i].EndedAt, 0)
	}
	for i := range s.Waiting {
		most(&s.Waiting[i].Since, 0)
	}
	for i := range s.Closings {
		most(&s.Closings[i].StartsAt, 0)
		most(&s.Closings[i].Until, closedFor)
	}
	for i := range s.Digests {
		most(&s.Digests[i].StartsAt, 0)
		most(&s.Digests[i].Until, DigestFor)
	}
}

func (t *Ticket) identity() identity {
	return identity{Center: t.Center, Ticket: t.ID, OPD: t.OPD, Level: t.Level, Priority: t.Priority}
}

// alive reports whether Alertmanager still holds an alert that started at start, as far as the pager can know.
func (s *state) alive(start, now time.Time) bool {
	if s.Accepted.After(start) {
		start = s.Accepted
	}
	return now.Sub(start) <= Lifetime
}

// end says of an alert that it is over, if somebody may hold it.
func (s *state) end(p page, now time.Time) {
	if !s.alive(p.StartsAt, now) {
		return
	}
	s.Ended = append(s.Ended, ended{p, now})
}

// close turns tickets that wait into closings, and ends closings that are not true any more.
func (s *state) close(r Round, paged map[subject]bool, closedFor time.Duration) {
	now := r.Now
	still := s.Closings[:0]
	for _, c := range s.Closings {
		if c.Until.IsZero() && !s.Accepted.Before(c.StartsAt) {
			c.Until = s.Accepted.Add(closedFor)
		}
		switch f, ok := r.Find(c.Center, c.Ticket); {
		case ok && f.State != casefile.Closed:
			s.end(c.page, now)
		case c.Until.IsZero() && now.Sub(c.StartsAt) < giveUp, now.Before(c.Until):
			still = append(still, c)
		}
	}
	s.Closings = still

	wait := s.Waiting[:0]
	for _, w := range s.Waiting {
		if paged[w.subject()] {
			continue
		}
		f, ok := r.Find(w.Center, w.Ticket)
		switch {
		case !ok:
		case f.State == casefile.Merged || f.OPD != w.OPD:
			continue // who was told has nothing to do with it any more
		case f.State == casefile.Closed:
			w.Level = Closed
			s.Closings = append(s.Closings,
				closing{page: page{w.identity, now}, Category: f.Category, Kecamatan: f.Kecamatan, ClosedAt: f.ClosedAt})
			continue
		}
		if now.Sub(w.Since) < keepWait {
			wait = append(wait, w)
		}
	}
	if more := len(wait) - maxWaiting; more > 0 {
		wait = slices.Delete(wait, 0, more) // appended as they came: the oldest are in front
	}
	s.Waiting = wait
}

// forget drops what was said to be over long enough, and what is active again.
func (s *state) forget(active map[identity]bool, now time.Time) {
	for _, c := range s.Closings {
		active[c.identity] = true
	}
	s.Ended = slices.DeleteFunc(s.Ended, func(e ended) bool {
		return active[e.identity] || now.Sub(e.EndedAt) > Lifetime
	})
	if more := len(s.Ended) - maxEnded; more > 0 {
		s.Ended = slices.Delete(s.Ended, 0, more) // they end by themselves
	}
}

// office is an OPD of a centre.
type office struct{ center, opd string }

// limit keeps of the tickets those that may be pushed, the highest levels first, of them the oldest, and says how many
// of each OPD it left out.
func limit(tickets []Ticket, perOPD, all int) (kept []Ticket, left map[office]int) {
	if len(tickets) <= perOPD {
		return tickets, nil
	}
	tickets = slices.Clone(tickets) // the digest counts all
	slices.SortFunc(tickets, func(a, b Ticket) int {
		return cmp.Or(cmp.Compare(b.Level.rank(), a.Level.rank()), a.DueAt.Compare(b.DueAt),
			a.identity().compare(b.identity()))
	})
	left = map[office]int{}
	n := map[office]int{}
	kept = tickets[:0]
	for _, t := range tickets {
		o := office{t.Center, t.OPD}
		if n[o] == perOPD || len(kept) == all {
			left[o]++
			continue
		}
		n[o]++
		kept = append(kept, t)
	}
	return kept, left
}
