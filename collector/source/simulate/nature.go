package simulate

import "github.com/monev112/monev112/collector/event"

// nature is what a call truly is about.
type nature struct {
	class string // what it will be classified as in the end; empty when nobody ever does
	scope string // of the OPD that its ticket goes to; empty when there is no ticket
	work  work
	hoax  bool // the report is invented, as the OPD will find
}

// natures draws what calls are about.
type natures struct {
	s             stream
	own, vertical []work

	// Sidoarjo2023: exact numbers.
	funnel, ownSampler, verticalSampler *sampler

	// Live: shares.
	classes                 wheel
	ownWheel, verticalWheel wheel
}

func newNatures(p Preset, s stream) natures {
	n := natures{s: s, own: ownWork(), vertical: verticalWork()}
	counts := func(ws []work) []int64 {
		out := make([]int64, len(ws))
		for i, w := range ws {
			out[i] = w.n2023
		}
		return out
	}
	if p == Sidoarjo2023 {
		n.funnel = newSampler(prank2023, own2023, vertical2023)
		n.ownSampler, n.verticalSampler = newSampler(counts(n.own)...), newSampler(counts(n.vertical)...)
		return n
	}
	shares := make([]int64, len(liveShares()))
	for i, c := range liveShares() {
		shares[i] = c.permille
	}
	n.classes = newWheel(shares...)
	n.ownWheel, n.verticalWheel = newWheel(counts(n.own)...), newWheel(counts(n.vertical)...)
	return n
}

type share struct {
	class    string
	permille int64
}

// liveShares is what calls are about on a busy floor: mostly pranks, as published, but with everything else in sight.
func liveShares() []share {
	return []share{
		{event.ClassPrank, 520}, {event.ClassGhost, 120}, {event.ClassNormal, 190}, {event.ClassInformasi, 55},
		{event.ClassPocket, 35}, {event.ClassPutus, 30}, {event.ClassMisrouted, 20}, {"", 18},
		{event.ClassPrankPalsu, 8}, {event.ClassUji, 4},
	}
}

func (n *natures) draw(p Preset, a arrival) nature {
	if p == Sidoarjo2023 {
		switch n.funnel.draw(n.s) {
		case 1:
			return ticketed(scopeOwn, n.own[n.ownSampler.draw(n.s)])
		case 2:
			return ticketed(scopeVertical, n.vertical[n.verticalSampler.draw(n.s)])
		}
		return nature{class: event.ClassPrank}
	}
	if a.flood && n.s.permille(950) {
		return nature{class: event.ClassPrank}
	}
	switch class := liveShares()[n.classes.spin(n.s)].class; class {
	case event.ClassNormal:
		if n.s.permille(400) {
			return ticketed(scopeOwn, n.own[n.ownWheel.spin(n.s)])
		}
		return ticketed(scopeVertical, n.vertical[n.verticalWheel.spin(n.s)])
	case event.ClassPrankPalsu:
		for {
			if w := n.own[n.ownWheel.spin(n.s)]; w.tempo == "fire" || w.tempo == "medical" || w.tempo == "field" {
				return nature{class: class, scope: scopeOwn, work: w, hoax: true}
			}
		}
	default:
		return nature{class: class}
	}
}

// ticketed is a real event: a question when the ticket is one, else normal.
func ticketed(scope string, w work) nature {
	n := nature{class: event.ClassNormal, scope: scope, work: w}
	if w.priority == event.PriorityInformasi {
		n.class = event.ClassInformasi
	}
	return n
}
