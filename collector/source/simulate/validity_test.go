package simulate

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// entropy is a reader of bytes that follow from nothing but themselves: keys for a test.
type entropy struct{ block [32]byte }

func (e *entropy) Read(p []byte) (int, error) {
	for i := range p {
		if i%32 == 0 {
			e.block = sha256.Sum256(e.block[:])
		}
		p[i] = e.block[i%32]
	}
	return len(p), nil
}

// decode runs every message of g through the door and hands the events to each, in order. The door must take them all,
// at the moment at which they are handed over.
func decode(t testing.TB, g *Generator, each func(m *Message, e *event.Event)) {
	t.Helper()
	keys, err := event.NewKeys(&entropy{}, noon())
	if err != nil {
		t.Fatal(err)
	}
	d, err := event.NewDecoder(event.Config{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	var messages []Message
	var last time.Time
	through, refused := int64(0), 0
	flush := func() {
		var b event.Batch
		if err := d.Decode(&b, body, event.NDJSON, messages[len(messages)-1].At); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Refusals {
			if refused++; refused < 10 {
				t.Errorf("refused: %v: %s", r.Error(), r.Raw)
			}
		}
		if len(b.Refusals) == 0 {
			for i := range b.Events {
				through++
				each(&messages[i], &b.Events[i])
			}
		}
		body, messages = nil, nil
	}
	for m := range g.All() {
		if m.At.Before(last) || m.Draft.Time.After(m.At) {
			t.Fatalf("%s is told before it happens or before the message before it", m.Draft.ID)
		}
		last = m.At
		body = append(m.Draft.AppendCloudEvent(body), '\n')
		if messages = append(messages, *m); len(messages) == 2000 {
			flush()
		}
	}
	if len(messages) > 0 {
		flush()
	}
	if sent := g.Totals().Messages.Sent; through != sent {
		t.Errorf("%d events came through the door, %d were sent", through, sent)
	}
}

func TestALiveDayHasAllTheVariety(t *testing.T) {
	g := liveDay(t)
	types := map[event.Type]int{}
	states := map[string]int{}
	sources := map[string]int{}
	callers := map[string]int{}
	decode(t, g, func(_ *Message, e *event.Event) {
		types[e.Type]++
		sources[e.Source]++
		if e.Type == event.AgentState {
			states[e.Result]++
		}
		if e.Type == event.CallReceived && e.Caller.Key != "" {
			callers[e.Caller.Key]++
		}
	})
	for _, typ := range event.Types() {
		// An import's and people's, which a simulation is not.
		if types[typ] == 0 && typ != event.EventWithdrawn && typ != event.TicketExplained && !typ.Kind().OfOffice() {
			t.Errorf("no %s", typ)
		}
	}
	for _, s := range event.AgentStates() {
		if states[s] == 0 {
			t.Errorf("no agent is ever %s", s)
		}
	}
	if len(sources) != 2 {
		t.Errorf("sources: %v", sources)
	}
	totals := g.Totals()
	c := totals.Centers["35.15"]
	for _, class := range event.Classes() {
		if c.Calls.ByClass[class] == 0 {
			t.Errorf("no call is %s", class)
		}
	}
	for _, r := range event.Results() {
		if c.Tickets.ByResult[r] == 0 {
			t.Errorf("no ticket is confirmed %s", r)
		}
	}
	m := totals.Messages
	for what, n := range map[string]int64{
		"repetitions": m.Repetitions, "second source": m.SecondSource, "slips": m.Slips, "late": m.Late,
		"abandoned": c.Calls.Abandoned, "short": c.Calls.AbandonedShort, "unserved": c.Calls.Unserved,
		"blocked": c.Calls.Blocked, "called back": c.Calls.CalledBack, "to call back": c.Calls.ToCallBack,
		"reclassified": c.Calls.Reclassified, "ring no answer": c.Calls.RingNoAnswers, "bounces": c.Tickets.Bounces,
		"rejected": c.Tickets.Rejected, "reopened": c.Tickets.Reopened, "merged": c.Tickets.Merged,
		"paused": c.Tickets.Paused,
		"open":   c.Tickets.Open, "at the centre": c.Tickets.ByOPD[""], "vertical": c.Tickets.ByScope[scopeVertical],
		"fire in time": c.Tickets.FireInTime,
	} {
		if n == 0 {
			t.Errorf("nothing under %q", what)
		}
	}
	if m.Corrections != m.Slips {
		t.Errorf("%d slips and %d corrections", m.Slips, m.Corrections)
	}
	counts := make([]int, 0, len(callers))
	sum := 0
	for _, n := range callers {
		counts = append(counts, n)
		sum += n
	}
	slices.Sort(counts)
	top := 0
	for _, n := range counts[len(counts)-len(counts)/100:] {
		top += n
	}
	if top*10 < sum {
		t.Errorf("the top 1 %% of %d numbers made %d of %d calls; want at least a tenth", len(counts), top, sum)
	}
}

func TestNumbersAreNobodysAndStandInCallerAlone(t *testing.T) {
	for m := range liveDay(t).All() {
		d := m.Draft
		if d.Caller != "" {
			digits := strings.NewReplacer("-", "", "+62", "0").Replace(d.Caller)
			if d.Type != event.CallReceived || !strings.HasPrefix(digits, "0860") || len(digits) != 12 {
				t.Fatalf("%s: caller %q", d.ID, d.Caller)
			}
		}
		number := d.Caller
		d.Caller = ""
		if number != "" && strings.Contains(string(d.AppendCloudEvent(nil)), number) {
			t.Fatalf("%s: the number stands outside caller", d.ID)
		}
	}
}
