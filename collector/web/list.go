package web

import (
	"net/http"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/tracker"
)

// maxListed bounds the tickets of a list; of the rest there is a number.
const maxListed = 50

// list shows an OPD its late tickets.
func (p *Pages) list(w http.ResponseWriter, v *visit) {
	p.cfg.Record(v.entry(audit.Read, "list"))
	p.render(w, http.StatusOK, "list.html", p.listView(v))
}

type listView struct {
	OPD, At string
	Open    int
	Late    int // tickets late on some clock
	AtRisk  int
	Clocks  []clockCount // late tickets by clock
	Tickets []listedTicket
	More    int
}

type clockCount struct {
	Name string
	N    int
}

type listedTicket struct {
	ID, Link  string
	Urgency   string
	What      string // category, kecamatan
	Priority  string
	Emergency bool
	When      string // late by, or left
	Due       string
	Clock     string
	Received  bool // acknowledged by the OPD
	Paused    bool
}

func (p *Pages) listView(v *visit) listView {
	due := p.cfg.DueSummary(v.target.center, p.cfg.Directory.Label(v.target.center, v.target.opd), v.now)
	out := listView{
		OPD: v.opd.Name, At: v.instant(v.now), Open: due.Open, AtRisk: due.AtRisk, More: max(0, len(due.Tickets)-maxListed),
	}
	for _, k := range due.Overdue {
		out.Clocks = append(out.Clocks, clockCount{clockName(k.Label), k.N})
	}
	for i, t := range due.Tickets {
		if t.Late {
			out.Late++
		}
		if i >= maxListed {
			continue
		}
		if row, ok := p.cfg.Row(t.Key); ok && row.Ticket != nil { // not removed since the summary
			out.Tickets = append(out.Tickets, p.listedTicket(v, t, &row))
		}
	}
	return out
}

func (p *Pages) listedTicket(v *visit, d tracker.DueTicket, row *tracker.Row) listedTicket {
	t := row.Ticket
	out := listedTicket{
		ID: d.Key.ID, Urgency: risk, What: p.what(v, t), Priority: priorityName(t.Priority),
		Emergency: t.Priority == event.PriorityDarurat,
		Received:  !lastAssignment(t).AcknowledgedAt.IsZero(),
		When:      "sisa " + indonesian.Duration(d.At.Sub(v.now)), Due: v.instant(d.At), Paused: t.Paused(),
		// A link of the list opens a ticket for as long as the list itself, and not a day longer.
		Link: p.cfg.Links.sign(target{
			kind: kindTicket, center: v.target.center, opd: v.target.opd, id: d.Key.ID, expires: v.target.expires,
		}, v.now),
	}
	if d.Late {
		out.Urgency, out.When = late, "terlambat "+indonesian.Duration(v.now.Sub(d.At))
	}
	for i := range row.Clocks {
		if k := &row.Clocks[i]; !k.Void && !k.Unobserved && k.StoppedAt.IsZero() &&
			k.BreachAt.UnixMilli() == d.At.UnixMilli() {
			out.Clock, out.Due = clockName(k.Name), v.instant(k.DueAt)
			break
		}
	}
	return out
}

// what says what a ticket is about and where, as far as it may be shown.
func (p *Pages) what(v *visit, t *casefile.Ticket) string {
	category, kecamatan := p.category(v, t), p.kecamatan(v, t)
	switch {
	case category != "" && kecamatan != "":
		return category + ", Kec. " + kecamatan
	case kecamatan != "":
		return "Kec. " + kecamatan
	}
	return category
}
