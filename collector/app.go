package collector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/monev112/monev112/collector/alerting/notifications"
	"github.com/monev112/monev112/collector/alerting/pager"
	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/engine/child"
	"github.com/monev112/monev112/collector/engine/install"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/observability/metrics"
	"github.com/monev112/monev112/collector/observability/telemetry"
	"github.com/monev112/monev112/collector/shipper"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/source/asterisk"
	"github.com/monev112/monev112/collector/source/dropfolder"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/upkeep/rebuild"
	"github.com/monev112/monev112/collector/web"
)

// Folders and files below Config.DataDir.
const (
	JournalDir = "journal"
	engineDir  = "clickhouse"
	auditDir   = "audit"
)

// App is one running service. New opens and checks everything that can be refused, Run serves until its context ends,
// Close lets go of what New opened and may be called twice.
type App struct {
	cfg     Config
	dir     *directory.Directory
	book    *sla.Book
	journal *journal.Journal
	board   *tracker.Board
	ingest  *ingest.Loop
	metrics *metrics.Registry
	tracing *telemetry.Tracing
	links   *telemetry.LinkRing
	child   *child.Process // nil with a ClickHouse server
	store   atomic.Pointer[store.Store]
	shipper atomic.Pointer[shipper.Shipper]
	sink    atomic.Pointer[store.Sink]
	rebuild *rebuild.Runner
	api     *httpapi.API
	drops   *dropfolder.Watcher // nil without drop folders
	// pager pushes ticket alerts; nil without an Alertmanager.
	pager *pager.Pager
	// pageLinks makes the links of alerts; nil when nobody could reach the pages.
	pageLinks   *web.Links
	pages       *web.Pages // nil without pageLinks
	reads       *audit.Log
	messages    *notifications.Log
	certificate *certificate // nil without TLS
	listener    net.Listener
	retaining   sync.Mutex // one retention at a time
	exemplars   telemetry.Exemplars
	rejected    *quarantine.Rejected
	dead        *quarantine.DeadLetters
	intake      *ingest.Intake
	follower    *asterisk.Follower // nil without a queue_log
	cursor      journal.Position   // at the start
	cleanups    []cleanup
}

type cleanup struct {
	name string
	do   func() error
}

