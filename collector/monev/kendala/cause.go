package kendala

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/store/schema"
)

// The causes.
const (
	Data        = "data"        // stamps are missing or contradict each other, or the feed was silent
	ShortWait   = "putus_cepat" // the caller hung up at once
	Ringing     = "dering"      // a telephone rang and was not picked up
	Surge       = "lonjakan"    // more calls in the quarter of an hour than usual
	Staff       = "petugas"     // fewer than two agents took calls
	Hoax        = "hoaks"       // every agent was busy, one of them with a hoax call
	Busy        = "sibuk"       // every agent was busy
	Dispatch    = "disposisi"   // the centre gave it to the OPD late
	Bounce      = "pantulan"    // too long at OPDs that were not the last
	Acknowledge = "terima"      // the OPD acknowledged late
	Turnout     = "berangkat"
	Travel      = "tempuh"
	Pause       = "jeda"       // in time but for pauses beyond their cap
	Work        = "penanganan" // the work itself took longer than the whole target
	Unexplained = "tidak_terjelaskan"
)

// CallCauses and TicketCauses are the causes in the order in which they are tried.
func CallCauses() []string {
	return []string{Data, ShortWait, Ringing, Surge, Staff, Hoax, Busy, Unexplained}
}

// TicketCauses are those of tickets that are late on a clock.
func TicketCauses() []string {
	return []string{Data, Dispatch, Bounce, Acknowledge, Turnout, Travel, Pause, Work, Unexplained}
}

// Answer is the indicator of calls: answered within the target, of all that were offered (measure ketat). The others
// are the clocks of tickets.
const Answer = sla.Answer

// partition is what the causes of calls are told from, prepared.
type partition struct {
	f             *store.CauseFacts
	limits        schema.CauseLimits
	target, short time.Duration
	silences      map[string][]casefile.Span // by source
	surges        map[int64]bool             // by quarter, where they were asked for
}

// Late returns the failing cases of facts with their causes, in order of indicator, id and number, and how many cases
// of each group were decided.
func Late(f *store.CauseFacts, targets store.FigureTargets) ([]store.CauseCase, map[Group]int) {
	p := &partition{f: f, limits: schema.Causes(), target: time.Duration(targets.Answer) * time.Second,
		short: time.Duration(targets.Short) * time.Second, surges: map[int64]bool{}}
	p.silences = p.findSilences()
	decided := map[Group]int{}
	var out []store.CauseCase
	for i := range f.Calls {
		c := &f.Calls[i]
		wait, known := c.AnswerTime()
		if c.OfferedAt().IsZero() || !known && !c.AnsweredAt.IsZero() {
			continue
		}
		decided[Group{Answer, sla.ScopeOwn, ""}]++
		if !known || wait > p.target {
			out = append(out, store.CauseCase{Indicator: Answer, ID: c.Key.ID, Scope: sla.ScopeOwn, Category: c.Category,
				Kecamatan: c.Kecamatan, At: c.At(), Cause: p.callCause(c)})
		}
	}
	for i := range f.Clocks {
		k := &f.Clocks[i]
		state := k.State(f.At)
		if state != sla.Met && state != sla.Breached {
			continue
		}
		c := store.CauseCase{Indicator: k.Name, ID: k.Key.ID, Seq: k.Seq, OPD: k.OPD, Scope: k.Scope, Category: k.Category,
			Priority: k.Priority, Kecamatan: k.Kecamatan, At: k.StartedAt}
		if c.Scope == "" {
			c.Scope = sla.ScopeOwn
		}
		decided[Group{k.Name, c.Scope, k.OPD}]++
		if state == sla.Breached {
			c.Cause, c.Reason = p.ticketCause(k)
			c.Stated = f.Stated[k.Key.ID][k.OPD]
			out = append(out, c)
		}
	}
	slices.SortFunc(out, compareCases)
	return out, decided
}

// moment is when a call should have been answered, or until when its caller waited.
func (p *partition) moment(c *store.CauseCall) time.Time {
	m := c.OfferedAt().Add(p.target)
	if c.AnsweredAt.IsZero() {
		for _, t := range []time.Time{c.AbandonedAt, c.UnservedAt} {
			if !t.IsZero() && t.Before(m) {
				m = t
			}
		}
	}
	return m
}

func (p *partition) callCause(c *store.CauseCall) string {
	m := p.moment(c)
	gone, hungUp := c.AbandonTime()
	quarter := c.At().Unix() / 900 * 900
	switch {
	case p.callBroken(c) || p.silent(c, m):
		return Data
	case hungUp && gone < p.short:
		return ShortWait
	case c.Missed || !c.RangAt.IsZero() && m.Sub(c.RangAt) >= p.limits.Ringing:
		return Ringing
	case p.surge(quarter):
		return Surge
	}
	switch fl := p.floor(m); {
	case fl.observed == 0:
		return Unexplained
	case fl.signed < p.limits.Agents:
		return Staff
	case fl.busy == fl.signed && fl.hoax > 0:
		return Hoax
	case fl.busy == fl.signed:
		return Busy
	}
	return Unexplained
}

