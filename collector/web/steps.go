package web

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// step is what a button of a ticket's page records.
type step struct {
	Name  string // value of the button; the ids of its events begin with it
	Label string
	typ   event.Type
	// reasons are the codes of which one has to be given, in the order in which they are shown; words says them.
	reasons []string
	words   map[string]string
}

// The steps of a ticket's way come first, in their order.
var steps = []step{
	{Name: "diterima", typ: event.TicketAcknowledged, Label: "Diterima"},
	{Name: "berangkat", typ: event.TicketDeparted, Label: "Berangkat"},
	{Name: "tiba", typ: event.TicketArrived, Label: "Tiba di lokasi"},
	{Name: "selesai", typ: event.TicketResolved, Label: "Selesai ditangani"},
	{Name: "dilanjutkan", typ: event.TicketResumed, Label: "Dilanjutkan"},
	{Name: "ditunda", typ: event.TicketPaused, Label: "Ditunda", reasons: pauseCodes, words: pauseReasons},
	{Name: "bukan_kewenangan", typ: event.TicketRejected, Label: "Bukan kewenangan"},
	{Name: "alasan", typ: event.TicketExplained, Label: "Alasan terlambat", reasons: kendala.DelayReasons(),
		words: kendala.DelayWords()},
}

const wayLength = 4

// Options are the reasons of which one has to be given, for a list to choose from.
func (st *step) Options() (out []option) {
	for _, code := range st.reasons {
		out = append(out, option{code, st.words[code]})
	}
	return out
}

// said is the step with the reason that an event of it gives.
func (st *step) said(e *event.Event) string {
	if word := st.words[e.Reason]; word != "" {
		return st.Label + " (" + word + ")"
	}
	return st.Label
}

type option struct{ Code, Word string }

