package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// maxTimeline bounds the lines of a timeline, the latest ones.
const maxTimeline = 100

// Urgency of what is shown; also the CSS class that colours it.
const (
	late = "late"
	risk = "risk"
	calm = "calm"
	done = "done"
)

// holds reports whether a ticket is with the OPD of the link now. A ticket of another OPD does not exist for it, even
// if it had it once.
func (p *Pages) holds(v *visit, row *tracker.Row) bool {
	return row.Ticket != nil && p.own(v, row.Ticket.OPD)
}

// own reports whether a name is one of the OPD of the link.
func (p *Pages) own(v *visit, name string) bool {
	id, known := p.cfg.Directory.ResolveOPD(v.target.center, name)
	return known && name != "" && id == v.target.opd
}

// find returns the link's ticket, or answers the request itself.
func (p *Pages) find(w http.ResponseWriter, r *http.Request, v *visit) (tracker.Row, []*event.Event, bool) {
	row, events, ok, err := p.look(r.Context(), v, v.ticket)
	switch {
	case errors.Is(err, ErrUnavailable) || err != nil && r.Context().Err() != nil:
		p.notReady(w)
	case err != nil:
		p.cfg.Log.Error("a ticket cannot be looked up for its page", "error", err)
		p.notReady(w)
	case ok && (p.holds(v, &row) || p.justRejected(v, &row, events)):
		return row, events, true
	case v.target.kind == kindPerson:
		p.noTicket(w, v)
	default:
		p.invalidLink(w)
	}
	return tracker.Row{}, nil, false
}

// noTicket answers whoever asks for a ticket that their link does not open.
func (p *Pages) noTicket(w http.ResponseWriter, v *visit) {
	p.render(w, http.StatusNotFound, "notice.html", noticeView{
		Title: "Tiket tidak ada", Lines: []string{"Tiket ini tidak ada, atau tidak lagi berada di OPD Anda."}, Link: v.token,
	})
}

// ticket shows one ticket.
func (p *Pages) ticket(w http.ResponseWriter, r *http.Request, v *visit) {
	row, events, ok := p.find(w, r, v)
	if !ok {
		return
	}
	p.cfg.Record(v.entry(audit.Read, "ticket"))
	p.render(w, http.StatusOK, "ticket.html", p.ticketView(v, &row, events))
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
	Bounces      int
	Reopened     int
	Clocks       []clockView
	Timeline     []timelineLine
	Earlier      int    // lines that the timeline leaves out
	Link         string // of this page, where its forms are sent
	List         string // of the OPD's list; empty where the link opens this ticket alone
	Stay, Form   string // fields of its forms
	Next, Left   []*step
	Offers       bool // some step of the way
	Pause        *step
	Reject       *step
	Explain      *step
	Recorded     []recordedView
	OutsideOfOwn bool // a vertical agency
	Corrected    []correctedView
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

type timelineLine struct{ When, What, Who string }

// recordedView is what is recorded of the OPD's own steps; ID and Until where it can be taken back.
type recordedView struct{ What, When, Who, ID, Until string }

func (p *Pages) ticketView(v *visit, row *tracker.Row, events []*event.Event) ticketView {
	t := row.Ticket
	out := ticketView{
		ID: t.Key.ID, OPD: v.opd.Name, At: v.instant(v.now), Link: v.self(),
		State: stateName(t.State), Paused: t.Paused(), Category: p.category(v, t), Kecamatan: p.kecamatan(v, t),
		Priority: priorityName(t.Priority), Emergency: t.Priority == event.PriorityDarurat,
		Bounces: t.Bounces, Reopened: t.Reopened, OutsideOfOwn: v.opd.Scope != "own",
	}
	if v.target.kind == kindPerson {
		out.List = v.token
	}
	out.Urgency, out.Headline = headline(v, row)
	for i := range row.Clocks {
		if k := &row.Clocks[i]; !k.Void {
			out.Clocks = append(out.Clocks, p.clock(v, t, k))
		}
	}
	slices.SortStableFunc(out.Clocks, func(a, b clockView) int {
		return cmp.Compare(urgencyRank(a.Urgency), urgencyRank(b.Urgency))
	})
	out.Corrected = correctedOf(v, row)
	out.Timeline, out.Earlier = p.timeline(v, t, events)
	st := p.standing(v, row, events)
	out.Stay = st.name()
	out.Form = v.keys.formKey(v.token, out.Link, out.Stay)
	out.Next, out.Left = st.next()
	out.Offers = len(out.Next)+len(out.Left) > 0
	for typ, field := range map[event.Type]**step{
		event.TicketPaused: &out.Pause, event.TicketRejected: &out.Reject, event.TicketExplained: &out.Explain,
	} {
		if of := stepOf(typ); st.offers(of) {
			*field = of
		}
	}
	out.Recorded = recorded(v, st)
	return out
}

// recorded lists the OPD's own steps that stand, the latest first.
func recorded(v *visit, s *standing) (out []recordedView) {
	said := map[*step]bool{}
	for _, e := range slices.Backward(s.facts) {
		st := stepOf(e.Type)
		until := s.undoUntil(v, e)
		if st == nil || said[st] && until.IsZero() || e.Type == event.TicketAcknowledged && e != s.first[e.Type] {
			continue
		}
		said[st] = true
		line := recordedView{What: st.said(e), When: v.instant(e.OccurredAt), Who: who(e)}
		if !until.IsZero() {
			line.ID, line.Until = e.ID, until.In(v.zone).Format("15.04")
		}
		out = append(out, line)
	}
	return out
}

func urgencyRank(urgency string) int { return slices.Index([]string{late, risk, calm, done}, urgency) }

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
		case k.Void || k.Unobserved || k.BreachAt.IsZero() || !k.StoppedAt.IsZero() && !k.StoppedAt.After(v.now):
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
		return late, "Terlambat " + indonesian.Duration(v.now.Sub(lateSince))
	case !riskAt.IsZero():
		return risk, "Mendekati batas waktu, sisa " + indonesian.Duration(riskAt.Sub(v.now))
	case !next.IsZero():
		return calm, "Dalam batas waktu, sisa " + indonesian.Duration(next.Sub(v.now))
	}
	if slices.ContainsFunc(row.Clocks, func(k sla.Clock) bool { return k.State(v.now) == sla.Unobserved }) {
		return calm, "Penanganan tidak tercatat"
	}
	return calm, "Tidak ada batas waktu yang berjalan"
}