// New opens the data folder and the port. Each error is one sentence with what would be right.
func New(ctx context.Context, cfg Config) (_ *App, err error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, links: telemetry.NewLinkRing(4096)}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()

	// What can be wrong without touching disk or network comes first.
	if a.dir, err = cfg.File.LoadDirectory(); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	if a.book, err = cfg.File.LoadBook(a.dir); err != nil {
		return nil, fmt.Errorf("policies and calendars: %w", err)
	}
	if err = cfg.File.Check(ctx); err != nil {
		return nil, err
	}
	if cfg.File.ClickHouse.Address == "" {
		if _, err = install.Find(); err != nil {
			return nil, err
		}
	}
	if err = os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w; choose one that this user may write to", err)
	}
	guard, err := auth.NewGuard(APIKeys(cfg.DataDir).Path, cfg.Now, cfg.Log)
	if err != nil {
		return nil, err
	}
	if err = auth.CheckListen(cfg.Listen, !guard.AuthDisabled()); err != nil {
		return nil, err
	}
	if a.certificate, err = openCertificate(&cfg.File, cfg.Now(), cfg.Log); err != nil {
		return nil, err
	}
	if guard.AuthDisabled() {
		cfg.Log.Warn("no API key exists: the service listens on loopback only and asks nobody who they are")
	}

	// The journal's lock makes this process the only one on the folder.
	expect, of, err := expected(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	jdir := filepath.Join(cfg.DataDir, JournalDir)
	if a.journal, err = journal.Open(journal.Options{
		Dir: jdir, MinFreeBytes: cfg.File.Limits.MinFreeBytes, Expect: expect, ExpectUUID: of, Now: cfg.Now, Logger: cfg.Log,
	}); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	a.cleanup("journal", a.journal.Close)
	if uuid, shipped, ok, _ := shipper.ReadCursor(disk.OS{}, cfg.DataDir); ok && uuid == a.journal.UUID().String() {
		a.cursor = shipped
	} else {
		a.cursor = a.journal.Stats().First
	}
	if r := a.journal.Recovery(); r.TornBytes > 0 {
		cfg.Log.Warn("the journal ended in the middle of a write, which nobody was promised; it was cut", "bytes",
			r.TornBytes)
	}
	keys, err := openCallerKeys(cfg.DataDir, cfg.Now())
	if err != nil {
		return nil, err
	}
	if err = a.openLinks(); err != nil {
		return nil, err
	}
	if a.reads, err = audit.Open(filepath.Join(cfg.DataDir, auditDir), cfg.Log); err != nil {
		return nil, err
	}
	a.cleanup("record of reads", a.reads.Close)
	if a.messages, err = a.openMessages(); err != nil {
		return nil, err
	}
	a.cleanup("record of notifications", a.messages.Close)
	if a.rejected, err = quarantine.OpenRejected(cfg.DataDir, cfg.File.Limits.QuarantineMiB<<20); err != nil {
		return nil, err
	}
	a.cleanup("rejected events", a.rejected.Close)
	if a.dead, err = quarantine.OpenDeadLetters(cfg.DataDir); err != nil {
		return nil, err
	}
	a.cleanup("dead letters", a.dead.Close)

	if a.metrics, err = metrics.New(a.metricsConfig()); err != nil {
		return nil, err
	}
	a.tracing, err = telemetry.NewTracing(ctx,
		telemetry.TraceConfig{
			Version: cfg.Version, Endpoint: cfg.File.Tracing.Endpoint, SampleRatio: cfg.File.Tracing.SampleRatio,
			Logger: cfg.Log,
		})
	if err != nil {
		return nil, err
	}
	a.cleanup("tracing", func() error { return a.tracing.Shutdown(context.WithoutCancel(ctx)) })

	a.board = tracker.New(a.boardConfig())
	if err = a.openPager(); err != nil {
		return nil, err
	}
	if a.ingest, err = ingest.New(ingest.Config{Dir: cfg.DataDir, Now: cfg.Now, Logger: cfg.Log}, a.journal, a.board,
		a.ingestObserver()); err != nil {
		return nil, err
	}
	restored, err := a.ingest.Restore(ctx)
	if err != nil {
		return nil, err
	}
	cfg.Log.Info("the board stands as it was", "checkpoint", restored.Checkpoint, "replayed_events", restored.Events,
		"took", restored.Took)

	if a.intake, err = ingest.NewIntake(ingest.IntakeConfig{
		Events:    event.Config{Keys: keys, Attributes: cfg.File.Attributes, AllowIDs: cfg.File.AllowIDs},
		Directory: a.dir, Board: a.board, Rejected: a.rejected, Metrics: a.metrics, Exemplars: &a.exemplars,
		Links: a.links, Tracer: a.tracing.Tracer("monev112/ingest"), Now: cfg.Now, Log: cfg.Log,
	}, a.ingest); err != nil {
		return nil, err
	}
	if a.rebuild, err = a.newRebuild(); err != nil {
		return nil, err
	}
	if err = a.openAsterisk(); err != nil {
		return nil, err
	}
	if err = a.openPages(); err != nil {
		return nil, err
	}
	if a.api, err = httpapi.New(a.apiConfig(guard)); err != nil {
		return nil, err
	}
	if err = a.openDrops(); err != nil {
		return nil, err
	}
	a.watch()
	if a.listener, err = net.Listen("tcp", cfg.Listen); err != nil {
		return nil, fmt.Errorf("listen on %s: %w; stop the program that holds the port or choose another with --listen",
			cfg.Listen, err)
	}
	a.cleanup("listener", func() error { return ignoreClosed(a.listener.Close()) })
	if cfg.File.ClickHouse.Address == "" {
		childConfig := child.Config{
			DataDir: filepath.Join(cfg.DataDir, engineDir), Listen: cfg.EngineListen,
			MaxMemoryBytes: cfg.File.Limits.EngineMemory, Log: cfg.Log,
		}
		if a.child, err = child.New(childConfig); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *App) cleanup(name string, do func() error) {
	a.cleanups = append(a.cleanups, cleanup{name, do})
}

// Close lets go of what New opened, the last first.
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
	if a.child == nil {
		return ""
	}
	return a.child.Addr()
}

