package metrics

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/monev112/monev112/collector/tracker"
)

// Bounds of the label sets that only the running system knows. Past a bound the rest is summed under "other".
const (
	maxPositions = 200
	maxSources   = 200
)

// board computes the gauges of the live board at scrape. While no complete snapshot exists it exposes board_complete 0
// and nothing else: a number that is not known is absent, never zero.
type board struct {
	snapshot atomic.Pointer[func() tracker.Snapshot]
	patience time.Duration                         // how long a scrape waits for a snapshot
	late     atomic.Pointer[chan tracker.Snapshot] // where one that took longer will come

	complete, lastEvent *prometheus.Desc
	ringNoAnswer, same  *prometheus.Desc
	descs               map[string]*prometheus.Desc
	gauges              []*centerGauges

	*labels
	agents, categories, kecamatan closed
}

// SetBoard gives the registry the board to show. It is asked once per scrape, from the scraping goroutine, and may be
// asked from several at once.
func (r *Registry) SetBoard(snapshot func() tracker.Snapshot) { r.board.snapshot.Store(&snapshot) }

// centerGauges are the closed series of one centre.
type centerGauges struct {
	code string
	opds centerOPDs

	waiting, oldestWaiting, unclassified, callBack, stale *family
	agents, windows, within                               *family
	unrecorded, emergencies                               *family
	open, atRisk, overdue, oldestOverdue                  *family
}

// family is one gauge of one centre with all its series, whose label pairs are built once. It is read only after
// newBoard; the values of a scrape live beside it.
type family struct {
	desc   *prometheus.Desc
	center string
	pairs  [][]*dto.LabelPair
	index  map[labelValues]int
}

// labelValues are the values after center; unused ones stay empty.
type labelValues [4]string

func (f *family) create(l ...string) {
	var key labelValues
	copy(key[:], l)
	f.index[key] = len(f.pairs)
	f.pairs = append(f.pairs, prometheus.MakeLabelPairs(f.desc, append([]string{f.center}, l...)))
}

// show sends one scrape's values of a family: of every series, with 0 where items have nothing. label gives an item's
// number and label values.
func show[T any](ch chan<- prometheus.Metric, f *family, items []T, label func(T) (int, []string)) {
	values := make([]float64, len(f.pairs))
	extra := map[labelValues]float64{} // of fallback labels that no series was made for: rare, and never lost
	n := 0
	for _, item := range items {
		number, l := label(item)
		var key labelValues
		n = copy(key[:], l)
		if i, ok := f.index[key]; ok {
			values[i] += float64(number)
		} else {
			extra[key] += float64(number)
		}
	}
	for i, v := range values {
		ch <- &sample{f.desc, f.pairs[i], v}
	}
	for key, v := range extra {
		ch <- prometheus.MustNewConstMetric(f.desc, prometheus.GaugeValue, v, append([]string{f.center}, key[:n]...)...)
	}
}

// sample is a finished gauge; prometheus.MustNewConstMetric would build and sort the same labels at every scrape.
type sample struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	value  float64
}

func (s *sample) Desc() *prometheus.Desc { return s.desc }

func (s *sample) Write(m *dto.Metric) error {
	m.Label = s.labels
	m.Gauge = &dto.Gauge{Value: &s.value}
	return nil
}

// Windows and measures of window_calls, as tracker.WindowCount names them.
func windowNames() []string {
	return []string{"hour", "previous_hour", "shift", "previous_shift", "day"}
}

func measureNames() []string {
	return []string{
		"received", "offered", "answered", "within_target", "abandoned", "unserved", "classified", "hoax", "ghost",
		"unclassified",
	}
}

