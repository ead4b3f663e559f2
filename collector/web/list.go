package web

import (
	"net/http"
	"strings"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/tracker"
)

// maxListed bounds the tickets of a list; of the rest there is a number.
const maxListed = 50

// list shows an OPD its late tickets, those that are due soon, its trend, what was corrected, or what it searches.
func (p *Pages) list(w http.ResponseWriter, r *http.Request, v *visit) {
	entry := v.entry(audit.Read, "list")
	q := r.URL.Query()
	out := p.listView(v)
	switch number := strings.TrimSpace(q.Get(askNumber)); {
	case number != "":
		if len(number) > event.MaxIDBytes {
			number = number[:event.MaxIDBytes]
		}
		out.View, out.Number = askNumber, strings.ToValidUTF8(number, "")
		out.Found, out.Unsure = p.search(r.Context(), v, out.Number)
		entry.Cases = len(out.Found)
	case q.Get(askView) == viewSoon:
		out.View = viewSoon
	case q.Get(askView) == viewCorrected:
		out.View = viewCorrected
		out.Corrected, out.MoreCorrected, out.Unsure = p.correctedList(r.Context(), v)
	case q.Get(askView) == viewTrend:
		out.View = viewTrend
		out.Trends, out.Unsure = p.trends(r.Context(), v)
	}
	p.cfg.Record(entry)
	p.render(w, http.StatusOK, "list.html", out)
}

const (
	viewSoon      = "segera"
	viewTrend     = "tren"
	viewCorrected = "koreksi"
)

type listView struct {
	OPD, At    string
	Link       string // of the list
	View       string // empty is the list of what is late or at risk
	Open       int
	Late       int // tickets late on some clock
	AtRisk     int
	Unrecorded int          // open tickets whose handling nobody records
	Clocks     []clockCount // late tickets by clock
	Tickets    []listedTicket
	More       int
	Soon       []listedTicket
	SoonAll    int // how many are due soon
	Number     string
	Found      []listedTicket
	Unsure     bool // the database did not answer
	Trends     []trendView
	Holder     string // of a person's link

	Corrected     []correctedView // after they were late
	MoreCorrected int
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
	due := p.cfg.DueSummary(v.target.center, p.cfg.Directory.OPDLabel(v.target.center, v.target.opd), v.now)
	out := listView{
		OPD: v.opd.Name, At: v.instant(v.now), Link: v.token, Open: due.Open, AtRisk: due.AtRisk, Unrecorded: due.Unrecorded,
		More: max(0, len(due.Tickets)-maxListed), SoonAll: len(due.Soon),
	}
	if v.target.kind == kindPerson {
		out.Holder = v.by
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
	for _, t := range due.Soon[:min(maxListed, len(due.Soon))] {
		if row, ok := p.cfg.Row(t.Key); ok && row.Ticket != nil {
			soon := p.listedTicket(v, t, &row)
			soon.Urgency, _ = headline(v, &row) // not all of them are at risk yet
			out.Soon = append(out.Soon, soon)
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
		Link: v.link(d.Key.ID),
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
