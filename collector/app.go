package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/monev112/monev112/collector/alerting/notifications"
	"github.com/monev112/monev112/collector/alerting/pager"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/engine/child"
	"github.com/monev112/monev112/collector/engine/install"
	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/observability/metrics"
	"github.com/monev112/monev112/collector/observability/telemetry"
	"github.com/monev112/monev112/collector/shipper"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/source/asterisk"
	"github.com/monev112/monev112/collector/source/dropfolder"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/store/lookup"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/upkeep/rebuild"
	"github.com/monev112/monev112/collector/upkeep/retention"
	"github.com/monev112/monev112/collector/web"
)

// App is one running service. New opens and checks everything that can be refused, Run serves until its context ends,
// Close releases what New opened and may be called twice.
type App struct {
	cfg  Config
	dir  *directory.Directory
	book *sla.Book
	// rules are what dir and book say of a board.
	rules tracker.Config

	// The way of an event, in its order.
	drops    *dropfolder.Watcher // nil without drop folders
	follower *asterisk.Follower  // nil without a queue_log
	intake   *ingest.Intake
	rejected *quarantine.Rejected
	ingest   *ingest.Loop
	journal  *journal.Journal
	board    *tracker.Board
	shipper  *shipper.Shipper
	dead     *quarantine.DeadLetters
	store    *store.Store
	sink     *store.Sink
	engine   *child.Process // nil with a ClickHouse server
	cases    *lookup.Cases

	// What people and other programs see of it.
	metrics     *metrics.Registry
	tracing     *telemetry.Tracing
	exemplars   telemetry.Exemplars
	requests    *telemetry.LinkRing
	reads       *audit.Log
	messages    *notifications.Log
	links       *web.Links   // of alerts; nil when nobody could reach the pages
	pager       *pager.Pager // nil without an Alertmanager
	rebuild     *rebuild.Runner
	retention   *retention.Runner
	api         *httpapi.API
	certificate *httpapi.Certificate // nil without TLS
	listener    net.Listener

	cleanups []cleanup // what New opened, in its order
}

type cleanup struct {
	name string
	do   func() error
}

// log returns the logger of a component, for packages that do not name themselves in the log.
func (a *App) log(component string) *slog.Logger { return a.cfg.Log.With("component", component) }

// New opens the data folder and the port. It begins with what can be wrong without touching either, so that a mistake
// in the configuration leaves no trace; it connects to nothing. Each error is one sentence that says what would be
// right.
func New(ctx context.Context, cfg Config) (_ *App, err error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, requests: telemetry.NewLinkRing(tracedRequests)}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.dir, err = cfg.File.LoadDirectory(); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	if a.book, err = cfg.File.LoadBook(a.dir); err != nil {
		return nil, fmt.Errorf("policies and calendars: %w", err)
	}
	a.rules = tracker.Rules(a.dir, a.book)
	if err = cfg.File.Check(ctx); err != nil {
		return nil, err
	}
	if cfg.File.ClickHouse.Address == "" {
		if _, err = install.Find(); err != nil {
			return nil, err
		}
	}
	if a.certificate, err = cfg.File.TLS.Open(cfg.Now(), cfg.Log); err != nil {
		return nil, err
	}
	if err = os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w; choose one that this user may write to", err)
	}
	guard, err := auth.NewGuard(auth.FileIn(cfg.DataDir).Path, cfg.Now, cfg.Log)
	if err != nil {
		return nil, err
	}
	if err = auth.CheckListen(cfg.Listen, !guard.AuthDisabled()); err != nil {
		return nil, err
	}
	if guard.AuthDisabled() {
		a.log("auth").Warn("no API keys: authentication disabled, listening on loopback only")
	}

	// The journal comes first of what lies in the folder: its lock makes this process the only one there. What observes
	// comes before what is observed, and the board before the shipper and the sources that need it.
	for _, open := range []func(context.Context) error{
		a.openJournal, a.openRecords, a.openObservability, a.openBoard, a.openStore, a.openIntake, a.openAlerting,
		a.openUpkeep, func(context.Context) error { return a.openAPI(guard) }, a.openSources,
	} {
		if err = open(ctx); err != nil {
			return nil, err
		}
	}
	if a.listener, err = net.Listen("tcp", cfg.Listen); err != nil {
		return nil, fmt.Errorf("listen on %s: %w; stop the program that holds the port or choose another with --listen",
			cfg.Listen, err)
	}
	a.cleanup("listener", func() error {
		if err := a.listener.Close(); !errors.Is(err, net.ErrClosed) { // the server closed it
			return err
		}
		return nil
	})
	return a, nil
}

