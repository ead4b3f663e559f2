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

	"github.com/monev112/monev112/collector/alerting/delivery"
	"github.com/monev112/monev112/collector/alerting/notifications"
	"github.com/monev112/monev112/collector/alerting/pager"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/engine/child"
	"github.com/monev112/monev112/collector/engine/install"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/monev/number"
	"github.com/monev112/monev112/collector/monev/report"
	"github.com/monev112/monev112/collector/monev/rtl"
	"github.com/monev112/monev112/collector/observability/metrics"
	"github.com/monev112/monev112/collector/observability/telemetry"
	"github.com/monev112/monev112/collector/shipper"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/source/asterisk"
	"github.com/monev112/monev112/collector/source/dropfolder"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/source/upload"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/store/lookup"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/upkeep/backup"
	"github.com/monev112/monev112/collector/upkeep/rebuild"
	"github.com/monev112/monev112/collector/upkeep/repair"
	"github.com/monev112/monev112/collector/upkeep/retention"
	"github.com/monev112/monev112/collector/upkeep/withdrawal"
	"github.com/monev112/monev112/collector/web"
	"github.com/monev112/monev112/collector/web/site"
	"github.com/monev112/monev112/deploy"
	"github.com/monev112/monev112/docs"
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
	uploads  *upload.Desk
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
	office   *rtl.Book

	// What people and other programs see of it.
	metrics     *metrics.Registry
	tracing     *telemetry.Tracing
	exemplars   telemetry.Exemplars
	requests    *telemetry.LinkRing
	reads       *audit.Log
	messages    *notifications.Log
	outbox      *delivery.Outbox // nil where the service sends nothing itself
	links       *web.Links       // of alerts; nil when nobody could reach the pages
	pager       *pager.Pager     // nil without an Alertmanager
	rebuild     *rebuild.Runner
	retention   *retention.Runner
	reports     *report.Runner
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