// before reports whether both instants are known and a lies before b.
func before(a, b time.Time) bool { return !a.IsZero() && !b.IsZero() && a.Before(b) }

// callBroken reports whether stamps of a call are missing or contradict each other.
func (p *partition) callBroken(c *store.CauseCall) bool {
	begun, unanswered := c.OfferedAt(), c.AnsweredAt.IsZero()
	switch {
	case unanswered && c.Classified():
		return true
	case before(c.QueuedAt, c.ReceivedAt), before(c.AnsweredAt, begun), before(c.AnsweredAt, c.ReceivedAt),
		before(c.AbandonedAt, begun), before(c.UnservedAt, begun), before(c.EndedAt, c.AnsweredAt):
		return true
	case !unanswered:
		return !c.AbandonedAt.IsZero()
	}
	return c.AbandonedAt.IsZero() && c.UnservedAt.IsZero()
}

// findSilences finds when the sources that send heartbeats were silent.
func (p *partition) findSilences() map[string][]casefile.Span {
	out := map[string][]casefile.Span{}
	for source, beats := range p.f.Beats {
		if len(beats) < p.limits.BeatsAtLeast {
			continue
		}
		var steps []time.Duration
		var gaps []casefile.Span
		for i := range beats[1:] {
			step := beats[i+1].Sub(beats[i])
			steps = append(steps, step)
			if step > p.limits.BeatGap {
				gaps = append(gaps, casefile.Span{From: beats[i], To: beats[i+1]})
			}
		}
		slices.Sort(steps)
		if steps[(len(steps)+1)/2-1] <= p.limits.BeatUsual {
			out[source] = gaps
		}
	}
	return out
}

func (p *partition) silent(c *store.CauseCall, m time.Time) bool {
	return slices.ContainsFunc(c.Via, func(source string) bool {
		return slices.ContainsFunc(p.silences[source], func(s casefile.Span) bool {
			return s.From.Before(m) && m.Before(s.To)
		})
	})
}

// surge reports whether a quarter had more calls than is usual for its hour of the week.
func (p *partition) surge(quarter int64) bool {
	n := p.f.Quarters[quarter]
	if n < p.limits.SurgeCalls {
		return false
	}
	if known, ok := p.surges[quarter]; ok {
		return known
	}
	const hour, week = 3600, 7 * 24 * 3600
	var usual []float64
	weeks := 0
	for w := range int64(p.limits.SurgeWeeks) {
		start := quarter/hour*hour - (w+1)*week
		if !p.callsAround(start) {
			continue
		}
		weeks++
		for i := range int64(4) {
			usual = append(usual, float64(p.f.Quarters[start+i*900]))
		}
	}
	surge := false
	if weeks >= p.limits.SurgeLeastWeeks {
		middle, deviation := store.MedianAndMAD(usual)
		surge = float64(n) > middle+float64(p.limits.SurgeMAD)*deviation
	}
	p.surges[quarter] = surge
	return surge
}

// callsAround reports whether a call came within 12 hours of an hour.
func (p *partition) callsAround(hour int64) bool {
	for q := hour - 12*3600; q < hour+13*3600; q += 900 {
		if p.f.Quarters[q] > 0 {
			return true
		}
	}
	return false
}

// floor counts the agents at a moment: whose state was known; who took calls; of these who were busy, and who had a
// hoax call.
type floor struct{ observed, signed, busy, hoax int }

func (p *partition) floor(m time.Time) (fl floor) {
	for who, states := range p.f.Agents {
		i, found := slices.BinarySearchFunc(states, m, func(s store.AgentState, m time.Time) int {
			return s.Since.Compare(m)
		})
		if !found {
			i--
		}
		if i < 0 || states[i].Since.Before(m.Add(-p.limits.StateAge)) {
			continue
		}
		fl.observed++
		state := states[i].State
		if state != event.AgentAvailable && state != event.AgentBusy && state != event.AgentWrapup {
			continue
		}
		fl.signed++
		talk, talking := p.talk(who, m)
		if talking || state != event.AgentAvailable {
			fl.busy++
		}
		if talking && talk.Hoax {
			fl.hoax++
		}
	}
	return fl
}

// talk returns the talk that an agent has at a moment: the last that began, unless it was over.
func (p *partition) talk(who string, m time.Time) (store.Talk, bool) {
	talks := p.f.Talks[who]
	i, found := slices.BinarySearchFunc(talks, m, func(t store.Talk, m time.Time) int { return t.From.Compare(m) })
	if !found {
		i--
	}
	if i < 0 || !talks[i].To.After(m) {
		return store.Talk{}, false
	}
	return talks[i], true
}