// Run serves until ctx ends, then stops in order: the door first, ClickHouse last, so that everything acknowledged is
// on disk and as much as possible is in ClickHouse.
func (a *App) Run(ctx context.Context) error {
	// Each stage ends when the one before it has: the context of a later stage outlives the earlier.
	stages, shipCtx, stopShip := context.WithoutCancel(ctx), context.Context(nil), context.CancelFunc(nil)
	shipCtx, stopShip = context.WithCancel(stages)
	defer stopShip()
	engineCtx, stopEngine := context.WithCancel(stages)
	defer stopEngine()
	ingestCtx, stopIngest := context.WithCancel(stages)
	defer stopIngest()

	g, gctx := errgroup.WithContext(ctx)
	engineDone, shipDone, ingestDone := make(chan struct{}), make(chan struct{}), make(chan struct{})
	g.Go(func() error {
		defer close(engineDone)
		if a.child == nil {
			return nil
		}
		return a.child.Run(engineCtx)
	})
	g.Go(func() error {
		defer close(ingestDone)
		return a.ingest.Run(ingestCtx)
	})
	g.Go(func() error {
		defer close(shipDone)
		return a.ship(shipCtx)
	})
	g.Go(func() error { a.expect(shipCtx); return nil })
	g.Go(func() error { a.rebuild.Run(gctx); return nil })
	g.Go(func() error { a.retain(gctx); return nil })
	g.Go(func() error { a.rejected.RunRetries(gctx, a.ingest.Ready, a.intake.Retry, a.cfg.Log); return nil })
	g.Go(func() error { return a.followLog(gctx) })

	if a.pager != nil {
		g.Go(func() error { a.pager.Run(gctx); return nil })
	}
	if a.drops != nil {
		g.Go(func() error { a.drops.Run(gctx); return nil })
	}
	server := a.api.Server(stages)
	g.Go(func() error {
		a.cfg.Log.Info("monev112 listens", "addr", a.listener.Addr().String(), "data", a.cfg.DataDir)
		if err := a.serve(server, a.api.Limit(a.listener)); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-gctx.Done()
		a.cfg.Log.Info("monev112 stops")
		quiet, cancel := context.WithTimeout(stages, doorTimeout)
		defer cancel()
		if err := server.Shutdown(quiet); err != nil {
			_ = server.Close()
		}
		stopIngest()
		<-ingestDone
		a.drain(stages)
		stopShip()
		<-shipDone
		stopEngine()
		<-engineDone
		return nil
	})
	return g.Wait()
}

// How long the stages of a stop may take.
const (
	doorTimeout  = 10 * time.Second
	drainTimeout = 5 * time.Second
)