func (p *Pages) clock(v *visit, t *casefile.Ticket, k *sla.Clock) clockView {
	used := p.cfg.Book.UsedRatio(k, v.now)
	out := clockView{
		Name: clockName(k.Name), State: clockState(k.State(v.now)), Urgency: calm, Due: v.instant(k.DueAt),
		Used: percent(used), UsedOf100: max(0, min(100, int(used*100))),
		Explain: p.cfg.Book.Explain(k, t, p.cfg.Directory.Scopes(k.Key.Center), v.now, "id"),
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
		out.Paused = indonesian.Duration(time.Duration(k.PausedSeconds) * time.Second)
	}
	stopped := !k.StoppedAt.IsZero() && !k.StoppedAt.After(v.now)
	switch state := k.State(v.now); {
	case state == sla.Unobserved:
		out.Used = ""
	case state == sla.Breached && stopped:
		out.Urgency, out.When = done, "lewat "+indonesian.Duration(k.StoppedAt.Sub(k.BreachAt))
	case stopped:
		out.Urgency = done
	case k.Overdue(v.now):
		out.Urgency, out.When = late, "lewat "+indonesian.Duration(v.now.Sub(k.BreachAt))
	case k.AtRisk(v.now):
		out.Urgency, out.When = risk, "sisa "+indonesian.Duration(k.BreachAt.Sub(v.now))
	case !k.BreachAt.IsZero():
		out.When = "sisa " + indonesian.Duration(k.BreachAt.Sub(v.now))
	}
	return out
}

// timeline says what happened, the latest last. An event that a correction took back is left out, and so is a fact that
// two sources told.
func (p *Pages) timeline(v *visit, t *casefile.Ticket, events []*event.Event) (lines []timelineLine, earlier int) {
	if !t.ReceivedAt.IsZero() {
		lines = append(lines, timelineLine{When: v.instant(t.ReceivedAt), What: "Panggilan masuk"})
	}
	void := casefile.Voided(events)
	shown := map[string]time.Time{}
	for _, e := range events {
		if void[e] {
			continue
		}
		what := p.happened(v, e)
		if at, ok := shown[what]; ok && e.OccurredAt.Sub(at) <= casefile.SameFactWithin {
			continue
		}
		shown[what] = e.OccurredAt
		lines = append(lines, timelineLine{v.instant(e.OccurredAt), what, who(e)})
	}
	if earlier = max(0, len(lines)-maxTimeline); earlier > 0 {
		lines = lines[earlier:]
	}
	return lines, earlier
}

// happened says in words what an event tells. Nothing of its free text is shown.
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
		if r := pauseReasons[e.Reason]; r != "" {
			return what + ": " + r
		}
	case event.TicketExplained:
		if r := kendala.DelayWords()[e.Reason]; r != "" {
			return what + ": " + r
		}
	case event.TicketConfirmed:
		if r := resultNames[e.Result]; r != "" {
			return what + ": " + r
		}
	}
	return what
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
