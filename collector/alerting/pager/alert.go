package pager

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/tracker"
)

// Names of the alerts.
const (
	ticketAlert = "Monev112Ticket"
	digestAlert = "Monev112Digest"
)

// Alert is one alert in the form of Alertmanager's API v2.
type Alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// Links makes the addresses that alerts carry; empty ones are left out. The list's must be the same for all alerts of a
// group. Implementations must be safe for concurrent use.
type Links interface {
	List(center, opd string, now time.Time) string
	Ticket(center, opd, id string, now time.Time) string
}

// alertBuilder turns the state into alerts.
type alertBuilder struct {
	links   Links // nil: none
	opdName func(center, opd string) string
	zone    func(center string) *time.Location
}

// build returns all that is active and all that has just ended. tickets belong to the active alerts, in their order.
// unlisted counts the tickets beyond the limits by OPD: a notification that left them out would give a wrong number.
func (b *alertBuilder) build(s *state, tickets []dueTicket, unlisted map[opdKey]int, now time.Time) []Alert {
	out := make([]Alert, 0, len(s.Active)+len(s.Closings)+len(s.Digests)+len(s.Ended))
	lists := map[opdKey]string{} // signing is not free, and the link is the same for all of an OPD
	aboutOPD := func(k opdKey) map[string]string {
		annotations := make(map[string]string, 9)
		set(annotations, "opd_name", b.opdName(k.center, k.opd))
		if b.linked(k.opd) {
			if _, ok := lists[k]; !ok {
				lists[k] = b.links.List(k.center, k.opd, now)
			}
			set(annotations, "list_link", lists[k])
		}
		return annotations
	}
	aboutTicket := func(a activeAlert, category, kecamatan string) map[string]string {
		annotations := aboutOPD(opdKey{a.Center, a.OPD})
		set(annotations, "category", category)
		set(annotations, "kecamatan", kecamatan)
		if b.linked(a.OPD) {
			set(annotations, "link", b.links.Ticket(a.Center, a.OPD, a.Ticket, now))
		}
		return annotations
	}
	for i, a := range s.Active {
		t := &tickets[i]
		annotations := aboutTicket(a, t.Category, t.Kecamatan)
		annotations["due_at"] = t.DueAt.UTC().Format(time.RFC3339)
		annotations["deadline"] = indonesian.Date(t.DueAt.In(b.zone(a.Center)))
		if a.Level == Risk {
			annotations["left"] = indonesian.Duration(t.DueAt.Sub(now))
		} else {
			annotations["late_by"] = indonesian.Duration(now.Sub(t.DueAt))
		}
		if n := unlisted[opdKey{a.Center, a.OPD}]; n > 0 {
			annotations["unlisted"] = strconv.Itoa(n)
		}
		out = append(out, Alert{labels(a.identity), annotations, a.StartsAt, now.Add(Lifetime)})
	}
	for _, c := range s.Closings {
		annotations := aboutTicket(c.activeAlert, c.Category, c.Kecamatan)
		annotations["closed_at"] = c.ClosedAt.UTC().Format(time.RFC3339)
		annotations["closed"] = shortTime(c.ClosedAt, c.StartsAt, b.zone(c.Center))
		out = append(out, Alert{labels(c.identity), annotations, c.StartsAt, cmp.Or(c.Until, now.Add(Lifetime))})
	}
	for _, d := range s.Digests {
		annotations := aboutOPD(opdKey{d.Center, d.OPD})
		for name, n := range map[string]int{
			"open": d.Open, "at_risk": d.AtRisk, "overdue": d.Overdue, "escalated": d.Escalated, "closed": d.Closed,
		} {
			annotations[name] = strconv.Itoa(n)
		}
		if d.Unrecorded > 0 {
			annotations["unrecorded"] = strconv.Itoa(d.Unrecorded)
		}
		out = append(out, Alert{map[string]string{
			"alertname": digestAlert, "kind": "digest", "center": d.Center, "opd": d.OPD, "date": d.Date,
		}, annotations, d.StartsAt, d.Until})
	}
	for _, e := range s.Ended { // last: Alertmanager has the ticket's next alert before the old one goes
		out = append(out, Alert{labels(e.identity), map[string]string{}, e.StartsAt, e.EndedAt})
	}
	return out
}

// linked reports whether an OPD's alerts carry links. The pages show an OPD its own tickets: there is none for tickets
// that are still at the centre.
func (b *alertBuilder) linked(opd string) bool { return b.links != nil && opd != tracker.NoOPD }

func labels(a identity) map[string]string {
	return map[string]string{
		"alertname": ticketAlert, "kind": "ticket", "center": a.Center, "opd": a.OPD, "level": string(a.Level),
		"ticket": a.Ticket, "priority": cmp.Or(a.Priority, "none"),
	}
}

func set(annotations map[string]string, key, value string) {
	if value != "" {
		annotations[key] = value
	}
}

// shortTime writes t in at most 20 characters: the time alone on the day of ref, otherwise with day and month.
func shortTime(t, ref time.Time, zone *time.Location) string {
	t, ref = t.In(zone), ref.In(zone)
	if t.Format(time.DateOnly) == ref.Format(time.DateOnly) {
		return t.Format("15.04 MST")
	}
	return fmt.Sprintf("%d %.3s %s", t.Day(), indonesian.Months[t.Month()-1], t.Format("15.04 MST"))
}
