package metrics

import (
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
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

// Registry owns every metric of one process. It is safe for concurrent use; create it once and hand its parts to those
// who do IO: Journal, Store, Shipper, Pager, Delivery, Calendar, HTTP.
type Registry struct {
	prom     *prometheus.Registry
	logger   *slog.Logger
	board    *board
	outcomes *outcomes
	events   *events

	Journal  *Journal
	Store    *Store
	Shipper  *Shipper
	Pager    *Pager
	Delivery *Delivery
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
	v, labels := &cfg.Vocabulary, newLabels(cfg)
	r.outcomes = newOutcomes(b, v, labels)
	r.board = newBoard(b, v, labels)
	r.events = newEvents(b, v)
	r.Journal = newJournal(b)
	r.Store = newStore(b, v)
	r.Shipper = newShipper(b)
	r.Pager = newPager(b, v)
	r.Delivery = newDelivery(b)
	r.Calendar = &Calendar{b.gauge("calendar_covered_until_timestamp_seconds")}
	r.Expected = &Expected{b.gauge("calls_expected"), b.gauge("facts_never_recorded"), labels.centers}
	r.HTTP = newHTTP(b, v)
	names := b.gauge("directory_info")
	for _, c := range cfg.Centers {
		for _, n := range c.Names {
			names.WithLabelValues(c.Code, n.Label, validLabel(n.Value), validLabel(n.Name)).Set(1)
		}
	}
	b.gauge("build_info").WithLabelValues(cfg.Version, cfg.Revision, cfg.GoVersion).Set(1)
	b.register(collectors.NewGoCollector())
	b.register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := b.finish(); err != nil {
		return nil, err
	}
	return r, nil
}

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
