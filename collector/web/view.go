package web

import (
	"cmp"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// The urgency of what is shown; also the class of its colour.
const (
	late = "late"
	risk = "risk"
	calm = "calm"
	done = "done"
)

type listView struct {
	OPD     string
	At      string
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
	a := p.cfg.Attention(v.target.center, p.cfg.Directory.Label(v.target.center, v.target.opd), v.now)
	out := listView{OPD: v.opd.Name, At: v.instant(v.now), Open: a.Open, AtRisk: a.AtRisk}
	for _, k := range a.Overdue {
		out.Clocks = append(out.Clocks, clockCount{clockName(k.Label), k.N})
	}
	for _, t := range a.Tickets {
		if t.Late {
			out.Late++
		}
	}
	listed := a.Tickets[:min(len(a.Tickets), maxListed)]
	out.More = len(a.Tickets) - len(listed)
	for _, d := range listed {
		row, ok := p.cfg.Row(d.Key)
		if !ok || row.Ticket == nil { // it went between the two looks
			continue
		}
		out.Tickets = append(out.Tickets, p.listed(v, d, &row))
	}
	return out
}

func (p *Pages) listed(v *visit, d tracker.DueTicket, row *tracker.Row) listedTicket {
	t := row.Ticket
	out := listedTicket{
		ID: d.Key.ID, Urgency: risk, What: p.what(v, t), Priority: priorityName(t.Priority),
		Emergency: t.Priority == event.PriorityDarurat,
		When:      "sisa " + length(d.At.Sub(v.now)), Due: v.instant(d.At), Paused: t.Paused(),
		// A link of the list opens a ticket for as long as the list itself, and not a day longer.
		Link: p.cfg.Links.sign(target{
			kind: kindTicket, center: v.target.center, opd: v.target.opd, id: d.Key.ID, expires: v.target.expires,
		}, v.now),
	}
	if d.Late {
		out.Urgency, out.When = late, "terlambat "+length(v.now.Sub(d.At))
	}
	if n := len(t.Assignments); n > 0 {
		out.Received = !t.Assignments[n-1].AcknowledgedAt.IsZero()
	}
	for i := range row.Clocks {
		if k := &row.Clocks[i]; !k.Void && k.StoppedAt.IsZero() && k.BreachAt.UnixMilli() == d.At.UnixMilli() {
			out.Clock, out.Due = clockName(k.Name), v.instant(k.DueAt)
			break
		}
	}
	return out
}

type ticketView struct {
	ID, OPD      string
	At           string
	Urgency      string
	Headline     string
	State        string
	Paused       bool
	Category     string
	Kecamatan    string
	Priority     string
	Emergency    bool
	Opened       string
	Bounces      int
	Reopened     int
	Clocks       []clockView
	Timeline     []timelineLine
	Earlier      int    // lines that the timeline leaves out
	Offer        bool   // the button
	Token        string //
	Stay, Form   string
	Acknowledged string // when the OPD acknowledged; empty when it has not
	OutsideOfOwn bool   // a vertical agency
}

type clockView struct {
	Name, State, Urgency string
	Due, Gross           string
	Used                 string
	UsedOf100            int
	Paused               string
	When                 string
	Explain              []string
}

type timelineLine struct{ When, What string }

func (p *Pages) ticketView(v *visit, row *tracker.Row, events []*event.Event) ticketView {
	t := row.Ticket
	out := ticketView{
		ID: t.Key.ID, OPD: v.opd.Name, At: v.instant(v.now), Token: v.token,
		State: stateName(t.State), Paused: t.Paused(), Category: p.category(v, t), Kecamatan: p.kecamatan(v, t),
		Priority: priorityName(t.Priority), Emergency: t.Priority == event.PriorityDarurat,
		Opened: v.instant(t.OpenedAt), Bounces: t.Bounces, Reopened: t.Reopened, OutsideOfOwn: v.opd.Scope != "own",
	}
	out.Urgency, out.Headline = headline(v, row)
	for i := range row.Clocks {
		if k := &row.Clocks[i]; !k.Void {
			out.Clocks = append(out.Clocks, p.clock(v, t, k))
		}
	}
	slices.SortStableFunc(out.Clocks, func(a, b clockView) int { return cmp.Compare(rank(a.Urgency), rank(b.Urgency)) })
	out.Timeline, out.Earlier = p.timeline(v, t, events)
	if n := len(t.Assignments); n > 0 && !t.Assignments[n-1].AcknowledgedAt.IsZero() {
		out.Acknowledged = v.instant(t.Assignments[n-1].AcknowledgedAt)
	}
	var at time.Time
	if at, out.Offer = p.offered(v, row); out.Offer {
		out.Stay = stayName(at)
		out.Form = p.cfg.Links.formKey(v.token, out.Stay, v.now)
	}
	return out
}

func rank(urgency string) int { return slices.Index([]string{late, risk, calm, done}, urgency) }

// headline says in one line how the ticket stands.
func headline(v *visit, row *tracker.Row) (urgency, text string) {
	if !row.Ticket.State.Open() {
		return done, stateName(row.Ticket.State)
	}
	var lateSince, riskAt, next time.Time
	earlier := func(at *time.Time, other time.Time) {
		if at.IsZero() || other.Before(*at) {
			*at = other
		}
	}
	for i := range row.Clocks {
		switch k := &row.Clocks[i]; {
		case k.Void || k.BreachAt.IsZero() || !k.StoppedAt.IsZero() && !k.StoppedAt.After(v.now):
		case k.Overdue(v.now):
			earlier(&lateSince, k.BreachAt)
		case k.AtRisk(v.now):
			earlier(&riskAt, k.BreachAt)
		default:
			earlier(&next, k.BreachAt)
		}
	}
	switch {
	case !lateSince.IsZero():
		return late, "Terlambat " + length(v.now.Sub(lateSince))
	case !riskAt.IsZero():
		return risk, "Mendekati batas waktu, sisa " + length(riskAt.Sub(v.now))
	case !next.IsZero():
		return calm, "Dalam batas waktu, sisa " + length(next.Sub(v.now))
	}
	return calm, "Tidak ada batas waktu yang berjalan"
}

func (p *Pages) clock(v *visit, t *casefile.Ticket, k *sla.Clock) clockView {
	used := p.cfg.Book.UsedRatio(k, v.now)
	out := clockView{
		Name: clockName(k.Name), State: clockState(k.State(v.now)), Urgency: calm, Due: v.instant(k.DueAt),
		Used: percent(used), UsedOf100: max(0, min(100, int(used*100))), Explain: p.cfg.Book.Explain(k, t, v.now, "id"),
	}
	if k.OPD != "" {
		if id, known := p.cfg.Directory.ResolveOPD(v.target.center, k.OPD); known && id != v.target.opd &&
			k.Name == sla.Acknowledge {
			out.Name += " (OPD sebelumnya)"
		}
	}
	if !k.GrossDueAt.Equal(k.DueAt) {
		out.Gross = v.instant(k.GrossDueAt)
	}
	if k.PausedSeconds > 0 {
		out.Paused = length(time.Duration(k.PausedSeconds) * time.Second)
	}
	stopped := !k.StoppedAt.IsZero() && !k.StoppedAt.After(v.now)
	switch {
	case k.State(v.now) == sla.Breached && stopped:
		out.Urgency, out.When = done, "lewat "+length(k.StoppedAt.Sub(k.BreachAt))
	case stopped:
		out.Urgency = done
	case k.Overdue(v.now):
		out.Urgency, out.When = late, "lewat "+length(v.now.Sub(k.BreachAt))
	case k.AtRisk(v.now):
		out.Urgency, out.When = risk, "sisa "+length(k.BreachAt.Sub(v.now))
	case !k.BreachAt.IsZero():
		out.When = "sisa " + length(k.BreachAt.Sub(v.now))
	}
	return out
}

// timeline says what happened, the latest last. An event that a correction took back is left out, and so is a fact that
// two sources told.
func (p *Pages) timeline(v *visit, t *casefile.Ticket, events []*event.Event) (lines []timelineLine, earlier int) {
	if !t.ReceivedAt.IsZero() {
		lines = append(lines, timelineLine{v.instant(t.ReceivedAt), "Panggilan masuk"})
	}
	type replaced struct{ source, id string }
	void := map[replaced]bool{}
	for _, e := range events {
		if e.Replaces != "" && e.Replaces != e.ID {
			void[replaced{e.Source, e.Replaces}] = true
		}
	}
	told := map[string]time.Time{}
	for _, e := range events {
		if void[replaced{e.Source, e.ID}] {
			continue
		}
		what := p.happened(v, e)
		if at, ok := told[what]; ok && e.OccurredAt.Sub(at) <= casefile.SameFactWithin {
			continue
		}
		told[what] = e.OccurredAt
		lines = append(lines, timelineLine{v.instant(e.OccurredAt), what})
	}
	if earlier = max(0, len(lines)-maxTimeline); earlier > 0 {
		lines = lines[earlier:]
	}
	return lines, earlier
}

// happened says one event in words. Nothing of its free fields is shown.
func (p *Pages) happened(v *visit, e *event.Event) string {
	what := typeName(e.Type)
	switch e.Type {
	case event.TicketAssigned:
		if id, known := p.cfg.Directory.ResolveOPD(v.target.center, e.OPD); known {
			o, _ := p.cfg.Directory.OPD(v.target.center, id)
			return what + " ke " + o.Name
		}
		return what + " ke OPD lain"
	case event.TicketPaused:
		if r := pauseReason(e.Reason); r != "" {
			return what + ": " + r
		}
	case event.TicketConfirmed:
		if r := resultName(e.Result); r != "" {
			return what + ": " + r
		}
	}
	return what
}

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

// category names a category that is known and not sensitive. All else stays unnamed: a name that the directory does not
// know may be anything.
func (p *Pages) category(v *visit, t *casefile.Ticket) string {
	if c, ok := p.cfg.Directory.Category(v.target.center, t.Category); ok && !c.Sensitive {
		return c.Name
	}
	return ""
}

func (p *Pages) kecamatan(v *visit, t *casefile.Ticket) string {
	k, _ := p.cfg.Directory.Kecamatan(v.target.center, t.Kecamatan)
	return k.Name
}