func (a *App) cleanup(name string, do func() error) {
	a.cleanups = append(a.cleanups, cleanup{name, do})
}

// Close releases what New opened, the last first.
func (a *App) Close() error {
	var errs []error
	for _, c := range slices.Backward(a.cleanups) {
		if err := c.do(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", c.name, err))
		}
	}
	a.cleanups = nil
	return errors.Join(errs...)
}

// Addr is where the service listens.
func (a *App) Addr() net.Addr { return a.listener.Addr() }

// Ready says why no event can be accepted now; nil means that one can. It is what /-/ready answers, and safe for
// concurrent use.
func (a *App) Ready() error { return a.ingest.Ready() }

// EngineAddr is where the embedded ClickHouse listens, empty before it answers and with a server.
func (a *App) EngineAddr() string {
	if a.engine == nil {
		return ""
	}
	return a.engine.Addr()
}

// How long the parts of a stop may take.
const (
	requestsTimeout = 10 * time.Second // requests in hand are answered
	shipTimeout     = 5 * time.Second  // ClickHouse gets what is left; the rest stays in the journal
)

// Run serves until ctx ends, or until a part of it fails. Then it stops in the order in which an event travels: no new
// requests, then the journal, then shipping, and ClickHouse last. Everything acknowledged is then on disk, and as much
// as possible in ClickHouse.
func (a *App) Run(ctx context.Context) error {
	log := a.log("app")
	g, gctx := errgroup.WithContext(ctx)
	base := context.WithoutCancel(ctx) // what a stop still needs outlives ctx

	// A stage runs until its stop is called, which waits for its end.
	stage := func(run func(context.Context) error) (stop func()) {
		ctx, cancel := context.WithCancel(base)
		done := make(chan struct{})
		g.Go(func() error {
			defer close(done)
			return run(ctx)
		})
		return func() { cancel(); <-done }
	}
	stopEngine := stage(func(ctx context.Context) error {
		if a.engine == nil {
			return nil
		}
		return a.engine.Run(ctx)
	})
	stopShipping := stage(a.ship)
	stopIngest := stage(a.ingest.Run)

	// These may end at any time: what they have under way is repeated after the next start.
	background := func(run func(context.Context)) {
		g.Go(func() error { run(gctx); return nil })
	}
	background(a.rebuild.Run)
	background(a.retention.Run)
	background(func(ctx context.Context) {
		if a.shipper.WaitComplete(ctx) == nil {
			a.sink.WatchExpectedCalls(ctx, a.metrics.Expected, a.cfg.Now)
		}
	})
	background(func(ctx context.Context) {
		a.rejected.RunRetries(ctx, a.ingest.Ready, a.intake.Retry, a.log("quarantine"))
	})
	if a.pager != nil {
		background(a.pager.Run)
	}
	if a.drops != nil {
		background(a.drops.Run)
	}
	if a.follower != nil {
		g.Go(func() error { return a.follower.Run(gctx) })
	}

	server := a.api.Server(base)
	g.Go(func() error {
		log.Info("listening", "addr", a.listener.Addr().String(), "data", a.cfg.DataDir)
		if err := a.api.Serve(server, a.listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-gctx.Done()
		log.Info("stopping")
		quiet, cancel := context.WithTimeout(base, requestsTimeout)
		defer cancel()
		if err := server.Shutdown(quiet); err != nil {
			_ = server.Close()
		}
		stopIngest()
		if a.shipper.Prepared() && !a.shipper.Failing() {
			last, cancel := context.WithTimeout(base, shipTimeout)
			defer cancel()
			_ = a.shipper.WaitShipped(last, a.journal.End())
		}
		stopShipping()
		stopEngine()
		return nil
	})
	return g.Wait()
}

// ship brings events, roll-ups and messages to ClickHouse until ctx ends. Each of the three waits for ClickHouse and
// tries again by itself.
func (a *App) ship(ctx context.Context) error {
	if a.engine != nil {
		addr, _, err := a.engine.WaitReady(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		a.log("engine").Info("embedded clickhouse ready", "addr", addr)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.shipper.Run(ctx) })
	g.Go(func() error { a.sink.Run(ctx); return nil })
	g.Go(func() error {
		if err := a.messages.Run(ctx, a.store.InsertNotifications); err != nil {
			a.log("notifications").Error("messages are recorded but no longer shipped to clickhouse", "error", err)
		}
		return nil
	})
	return g.Wait()
}

// dataPath is the path of a file or folder in the data folder.
func (a *App) dataPath(name string) string { return filepath.Join(a.cfg.DataDir, name) }
