package simulate

import (
	"strconv"

	"github.com/monev112/monev112/collector/event"
)

const reasonNotOurs = "bukan_kewenangan"

// life is a ticket being lived through: where it stands now, and how time passes for it.
type life struct {
	g   *Generator
	inc *incident
	t   *ticketTruth
	how tempo
	now int64
}

// after lets time pass: a duration of the spread, in whole seconds, shortened by the time scale, and for offices on to
// the next working hours.
func (l *life) after(d spread) int64 {
	return l.wait(l.g.tickets.draw(d) * 1000 / l.g.timeScale)
}

// wait lets a duration pass that no time scale shortens.
func (l *life) wait(ms int64) int64 {
	l.now += max(ms/second, 1) * second
	if l.how.office && l.g.timeScale == 1000 {
		if open := workingMoment(l.now); open > l.now {
			l.now = open + l.g.tickets.between(60, 2400)*second
		}
	}
	return l.now
}

func (l *life) say(t event.Type) *event.RawEvent {
	l.t.lastFact = l.now
	return l.g.say(l.inc, t, l.t.id, l.now)
}

func (l *life) permille(n int) bool { return l.g.tickets.permille(n) }

// choose is for shares that differ between a tidy past and a live floor.
func (l *life) choose(history, live int) bool {
	if l.g.preset == Live {
		return l.permille(live)
	}
	return l.permille(history)
}

// open begins the ticket that a call leads to.
func (g *Generator) open(inc *incident, n nature) *life {
	l := &life{g: g, inc: inc, how: g.tempos[n.work.tempo]}
	l.how.office, l.now = false, (inc.call.firstClass+second-1)/second*second // the floor never sleeps
	l.after(seconds(3, 8, 20, 60, 180, 400))
	g.ticketNo++
	l.t = &ticketTruth{
		id:   "SDA-" + strconv.Itoa(g.moment(l.now).Year()) + "-" + g.tag + "-" + pad(g.ticketNo, 5),
		work: n.work, scope: n.scope, kecamatan: inc.call.kecamatan, opened: l.now, state: stateOpened,
	}
	inc.ticket = l.t
	d := l.say(event.TicketOpened)
	d.Calls = []string{inc.call.id}
	d.Category, d.Priority, d.Kecamatan = n.work.category, n.work.priority, l.t.kecamatan
	return l
}

// planTicket lives through a ticket, from its opening to wherever it gets.
func (g *Generator) planTicket(inc *incident, n nature, where int) {
	l := g.open(inc, n)
	if c := n.work.category; l.how.field && c != "kdrt" && c != "darurat_medis" && c != "odgj" {
		// Sensitive places are not told at all; the others lie within about three kilometres of the office.
		d := &inc.messages[len(inc.messages)-1].draft
		k := g.kecamatans[where]
		lat := float64(k.lat+g.places.between(-250, 250)) / 10_000
		lon := float64(k.lon+g.places.between(-250, 250)) / 10_000
		d.Lat, d.Lon = &lat, &lon
	}
	g.repeatReports(inc, n)
	if l.choose(0, 10) {
		return // forgotten at the centre
	}
	toAssign := seconds(10, 30, 120, 600, 1800, 5400)
	if n.work.priority == event.PriorityDarurat {
		toAssign = seconds(3, 8, 25, 70, 200, 400)
	}
	l.after(toAssign)
	if !l.astray() {
		return
	}
	l.assign(n.work.opd)
	l.how.office = g.tempos[n.work.tempo].office
	if !l.serve() {
		return
	}
	l.finish()
	if l.permille(25) {
		l.again()
	}
	if n.hoax && l.t.result == event.ResultPalsu {
		inc.call.class = event.ClassPrankPalsu
		inc.call.reclassified++
		g.classify(inc, n, l.t.confirmed+g.tickets.between(60, 900)*second, event.ClassPrankPalsu)
	}
}

// astray sends some tickets to the wrong OPD first. It reports whether the ticket came back.
func (l *life) astray() bool {
	share := 60
	switch {
	case l.t.scope == scopeVertical:
		share = 10
	case l.t.work.priority == event.PriorityDarurat:
		share = 25
	}
	if !l.permille(share) {
		return true
	}
	l.assign(l.t.work.mistakenFor)
	if l.permille(400) {
		l.acknowledge(seconds(20, 60, 300, 1800, 7200, 28800))
	}
	l.after(seconds(60, 300, 1800, 14400, 86400, 172800))
	if l.permille(500) {
		last := &l.t.stays[len(l.t.stays)-1]
		last.rejected = l.now
		l.t.rejections++
		l.t.state = stateRejected
		d := l.say(event.TicketRejected)
		d.Reason, d.OPD = reasonNotOurs, last.opd
		if l.choose(0, 150) {
			return false
		}
		l.after(seconds(30, 120, 600, 3600, 14400, 43200))
	}
	return true
}

func (l *life) assign(opd string) {
	l.t.stays = append(l.t.stays, stay{opd: opd, assigned: l.now})
	l.t.state = stateAssigned
	d := l.say(event.TicketAssigned)
	d.OPD = opd
	if l.g.preset == Live && l.permille(500) {
		d.Due = l.g.moment(l.now + max(l.t.work.targetMinutes*minute*1000/l.g.timeScale, minute))
	}
}