// drain gives the shipper a moment to bring what is left to ClickHouse. What stays behind is in the journal.
func (a *App) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	for ctx.Err() == nil {
		s := a.shipper.Load()
		if s == nil || s.Failing() || s.Shipped() >= a.journal.End() {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ship waits for ClickHouse's address, opens the store and runs the shipper.
func (a *App) ship(ctx context.Context) error {
	cfg := a.cfg.File.ClickHouse.storeConfig(&a.cfg.File)
	if a.child != nil {
		addr, key, err := a.child.WaitReady(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		cfg = store.Config{Addr: addr, Protocol: store.HTTP, Password: key}
		a.cfg.Log.Info("the embedded ClickHouse answers", "addr", addr)
	}
	cfg.Location = func(center string) *time.Location {
		c, _ := a.dir.Center(center)
		return c.Location
	}
	cfg.Inserted, cfg.Failed = a.metrics.Store.Inserted, a.metrics.Store.Failed
	st, err := store.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	a.store.Store(st)
	sink := &store.Sink{
		Store: st, Scope: func(center, opd string) string { return string(a.dir.ScopeOf(center, a.opdID(center, opd))) },
	}
	sink.Boards = a.boardCodes()
	s, err := shipper.New(shipper.Config{
		Dir: a.cfg.DataDir, BatchRows: a.cfg.File.Limits.BatchRows, Now: a.cfg.Now, Log: a.cfg.Log,
		Observer: a, Boot: shipper.BootID(), Database: database(st, a.journal.UUID().String(), a.cfg.File.Retention),
		Floor: a.ingest.ReplayFloor, Tracer: a.tracing.Tracer("monev112/shipper"), Links: a.links,
	}, a.journal, a.board, sink, a.dead)
	if err != nil {
		return err
	}
	a.sink.Store(sink)
	a.shipper.Store(s)
	defer a.shipMessages(ctx, st)()
	hours := make(chan struct{})
	hoursCtx, stopHours := context.WithCancel(ctx)
	defer func() { stopHours(); <-hours }()
	go func() {
		defer close(hours)
		sink.Run(hoursCtx)
	}()
	return s.Run(ctx)
}

// expectEvery is how often the usual number of calls is asked for.
const expectEvery = 5 * time.Minute

// expect keeps the usual number of calls of this hour up to date.
func (a *App) expect(ctx context.Context) {
	wait := time.Second
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		st := a.store.Load()
		if st == nil || a.shipper.Load() == nil || !a.board.Complete() {
			continue
		}
		wait = expectEvery
		for _, c := range a.boardCenters() {
			median, mad, ok, err := st.CallsExpected(ctx, c.Code, a.cfg.Now())
			if err != nil || !ok {
				a.metrics.Expected.Clear(c.Code)
				continue
			}
			a.metrics.Expected.Set(c.Code, median, mad)
		}
	}
}

// opdID is the directory's id for an OPD as an event names it.
func (a *App) opdID(center, name string) string {
	id, _ := a.dir.ResolveOPD(center, name)
	return id
}

// boardCenters returns the centres that have a board: all but the historical ones.
func (a *App) boardCenters() []directory.Center {
	return slices.DeleteFunc(a.dir.Centers(), func(c directory.Center) bool { return c.Historical })
}

// boardCodes returns the codes of boardCenters.
func (a *App) boardCodes() []string {
	var codes []string
	for _, c := range a.boardCenters() {
		codes = append(codes, c.Code)
	}
	return codes
}

func (a *App) boardConfig() tracker.Config {
	scope := func(center string) func(string) string {
		return func(opd string) string { return string(a.dir.ScopeOf(center, a.opdID(center, opd))) }
	}
	return tracker.Config{
		Centers: a.boardCodes(),
		Center: func(code string) (tracker.Center, bool) {
			c, known := a.dir.Center(code)
			if !known {
				c, _ = a.dir.Center(a.dir.DefaultCenter())
				c.Historical = false
			}
			return tracker.Center{
				Historical: c.Historical, Location: c.Location, Shifts: c.Shifts, AnswerTarget: c.AnswerTarget,
				ShortAbandon: c.ShortAbandon,
			}, known
		},
		OPD: func(center, opd string) (string, string) {
			id := a.opdID(center, opd)
			return a.dir.Label(center, id), string(a.dir.ScopeOf(center, id))
		},
		TicketClocks: func(t *casefile.Ticket) []sla.Clock { return a.book.Ticket(t, scope(t.Key.Center)) },
		CallClocks:   a.book.Call,
		Emit:         func(o tracker.Outcome) { a.metrics.ObserveTraced(o, a.exemplars.Span(o.Case)) },
		MaxCases:     a.cfg.File.Limits.MaxCases,
	}
}

// shippedTo is the journal position up to which ClickHouse has everything, as far as this process knows: while it has
// not come to ship anything, what the cursor said at the start.
func (a *App) shippedTo() journal.Position {
	if s := a.shipper.Load(); s != nil {
		return s.Shipped()
	}
	return a.cursor
}

// expected is the highest journal position that checkpoint and cursor call durable: a journal that ends below it has
// lost what was acknowledged, and says so.
func expected(dataDir string) (at journal.Position, of uuid.UUID, err error) {
	fsys := disk.OS{}
	of, at, _ = ingest.CheckpointPosition(fsys, dataDir)
	named, shipped, ok, err := shipper.ReadCursor(fsys, dataDir)
	if err != nil || !ok {
		return at, of, err
	}
	if id, perr := uuid.Parse(named); perr == nil && (id == of || at == 0) {
		return max(at, shipped), id, nil
	}
	return at, of, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
