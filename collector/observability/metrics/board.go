package metrics

import (
	"cmp"
	"slices"
	"sync/atomic"

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

	complete, lastEvent *prometheus.Desc
	ringNoAnswer, same  *prometheus.Desc
	descs               []*prometheus.Desc
	centers             []*centerGauges
	sets                *sets
}

// SetBoard gives the registry the board to show. It is asked once per scrape, from the scraping goroutine, and may be
// asked from several at once.
func (r *Registry) SetBoard(snapshot func() tracker.Snapshot) { r.board.snapshot.Store(&snapshot) }

// centerGauges are the closed series of one centre.
type centerGauges struct {
	code string
	opds centerOPDs

	waiting, oldestWaiting, unclassified, callBack, stale family
	agents, windows, within                               family
	open, atRisk, overdue, oldestOverdue                  family
}

// family is one gauge of one centre with all its series, whose label pairs are built once. It is read only after
// newBoard; the values of a scrape live beside it.
type family struct {
	desc   *prometheus.Desc
	center string
	n      int // labels after center
	labels [][]*dto.LabelPair
	index  map[labels]int
}

// labels are the values after center; unused ones stay empty.
type labels [4]string

func newFamily(desc *prometheus.Desc, center string, n int) family {
	return family{desc: desc, center: center, n: n, index: map[labels]int{}}
}

// crossed makes a family with the cross product of the sets in all.
func crossed(desc *prometheus.Desc, center string, all ...[]string) family {
	f := newFamily(desc, center, len(all))
	f.cross(labels{}, all)
	return f
}

func (f *family) cross(l labels, all [][]string) {
	if len(all) == 0 {
		f.one(l)
		return
	}
	for _, v := range all[0] {
		l[f.n-len(all)] = v
		f.cross(l, all[1:])
	}
}

func (f *family) one(l labels) {
	f.index[l] = len(f.labels)
	f.labels = append(f.labels, f.pairs(l))
}

func (f *family) pairs(l labels) []*dto.LabelPair {
	return prometheus.MakeLabelPairs(f.desc, append([]string{f.center}, l[:f.n]...))
}

// values holds one scrape's numbers of a family.
type values struct {
	*family
	v     []float64
	extra map[labels]float64 // of fallback labels that no series was made for: rare, and never lost
}

func (f *family) start() values {
	return values{f, make([]float64, len(f.labels)), map[labels]float64{}}
}

func (v values) add(n float64, l ...string) {
	var key labels
	copy(key[:], l)
	if i, ok := v.index[key]; ok {
		v.v[i] += n
		return
	}
	v.extra[key] += n
}

func (v values) send(ch chan<- prometheus.Metric) {
	for i := range v.v {
		ch <- &gauge{v.desc, v.labels[i], v.v[i]}
	}
	for l, n := range v.extra {
		ch <- &gauge{v.desc, v.pairs(l), n}
	}
}

// gauge is a finished sample; prometheus.MustNewConstMetric would build and sort the same labels at every scrape.
type gauge struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	value  float64
}

func (g *gauge) Desc() *prometheus.Desc { return g.desc }