// tracedRequests is how many sampled requests are remembered until the batch that stores their events links to them.
const tracedRequests = 4096

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
	guard, err := auth.Open(cfg.DataDir, cfg.Listen, cfg.Now, cfg.Log)
	if err != nil {
		return nil, err
	}

	// The journal comes first of what lies in the folder: its lock makes this process the only one there. What observes
	// comes before what is observed, and the board before the shipper and the sources that need it.
	for _, open := range []func(context.Context) error{
		a.openJournal, a.openRecords, a.openObservability, a.openBoard, a.openStore, a.openIntake, a.openAlerting,
		a.openUpkeep, func(context.Context) error { return a.openAPI(guard) }, a.openAsterisk, a.openDrops,
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

// cleanup has Close call do; name says in an error what was to be released.
func (a *App) cleanup(name string, do func() error) {
	a.cleanups = append(a.cleanups, cleanup{name, do})
}

// openJournal opens the journal, and refuses one that has lost what was acknowledged.
func (a *App) openJournal(context.Context) (err error) {
	expect, of, err := repair.Expected(a.cfg.DataDir)
	if err != nil {
		return err
	}
	a.journal, err = journal.Open(journal.Options{
		Dir: a.dataPath(journal.FolderName), MinFreeBytes: a.cfg.File.Limits.MinFreeBytes, Expect: expect, ExpectUUID: of,
		Now: a.cfg.Now, Logger: a.log("journal"),
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	a.cleanup("journal", a.journal.Close)
	return nil
}

// openRecords opens what is kept beside the journal: who read what, who was told what, and what was not accepted.
func (a *App) openRecords(context.Context) (err error) {
	limits := &a.cfg.File.Limits
	if a.reads, err = audit.Open(a.dataPath(audit.FolderName), a.cfg.Log); err != nil {
		return err
	}
	a.cleanup("record of reads", a.reads.Close)
	if a.messages, err = notifications.Open(notifications.Config{
		Dir: a.dataPath(notifications.FolderName), MinFreeBytes: limits.MinFreeBytes, Now: a.cfg.Now, Logger: a.cfg.Log,
	}); err != nil {
		return err
	}
	a.cleanup("record of notifications", a.messages.Close)
	if a.rejected, err = quarantine.OpenRejected(a.cfg.DataDir, limits.QuarantineMiB<<20); err != nil {
		return err
	}
	a.cleanup("rejected events", a.rejected.Close)
	if a.dead, err = quarantine.OpenDeadLetters(a.cfg.DataDir, limits.MinFreeBytes, nil); err != nil {
		return err
	}
	a.cleanup("dead letters", a.dead.Close)
	return nil
}

// openObservability makes the metrics and the tracing that everything after it reports to.
func (a *App) openObservability(ctx context.Context) (err error) {
	cfg := metrics.Config{
		Version: a.cfg.Version, Revision: a.cfg.Revision, GoVersion: a.cfg.GoVersion, Logger: a.log("metrics"),
	}
	cfg.Centers, cfg.Vocabulary = metrics.Labels(a.dir)
	cfg.Vocabulary.Routes = httpapi.Routes()
	for i := range a.cfg.File.Pager.Alertmanagers {
		cfg.Vocabulary.Alertmanagers = append(cfg.Vocabulary.Alertmanagers, a.cfg.File.Pager.Alertmanagers[i].Name())
	}
	if a.metrics, err = metrics.New(cfg); err != nil {
		return err
	}
	if until, ok := a.book.CoveredUntil(a.dir.DefaultCenter()); ok {
		a.metrics.Calendar.CoveredUntil(until)
	}
	a.metrics.Shipper.WatchQuarantine(quarantine.Observe(a.rejected, a.dead))
	a.metrics.HTTP.WatchAudit(a.reads.Failed)
	a.tracing, err = telemetry.NewTracing(ctx, telemetry.TraceConfig{
		Version: a.cfg.Version, Endpoint: a.cfg.File.Tracing.Endpoint, SampleRatio: a.cfg.File.Tracing.SampleRatio,
		Logger: a.log("tracing"),
	})
	if err != nil {
		return err
	}
	a.cleanup("tracing", func() error { return a.tracing.Shutdown(context.WithoutCancel(ctx)) })
	return nil
}

// openBoard makes the board and the loop that writes it, and restores both from checkpoint and journal.
func (a *App) openBoard(ctx context.Context) error {
	cfg := a.rules
	cfg.Emit = func(o tracker.Outcome) { a.metrics.ObserveTraced(o, a.exemplars.Span(o.Case)) }
	cfg.MaxCases = a.cfg.File.Limits.MaxCases
	a.board, a.office = tracker.New(cfg), rtl.NewBook(a.dir)
	a.metrics.SetBoard(func() tracker.Snapshot {
		s := a.board.Snapshot(a.cfg.Now())
		// People who press a button on a page are no feed that could fall silent.
		s.Sources = slices.DeleteFunc(s.Sources, func(f tracker.SourceSnapshot) bool { return f.Source == web.Source })
		return s
	})
	var err error
	a.ingest, err = ingest.New(ingest.Config{
		Dir: a.cfg.DataDir, Admit: a.board.Admit, Now: a.cfg.Now, Logger: a.log("ingest"),
	}, a.journal, a.office.Watch(a.board), ingest.Observe(a.metrics, a.log("ingest")))
	if err != nil {
		return err
	}
	_, err = a.ingest.Restore(ctx)
	return err
}

// openStore makes everything that speaks to ClickHouse. The embedded engine is started by Run: until its address is
// known, the store's requests fail with store.ErrNotReady.
func (a *App) openStore(ctx context.Context) (err error) {
	cfg := a.cfg.File.ClickHouse.Config()
	if a.cfg.File.ClickHouse.Address == "" {
		if cfg, err = a.openEngine(); err != nil {
			return err
		}
	}
	cfg.Location = a.dir.Location
	cfg.Inserted, cfg.Failed = a.metrics.Store.Inserted, a.metrics.Store.Failed
	if a.store, err = store.Open(ctx, cfg); err != nil {
		return err
	}
	a.cleanup("connections to clickhouse", a.store.Close)
	a.office.Database = a.store
	a.sink = &store.Sink{
		Store: a.store, Boards: a.rules.Centers, Directory: a.dir, Log: a.log("store"),
		Scope: func(center, opd string) string { _, scope := a.rules.OPD(center, opd); return scope },
	}
	a.metrics.Store.WatchRollups(a.sink.RollupLag)
	a.shipper, err = shipper.New(shipper.Config{
		Dir: a.cfg.DataDir, BatchRows: a.cfg.File.Limits.BatchRows, Now: a.cfg.Now, Log: a.log("shipper"),
		Observer: shipper.Observe(a.metrics, a.log("shipper")), Boot: shipper.BootID(), Database: a.database,
		Floor: a.ingest.ReplayFloor, Tracer: a.tracing.Tracer("monev112/shipper"), Links: a.requests,
	}, a.journal, a.board, a.sink, a.dead)
	if err != nil {
		return err
	}
	a.metrics.Journal.Watch(a.shipper.JournalState)
	a.cases = &lookup.Cases{Board: a.board, Stored: a.sink, Incomplete: a.shipper.Incomplete}
	for _, c := range a.dir.Centers() {
		a.cases.Centers = append(a.cases.Centers, c.Code)
	}
	return nil
}

// openEngine makes the embedded engine's process and returns how the store reaches it.
func (a *App) openEngine() (cfg store.Config, err error) {
	dir := a.dataPath(engine.FolderName)
	a.engine, err = child.New(child.Config{
		DataDir: dir, Listen: a.cfg.EngineListen, MaxMemoryBytes: a.cfg.File.Limits.EngineMemory, Log: a.cfg.Log,
	})
	if err != nil {
		return cfg, err
	}
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return cfg, err
	}
	key, err := engine.LoadOrCreateKey(dir) // the folder is this process's: it holds the journal's lock
	return store.Embedded(a.engine.Addr, key), err
}

// database makes the retention of ClickHouse's own tables follow the policy and says which ClickHouse it is.
func (a *App) database(ctx context.Context) (shipper.Database, error) {
	if err := a.store.FollowRetention(ctx, a.cfg.File.Retention.Months); err != nil {
		return shipper.Database{}, err
	}
	return backup.Identify(ctx, a.store, a.journal)
}

// openIntake makes the way in for the events of every source.
func (a *App) openIntake(context.Context) error {
	keys, err := ingest.ReadOrCreateCallerKeys(a.cfg.DataDir, a.cfg.Now())
	if err != nil {
		return err
	}
	a.intake, err = ingest.NewIntake(ingest.IntakeConfig{
		Events:    event.Config{Keys: keys, Attributes: a.cfg.File.Attributes, AllowIDs: a.cfg.File.AllowIDs},
		Directory: a.dir, Board: a.board, Rejected: a.rejected, Metrics: a.metrics, HeldBack: a.dead.HeldBack,
		Exemplars: &a.exemplars, Links: a.requests, Tracer: a.tracing.Tracer("monev112/ingest"), Log: a.log("intake"),
		StoredDigests: lookup.NewDigestLookup(a.sink, a.shipper.Answering, a.cfg.Now, a.cfg.Log).Digests, Now: a.cfg.Now,
	}, a.ingest)
	a.metrics.Shipper.WatchUnresolved(func() int { return a.intake.UnresolvedNames() })
	return err
}

// openAlerting makes the links of alerts and the pager. Without an Alertmanager the pager's metrics are absent, which
// is how the alert rules know.
func (a *App) openAlerting(context.Context) (err error) {
	scheme := "http"
	if a.certificate != nil {
		scheme = "https"
	}
	a.links, err = a.cfg.File.Pages.Open(scheme, a.cfg.Listen, a.cfg.DataDir, a.cfg.Now(), a.cfg.Log)
	if err != nil {
		return err
	}
	if a.outbox, err = a.cfg.File.Delivery.Open(delivery.OpenConfig{
		DataDir: a.cfg.DataDir, MinFreeBytes: a.cfg.File.Limits.MinFreeBytes, PagesURL: a.links.Base(),
		Metrics: a.metrics.Delivery, Now: a.cfg.Now, Log: a.cfg.Log,
	}); err != nil {
		return err
	}
	a.cleanup("outbox", a.outbox.Close)
	if !a.cfg.File.Pager.Set() {
		return nil
	}
	opt := pager.Options{
		Config: a.cfg.File.Pager, Dir: a.cfg.DataDir, Board: a.board, Directory: a.dir,
		Pushed: a.metrics.Pager.Pushed, Failed: a.metrics.Pager.Failed, Now: a.cfg.Now, Log: a.cfg.Log,
		Tracer:  a.tracing.Tracer("monev112/pager"),
		Reports: func(now time.Time) []pager.Report { return site.Announce(a.reports, a.links, now) },
	}
	if a.links != nil {
		opt.Links = a.links
	}
	a.pager, err = pager.New(opt)
	return err
}

// openUpkeep makes what deletes old personal data and what rebuilds stored cases.
func (a *App) openUpkeep(context.Context) (err error) {
	a.retention = retention.New(retention.Config{
		DataDir: a.cfg.DataDir, Policy: a.cfg.File.Retention, Store: a.store, Prepared: a.shipper.Prepared, Board: a.board,
		Rejected: a.rejected, Dead: a.dead, Journal: a.journal, StableNow: a.shipper.StableNow, Now: a.cfg.Now,
		Log: a.log("retention"),
	})
	a.rebuild, err = rebuild.New(rebuild.Config{
		Dir: a.cfg.DataDir, Fold: a.board.Fold, Centers: a.cases.Centers, Location: a.rules.Location,
		Connect: func() (rebuild.Database, rebuild.Writer, bool) { return a.sink, a.shipper, a.shipper.Prepared() },
		// All that the row of a case follows from beside its events.
		Basis: fmt.Sprintf("rules %s, directory %s, program %s", a.book.Digest(), a.dir.Digest(), a.cfg.Version),
		Now:   a.cfg.Now, Log: a.log("rebuild"), PortionCases: a.cfg.File.Limits.RebuildCases,
	})
	return err
}

// openAPI makes the HTTP interface and the pages.
func (a *App) openAPI(guard *auth.Guard) error {
	freezes := &freeze.Runner{
		Database: a.sink, Writer: a.shipper, Accepted: a.journal.End, Boards: a.sink.Boards, Now: a.cfg.Now,
		Centers: freeze.CentersOf(a.dir),
	}
	withdrawals := &withdrawal.Service{
		Stored: a.sink, Find: a.cases.Find, Submit: a.intake.SubmitDrafts, Now: a.cfg.Now,
		Forget: func(center, source string) error { return a.drops.Forget(center, source) },
	}
	cfg := httpapi.Config{
		Limits: httpapi.Limits{BodyBytes: a.cfg.File.Limits.BodyBytes},
		Intake: a.intake, Cases: a.cases, Office: a.office, Reads: httpapi.ReadsOf(a.dir, a.book),
		Admin: httpapi.Admin{
			StartRebuild: a.rebuild.Start, Rebuild: a.rebuild.Get, StopRebuild: a.rebuild.Stop,
			Freeze: freezes.Freeze, Compare: freezes.Compare, CountDue: a.retention.Count, DeleteDue: a.retention.Apply,
			SourceEvents: withdrawals.List, Withdraw: withdrawals.Withdraw, Confirm: withdrawals.Confirm,
		},
		Kendala: kendala.NewRunner(a.store, a.dir, a.cfg.Now).Result, Number: number.NewRunner(a.sink, a.dir).Result,
		Hooks:    httpapi.Hooks{Began: a.metrics.HTTP.Began, Read: a.reads.Record},
		Messages: a.messages.Add, Keys: guard,
		TrustedProxies: a.cfg.File.TrustedProxies,
		Certificate:    a.certificate,
		Metrics:        a.metrics.Handler(),
		MetricsNeedKey: a.cfg.File.MetricsNeedKey,
		OpenAPI:        docs.OpenAPI(),
		Ready:          func(context.Context) error { return a.ingest.Ready() },
		Logger:         a.log("httpapi"), Now: a.cfg.Now,
	}
	var err error
	if a.uploads, err = upload.New(upload.Config{
		Dir: a.dataPath(upload.FolderName), State: a.dataPath(dropfolder.FolderName), Directory: a.dir,
		Collector: a.inProcess(send.Patience{}), Name: dropfolder.InProcess, Log: a.cfg.Log, Now: a.cfg.Now,
	}); err != nil {
		return err
	}
	if a.reports, err = report.New(report.Config{
		Settings: a.cfg.File.Report, DataDir: a.cfg.DataDir, Database: a.sink, Prepared: a.shipper.Prepared,
		Directory: a.dir, Book: a.book, Boards: a.sink.Boards, Now: a.cfg.Now, Log: a.log("report"), Office: a.office,
		Kendala: cfg.Kendala,
	}); err != nil {
		return err
	}
	cfg.Reports = a.reports
	pages := site.Service{
		Uploads: a.uploads, Number: cfg.Number, Reports: a.reports, Office: a.office, Links: a.links, Directory: a.dir,
		Confirm: withdrawals.Confirm, Book: a.book, Board: a.board, Cases: a.cases, Intake: a.intake, Keys: guard,
		Record: a.reads.Record, Now: a.cfg.Now, DataDir: a.cfg.DataDir, Version: a.cfg.Version, Log: a.cfg.Log,
		Settings: a.cfg.File.Pages,
	}
	var behindLinks *web.Pages
	if cfg.Site, cfg.Wall, behindLinks, err = site.New(pages); err != nil {
		return err
	}
	if a.links != nil {
		cfg.Pages = behindLinks
	}
	a.metrics.HTTP.WatchStreams(cfg.Wall.Streams)
	if a.outbox != nil {
		cfg.Outbox = a.outbox
	}
	if a.tracing.Enabled() {
		cfg.Tracer = a.tracing
	}
	a.api, err = httpapi.New(cfg)
	return err
}

// inProcess is this service as a collector for its own sources.
func (a *App) inProcess(patience send.Patience) send.InProcess {
	return send.InProcess{
		Take: func(ctx context.Context, body []byte) (event.Receipt, error) {
			receipt, err := a.intake.Submit(ctx, ingest.Request{Form: event.NDJSON, Body: body})
			switch {
			case errors.Is(err, ingest.ErrTooLarge), errors.Is(err, event.ErrTooManyEvents):
				err = send.ErrTooLarge
			case errors.Is(err, ingest.ErrBusy), errors.Is(err, ingest.ErrUnavailable):
				err = &send.Temporary{Cause: err}
			}
			return receipt, err
		},
		Held: a.cases.Events, Board: a.board, Now: a.cfg.Now, Patience: patience,
	}
}

// openAsterisk prepares the follower of a telephone system's log, if the configuration names one.
func (a *App) openAsterisk(context.Context) error {
	if a.cfg.File.Asterisk == nil {
		return nil
	}
	log := a.log("asterisk").With("source", a.cfg.File.Asterisk.WithDefaults().Source)
	f, err := asterisk.NewFollower(asterisk.FollowerOptions{
		Config: *a.cfg.File.Asterisk, Directory: a.dir, Dir: a.dataPath(asterisk.FolderName), Now: a.cfg.Now, Log: log,
		To: a.inProcess(send.Patience{}),
	})
	if err != nil {
		return fmt.Errorf("asterisk: %w", err)
	}
	a.follower = f
	a.cleanup("queue log", f.Close)
	log.Info("the queue log is followed", "queue_log", a.cfg.File.Asterisk.QueueLog)
	return nil
}

// openDrops prepares the watching of the configured folders.
func (a *App) openDrops(context.Context) (err error) {
	if len(a.cfg.File.Drop) == 0 {
		return nil
	}
	a.drops, err = dropfolder.New(dropfolder.Config{
		Folders: a.cfg.File.Drop, State: a.dataPath(dropfolder.FolderName), Builtin: deploy.Defaults, Directory: a.dir,
		Collector: a.inProcess(send.Patience{Total: -1}), Name: dropfolder.InProcess, Log: a.cfg.Log, Now: a.cfg.Now,
	})
	return err
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

// Addr is where the service listens; Ready says why no event can be accepted now, nil that one can. Both are safe for
// concurrent use.
func (a *App) Addr() net.Addr { return a.listener.Addr() }
func (a *App) Ready() error   { return a.ingest.Ready() }

// EngineAddr is where the embedded ClickHouse listens, empty before it answers and with a server.
func (a *App) EngineAddr() string {
	return a.engine.Addr()
}

// How long the parts of a stop may take; with the engine's they stay below the 10 s that a stop may last.
const (
	requestsTimeout = 3 * time.Second // requests in hand are answered
	shipTimeout     = 2 * time.Second // ClickHouse gets what is left; the rest stays in the journal
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
	background(a.uploads.Run)
	background(func(ctx context.Context) {
		if a.shipper.WaitComplete(ctx) == nil {
			a.sink.WatchExpectedCalls(ctx, a.metrics.Expected, a.cfg.Now)
		}
	})
	background(func(c context.Context) { a.rejected.RunRetries(c, a.ingest.Ready, a.intake.Retry, a.log("quarantine")) })
	background(a.pager.Run)
	background(func(ctx context.Context) { a.outbox.Run(ctx, a.store.InsertNotifications) })
	background(a.drops.Run)
	g.Go(func() error { return a.follower.Run(gctx) })
	background(a.reports.Run)

	server := a.api.Server(base)
	g.Go(func() error {
		if err := a.intake.State(gctx, a.cfg.File.Carries); err != nil {
			return err
		}
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
		if a.shipper.Answering() {
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