func newBoard(b *builder, v *Vocabulary, shared *labels) *board {
	bd := &board{
		patience:   boardPatience,
		labels:     shared,
		agents:     newClosed(v.AgentStates, Unknown, ""),
		categories: newClosed(v.Categories, Unknown, None),
		kecamatan:  newClosed(v.Kecamatan, Unknown, None),
		descs:      map[string]*prometheus.Desc{},
	}
	desc := func(name string) *prometheus.Desc {
		if bd.descs[name] == nil {
			bd.descs[name] = b.desc(name)
		}
		return bd.descs[name]
	}
	bd.complete = desc("board_complete")
	bd.lastEvent = desc("source_last_event_timestamp_seconds")
	bd.ringNoAnswer = desc("ring_no_answer_recent")
	bd.same = desc("same_event_tickets")
	var targets []string
	for _, t := range tracker.AnswerTargets() {
		targets = append(targets, secondsLabel(t))
	}
	for _, code := range bd.centers.values {
		newFamily := func(name string, sets ...[]string) *family {
			f := &family{desc: desc(name), center: code, index: map[labelValues]int{}}
			for _, l := range combinations(sets...) {
				f.create(l...)
			}
			return f
		}
		opds := bd.opds[code]
		g := &centerGauges{
			code: code, opds: opds,
			waiting:       newFamily("calls_waiting"),
			oldestWaiting: newFamily("call_oldest_waiting_seconds"),
			unclassified:  newFamily("calls_unclassified"),
			callBack:      newFamily("calls_to_call_back"),
			stale:         newFamily("tickets_stale"),
			emergencies:   newFamily("emergencies_overdue"),
			agents:        newFamily("agents", bd.agents.values),
			windows:       newFamily("window_calls", windowNames(), measureNames()),
			within:        newFamily("window_calls_within_target", windowNames(), targets),
			oldestOverdue: newFamily("ticket_oldest_overdue_seconds", opds.values),
			open:          newFamily("tickets_open", nil),
			atRisk:        newFamily("tickets_at_risk", nil),
			overdue:       newFamily("tickets_overdue", nil),
			unrecorded:    newFamily("tickets_unrecorded", nil),
		}
		for _, id := range opds.values { // an OPD has one scope, so no cross product with it
			scope := opds.scope(id)
			g.atRisk.create(id, scope)
			for _, p := range bd.given {
				g.open.create(id, p, scope)
				g.unrecorded.create(id, p, scope)
				for _, c := range bd.ticketClocks() {
					g.overdue.create(id, c, p, scope)
				}
			}
		}
		bd.gauges = append(bd.gauges, g)
	}
	b.register(bd)
	return bd
}

// Describe implements prometheus.Collector.
func (bd *board) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range bd.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (bd *board) Collect(ch chan<- prometheus.Metric) {
	var snap tracker.Snapshot
	if f := bd.snapshot.Load(); f != nil {
		snap = bd.take(*f)
	}
	if !snap.Complete {
		ch <- &sample{desc: bd.complete}
		return
	}
	ch <- &sample{desc: bd.complete, value: 1}
	bd.sources(ch, snap.Sources)
	empty := tracker.CenterSnapshot{} // a live centre that nothing was heard of is shown with zeros
	for _, g := range bd.gauges {
		c := &empty
		if i := slices.IndexFunc(snap.Centers, func(c tracker.CenterSnapshot) bool { return c.Center == g.code }); i >= 0 {
			c = &snap.Centers[i]
		} else if g.code == Unknown {
			continue // shown once the board has something of a centre that the directory does not know
		}
		bd.center(ch, g, c)
	}
}

// boardPatience is how long a scrape waits for the board: much longer than anything keeps it, and shorter than a
// scrape's timeout.
const boardPatience = 2 * time.Second

// take returns the board's figures, or those of an incomplete board where it does not give them in time: a loop that
// stands still must not hide the metric that says so.
func (bd *board) take(snapshot func() tracker.Snapshot) tracker.Snapshot {
	if late := bd.late.Load(); late != nil && len(*late) == 0 {
		return tracker.Snapshot{}
	}
	taken := make(chan tracker.Snapshot, 1)
	go func() { taken <- snapshot() }()
	timer := time.NewTimer(bd.patience)
	defer timer.Stop()
	select {
	case s := <-taken:
		return s
	case <-timer.C:
		bd.late.Store(&taken)
		return tracker.Snapshot{}
	}
}