func (l *life) acknowledge(d spread) {
	l.after(d)
	l.stampAcknowledged()
}

func (l *life) stampAcknowledged() {
	last := &l.t.stays[len(l.t.stays)-1]
	last.acknowledged = l.now
	l.t.state = stateAcknowledged
	l.say(event.TicketAcknowledged).OPD = last.opd
}

// serve is the OPD's work up to the resolution. It reports whether it got that far.
func (l *life) serve() bool {
	stuckAt := -1
	if l.choose(12, 25) {
		stuckAt = l.g.tickets.IntN(4)
	}
	if stuckAt == 0 {
		return false
	}
	if neglect := 80; l.g.preset == Live && l.permille(neglect) {
		// Left lying, in real time: what a board is there to show.
		l.wait(l.g.tickets.draw(seconds(900, 2400, 7200, 20_000, 50_000, 90_000)))
		l.stampAcknowledged()
	} else if l.permille(l.how.ackShare) {
		l.acknowledge(l.how.acknowledge)
	} else {
		l.after(l.how.acknowledge)
	}
	if stuckAt == 1 {
		return false
	}
	if l.how.field {
		l.after(l.how.turnout)
		if l.permille(940) {
			l.t.departed = l.now
			l.t.state = stateDeparted
			l.say(event.TicketDeparted)
		}
		if stuckAt == 2 {
			return false
		}
		l.after(l.how.travel)
		if l.permille(960) {
			l.t.arrived = l.now
			l.t.state = stateArrived
			l.say(event.TicketArrived)
		}
	}
	if l.t.work.priority != event.PriorityDarurat && l.permille(80) {
		l.after(seconds(60, 300, 1200, 3600, 7200, 14400))
		p := pause{from: l.now, reason: pauseReasons()[l.g.tickets.IntN(len(pauseReasons()))]}
		d := l.say(event.TicketPaused)
		d.Reason, d.OPD = p.reason, l.t.opd()
		if stuckAt != 3 {
			p.to = l.after(seconds(1800, 7200, 43_200, 172_800, 604_800, 1_209_600))
			l.say(event.TicketResumed)
		}
		l.t.pauses = append(l.t.pauses, p)
	}
	if stuckAt == 3 {
		return false
	}
	l.after(l.how.work)
	return true
}

// finish is the resolution and what the centre does after it.
func (l *life) finish() {
	if l.t.resolved == 0 {
		l.t.resolved = l.now
	}
	l.t.lastResolved = l.now
	l.t.state = stateResolved
	l.say(event.TicketResolved)
	l.how.office = false
	again := l.t.reopened > 0
	if again && l.t.confirmed != 0 || !again && l.permille(l.how.confirmShare) {
		l.t.confirmed = l.after(l.how.confirm)
		l.t.state = stateConfirmed
		l.t.result = event.ResultBenar
		if l.inc.invented {
			l.t.result = event.ResultPalsu
		} else if l.permille(80) {
			l.t.result = event.ResultTidakDitemukan
		}
		l.say(event.TicketConfirmed).Result = l.t.result
	}
	if l.permille(970) {
		l.t.closed = l.after(l.how.closing)
		l.t.state = stateClosed
		l.say(event.TicketClosed)
	}
}

// again reopens a ticket: the lamp went out once more.
func (l *life) again() {
	l.after(seconds(600, 7200, 86_400, 345_600, 604_800, 864_000))
	l.t.reopened++
	l.t.closed = 0
	l.t.state = stateAssigned
	if l.t.stays[len(l.t.stays)-1].acknowledged != 0 {
		l.t.state = stateAcknowledged
	}
	l.say(event.TicketReopened)
	if l.choose(0, 250) {
		return
	}
	l.how.office = l.g.tempos[l.t.work.tempo].office
	l.after(l.how.work)
	l.finish()
}

// repeatReports lets neighbours call about the same event: emergencies in the open are seen by many.
func (g *Generator) repeatReports(inc *incident, n nature) {
	if g.preset != Live || n.hoax || n.scope != scopeOwn || n.work.tempo == "works" || n.work.tempo == "desk" {
		return
	}
	for range 3 {
		if !g.tickets.permille(200) {
			return
		}
		g.again.add(arrival{at: inc.call.received + g.tickets.between(20*second, 8*minute), again: inc})
	}
}

// planDuplicate is the ticket of a repeated report: merged into the first one's, where the agent opened one at all.
func (g *Generator) planDuplicate(inc *incident, n nature, first *incident) {
	if !g.tickets.permille(600) {
		return
	}
	l := g.open(inc, n)
	if l.permille(300) {
		l.after(seconds(5, 15, 30, 90, 200, 400))
		l.assign(n.work.opd)
	}
	l.now = max(l.now, first.ticket.opened)
	l.wait(g.tickets.draw(seconds(20, 40, 90, 240, 600, 1200)))
	l.t.merged, l.t.master, l.t.state = l.now, first.ticket.id, stateMerged
	l.say(event.TicketMerged).Master = l.t.master
}
