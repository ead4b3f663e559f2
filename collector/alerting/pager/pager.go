package pager

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/tracker"
)

// Options is what a Pager is made of. Config with one Alertmanager at least, Dir, Board and Directory are required.
type Options struct {
	Config    Config
	Dir       string // folder of the state file
	Board     *tracker.Board
	Directory *directory.Directory
	Links     Links // nil: alerts carry no links

	// Pushed is told of each push that an Alertmanager took: its instant and its active alerts by level. With several
	// servers it is told of the same push by each.
	Pushed func(at time.Time, levels map[string]int)
	// Failed is told of each request that failed, by the server's name.
	Failed func(alertmanager string)

	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil discards
	Tracer trace.Tracer     // nil traces nothing
	FS     disk.FS          // nil: disk.OS
}

// Pager pushes what the board says to Alertmanager. Make one with New; Run may be called once.
type Pager struct {
	opt      Options
	reader   reader
	speaker  speaker
	servers  []*server
	digestAt time.Duration
	name     string // of the state file
	state    *state // Run's alone

	said          []byte    // what the state file holds, but for the next
	savedAccepted time.Time // its instant of the latest accepted push
	silent        bool      // logged that the board is not complete
	complains     bool      // logged that the state file cannot be written
	left          int       // tickets beyond the limits, as logged last

	pushes   int64 // made so far
	mu       sync.Mutex
	latest   int64     // number of the latest push that a server took
	accepted time.Time // its instant
}

// New checks the configuration and reads the state file.
func New(opt Options) (*Pager, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.FS == nil {
		opt.FS = disk.OS{}
	}
	if opt.Tracer == nil {
		opt.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if opt.Pushed == nil {
		opt.Pushed = func(time.Time, map[string]int) {}
	}
	if opt.Failed == nil {
		opt.Failed = func(string) {}
	}
	cfg := &opt.Config
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("pager: %w", err)
	}
	if err := cfg.CheckFiles(); err != nil {
		return nil, fmt.Errorf("pager: %w", err)
	}
	if cfg.Interval == 0 {
		cfg.Interval = DefaultInterval
	}
	if cfg.ClosedFor == 0 {
		cfg.ClosedFor = DefaultClosedFor
	}
	p := &Pager{opt: opt, reader: reader{opt.Board, opt.Directory}, name: filepath.Join(opt.Dir, StateFile)}
	p.speaker = speaker{opt.Links, p.reader.nameOf, p.reader.zoneOf}
	p.digestAt, _ = cfg.digestAt()
	var err error
	if p.state, err = load(opt.FS, p.name, opt.Log); err != nil {
		return nil, err
	}
	p.accepted = p.state.Accepted
	for _, a := range cfg.Alertmanagers {
		s, err := newServer(a)
		if err != nil {
			return nil, fmt.Errorf("pager: %s: %w", a.Name(), err)
		}
		s.accepted, s.failed, s.log, s.tracer = p.took, opt.Failed, opt.Log, opt.Tracer
		p.servers = append(p.servers, s)
	}
	return p, nil
}

// Run looks at the board and pushes until ctx ends. A slow or absent Alertmanager holds up neither the board nor
// another Alertmanager. Nothing is said at the end: the alerts end by themselves after Lifetime, and a service that is
// back before repeats nothing.
func (p *Pager) Run(ctx context.Context) {
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
	r, ok := p.reader.read(now)
	if !ok {
		if !p.silent {
			p.opt.Log.Info("the pager is silent until the board is complete")
		}
		p.silent = true
		return nil
	}
	p.silent = false
	tickets, leftOut := limit(r.Tickets, maxPerOPD, maxTickets)
	left := len(r.Tickets) - len(tickets)
	r.Tickets = tickets
	if left > 0 && left != p.left {
		p.opt.Log.Error("more tickets are late than are pushed", "pushed", len(r.Tickets), "left_out", left)
	}
	p.left = left

	p.mu.Lock()
	p.state.Accepted = p.accepted
	p.mu.Unlock()
	tickets = p.state.advance(r, p.opt.Config.ClosedFor, p.digestAt)
	p.save()
	next, err := encode(now, p.speaker.alerts(p.state, tickets, leftOut, now))
	if err != nil {
		p.opt.Log.Error("alerts cannot be written as JSON", "error", err)
		return nil
	}
	p.pushes++
	next.number = p.pushes
	return next
}

// acceptedKept is how old the instant of the latest accepted push in the state file may become while nothing else
// changes.
const acceptedKept = time.Minute

// save writes the state file when what it says has changed. Alerts go out also when it cannot be written.
func (p *Pager) save() {
	accepted := p.state.Accepted
	p.state.Accepted = time.Time{}
	said, err := p.state.encode()
	p.state.Accepted = accepted
	if err == nil && bytes.Equal(said, p.said) && accepted.Sub(p.savedAccepted).Abs() < acceptedKept {
		return
	}
	if err == nil {
		var text []byte
		if text, err = p.state.encode(); err == nil {
			err = save(p.opt.FS, p.name, text)
		}
	}
	if err != nil {
		if !p.complains {
			p.opt.Log.Error("what was paged cannot be written down: a restart may repeat it", "error", err)
		}
		p.complains = true
		return
	}
	p.said, p.savedAccepted, p.complains = said, accepted, false
}

// took notes that a server took a push. A slow one may come to it after a later push was taken elsewhere.
func (p *Pager) took(s *push) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.number < p.latest {
		return
	}
	p.latest, p.accepted = s.number, s.at
	p.opt.Pushed(s.at, s.levels)
}