func (bd *board) center(ch chan<- prometheus.Metric, g *centerGauges, c *tracker.CenterSnapshot) {
	for f, n := range map[*family]float64{
		g.waiting: float64(c.CallsWaiting), g.oldestWaiting: c.OldestWaiting.Seconds(),
		g.unclassified: float64(c.CallsUnclassified), g.callBack: float64(c.CallsToCallBack), g.stale: float64(c.Stale),
		g.emergencies: float64(c.EmergenciesOverdue),
	} {
		ch <- &sample{f.desc, f.pairs[0], n}
	}
	show(ch, g.agents, c.Agents, func(a tracker.LabelCount) (int, []string) {
		return a.N, []string{bd.agents.of(a.Label)}
	})
	show(ch, g.windows, c.Windows, func(w tracker.WindowCount) (int, []string) {
		return w.N, []string{w.Window, w.Measure}
	})
	show(ch, g.within, c.Within, func(w tracker.WithinCount) (int, []string) {
		return w.N, []string{w.Window, secondsLabel(w.Target)}
	})
	ofPriority := func(t tracker.TicketCount) (int, []string) {
		id := g.opds.of(t.OPD)
		return t.N, []string{id, bd.priorities.of(t.Priority), g.opds.scope(id)}
	}
	show(ch, g.open, c.Open, ofPriority)
	show(ch, g.unrecorded, c.Unrecorded, ofPriority)
	show(ch, g.atRisk, c.AtRisk, func(t tracker.TicketCount) (int, []string) {
		id := g.opds.of(t.OPD)
		return t.N, []string{id, g.opds.scope(id)}
	})
	show(ch, g.overdue, c.Overdue, func(t tracker.TicketCount) (int, []string) {
		id := g.opds.of(t.OPD)
		return t.N, []string{id, bd.clocks.of(t.Clock), bd.priorities.of(t.Priority), g.opds.scope(id)}
	})
	oldest := make([]float64, len(g.oldestOverdue.pairs))
	for _, t := range c.OldestOverdue {
		i := g.oldestOverdue.index[labelValues{g.opds.of(t.OPD)}]
		oldest[i] = max(oldest[i], t.By.Seconds())
	}
	for i, seconds := range oldest {
		ch <- &sample{g.oldestOverdue.desc, g.oldestOverdue.pairs[i], seconds}
	}

	for _, p := range bounded(c.RingNoAnswerRecent, maxPositions) {
		ch <- prometheus.MustNewConstMetric(bd.ringNoAnswer, prometheus.GaugeValue, float64(p.N), g.code, p.Label)
	}
	same := map[[2]string]int{}
	for _, t := range c.SameEvent {
		same[[2]string{bd.categories.of(t.Category), bd.kecamatan.of(t.Kecamatan)}] += t.N
	}
	for k, n := range same {
		ch <- prometheus.MustNewConstMetric(bd.same, prometheus.GaugeValue, float64(n), g.code, k[0], k[1])
	}
}

// bounded keeps the most frequent labels and sums the rest under Other.
func bounded(counts []tracker.LabelCount, most int) []tracker.LabelCount {
	merged := map[string]int{}
	for _, c := range counts {
		merged[cmp.Or(validLabel(c.Label), Unknown)] += c.N
	}
	out := make([]tracker.LabelCount, 0, len(merged))
	for l, n := range merged {
		out = append(out, tracker.LabelCount{Label: l, N: n})
	}
	slices.SortFunc(out, func(a, b tracker.LabelCount) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Label, b.Label))
	})
	if len(out) <= most {
		return out
	}
	rest := 0
	kept := out[:most:most]
	for _, c := range out[most:] {
		rest += c.N
	}
	for i := range kept {
		if kept[i].Label == Other {
			kept[i].N += rest
			return kept
		}
	}
	return append(kept, tracker.LabelCount{Label: Other, N: rest})
}

// sources shows when each source last spoke. Past the bound the rest is one series with the earliest time, so that a
// silent source among them still shows.
func (bd *board) sources(ch chan<- prometheus.Metric, all []tracker.SourceSnapshot) {
	last := map[string]float64{}
	for i, s := range all {
		label := cmp.Or(validLabel(s.Source), Unknown)
		at := unixSeconds(s.LastEventAt)
		if i >= maxSources {
			label = Other
		}
		if had, ok := last[label]; !ok || at < had {
			last[label] = at
		}
	}
	for label, at := range last {
		ch <- prometheus.MustNewConstMetric(bd.lastEvent, prometheus.GaugeValue, at, label)
	}
}
