package simulate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// The totals are counted from the world, the facts are folded from the messages: two opinions that must agree, whatever
// was repeated, told twice, late, mistyped and corrected on the way.
func TestTotalsEqualTheFoldOfTheMessages(t *testing.T) {
	for name, g := range map[string]*Generator{
		"sidoarjo-2023":    generator(t, Sidoarjo2023, Options{Seed: 7, To: time.Date(2023, 3, 1, 10, 0, 0, 0, wib())}),
		"its end":          generator(t, Sidoarjo2023, Options{Seed: 8, From: time.Date(2023, 10, 9, 10, 0, 0, 0, wib())}),
		"live":             liveDay(t),
		"live, real scale": generator(t, Live, Options{Seed: 5, From: noon(), To: noon().Add(30 * time.Hour), Rate: 20}),
		"load":             generator(t, Load, Options{From: noon(), Cases: 5000}),
	} {
		t.Run(name, func(t *testing.T) {
			// What scope a ticket was opened for shows only once it is assigned: no message tells it before.
			got := folded(t, g)
			totals := g.Totals()
			if totals.Pending != 0 {
				t.Errorf("%d cases are pending after the last message", totals.Pending)
			}
			if d := cmp.Diff(totals.Centers["35.15"], got,
				cmpopts.IgnoreFields(Sums{}, "TicketsOwn", "TicketsVertical")); d != "" {
				t.Errorf("totals (-) differ from the fold (+):\n%s", d)
			}
		})
	}
}