func (g *gauge) Write(m *dto.Metric) error {
	m.Label = g.labels
	m.Gauge = &dto.Gauge{Value: &g.value}
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

// boardNames are the gauges that exist only while the board is complete.
func boardNames() []string {
	return []string{
		"source_last_event_timestamp_seconds", "ring_no_answer_recent", "same_event_tickets", "calls_waiting",
		"call_oldest_waiting_seconds",
		"calls_unclassified", "calls_to_call_back", "agents", "window_calls", "window_calls_within_target", "tickets_stale",
		"tickets_open", "tickets_at_risk",
		"tickets_overdue", "ticket_oldest_overdue_seconds",
	}
}

func newBoard(b *builder, s *sets) *board {
	bd := &board{sets: s}
	desc := func(name string) *prometheus.Desc {
		d := b.desc(name)
		bd.descs = append(bd.descs, d)
		return d
	}
	bd.complete = desc("board_complete")
	bd.lastEvent = desc("source_last_event_timestamp_seconds")
	bd.ringNoAnswer = desc("ring_no_answer_recent")
	bd.same = desc("same_event_tickets")
	waiting, oldestWaiting := desc("calls_waiting"), desc("call_oldest_waiting_seconds")
	unclassified, callBack := desc("calls_unclassified"), desc("calls_to_call_back")
	agents, windows, within, stale := desc("agents"), desc("window_calls"), desc("window_calls_within_target"),
		desc("tickets_stale")
	open, atRisk := desc("tickets_open"), desc("tickets_at_risk")
	overdue, oldestOverdue := desc("tickets_overdue"), desc("ticket_oldest_overdue_seconds")

	var targets []string
	for _, t := range tracker.AnswerTargets() {
		targets = append(targets, secondsLabel(t))
	}
	// The answer clock belongs to calls: no ticket is overdue on it.
	clocks := slices.DeleteFunc(slices.Clone(s.clocks.values), func(c string) bool {
		return c == answerClock || c == Other
	})
	for _, code := range s.centers.values {
		o := s.opds[code]
		g := &centerGauges{
			code: code, opds: o,
			waiting:       crossed(waiting, code),
			oldestWaiting: crossed(oldestWaiting, code),
			unclassified:  crossed(unclassified, code),
			callBack:      crossed(callBack, code),
			stale:         crossed(stale, code),
			agents:        crossed(agents, code, s.agents.values),
			windows:       crossed(windows, code, windowNames(), measureNames()),
			within:        crossed(within, code, windowNames(), targets),
			oldestOverdue: crossed(oldestOverdue, code, o.ids.values),
			open:          newFamily(open, code, 3),
			atRisk:        newFamily(atRisk, code, 2),
			overdue:       newFamily(overdue, code, 4),
		}
		for _, id := range o.ids.values { // an OPD has one scope, so no cross product with it
			scope := o.scopeOf(id)
			g.atRisk.one(labels{id, scope})
			for _, p := range s.given {
				g.open.one(labels{id, p, scope})
				for _, c := range clocks {
					g.overdue.one(labels{id, c, p, scope})
				}
			}
		}
		bd.centers = append(bd.centers, g)
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
		snap = (*f)()
	}
	if !snap.Complete {
		ch <- &gauge{desc: bd.complete}
		return
	}
	ch <- &gauge{desc: bd.complete, value: 1}
	bd.sources(ch, snap.Sources)
	empty := tracker.CenterSnapshot{} // a live centre that nothing was heard of is shown with zeros
	for _, g := range bd.centers {
		c := &empty
		if i := slices.IndexFunc(snap.Centers, func(c tracker.CenterSnapshot) bool { return c.Center == g.code }); i >= 0 {
			c = &snap.Centers[i]
		} else if g.code == Unknown {
			continue // shown once the board has something of a centre that the directory does not know
		}
		bd.center(ch, g, c)
	}
}

func (bd *board) center(ch chan<- prometheus.Metric, g *centerGauges, c *tracker.CenterSnapshot) {
	single := func(f *family, n float64) { ch <- &gauge{f.desc, f.labels[0], n} }
	single(&g.waiting, float64(c.CallsWaiting))
	single(&g.oldestWaiting, c.OldestWaiting.Seconds())
	single(&g.unclassified, float64(c.CallsUnclassified))
	single(&g.callBack, float64(c.CallsToCallBack))
	single(&g.stale, float64(c.Stale))

	s := bd.sets
	v := g.agents.start()
	for _, a := range c.Agents {
		v.add(float64(a.N), s.agents.of(a.Label))
	}
	v.send(ch)

	v = g.windows.start()
	for _, w := range c.Windows {
		v.add(float64(w.N), w.Window, w.Measure)
	}
	v.send(ch)

	v = g.within.start()
	for _, w := range c.Within {
		v.add(float64(w.N), w.Window, secondsLabel(w.Target))
	}
	v.send(ch)

	v = g.open.start()
	for _, t := range c.Open {
		id := g.opds.ids.of(t.OPD)
		v.add(float64(t.N), id, s.priorities.of(t.Priority), g.opds.scopeOf(id))
	}
	v.send(ch)

	v = g.atRisk.start()
	for _, t := range c.AtRisk {
		id := g.opds.ids.of(t.OPD)
		v.add(float64(t.N), id, g.opds.scopeOf(id))
	}
	v.send(ch)

	v = g.overdue.start()
	for _, t := range c.Overdue {
		id := g.opds.ids.of(t.OPD)
		v.add(float64(t.N), id, s.clocks.of(t.Clock), s.priorities.of(t.Priority), g.opds.scopeOf(id))
	}
	v.send(ch)

	v = g.oldestOverdue.start()
	for _, t := range c.OldestOverdue {
		i := g.oldestOverdue.index[labels{g.opds.ids.of(t.OPD)}]
		v.v[i] = max(v.v[i], t.By.Seconds())
	}
	v.send(ch)

	for _, p := range bounded(c.RingNoAnswerRecent, maxPositions) {
		ch <- prometheus.MustNewConstMetric(bd.ringNoAnswer, prometheus.GaugeValue, float64(p.N), g.code, p.Label)
	}
	same := map[[2]string]int{}
	for _, t := range c.SameEvent {
		same[[2]string{s.categories.of(t.Category), s.kecamatan.of(t.Kecamatan)}] += t.N
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
		at := float64(s.LastEventAt.UnixMilli()) / 1000
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
