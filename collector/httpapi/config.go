package httpapi

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/alerting/notifications"
	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/monev/number"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/store/lookup"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/collector/web/wall"
)

// Pages answers the requests below /p/.
type Pages interface {
	http.Handler
	// ValidLink reports whether the path is that of a page. It looks nothing up.
	ValidLink(path string) bool
}

// Intake takes events in. Submit returns once those accepted are durable, or an error of package ingest, or
// event.ErrTooManyEvents, with nothing accepted.
type Intake interface {
	Submit(ctx context.Context, r ingest.Request) (event.Receipt, error)
	// Unresolved returns the names that the directory could not resolve, the most frequent first.
	Unresolved() []ingest.UnresolvedName
}

// Cases answers reads; *lookup.Cases is one.
type Cases interface {
	Snapshot(now time.Time) tracker.Snapshot
	Tickets(f tracker.TicketFilter, now time.Time, after event.Key, limit int) ([]tracker.Row, error)
	TicketsAsOf(ctx context.Context, f tracker.TicketFilter, at time.Time, after event.Key, limit int) ([]tracker.Row,
		error)
	Flags(ctx context.Context, center string, since, until, asOf time.Time) ([]store.FlagCount, error)
	Find(ctx context.Context, kind event.Kind, center, id string) ([]lookup.Case, error)
	FindAsOf(ctx context.Context, key event.Key, at time.Time) (found lookup.Case, began bool, err error)
}

// ClockReading is what an SLA clock says at an instant.
type ClockReading struct {
	State     string   // running, paused, met, breached, void, unobserved
	UsedRatio float64  // share of the target that is used; above 1 when overdue
	Explain   []string // how the due time came about, one step a line; nil when not asked for
}

// Reads are the functions, besides Cases, that answers are made with. Each may be nil.
type Reads struct {
	// t is nil for a call's clock
	Clock      func(c *sla.Clock, t *casefile.Ticket, now time.Time, lang string, explain bool) ClockReading
	CenterName func(center string) string
	// the directory's id of an OPD as a ticket names it; empty when unknown; nil takes names as ids
	OPDID   func(center, opd string) string
	OPDName func(center, opd string) string // the full name, by id or as a ticket names it
}

// Hooks are told what happens. Each may be nil; all are called from the request's goroutine.
type Hooks struct {
	Began func() (ended func(route string, status int, took time.Duration)) // one per request
	Read  func(e audit.Entry)                                               // a single case is about to be shown
}

// Limits bound what a client may cost. Zero fields take the defaults of DefaultLimits.
type Limits struct {
	BodyBytes      int64         // a body as sent
	UnpackedBytes  int64         // a body after gzip or zstd
	MemoryBytes    int64         // all bodies in hand together; a request waits for its share up to MemoryWait
	MemoryWait     time.Duration //
	Concurrent     int           // requests at once, health and metrics apart; more get 429
	Connections    int           // connections at once; more wait in the kernel's queue
	HeaderBytes    int           //
	HeaderTimeout  time.Duration // to send the header
	ReadTimeout    time.Duration // to send the whole request
	WriteTimeout   time.Duration // from the end of the header to the end of the answer
	IdleTimeout    time.Duration // between requests
	RetryAfter     time.Duration // what 429 and 503 ask for
	LogLinesPerSec int           // access log lines for refused requests; the rest is counted
	TicketsPerPage int           // most tickets of one answer
	WrongKeys      int           // wrong keys or links that an address may try before it has to wait
	WrongKeyEvery  time.Duration // after which it may try one more
}

