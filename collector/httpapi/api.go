package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/monev112/monev112/collector/alerting/delivery"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/web/wall"
)

// API answers HTTP requests. Make one with New; it is safe for concurrent use.
type API struct {
	cfg     Config
	limits  Limits
	logger  *slog.Logger
	engine  *gin.Engine
	handler http.Handler

	conns    *conns
	slots    chan struct{}       // one per request in hand
	memory   *semaphore.Weighted // bytes of bodies in hand
	unpacker unpacker
	lines    *rate.Limiter // access log
	muted    mutedLines
	guesses  *guesses
}

// meeting are the scopes of who prepares or attends the meeting, any of them.
var meeting = []auth.Scope{auth.BoardRead, auth.MonevWrite, auth.Admin}

// endpoint is one route and what it asks of a key.
type endpoint struct {
	method, path string
	handle       gin.HandlerFunc
	scopes       []auth.Scope // any of them; nil is open to all
	opd          bool         // a key that reads an OPD may come too
	free         bool         // outside of the limit of concurrent requests, or takes its place itself
}

func (a *API) endpoints() []endpoint {
	read, admin := []auth.Scope{auth.BoardRead}, []auth.Scope{auth.Admin}
	deliver := []auth.Scope{auth.WhatsAppDeliver, auth.TelegramDeliver}
	metrics := endpoint{"GET", "/metrics", a.metrics, nil, false, true}
	if a.cfg.MetricsNeedKey {
		metrics.scopes = read
	}
	return []endpoint{
		// takes its place once its body is here
		{"POST", "/v1/events", a.postEvents, []auth.Scope{auth.EventsWrite, auth.MonevWrite, auth.Admin}, false, true},
		{"GET", "/v1/board", a.answers(a.getBoard), read, false, false},
		{"GET", wall.StreamPath, a.getStream, read, false, true},
		{"GET", "/v1/tickets", a.answers(a.getTickets), read, true, false},
		{"GET", "/v1/tickets/*id", a.answers(a.getTicket), read, true, false},
		{"GET", "/v1/calls/*id", a.answers(a.getCall), read, false, false},
		{"GET", "/v1/flags", a.answers(a.getFlags), read, false, false},
		{"GET", "/v1/monev/kendala", a.answers(a.getKendala), meeting, true, false},
		{"GET", "/v1/monev/number", a.answers(a.getNumber), meeting, false, false},
		{"GET", "/v1/directory/review", a.answers(a.getReview), read, false, false},
		{"GET", "/v1/office", a.answers(a.getOffice), meeting, false, false},
		{"GET", "/p/*id", a.pages, nil, false, false},
		{"HEAD", "/p/*id", a.pages, nil, false, false},
		{"POST", "/p/*id", a.pages, nil, false, false},
		{"GET", "/openapi.yaml", a.getOpenAPI, nil, false, false},
		{"GET", "/-/healthy", a.getHealthy, nil, false, true},
		{"GET", "/-/ready", a.getReady, nil, false, true},
		metrics,
		{"POST", messagesPath, a.answers(a.postMessage), []auth.Scope{auth.AlertsLog}, false, false},
		{"POST", whatsappPath, a.takes(delivery.WhatsApp), deliver, false, false},
		{"POST", telegramPath, a.takes(delivery.Telegram), deliver, false, false},
		{"GET", webhookPath, a.sends(a.getWebhook), nil, false, false},
		// signed by Meta; takes its place once its body is here
		{"POST", webhookPath, a.sends(a.postWebhook), nil, false, true},
		{"POST", "/v1/whatsapp/test", a.sends(a.answers(a.postTest(delivery.WhatsApp))), admin, false, false},
		{"GET", "/v1/whatsapp/messages/*id", a.sends(a.answers(a.getDelivery)), admin, false, false},
		{"POST", "/v1/telegram/test", a.sends(a.answers(a.postTest(delivery.Telegram))), admin, false, false},
		{"GET", "/v1/telegram/messages/*id", a.sends(a.answers(a.getDelivery)), admin, false, false},
		{"POST", "/v1/admin/rebuilds", a.postRebuild, admin, false, false},
		{"GET", "/v1/admin/rebuilds/*id", a.answers(a.getRebuild), admin, false, false},
		{"DELETE", "/v1/admin/rebuilds/*id", a.answers(a.deleteRebuild), admin, false, false},
		{"POST", "/v1/admin/freezes", a.answers(a.postFreeze), admin, false, false},
		{"GET", "/v1/admin/freezes", a.answers(a.getFreezes), admin, false, false},
		{"GET", "/v1/report", a.getReport, meeting, true, false},
		{"POST", "/v1/report", a.postReport, []auth.Scope{auth.MonevWrite, auth.Admin}, false, false},
		{"GET", "/v1/report/changes", a.answers(a.getReportChanges), meeting, false, false},
		{"GET", "/v1/reports", a.answers(a.getReports), meeting, false, false},
		{"POST", "/v1/admin/retention", a.answers(a.postRetention), admin, false, false},
		{"GET", "/v1/admin/events", a.answers(a.getSourceEvents), admin, false, false},
		{"POST", "/v1/admin/withdrawals", a.answers(a.postWithdrawals), admin, false, false},
		{"POST", "/v1/admin/confirmations", a.answers(a.postConfirmation), admin, false, false},
	}
}

