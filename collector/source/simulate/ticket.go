package simulate

import (
	"strconv"

	"github.com/monev112/monev112/collector/event"
)

const reasonNotOurs = "bukan_kewenangan"

// ticketRun plays a ticket: where it stands now, and how time passes for it.
type ticketRun struct {
	g   *Generator
	inc *incident
	t   *ticketTruth
	how tempo
	now int64
}

// after lets time pass: a duration of the spread, in whole seconds, shortened by the time scale, and for offices on to
// the next working hours.
func (r *ticketRun) after(d spread) int64 {
	return r.wait(r.g.tickets.draw(d) * 1000 / r.g.timeScale)
}

// wait lets a duration pass that no time scale shortens.
func (r *ticketRun) wait(ms int64) int64 {
	r.now += max(ms/second, 1) * second
	if r.how.Office && r.g.timeScale == 1000 {
		if open := workingMoment(r.now); open > r.now {
			r.now = open + r.g.tickets.between(60, 2400)*second
		}
	}
	return r.now
}

func (r *ticketRun) say(t event.Type) *event.RawEvent {
	r.t.lastFact = r.now
	return r.g.say(r.inc, t, r.t.id, r.now)
}

func (r *ticketRun) permille(n int) bool { return r.g.tickets.permille(n) }

// choose is for shares that differ between a tidy past and a live floor.
func (r *ticketRun) choose(history, live int) bool {
	if r.g.preset == Live {
		return r.permille(live)
	}
	return r.permille(history)
}

// open begins the ticket that a call leads to.
func (g *Generator) open(inc *incident, n nature) *ticketRun {
	r := &ticketRun{g: g, inc: inc, how: figures().Tempos[n.work.Tempo]}
	r.how.Office, r.now = false, (inc.call.firstClass+second-1)/second*second // the floor never sleeps
	r.after(seconds(3, 8, 20, 60, 180, 400))
	g.ticketNo++
	r.t = &ticketTruth{
		id:   "SDA-" + strconv.Itoa(g.moment(r.now).Year()) + "-" + g.tag + "-" + pad(g.ticketNo, 5),
		work: n.work, scope: n.scope, kecamatan: inc.call.kecamatan, opened: r.now, state: stateOpened,
	}
	inc.ticket = r.t
	d := r.say(event.TicketOpened)
	d.Calls = []string{inc.call.id}
	d.Category, d.Priority, d.Kecamatan = n.work.Category, n.work.Priority, r.t.kecamatan
	return r
}

// planTicket lives through a ticket, from its opening to wherever it gets.
func (g *Generator) planTicket(inc *incident, n nature, where int) {
	r := g.open(inc, n)
	if c := n.work.Category; r.how.Field && c != "kdrt" && c != "darurat_medis" && c != "odgj" {
		// Sensitive places are not told at all; the others lie within about three kilometres of the office.
		d := &inc.messages[len(inc.messages)-1].draft
		k := figures().Kecamatan[where]
		lat := float64(k.Lat+g.places.between(-250, 250)) / 10_000
		lon := float64(k.Lon+g.places.between(-250, 250)) / 10_000
		d.Lat, d.Lon = &lat, &lon
	}
	g.repeatReports(inc, n)
	if r.choose(0, 10) {
		return // forgotten at the centre
	}
	toAssign := seconds(10, 30, 120, 600, 1800, 5400)
	if n.work.Priority == event.PriorityDarurat {
		toAssign = seconds(3, 8, 25, 70, 200, 400)
	}
	r.after(toAssign)
	if !r.misassign() {
		return
	}
	r.assign(n.work.OPD)
	r.how.Office = figures().Tempos[n.work.Tempo].Office
	r.slow(n.work.OPD)
	if !r.serve() {
		return
	}
	r.finish()
	if r.permille(25) {
		r.reopen()
	}
	if n.hoax && r.t.result == event.ResultPalsu {
		inc.call.class = event.ClassPrankPalsu
		inc.call.reclassified++
		g.classify(inc, n, r.t.confirmed+g.tickets.between(60, 900)*second, event.ClassPrankPalsu)
	}
}

// misassign sends some tickets to the wrong OPD first. It reports whether the ticket came back.
func (r *ticketRun) misassign() bool {
	share := 60
	switch {
	case r.t.scope == scopeVertical:
		share = 10
	case r.t.work.Priority == event.PriorityDarurat:
		share = 25
	}
	if !r.permille(share) {
		return true
	}
	r.assign(r.t.work.MistakenFor)
	if r.permille(400) {
		r.acknowledge(seconds(20, 60, 300, 1800, 7200, 28800))
	}
	r.after(seconds(60, 300, 1800, 14400, 86400, 172800))
	if r.permille(500) {
		last := &r.t.stays[len(r.t.stays)-1]
		last.rejected = r.now
		r.t.rejections++
		r.t.state = stateRejected
		d := r.say(event.TicketRejected)
		d.Reason, d.OPD = reasonNotOurs, last.opd
		if r.choose(0, 150) {
			return false
		}
		r.after(seconds(30, 120, 600, 3600, 14400, 43200))
	}
	return true
}

func (r *ticketRun) assign(opd string) {
	r.t.stays = append(r.t.stays, stay{opd: opd, assigned: r.now})
	r.t.state = stateAssigned
	d := r.say(event.TicketAssigned)
	d.OPD = opd
	if r.g.preset == Live && r.permille(500) {
		d.Due = r.g.moment(r.now + max(r.t.work.DueMinutes*minute*1000/r.g.timeScale, minute))
	}
}

