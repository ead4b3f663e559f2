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
	n := natures{s: s, own: figures().Own, vertical: figures().Vertical}
	if p == Sidoarjo2023 {
		n.funnel = newSampler(prank2023, own2023, vertical2023)
		n.ownSampler, n.verticalSampler = newSampler(each(n.own, often)...), newSampler(each(n.vertical, often)...)
		return n
	}
	n.classes = newWheel(each(figures().LiveShares, func(c share) int64 { return c.Permille })...)
	n.ownWheel, n.verticalWheel = newWheel(each(n.own, often)...), newWheel(each(n.vertical, often)...)
	return n
}

// often is the weight of a kind of ticket.
func often(w work) int64 { return w.N2023 }

// each is a figure of each item.
func each[T any](items []T, of func(T) int64) []int64 {
	out := make([]int64, len(items))
	for i, item := range items {
		out[i] = of(item)
	}
	return out
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
	switch class := figures().LiveShares[n.classes.spin(n.s)].Class; class {
	case event.ClassNormal:
		if n.s.permille(400) {
			return ticketed(scopeOwn, n.own[n.ownWheel.spin(n.s)])
		}
		return ticketed(scopeVertical, n.vertical[n.verticalWheel.spin(n.s)])
	case event.ClassPrankPalsu:
		for {
			if w := n.own[n.ownWheel.spin(n.s)]; w.Tempo == "fire" || w.Tempo == "medical" || w.Tempo == "field" {
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
	if w.Priority == event.PriorityInformasi {
		n.class = event.ClassInformasi
	}
	return n
}