// Routes returns the route patterns as they appear in metrics, logs and spans.
func Routes() []string {
	var a API
	var out []string
	for _, e := range append(a.endpoints(), endpoint{path: pagesRoute}) {
		if !slices.Contains(out, e.path) {
			out = append(out, e.path)
		}
	}
	return out
}

// New returns an API. It refuses a configuration that contradicts itself.
func New(cfg Config) (*API, error) {
	cfg.Limits = cfg.Limits.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	a := &API{
		cfg: cfg, limits: cfg.Limits, logger: cfg.Logger,
		conns:  newConns(cfg.Limits.Connections),
		slots:  make(chan struct{}, cfg.Limits.Concurrent),
		memory: semaphore.NewWeighted(cfg.Limits.MemoryBytes),
		lines:  rate.NewLimiter(rate.Limit(cfg.Limits.LogLinesPerSec), cfg.Limits.LogLinesPerSec),
	}
	a.guesses = newGuesses(cfg.Limits, cfg.Now)
	if gin.Mode() != gin.ReleaseMode {
		gin.SetMode(gin.ReleaseMode) // else gin prints its routes to standard output
	}
	e := gin.New()
	e.UseRawPath, e.UnescapePathValues = true, true // an id with a slash may come as %2F
	e.RedirectTrailingSlash, e.RedirectFixedPath = false, false
	e.HandleMethodNotAllowed = true
	e.RemoteIPHeaders = []string{"X-Forwarded-For"} // gin also reads X-Real-IP, which a proxy may pass on as it came
	if err := e.SetTrustedProxies(cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted_proxies: %w; name addresses or networks such as 10.0.0.0/8", err)
	}
	e.Use(a.identify, a.observe, a.recover, a.harden)
	for _, ep := range a.endpoints() {
		e.Handle(ep.method, ep.path, a.admit(ep), a.authorize(ep), ep.patient, ep.handle)
	}
	e.NoRoute(a.page)
	e.NoMethod(func(c *gin.Context) {
		a.fail(c, newProblem(http.StatusMethodNotAllowed, codeMethod,
			"This path does not take the method; see the Allow header."))
	})
	a.engine = e
	a.handler = e
	if cfg.Tracer != nil {
		a.handler = traced(e, cfg.Tracer)
	}
	return a, nil
}

// Handler returns the whole API.
func (a *API) Handler() http.Handler { return a.handler }

// Server returns a server for the API with timeouts against slow clients. base is the parent of every request's
// context; errors of the server itself go to the logger.
func (a *API) Server(base context.Context) *http.Server {
	// With HTTP/2 a client could keep one connection busy with a cheap request and hold it with slow ones.
	var spoken http.Protocols
	spoken.SetHTTP1(true)
	s := &http.Server{
		Protocols:         &spoken,
		Handler:           a.handler,
		ReadHeaderTimeout: a.limits.HeaderTimeout,
		ReadTimeout:       a.limits.ReadTimeout,
		WriteTimeout:      a.limits.WriteTimeout,
		IdleTimeout:       a.limits.IdleTimeout,
		MaxHeaderBytes:    a.limits.HeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext:       a.conns.hold,
		ConnState:         a.conns.changed,
		ErrorLog:          slog.NewLogLogger(quiet{a.logger.Handler()}, slog.LevelDebug),
	}
	if a.cfg.Wall != nil {
		s.RegisterOnShutdown(a.cfg.Wall.Stop)
	}
	return s
}

// quiet hides the text of net/http's own complaints, which name clients' addresses, behind a constant message.
type quiet struct{ slog.Handler }

// Handle implements slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if !q.Enabled(ctx, r.Level) {
		return nil
	}
	return q.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "connection ended in an error", r.PC))
}

func since(from, to time.Time) time.Duration { return max(0, to.Sub(from)) }
