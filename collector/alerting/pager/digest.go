package pager

import (
	"cmp"
	"slices"
	"time"
)

// DigestFor is how long a digest is pushed, and how late a start may be that still sends it: it outlasts an
// Alertmanager that is away, and a service that starts after the hour.
const DigestFor = 3 * time.Hour

// digestCounts are the figures of an OPD's digest; they count tickets.
type digestCounts struct {
	Open      int `json:"open"`
	AtRisk    int `json:"at_risk"`   // as the gauge tickets_at_risk
	Overdue   int `json:"overdue"`   // late on any clock, each ticket once
	Escalated int `json:"escalated"` // of those overdue
	Closed    int `json:"closed"`    // in the 24 hours up to the digest's time
	// Unrecorded are open and no clock may watch them: as the gauge tickets_unrecorded.
	Unrecorded int `json:"unrecorded,omitzero"`
}

// digest is the alert that gives one OPD its figures of a morning, as they were at its first push.
type digest struct {
	Center string `json:"center"`
	OPD    string `json:"opd"`
	// Local: each day is an alert of its own, or Alertmanager would take it for a repetition.
	Date     string    `json:"date"`
	StartsAt time.Time `json:"starts_at"`
	Until    time.Time `json:"until"`
	digestCounts
}

// digest adds the digests of each centre once a day, at the given time of its local day.
func (s *state) digest(v boardView, at time.Duration) {
	now := v.Now
	s.Digests = slices.DeleteFunc(s.Digests, func(d digest) bool { return !now.Before(d.Until) })
	for _, c := range v.Centers {
		if c.Historical {
			continue
		}
		y, m, d := now.In(c.Location).Date()
		due := onDay(y, m, d, at, c.Location)
		if now.Before(due) || now.Sub(due) >= DigestFor {
			continue
		}
		// Told already, also when the clock has been set back by a day since; a date further off was a wrong clock.
		if told, ok := s.Told[c.Code]; ok && !told.Before(due) && told.Sub(due) <= 24*time.Hour {
			continue
		}
		until := due.Add(DigestFor)
		if soonest := now.Add(Lifetime); until.Before(soonest) {
			until = soonest
		}
		for k, n := range v.Counts(onDay(y, m, d-1, at, c.Location), due) {
			if k.center == c.Code && n != (digestCounts{}) {
				s.Digests = append(s.Digests, digest{c.Code, k.opd, due.In(c.Location).Format(time.DateOnly), now, until, n})
			}
		}
		if s.Told == nil {
			s.Told = map[string]time.Time{}
		}
		s.Told[c.Code] = due
	}
	slices.SortFunc(s.Digests, func(a, b digest) int {
		return cmp.Or(cmp.Compare(a.Center, b.Center), cmp.Compare(a.OPD, b.OPD), cmp.Compare(a.Date, b.Date))
	})
}

func onDay(y int, m time.Month, d int, at time.Duration, zone *time.Location) time.Time {
	return time.Date(y, m, d, int(at/time.Hour), int(at%time.Hour/time.Minute), 0, 0, zone).UTC()
}