func (r *ticketRun) acknowledge(d spread) {
	r.after(d)
	r.stampAcknowledged()
}

func (r *ticketRun) stampAcknowledged() {
	last := &r.t.stays[len(r.t.stays)-1]
	last.acknowledged = r.now
	r.t.state = stateAcknowledged
	r.say(event.TicketAcknowledged).OPD = last.opd
}

// serve is the OPD's work up to the resolution. It reports whether it got that far.
func (r *ticketRun) serve() bool {
	stuckAt := -1
	if r.choose(12, 25) {
		stuckAt = r.g.tickets.IntN(4)
	}
	if stuckAt == 0 {
		return false
	}
	if neglect := 80; r.g.preset == Live && r.permille(neglect) {
		// Left lying, in real time: what a board is there to show.
		r.wait(r.g.tickets.draw(seconds(900, 2400, 7200, 20_000, 50_000, 90_000)))
		r.stampAcknowledged()
	} else if r.permille(r.how.AcknowledgeShare) {
		r.acknowledge(r.how.Acknowledge)
	} else {
		r.after(r.how.Acknowledge)
	}
	if stuckAt == 1 {
		return false
	}
	if r.how.Field {
		r.after(r.how.Turnout)
		if r.permille(940) {
			r.t.departed = r.now
			r.t.state = stateDeparted
			r.say(event.TicketDeparted)
		}
		if stuckAt == 2 {
			return false
		}
		r.after(r.how.Travel)
		if r.permille(960) {
			r.t.arrived = r.now
			r.t.state = stateArrived
			r.say(event.TicketArrived)
		}
	}
	if r.t.work.Priority != event.PriorityDarurat && r.permille(80) {
		r.after(seconds(60, 300, 1200, 3600, 7200, 14400))
		p := pause{from: r.now, reason: figures().PauseReasons[r.g.tickets.IntN(len(figures().PauseReasons))]}
		d := r.say(event.TicketPaused)
		d.Reason, d.OPD = p.reason, r.t.opd()
		if stuckAt != 3 {
			p.to = r.after(seconds(1800, 7200, 43_200, 172_800, 604_800, 1_209_600))
			r.say(event.TicketResumed)
		}
		r.t.pauses = append(r.t.pauses, p)
	}
	if stuckAt == 3 {
		return false
	}
	r.after(r.how.Work)
	return true
}

// finish is the resolution and what the centre does after it.
func (r *ticketRun) finish() {
	if r.t.resolved == 0 {
		r.t.resolved = r.now
	}
	r.t.lastResolved = r.now
	r.t.state = stateResolved
	r.say(event.TicketResolved)
	r.how.Office = false
	again := r.t.reopened > 0
	if again && r.t.confirmed != 0 || !again && r.permille(r.how.ConfirmShare) {
		r.t.confirmed = r.after(r.g.confirmOf(r.how.Confirm, r.t.opd(), r.now))
		r.t.state = stateConfirmed
		r.t.result = event.ResultBenar
		if r.inc.invented {
			r.t.result = event.ResultPalsu
		} else if r.permille(80) {
			r.t.result = event.ResultTidakDitemukan
		}
		r.say(event.TicketConfirmed).Result = r.t.result
	}
	if r.permille(970) {
		r.t.closed = r.after(r.how.Closing)
		r.t.state = stateClosed
		r.say(event.TicketClosed)
	}
}

// reopen reopens a ticket: the lamp went out once more.
func (r *ticketRun) reopen() {
	r.after(seconds(600, 7200, 86_400, 345_600, 604_800, 864_000))
	r.t.reopened++
	r.t.closed = 0
	r.t.state = stateAssigned
	if r.t.stays[len(r.t.stays)-1].acknowledged != 0 {
		r.t.state = stateAcknowledged
	}
	r.say(event.TicketReopened)
	if r.choose(0, 250) {
		return
	}
	r.how.Office = figures().Tempos[r.t.work.Tempo].Office
	r.after(r.how.Work)
	r.finish()
}

// repeatReports lets neighbours call about the same event: emergencies in the open are seen by many.
func (g *Generator) repeatReports(inc *incident, n nature) {
	if g.preset != Live || n.hoax || n.scope != scopeOwn || n.work.Tempo == "works" || n.work.Tempo == "desk" {
		return
	}
	for range 3 {
		if !g.tickets.permille(200) {
			return
		}
		g.queue.add(arrival{at: inc.call.received + g.tickets.between(20*second, 8*minute), again: inc})
	}
}

// planDuplicate is the ticket of a repeated report: merged into the first one's, where the agent opened one at all.
func (g *Generator) planDuplicate(inc *incident, n nature, first *incident) {
	if !g.tickets.permille(600) {
		return
	}
	r := g.open(inc, n)
	if r.permille(300) {
		r.after(seconds(5, 15, 30, 90, 200, 400))
		r.assign(n.work.OPD)
	}
	r.now = max(r.now, first.ticket.opened)
	r.wait(g.tickets.draw(seconds(20, 40, 90, 240, 600, 1200)))
	r.t.merged, r.t.master, r.t.state = r.now, first.ticket.id, stateMerged
	r.say(event.TicketMerged).Master = r.t.master
}
