package metrics

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/monev112/monev112/collector/event"
)

// Config says which label values exist and which build runs.
type Config struct {
	Version    string
	Revision   string
	GoVersion  string
	Centers    []Center // live centres only; an outcome of another centre counts under center="unknown"
	Vocabulary Vocabulary
	Logger     *slog.Logger // nil discards; used for errors of a scrape
}

// Registry owns every metric of one process. It is safe for concurrent use; create it once and hand its parts to the
// stations: Journal, Store, Shipper, Pager, Calendar, HTTP.
type Registry struct {
	prom   *prometheus.Registry
	logger *slog.Logger
	board  *board
	live   *live
	events *events

	Journal  *Journal
	Store    *Store
	Shipper  *Shipper
	Pager    *Pager
	Calendar *Calendar
	Expected *Expected
	HTTP     *HTTP
}

// New returns a registry with every series of a closed label set created at zero. It fails on a configuration that
// Prometheus would refuse, such as two centres of one code.
func New(cfg Config) (*Registry, error) {
	if err := check(cfg); err != nil {
		return nil, err
	}
	b := newBuilder()
	r := &Registry{prom: b.reg, logger: cfg.Logger}
	if r.logger == nil {
		r.logger = slog.New(slog.DiscardHandler)
	}
	sets := newSets(cfg)
	r.live = newLive(b, sets)
	r.board = newBoard(b, sets)
	r.events = newEvents(b, sets)
	r.Journal = newJournal(b)
	r.Store = newStore(b, sets)
	r.Shipper = newShipper(b)
	r.Pager = newPager(b, sets)
	r.Calendar = newCalendar(b)
	r.Expected = newExpected(b, sets)
	r.HTTP = newHTTP(b, sets)
	names := b.gaugeVec("directory_info")
	for _, c := range cfg.Centers {
		for _, n := range c.Names {
			names.WithLabelValues(c.Code, n.Label, validLabel(n.Value), validLabel(n.Name)).Set(1)
		}
	}
	b.gaugeVec("build_info").WithLabelValues(cfg.Version, cfg.Revision, cfg.GoVersion).Set(1)
	b.register(collectors.NewGoCollector())
	b.register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := b.finish(); err != nil {
		return nil, err
	}
	return r, nil
}

// Gatherer returns the registry for tests and other expositions.
func (r *Registry) Gatherer() prometheus.Gatherer { return r.prom }

func check(cfg Config) error {
	seen := map[string]bool{}
	for _, c := range cfg.Centers {
		if c.Code == "" || c.Code == Unknown {
			return fmt.Errorf("metrics: %q cannot be the code of a centre", c.Code)
		}
		if seen[c.Code] {
			return fmt.Errorf("metrics: centre %q is listed twice", c.Code)
		}
		seen[c.Code] = true
		ids := map[string]bool{}
		for _, o := range c.OPDs {
			if o.ID == "" || o.ID == Unknown || o.ID == None || ids[o.ID] {
				return fmt.Errorf("metrics: centre %q: %q cannot be the id of an OPD, or is listed twice", c.Code, o.ID)
			}
			ids[o.ID] = true
		}
	}
	for _, t := range cfg.Vocabulary.AnswerTargets {
		if t <= 0 {
			return fmt.Errorf("metrics: answer target %s is not positive", t)
		}
	}
	return nil
}

// sets are the closed label sets of a configuration.
type sets struct {
	centers    closed
	opds       map[string]centerOPDs // by centre, Unknown included
	channels   closed
	classes    closed
	priorities closed
	given      []string // the priorities that series are made for at start: the decoder lets no other pass
	unserved   closed
	agents     closed
	categories closed
	kecamatan  closed
	clocks     closed
	intervals  closed
	reasons    closed
	tables     closed
	errors     closed
	levels     closed
	routes     closed
	// alertmanagers have no fallback: without any there is no series.
	alertmanagers []string
	targets       []time.Duration
}

type centerOPDs struct {
	ids   closed
	scope map[string]string
}

func newSets(cfg Config) *sets {
	v := cfg.Vocabulary
	s := &sets{
		opds:          map[string]centerOPDs{},
		channels:      newClosed(v.Channels, event.ChannelOther, ""),
		classes:       newClosed(v.Classes, Unknown, ""),
		priorities:    newClosed(v.Priorities, Unknown, None),
		unserved:      newClosed(v.UnservedReasons, Other, ""),
		agents:        newClosed(v.AgentStates, Unknown, ""),
		categories:    newClosed(v.Categories, Unknown, None),
		kecamatan:     newClosed(v.Kecamatan, Unknown, None),
		clocks:        newClosed(v.Clocks, Other, ""),
		intervals:     newClosed(v.Intervals, Other, ""),
		reasons:       newClosed(v.RejectReasons, Other, ""),
		tables:        newClosed(v.Tables, Other, ""),
		errors:        newClosed(v.StoreErrorKinds, Other, ""),
		levels:        newClosed(v.PagerLevels, Other, ""),
		routes:        newClosed(v.Routes, Other, ""),
		alertmanagers: v.Alertmanagers,
		targets:       slices.Compact(slices.Sorted(slices.Values(v.AnswerTargets))),
	}
	s.given = slices.DeleteFunc(slices.Clone(s.priorities.values), func(p string) bool { return p == Unknown })
	var codes []string
	for _, c := range cfg.Centers {
		codes = append(codes, c.Code)
		o := centerOPDs{scope: map[string]string{}}
		var ids []string
		for _, d := range c.OPDs {
			ids = append(ids, d.ID)
			o.scope[d.ID] = d.Scope
		}
		o.ids = newClosed(ids, Unknown, None)
		s.opds[c.Code] = o
	}
	s.opds[Unknown] = centerOPDs{ids: newClosed(nil, Unknown, None), scope: map[string]string{}}
	s.centers = newClosed(codes, Unknown, "")
	return s
}

// scopeOf returns the scope label of an OPD label value.
func (o centerOPDs) scopeOf(id string) string {
	if id == None {
		return "own" // a ticket that lies at the centre is the centre's own
	}
	if s := o.scope[id]; s != "" {
		return s
	}
	return Unknown
}