func stepNamed(name string) (*step, bool) {
	i := slices.IndexFunc(steps, func(s step) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return &steps[i], true
}

func stepOf(typ event.Type) *step {
	if i := slices.IndexFunc(steps, func(s step) bool { return s.typ == typ }); i >= 0 {
		return &steps[i]
	}
	return nil
}

// standing is what the buttons of a page follow from: how a ticket stands with the OPD of the link.
type standing struct {
	ticket *casefile.Ticket
	own    func(opd string) bool // whether a name is one of the OPD of the link
	stay   casefile.Assignment
	since  time.Time // the stay, or the last reopening in it
	open   bool      // the OPD works on it, in the regency's power
	late   bool      // on a clock that the OPD answers for
	lateAs string    // what the latest such clock calls the OPD: reasons are joined with clocks by it
	// facts are the events that stand since then, by time; first is the first of each type.
	facts []*event.Event
	first map[event.Type]*event.Event
	// page are all events that the page has sent of the ticket, by id; void are those of them that were taken back.
	page map[string]*event.Event
	void map[*event.Event]bool
}

func (p *Pages) standing(v *visit, row *tracker.Row, events []*event.Event) *standing {
	t := row.Ticket
	s := &standing{ticket: t, own: func(opd string) bool { return p.own(v, opd) },
		stay: lastAssignment(t), first: map[event.Type]*event.Event{},
		page: map[string]*event.Event{}, void: casefile.Voided(events)}
	if s.since = s.stay.At; t.ReopenedAt.After(s.since) {
		s.since = t.ReopenedAt
	}
	s.open = !s.stay.At.IsZero() && s.stay.EndedAt.IsZero() && t.State.Open() && v.opd.Scope == directory.Own
	for _, k := range row.Clocks {
		if v.opd.Scope == directory.Own && t.State != casefile.Merged && p.own(v, k.OPD) && !k.Void &&
			k.State(v.now) == sla.Breached {
			s.late, s.lateAs = true, k.OPD
		}
	}
	for _, e := range events {
		if e.Source == Source {
			s.page[e.ID] = e
		}
	}
	for _, e := range casefile.Standing(slices.Clone(events)) {
		if e.OccurredAt.Before(s.since) {
			continue
		}
		s.facts = append(s.facts, e)
		if s.first[e.Type] == nil {
			s.first[e.Type] = e
		}
	}
	return s
}

// name names the state that a page shows, in the form of its page: when the stay began, and how much the page had sent.
func (s *standing) name() string {
	return strconv.FormatInt(s.stay.At.UnixMilli(), 10) + "." + strconv.Itoa(len(s.page))
}

// sameStay reports whether a name is of the present stay.
func (s *standing) sameStay(name string) bool {
	at, _, _ := strings.Cut(name, ".")
	return at == strconv.FormatInt(s.stay.At.UnixMilli(), 10)
}

// offers reports whether a step can be recorded now.
func (s *standing) offers(st *step) bool {
	switch st.typ {
	case event.TicketExplained:
		return s.late
	case event.TicketAcknowledged:
		return s.open && s.stay.AcknowledgedAt.IsZero()
	case event.TicketDeparted, event.TicketArrived:
		return s.open && s.first[st.typ] == nil
	case event.TicketPaused:
		return s.open && !s.ticket.Paused()
	case event.TicketResumed:
		return s.open && s.ticket.Paused()
	}
	return s.open
}

// done reports whether the step stands already, whoever recorded it.
func (s *standing) done(st *step) bool {
	switch st.typ {
	case event.TicketAcknowledged:
		return !s.stay.AcknowledgedAt.IsZero()
	case event.TicketPaused:
		return s.ticket.Paused()
	case event.TicketResumed, event.TicketExplained:
		return false
	}
	return s.first[st.typ] != nil
}

// latest is the event of a step that stands, the last one where it can be repeated; nil where there is none.
func (s *standing) latest(st *step) *event.Event {
	if st.reasons == nil {
		return s.first[st.typ]
	}
	for _, e := range slices.Backward(s.facts) {
		if e.Type == st.typ {
			return e
		}
	}
	return nil
}

// bounds are between what instants a step can have happened; a zero hi is now.
func (s *standing) bounds(st *step) (lo, hi time.Time) {
	lo = s.since
	after := func(typ event.Type) {
		if e := s.first[typ]; e != nil && e.OccurredAt.After(lo) {
			lo = e.OccurredAt
		}
	}
	switch st.typ {
	case event.TicketDeparted:
		if e := s.first[event.TicketArrived]; e != nil {
			hi = e.OccurredAt
		}
	case event.TicketResolved:
		after(event.TicketArrived)
		after(event.TicketDeparted)
	case event.TicketArrived:
		after(event.TicketDeparted)
	case event.TicketResumed:
		if at := s.ticket.PausedSince(); at.After(lo) {
			lo = at
		}
	}
	return lo, hi
}

// next are the steps of the way that are to come, the next first, and left those before that nobody recorded.
func (s *standing) next() (next, left []*step) {
	reached := 0
	for i := range wayLength {
		if s.done(&steps[i]) {
			reached = i + 1
		}
	}
	for i := range wayLength {
		switch st := &steps[i]; {
		case !s.offers(st):
		case i >= reached:
			next = append(next, st)
		default:
			left = append(left, st)
		}
	}
	if resume := stepOf(event.TicketResumed); s.offers(resume) {
		next = slices.Insert(next, 0, resume)
	}
	return next, left
}

// undoUntil is until when what the page recorded can be taken back by the OPD that did; zero where it cannot.
func (s *standing) undoUntil(v *visit, e *event.Event) time.Time {
	until := e.ReceivedAt.Add(undoWithin)
	if e.Source != Source || stepOf(e.Type) == nil || !s.own(e.OPD) || s.void[e] || e.OccurredAt.Before(s.since) ||
		!v.now.Before(until) {
		return time.Time{}
	}
	return until
}

// justRejected reports whether the OPD of the link has sent the ticket back to the centre with the page, nobody has
// given it to anybody since, and it may still think better of it.
func (p *Pages) justRejected(v *visit, row *tracker.Row, events []*event.Event) bool {
	t := row.Ticket
	if t == nil || t.State != casefile.Rejected {
		return false
	}
	a := lastAssignment(t)
	if !p.own(v, a.OPD) {
		return false
	}
	s := p.standing(v, row, events)
	e := s.first[event.TicketRejected]
	return e != nil && !s.undoUntil(v, e).IsZero()
}

// lastAssignment is zero for a ticket that was never assigned.
func lastAssignment(t *casefile.Ticket) casefile.Assignment {
	if n := len(t.Assignments); n > 0 {
		return t.Assignments[n-1]
	}
	return casefile.Assignment{}
}

// recordID is the same for every press of one button as a page shows it.
func recordID(st *step, key event.Key, opd, stay string) string {
	h := sha256.Sum256([]byte(strings.Join([]string{key.Center, key.ID, opd, stay}, "\x00")))
	return st.Name + "-" + event.Letters(h[:16])
}
