package simulate

import (
	"hash/fnv"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Message is one CloudEvent with the instant at which its sender hands it over: the time of the event or later, never
// before. The same event may be told in several messages.
type Message struct {
	At    time.Time
	Draft event.RawEvent
}

// Generator invents the events of a preset. It is not safe for concurrent use.
type Generator struct {
	preset    Preset
	o         Options
	zone      *time.Location
	start     int64  // when the world begins; what lies before Options.From is not told
	tag       string // tells the ids of one simulation from those of another
	source    string
	second    string // another source that sees some of the same facts
	timeScale int64  // thousandths

	arrivals arrivals
	coming   *arrival // the next arrival, when it is known already
	drained  bool     // no arrivals are left
	queue    arrivalQueue
	planned  schedule
	messages []planned // room for those of the call that is being planned
	load     *loader

	shifts    shifts
	beat      int64 // the next heartbeat
	nature    natures
	callers   *callers
	calls     stream // waiting, talking, classifying
	places    stream
	tickets   stream
	disturb   stream
	outcomes  stream // of questions
	questions wheel
	callNo    int
	ticketNo  int
	agentNo   int
	kecamatan wheel

	tally *tally
}

// New returns a generator for a preset, or an error that wraps ErrOptions and says which option is wrong.
func New(p Preset, o Options) (*Generator, error) {
	o, err := o.withDefaults(p)
	if err != nil {
		return nil, err
	}
	g := &Generator{
		preset: p, o: o, zone: wib(),
		source:    "simulate/" + string(p),
		second:    "simulate/" + string(p) + "/pbx",
		timeScale: int64(math.Round(o.TimeScale * 1000)),
		calls:     newStream(o.Seed, "calls"),
		places:    newStream(o.Seed, "places"),
		tickets:   newStream(o.Seed, "tickets"),
		disturb:   newStream(o.Seed, "disturbances"),
		outcomes:  newStream(o.Seed, "outcomes"),
		questions: newWheel(each(figures().Questions, func(q question) int64 { return q.Weight })...),
		callers:   newCallers(newStream(o.Seed, "callers"), p == Live),
		nature:    newNatures(p, newStream(o.Seed, "natures")),
	}
	g.tag = tag(p, o)
	g.tally = newTally(p, o)
	g.kecamatan = newWheel(each(figures().Kecamatan, func(k kecamatan) int64 { return k.People })...)
	switch p {
	case Load:
		g.load = newLoader(g)
		return g, nil
	case Sidoarjo2023:
		g.arrivals = newYearArrivals(newStream(o.Seed, "arrivals"), newStream(o.Seed, "plants"))
		g.shifts.perShift = 4
		g.beat = time.Date(2023, time.September, 1, 0, 0, 0, 0, wib()).UnixMilli()
	case Live:
		g.arrivals = newLiveArrivals(o.Seed, o)
		// Enough agents for the busiest hour of the rate, at about half occupancy, within the limit.
		g.shifts.perShift = min(4+int(g.o.Rate*0.16), MaxAgents/3)
		g.beat = o.From.UnixMilli() / minute * minute
	}
	g.shifts.s = newStream(o.Seed, "desk")
	g.start = o.From.UnixMilli()
	if p == Sidoarjo2023 {
		from, _ := span2023()
		g.start = from.UnixMilli()
	}
	g.shifts.nextShift = shiftOf(g.start)
	return g, nil
}

// tag names a simulation in four letters that cannot be read as a number or a word.
func tag(p Preset, o Options) string {
	h := fnv.New64a()
	h.Write([]byte(string(p) + "\x00" + o.Center + "\x00" + strconv.FormatUint(o.Seed, 10)))
	if p != Sidoarjo2023 { // whose ids do not depend on the part that is asked for
		h.Write([]byte(strconv.FormatInt(o.From.UnixMilli(), 10)))
	}
	const letters = "bcdfghjkmnpqrstvwxz"
	n := h.Sum64()
	b := make([]byte, 5)
	for i := range b {
		b[i] = letters[n%uint64(len(letters))]
		n /= uint64(len(letters))
	}
	return string(b)
}

// Next fills m with the next message and reports whether there was one. Messages come in the order of their At.
func (g *Generator) Next(m *Message) bool {
	if !g.ready() {
		return false
	}
	if g.load != nil {
		g.load.next(m)
		return true
	}
	p := g.planned.pop()
	m.At = g.moment(p.deliver)
	m.Draft = p.draft
	g.tally.sent(p)
	if p.of != nil {
		if p.of.pending--; p.of.pending == 0 {
			g.tally.addCase(p.of)
		}
	}
	return true
}

// ready lives on until the next message is certain, and reports whether there is one.
func (g *Generator) ready() bool {
	if g.load != nil {
		return g.load.ready()
	}
	for {
		g.peek()
		if g.planned.len() > 0 && (g.coming == nil || g.planned.earliest() <= g.coming.at) {
			return true
		}
		if g.coming == nil {
			return false
		}
		a := *g.coming
		g.coming = nil
		g.receive(a)
	}
}

// due is when the next message is handed over; ready must have said that there is one.
func (g *Generator) due() time.Time {
	if g.load != nil {
		return g.moment(g.load.until)
	}
	return g.moment(g.planned.earliest())
}

// All iterates over the messages. The pointer is valid until the next one.
func (g *Generator) All() iter.Seq[*Message] {
	return func(yield func(*Message) bool) {
		var m Message
		for g.Next(&m) {
			if !yield(&m) {
				return
			}
		}
	}
}

// Totals is what the messages so far must add up to: of every case whose messages were all handed over. Cases with
// messages still to come are counted in Pending alone; after the last message there are none.
func (g *Generator) Totals() Totals { return g.tally.totals() }

// peek makes the next arrival known and plans what happens on the floor until then.
func (g *Generator) peek() {
	if g.coming != nil || g.drained {
		return
	}
	for {
		a, ok := g.nextArrival()
		if !ok {
			g.drained = true
			if !g.o.To.IsZero() {
				g.advance(g.o.To.UnixMilli())
			}
			return
		}
		if a.at < g.o.From.UnixMilli() {
			// The part before From is lived through but not told, so that a part has the same cases as the whole.
			if g.preset == Sidoarjo2023 {
				g.advance(a.at)
				g.skip(a)
			}
			continue
		}
		g.advance(a.at)
		g.coming = &a
		return
	}
}

// nextArrival takes the earlier of the next new call and the next repeated report.
func (g *Generator) nextArrival() (arrival, bool) {
	if g.queue.fresh == nil {
		if a, ok := g.arrivals.next(); ok {
			g.queue.fresh = &a
		}
	}
	a, ok := g.queue.take()
	if ok && !g.o.To.IsZero() && a.at >= g.o.To.UnixMilli() {
		if g.queue.fresh == nil && len(g.queue.reports) == 0 {
			return arrival{}, false
		}
		return g.nextArrival()
	}
	return a, ok
}

// receive plans a call and all that follows from it.
func (g *Generator) receive(a arrival) {
	inc := &incident{messages: g.messages[:0]}
	g.planCall(inc, a)
	if g.preset == Live {
		g.disturbIncident(inc)
	}
	inc.pending = len(inc.messages)
	g.tally.pending++
	for i := range inc.messages {
		inc.messages[i].of = inc
		g.planned.push(inc.messages[i])
	}
	inc.messages, g.messages = nil, inc.messages
}

// skip plans a call and forgets it.
func (g *Generator) skip(a arrival) { g.planCall(&incident{messages: g.messages[:0]}, a) }

// moment turns an instant of the package into a time in WIB.
func (g *Generator) moment(at int64) time.Time { return time.UnixMilli(at).In(g.zone) }

// say adds a message to an incident and returns its draft for the caller to fill in; the pointer is valid until the
// next call of say.
func (g *Generator) say(inc *incident, t event.Type, subject string, at int64) *event.RawEvent {
	inc.messages = append(inc.messages, planned{deliver: at})
	d := &inc.messages[len(inc.messages)-1].draft
	*d = event.RawEvent{
		Source:  g.source,
		ID:      subject + "." + strconv.Itoa(len(inc.messages)),
		Type:    t,
		Subject: subject,
		Time:    g.moment(at),
		Center:  g.o.Center,
	}
	return d
}

// place draws a kecamatan.
func (g *Generator) place() int { return g.kecamatan.spin(g.places) }

// arrivalQueue merges new calls with repeated reports; there are few of the latter at a time, so a sorted slice serves.
type arrivalQueue struct {
	fresh   *arrival
	reports []arrival // latest first
}

func (q *arrivalQueue) add(a arrival) {
	i := slices.IndexFunc(q.reports, func(r arrival) bool { return r.at < a.at })
	if i < 0 {
		i = len(q.reports)
	}
	q.reports = slices.Insert(q.reports, i, a)
}

func (q *arrivalQueue) take() (a arrival, ok bool) {
	n := len(q.reports)
	switch {
	case q.fresh != nil && (n == 0 || q.fresh.at <= q.reports[n-1].at):
		a, q.fresh = *q.fresh, nil
	case n > 0:
		a, q.reports = q.reports[n-1], q.reports[:n-1]
	default:
		return a, false
	}
	return a, true
}
