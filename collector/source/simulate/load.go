package simulate

import (
	"math"
	"strconv"

	"github.com/monev112/monev112/collector/event"
)

const (
	loadCasesPerSecond = 1000 // simulated, at rate 1
	loadTicketEvery    = 10   // one case in ten is a ticket
	loadEventsPerCase  = 6
)

// loader makes the cases of Load: six events each, one case after another, without a schedule. A case is a call
// (received, queued, ringing, answered, classified, ended) or, one in ten, the ticket of the call before it (opened,
// assigned, acknowledged, arrived, resolved, closed).
type loader struct {
	g      *Generator
	s      stream
	stepNS int64 // simulated time between two cases
	no     int64
	toMS   int64
	works  []work
	wheel  wheel
	shares wheel

	drafts [loadEventsPerCase]event.RawEvent
	given  int // of drafts; all when a new case is due
	until  int64
	call   callTruth
	truth  incident
}

func newLoader(g *Generator) *loader {
	l := &loader{
		g: g, s: newStream(g.o.Seed, "load"), given: loadEventsPerCase, toMS: math.MaxInt64, works: figures().Own,
		stepNS: max(int64(math.Round(1e9/(loadCasesPerSecond*g.o.Rate))), 1),
	}
	if !g.o.To.IsZero() {
		l.toMS = g.o.To.UnixMilli()
	}
	l.wheel = newWheel(each(l.works, often)...)
	l.shares = newWheel(700, 120, 100, 80)
	return l
}

// ready begins the next case when it is due.
func (l *loader) ready() bool { return l.given < loadEventsPerCase || l.begin() }

func (l *loader) next(m *Message) {
	m.Draft = l.drafts[l.given]
	m.At = l.g.moment(l.until)
	l.given++
	l.g.tally.sent(&planned{draft: event.RawEvent{Type: m.Draft.Type}})
	if l.given == loadEventsPerCase {
		l.g.tally.addCase(&l.truth)
	}
}

// begin lives through the next case.
func (l *loader) begin() bool {
	at := l.g.o.From.UnixMilli() + l.no*l.stepNS/1_000_000
	if l.g.o.Cases > 0 && l.no >= l.g.o.Cases || at >= l.toMS {
		return false
	}
	l.no++
	l.given = 0
	l.g.tally.pending++
	if l.no%loadTicketEvery == 0 {
		l.ticket(at)
	} else {
		l.phone(at)
	}
	return true
}

func (l *loader) draft(i int, t event.Type, subject string, at int64) *event.RawEvent {
	d := &l.drafts[i]
	*d = event.RawEvent{
		Source: l.g.source, ID: subject + "." + strconv.Itoa(i+1), Type: t, Subject: subject, Time: l.g.moment(at),
		Center: l.g.o.Center,
	}
	l.until = max(l.until, at) // what is handed over must not go back in time
	return d
}

func (l *loader) phone(at int64) {
	c := callTruth{id: l.g.tag + "-" + pad(int(l.no), 8), received: at, queued: at + 1500}
	c.answered = c.queued + l.s.between(4, 80)*250
	c.firstClass = c.answered + l.s.between(4, 60)*second
	c.ended = max(c.firstClass, c.answered+l.s.between(5, 240)*second)
	c.class = [...]string{event.ClassPrank, event.ClassNormal, event.ClassGhost, event.ClassInformasi}[l.shares.spin(l.s)]
	no := int(l.s.Int64N(40)) + 1
	c.agent, c.position = "op-"+pad(no, 2), "pos-"+pad(no, 2)
	c.kecamatan = figures().Kecamatan[l.g.place()].Code

	d := l.draft(0, event.CallReceived, c.id, c.received)
	d.Caller, d.Channel = "0860"+pad(int(l.s.between(10_000_000, 99_999_999)), 8), event.ChannelPhone
	l.draft(1, event.CallQueued, c.id, c.queued).Queue = queueName
	d = l.draft(2, event.CallRinging, c.id, c.queued+300)
	d.Agent, d.Position = c.agent, c.position
	d = l.draft(3, event.CallAnswered, c.id, c.answered)
	d.Agent, d.Position, d.WaitMS = c.agent, c.position, ptr(c.answered-c.queued)
	d = l.draft(4, event.CallClassified, c.id, c.firstClass)
	d.Agent, d.Class, d.Kecamatan = c.agent, c.class, c.kecamatan
	l.draft(5, event.CallEnded, c.id, c.ended).Agent = c.agent
	l.call = c
	l.truth = incident{call: c}
}

func (l *loader) ticket(at int64) {
	w := l.works[l.wheel.spin(l.s)]
	t := &ticketTruth{
		id: l.g.tag + "-t-" + pad(int(l.no), 8), work: w, scope: scopeOwn, kecamatan: l.call.kecamatan,
		opened: max(at, l.call.firstClass), state: stateClosed,
	}
	assigned := t.opened + l.s.between(5, 300)*second
	acknowledged := assigned + l.s.between(5, 1800)*second
	t.stays = []stay{{opd: w.OPD, assigned: assigned, acknowledged: acknowledged}}
	t.arrived = acknowledged + l.s.between(60, 1800)*second
	t.resolved = t.arrived + l.s.between(60, 7200)*second
	t.lastResolved = t.resolved
	t.closed = t.resolved + l.s.between(60, 3600)*second

	d := l.draft(0, event.TicketOpened, t.id, t.opened)
	d.Calls, d.Category, d.Priority, d.Kecamatan = []string{l.call.id}, w.Category, w.Priority, t.kecamatan
	l.draft(1, event.TicketAssigned, t.id, assigned).OPD = w.OPD
	l.draft(2, event.TicketAcknowledged, t.id, acknowledged).OPD = w.OPD
	l.draft(3, event.TicketArrived, t.id, t.arrived)
	l.draft(4, event.TicketResolved, t.id, t.resolved)
	l.draft(5, event.TicketClosed, t.id, t.closed)
	l.truth = incident{call: l.call, ticket: t, told: true}
}