// folded counts what the fold says, in the words of the totals.
func folded(t *testing.T, g *Generator) *CenterTotals {
	t.Helper()
	cases := map[event.Key][]*event.Event{}
	decode(t, g, func(_ *Message, e *event.Event) {
		kept := *e
		cases[e.Key()] = append(cases[e.Key()], &kept)
	})
	scopes := map[string]string{}
	for _, w := range figures().Own {
		scopes[w.OPD], scopes[w.MistakenFor] = scopeOwn, scopeOwn
	}
	for _, w := range figures().Vertical {
		scopes[w.OPD], scopes[w.MistakenFor] = scopeVertical, scopeVertical
	}
	c := newCenterTally()
	calls := map[string]casefile.Call{}
	for key, evs := range cases {
		if key.Kind == event.KindCall {
			k := casefile.FoldCall(key, evs, nil)
			calls[key.ID] = k
			addFoldedCall(c, &k, evs)
		}
	}
	for key, evs := range cases {
		if key.Kind != event.KindTicket {
			continue
		}
		k := casefile.FoldTicket(key, evs, casefile.CallFacts{})
		if k.Master != "" && k.State.Open() { // a simulation merges into open tickets only: it waits for its master
			k.State = casefile.Merged
		}
		var received time.Time
		for _, id := range k.Calls {
			if at := calls[id].ReceivedAt; received.IsZero() || at.Before(received) {
				received = at
			}
		}
		k.ReceivedAt = received
		if len(k.Flags) > 0 {
			t.Errorf("%s: flags %v", key.ID, k.Flags)
		}
		addFoldedTicket(c, &k, calls[k.Calls[0]], scopes)
	}
	return c.copy()
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func addFoldedCall(c *centerTally, k *casefile.Call, evs []*event.Event) {
	t := &c.totals.Calls
	s := Sums{
		Received: 1, Offered: oneIf(!k.OfferedAt().IsZero()), Answered: oneIf(k.Answered()), Tests: oneIf(k.Test()),
		Abandoned: oneIf(!k.AbandonedAt.IsZero()), Unserved: oneIf(!k.UnservedAt.IsZero()),
		Blocked:      oneIf(!k.BlockedAt.IsZero()),
		Unclassified: oneIf(k.Answered() && !k.Classified()),
	}
	if wait, ok := k.AbandonTime(); ok {
		s.AbandonedShort = oneIf(wait < 5*time.Second)
	}
	if !k.Test() && k.Classified() {
		s.Classified, s.Hoax, s.Ghost = 1, oneIf(k.Hoax()), oneIf(k.Class == event.ClassGhost)
	}
	if wait, ok := k.AnswerTime(); ok && !k.Test() {
		s.Within10, s.Within15, s.Within20 = oneIf(wait <= 10*time.Second), oneIf(wait <= 15*time.Second),
			oneIf(wait <= 20*time.Second)
		c.wait[wait.Milliseconds()]++
	}
	if k.UnservedReason != "" {
		t.UnservedByReason[k.UnservedReason]++
	}
	class := k.Class
	if class == "" {
		class = event.ClassBelum
	}
	if k.Answered() {
		t.ByClass[class]++
		t.ByAgent[k.Agent]++
		if k.Kecamatan != "" {
			t.ByKecamatan[k.Kecamatan]++
		}
		if !k.FirstClassAt.IsZero() {
			c.classify[ms(k.FirstClassAt)-ms(k.AnsweredAt)]++
		}
		if !k.EndedAt.IsZero() {
			if c.talk[class] == nil {
				c.talk[class] = durations{}
			}
			talked := ms(k.EndedAt) - ms(k.AnsweredAt)
			c.talk[class][talked]++
			if k.Hoax() {
				t.HoaxTalk += talked
			}
		}
	}
	if !k.AbandonedAt.IsZero() {
		t.CalledBack += oneIf(!k.CalledBackAt.IsZero())
		t.ToCallBack += oneIf(k.CalledBackAt.IsZero())
	}
	// Of these the fold keeps no count; the replaced ones of them are left out by hand.
	replaced := map[string]bool{}
	for _, e := range evs {
		replaced[e.Replaces] = true
	}
	seen := map[string]bool{}
	opinions := int64(0)
	for _, e := range evs {
		if e.Source != firstSource(evs) || replaced[e.ID] || seen[e.ID] {
			continue
		}
		seen[e.ID] = true
		opinions += oneIf(e.Type == event.CallClassified)
		t.RingNoAnswers += oneIf(e.Type == event.CallRingNoAnswer)
	}
	t.Reclassified += max(opinions-1, 0)
	c.add(ms(k.ReceivedAt), s)
}

// firstSource is the source that tells a case whole: of the two, the one with the shorter name.
func firstSource(evs []*event.Event) string {
	least := evs[0].Source
	for _, e := range evs {
		if len(e.Source) < len(least) {
			least = e.Source
		}
	}
	return least
}

func addFoldedTicket(c *centerTally, k *casefile.Ticket, call casefile.Call, scopes map[string]string) {
	t := &c.totals.Tickets
	truth := &ticketTruth{
		work: work{Category: k.Category, OPD: k.OPD, Priority: k.Priority}, scope: scopes[k.OPD], kecamatan: k.Kecamatan,
		opened: ms(k.OpenedAt), departed: ms(k.DepartedAt), arrived: ms(k.ArrivedAt), resolved: ms(k.ResolvedAt),
		lastResolved: ms(k.LastResolvedAt), confirmed: ms(k.ConfirmedAt), result: k.Result, merged: ms(k.MergedAt),
		reopened: k.Reopened, state: string(k.State),
	}
	for i, a := range k.Assignments {
		s := stay{opd: a.OPD, assigned: ms(a.At), acknowledged: ms(a.AcknowledgedAt)}
		if next := i + 1; !a.EndedAt.IsZero() && (next == len(k.Assignments) || !a.EndedAt.Equal(k.Assignments[next].At)) {
			s.rejected = ms(a.EndedAt)
			truth.rejections++
		}
		truth.stays = append(truth.stays, s)
	}
	for _, p := range k.Pauses {
		truth.pauses = append(truth.pauses, pause{ms(p.From), ms(p.To), p.Reason})
	}
	if truth.opd() != k.OPD || truth.bounces() != k.Bounces || truth.open() != k.State.Open() {
		t.ByOPD["the fold contradicts itself"]++
	}
	c.addTicket(&callTruth{answered: ms(call.AnsweredAt), received: ms(k.ReceivedAt)}, truth)
}