// DefaultLimits are the limits of one centre's service.
func DefaultLimits() Limits {
	return Limits{
		BodyBytes: 8 << 20, UnpackedBytes: 32 << 20, MemoryBytes: 256 << 20, MemoryWait: 2 * time.Second,
		Concurrent: 256, Connections: 1024, HeaderBytes: 16 << 10,
		HeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute,
		RetryAfter:  time.Second, LogLinesPerSec: 20, TicketsPerPage: 500,
		WrongKeys: 30, WrongKeyEvery: 2 * time.Second,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		BodyBytes: cmp.Or(l.BodyBytes, d.BodyBytes), UnpackedBytes: cmp.Or(l.UnpackedBytes, d.UnpackedBytes),
		MemoryBytes: cmp.Or(l.MemoryBytes, d.MemoryBytes), MemoryWait: cmp.Or(l.MemoryWait, d.MemoryWait),
		Concurrent: cmp.Or(l.Concurrent, d.Concurrent), Connections: cmp.Or(l.Connections, d.Connections),
		HeaderBytes: cmp.Or(l.HeaderBytes, d.HeaderBytes), HeaderTimeout: cmp.Or(l.HeaderTimeout, d.HeaderTimeout),
		ReadTimeout: cmp.Or(l.ReadTimeout, d.ReadTimeout), WriteTimeout: cmp.Or(l.WriteTimeout, d.WriteTimeout),
		IdleTimeout: cmp.Or(l.IdleTimeout, d.IdleTimeout), RetryAfter: cmp.Or(l.RetryAfter, d.RetryAfter),
		LogLinesPerSec: cmp.Or(l.LogLinesPerSec, d.LogLinesPerSec),
		TicketsPerPage: cmp.Or(l.TicketsPerPage, d.TicketsPerPage),
		WrongKeys:      cmp.Or(l.WrongKeys, d.WrongKeys), WrongKeyEvery: cmp.Or(l.WrongKeyEvery, d.WrongKeyEvery),
	}
}

// Config is what an API is made of. Intake, Cases, Keys and Now are required.
type Config struct {
	Limits Limits
	Intake Intake
	Cases  Cases
	Reads  Reads
	Admin  Admin
	// Reports makes the reports of the meeting.
	Reports Reports
	Office  Office // what the office writes for its meeting; nil answers 404
	// why the cases of a month were late
	Kendala func(ctx context.Context, r kendala.Request) (kendala.Result, error)
	// Number tells which shares of a range round to a number.
	Number func(ctx context.Context, r number.Request) (number.Result, error)
	Hooks  Hooks
	Keys   *auth.Guard
	// records a notification of Alertmanager
	Messages       func(body []byte) (m notifications.Notification, again bool, err error)
	Outbox         Outbox                          // what the service sends itself; nil answers 404
	Pages          Pages                           // answers below /p/; nil answers 404
	Site           *page.Site                      // pages for whoever signs in; nil has none
	Wall           *wall.Wall                      // streams the board; nil answers 404
	Metrics        http.Handler                    // answers /metrics; nil answers 404
	MetricsNeedKey bool                            // /metrics asks for a key with board:read
	OpenAPI        []byte                          // answered at /openapi.yaml
	Ready          func(ctx context.Context) error // why no event can be accepted now; nil is always ready
	Tracer         trace.TracerProvider            // nil traces nothing
	Logger         *slog.Logger                    // nil discards
	// addresses or networks whose X-Forwarded-For is believed; none by default
	TrustedProxies []string
	Certificate    *Certificate // of the service; nil speaks HTTP
	Now            func() time.Time
}

func (c *Config) check() error {
	switch {
	case c.Intake == nil, c.Cases == nil, c.Keys == nil, c.Now == nil:
		return errors.New("api: Intake, Cases, Keys and Now are required")
	case c.Limits.BodyBytes > c.Limits.MemoryBytes || c.Limits.UnpackedBytes > c.Limits.MemoryBytes:
		return errors.New(
			"api: one body may be larger than MemoryBytes: raise MemoryBytes or lower BodyBytes and UnpackedBytes")
	case c.Limits.Concurrent < 0 || c.Limits.Connections < 0 || c.Limits.TicketsPerPage < 0 || c.Limits.BodyBytes < 0 ||
		c.Limits.UnpackedBytes < 0 ||
		c.Limits.WrongKeys < 0 || c.Limits.WrongKeyEvery < 0:
		return errors.New("api: a limit is negative")
	}
	return nil
}
