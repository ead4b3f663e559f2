package pager

import (
	"cmp"
	"fmt"
	"time"

	"github.com/monev112/monev112/collector/tracker"
)

// Names of the alerts.
const (
	TicketAlert = "Monev112Ticket"
	DigestAlert = "Monev112Digest"
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

// speaker turns the state into alerts.
type speaker struct {
	links Links // nil: none
	name  func(center, opd string) string
	zone  func(center string) *time.Location
}

// alerts says all that is active and all that has just ended. tickets belong to the active pages, in their order; left
// are those beyond the limits: a message that could not know of them would give a wrong number.
func (v *speaker) alerts(s *state, tickets []Ticket, left map[office]int, now time.Time) []Alert {
	out := make([]Alert, 0, len(s.Active)+len(s.Closings)+len(s.Digests)+len(s.Ended))
	lists := map[[2]string]string{} // signing is not free, and the link is the same for all of an OPD
	list := func(center, opd string) string {
		if !v.linked(opd) {
			return ""
		}
		k := [2]string{center, opd}
		l, ok := lists[k]
		if !ok {
			l = v.links.List(center, opd, now)
			lists[k] = l
		}
		return l
	}
	about := func(p page, ends time.Time) Alert {
		a := Alert{Labels: labels(p.identity), Annotations: map[string]string{}, StartsAt: p.StartsAt, EndsAt: ends}
		set(a.Annotations, "opd_name", v.name(p.Center, p.OPD))
		set(a.Annotations, "list_link", list(p.Center, p.OPD))
		if v.linked(p.OPD) {
			set(a.Annotations, "link", v.links.Ticket(p.Center, p.OPD, p.Ticket, now))
		}
		return a
	}
	for i, p := range s.Active {
		t := &tickets[i]
		a := about(p, now.Add(Lifetime))
		set(a.Annotations, "category", t.Category)
		set(a.Annotations, "kecamatan", t.Kecamatan)
		if n := left[office{p.Center, p.OPD}]; n > 0 {
			a.Annotations["unlisted"] = fmt.Sprint(n)
		}
		a.Annotations["due_at"] = t.DueAt.UTC().Format(time.RFC3339)
		a.Annotations["deadline"] = moment(t.DueAt, v.zone(p.Center))
		if p.Level == Risk {
			a.Annotations["left"] = span(t.DueAt.Sub(now))
		} else {
			a.Annotations["late_by"] = span(now.Sub(t.DueAt))
		}
		out = append(out, a)
	}
	for _, c := range s.Closings {
		a := about(c.page, cmp.Or(c.Until, now.Add(Lifetime)))
		set(a.Annotations, "category", c.Category)
		set(a.Annotations, "kecamatan", c.Kecamatan)
		a.Annotations["closed_at"] = c.ClosedAt.UTC().Format(time.RFC3339)
		a.Annotations["closed"] = shortly(c.ClosedAt, c.StartsAt, v.zone(c.Center))
		out = append(out, a)
	}
	for _, d := range s.Digests {
		a := Alert{
			Labels: map[string]string{
				"alertname": DigestAlert, "kind": "digest", "center": d.Center, "opd": d.OPD, "date": d.Date,
			},
			Annotations: map[string]string{
				"open": fmt.Sprint(d.Open), "at_risk": fmt.Sprint(d.AtRisk), "overdue": fmt.Sprint(d.Overdue),
				"escalated": fmt.Sprint(d.Escalated), "closed": fmt.Sprint(d.Closed),
			},
			StartsAt: d.StartsAt, EndsAt: d.Until,
		}
		set(a.Annotations, "opd_name", v.name(d.Center, d.OPD))
		set(a.Annotations, "list_link", list(d.Center, d.OPD))
		out = append(out, a)
	}
	for _, e := range s.Ended { // last: Alertmanager has the ticket's next alert before the old one goes
		out = append(out, Alert{
			Labels: labels(e.identity), Annotations: map[string]string{}, StartsAt: e.StartsAt, EndsAt: e.EndedAt,
		})
	}
	return out
}

// linked reports whether an OPD's alerts carry links. The pages show an OPD its own: nothing opens for what lies at the
// centre.
func (v *speaker) linked(opd string) bool { return v.links != nil && opd != tracker.NoOPD }

func labels(a identity) map[string]string {
	return map[string]string{
		"alertname": TicketAlert, "kind": "ticket", "center": a.Center, "opd": a.OPD, "level": string(a.Level),
		"ticket": a.Ticket, "priority": cmp.Or(a.Priority, "none"),
	}
}

func set(annotations map[string]string, key, value string) {
	if value != "" {
		annotations[key] = value
	}
}
