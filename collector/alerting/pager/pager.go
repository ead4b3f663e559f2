package pager

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/tracker"
)

// Options is what a Pager is made of. All are required but Links and FS; Config names one Alertmanager at least.
type Options struct {
	Config    Config
	Dir       string // folder of the state file
	Board     *tracker.Board
	Directory *directory.Directory
	Links     Links // nil: alerts carry no links

	// Reports returns the monthly reports that leadership is told of at an instant; nil: none.
	Reports func(now time.Time) []Report

	// Pushed is told of each push that an Alertmanager took: its instant and its active alerts by level. With several
	// servers it is told of the same push by each.
	Pushed func(at time.Time, levels map[string]int)
	// Failed is told of each request that failed, by the server's name.
	Failed func(alertmanager string)

	Now    func() time.Time
	Log    *slog.Logger
	Tracer trace.Tracer
	FS     disk.FS // nil: disk.OS
}

// Pager pushes what the board says to Alertmanager. Make one with New; Run may be called once.
type Pager struct {
	opt       Options
	log       *slog.Logger
	board     boardReader
	alerts    alertBuilder
	servers   []*server
	digestAt  time.Duration
	stateFile string
	state     *state // Run's alone

	savedState    []byte    // what the state file holds, but for the next
	savedAccepted time.Time // its instant of the latest accepted push
	paused        bool      // logged that the board is not complete
	saveFailed    bool      // logged that the state file cannot be written
	unlisted      int       // tickets beyond the limits, as logged last
	pushes        int64     // made so far

	mu       sync.Mutex
	latest   int64     // number of the latest push that a server took
	accepted time.Time // its instant
}

// New checks the configuration and reads the state file.
func New(opt Options) (*Pager, error) {
	if opt.FS == nil {
		opt.FS = disk.OS{}
	}
	cfg := &opt.Config
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("pager: %w", err)
	}
	servers, err := cfg.servers()
	if err != nil {
		return nil, fmt.Errorf("pager: %w", err)
	}
	cfg.Interval, cfg.ClosedFor = cmp.Or(cfg.Interval, defaultInterval), cmp.Or(cfg.ClosedFor, DefaultClosedFor)
	p := &Pager{
		opt: opt, log: opt.Log.With("component", "pager"), board: boardReader{opt.Board, opt.Directory},
		stateFile: filepath.Join(opt.Dir, stateFile), servers: servers,
	}
	p.alerts = alertBuilder{opt.Links, p.board.opdName, p.board.zone}
	p.digestAt, _ = cfg.digestAt()
	if p.state, err = load(opt.FS, p.stateFile, p.log); err != nil {
		return nil, err
	}
	p.accepted = p.state.Accepted
	for _, s := range servers {
		s.accepted, s.failed, s.log, s.tracer = p.pushAccepted, opt.Failed, p.log, opt.Tracer
	}
	return p, nil
}

// Run reads the board and pushes until ctx ends. A slow or absent Alertmanager holds up neither the board nor another
// Alertmanager. Nothing is pushed at the end: the alerts end by themselves after Lifetime, and a service that is back
// before that repeats nothing. Without a Pager it does nothing.
func (p *Pager) Run(ctx context.Context) {
	if p == nil {
		return
	}
	var wg sync.WaitGroup
	for _, s := range p.servers {
		wg.Go(func() { s.run(ctx) })
	}
	tick := time.NewTicker(p.opt.Config.Interval)
	defer tick.Stop()
	for {
		if next := p.round(); next != nil {
			for _, s := range p.servers {
				s.offer(next)
			}
		}
		select {
		case <-ctx.Done():
			wg.Wait()
			return
		case <-tick.C:
		}
	}
}

// round brings the state up to the board, writes it down, and only then returns what is to be pushed: whatever was sent
// is known after a crash. It returns nil while the board is not complete.
func (p *Pager) round() *push {
	now := p.opt.Now().UTC().Truncate(time.Millisecond)
	view, ok := p.board.view(now)
	if !ok {
		if !p.paused {
			p.log.Info("paging waits until the board is complete")
		}
		p.paused = true
		return nil
	}
	p.paused = false
	var unlistedByOPD map[opdKey]int
	total := len(view.Tickets)
	view.Tickets, unlistedByOPD = limit(view.Tickets, maxPerOPD, maxTickets)
	unlisted := total - len(view.Tickets)
	if unlisted > 0 && unlisted != p.unlisted {
		p.log.Error("too many late tickets, some are not pushed", "pushed", len(view.Tickets), "not_pushed", unlisted)
	}
	p.unlisted = unlisted

	p.mu.Lock()
	p.state.Accepted = p.accepted
	p.mu.Unlock()
	tickets := p.state.advance(view, p.opt.Config.ClosedFor, p.digestAt)
	p.save()
	alerts := p.alerts.build(p.state, tickets, unlistedByOPD, now)
	if p.opt.Reports != nil {
		alerts = append(alerts, aboutReports(p.opt.Reports(now))...)
	}
	next, err := encode(now, alerts)
	if err != nil {
		p.log.Error("alerts cannot be encoded as JSON", "error", err)
		return nil
	}
	p.pushes++
	next.number = p.pushes
	return next
}

// maxAcceptedAge is how old the instant of the latest accepted push in the state file may become while nothing else
// changes.
const maxAcceptedAge = time.Minute

// save writes the state file when what it says has changed. Alerts go out also when it cannot be written.
func (p *Pager) save() {
	accepted := p.state.Accepted
	p.state.Accepted = time.Time{}
	text, err := p.state.encode()
	p.state.Accepted = accepted
	if err == nil && bytes.Equal(text, p.savedState) && accepted.Sub(p.savedAccepted).Abs() < maxAcceptedAge {
		return
	}
	if err == nil {
		err = p.state.save(p.opt.FS, p.stateFile)
	}
	if err != nil {
		if !p.saveFailed {
			p.log.Error("pager state cannot be saved, a restart may repeat alerts", "error", err)
		}
		p.saveFailed = true
		return
	}
	p.savedState, p.savedAccepted, p.saveFailed = text, accepted, false
}

// pushAccepted notes that a server took a push. A slow one may come to it after a later push was taken elsewhere.
func (p *Pager) pushAccepted(s *push) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.number < p.latest {
		return
	}
	p.latest, p.accepted = s.number, s.at
	p.opt.Pushed(s.at, s.levels)
}
