package httpapi

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/collector/web/wall"
)

// Keys of values that one request carries.
const (
	requestIDHeader = "X-Request-Id"
	ctxRequestID    = "monev112.request_id"
	ctxKey          = "monev112.key"
	ctxPage         = "monev112.page"
	ctxAnswered     = "monev112.answered" // when the answer began, of one that lasts
)

func requestID(c *gin.Context) string { return c.GetString(ctxRequestID) }

// route returns the pattern of the request's route, never its path: a path may hold an id.
func route(c *gin.Context) string {
	if p := c.FullPath(); p != "" {
		return p
	}
	if c.GetBool(ctxPage) {
		return pagesRoute
	}
	return "other"
}

// holder returns the key that the request came with; nil while the service is open.
func holder(c *gin.Context) *auth.Key {
	v, _ := c.Get(ctxKey)
	k, _ := v.(*auth.Key)
	return k
}

// identify gives the request an id, the client's own if it is well-formed, and names the span.
func (a *API) identify(c *gin.Context) {
	id := c.GetHeader(requestIDHeader)
	if !wellFormedID(id) {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails
		id = hex.EncodeToString(b[:])
	}
	c.Set(ctxRequestID, id)
	c.Header(requestIDHeader, id)
	if span := trace.SpanFromContext(c.Request.Context()); span.IsRecording() {
		span.SetName(c.Request.Method + " " + route(c))
		span.SetAttributes(attribute.String("http.route", route(c)), attribute.String("request_id", id))
	}
	c.Next()
}

// wellFormedID accepts what request ids look like and refuses what could be a telephone number: the id is logged.
func wellFormedID(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	run, letters := 0, false
	for _, b := range []byte(id) {
		switch {
		case b >= '0' && b <= '9':
			if run++; run >= 8 {
				return false
			}
			continue
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z':
			letters = true
		case b == '-', b == '_', b == '.':
		default:
			return false
		}
		run = 0
	}
	return letters
}

// observe measures and logs the request.
func (a *API) observe(c *gin.Context) {
	start := a.cfg.Now()
	ended := func(string, int, time.Duration) {}
	if a.cfg.Hooks.Began != nil {
		ended = a.cfg.Hooks.Began()
	}
	defer func() {
		end := a.cfg.Now()
		if at, ok := c.Get(ctxAnswered); ok {
			end = at.(time.Time)
		}
		took := since(start, end)
		ended(route(c), c.Writer.Status(), took)
		a.log(c, took)
	}()
	c.Next()
}

// mutedLines counts access log lines that the limit left out.
type mutedLines struct{ n atomic.Int64 }

// log writes a line for what an operator may have to look at; successes are counted and, at debug level, shown.
func (a *API) log(c *gin.Context, took time.Duration) {
	status, level := c.Writer.Status(), slog.LevelDebug
	switch {
	case status >= 500:
		level = slog.LevelWarn
	case status >= 400:
		level = slog.LevelInfo
	}
	ctx := c.Request.Context()
	if !a.logger.Enabled(ctx, level) {
		return
	}
	if level > slog.LevelDebug && !a.lines.Allow() {
		a.muted.n.Add(1)
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", requestID(c)), slog.String("method", method(c.Request.Method)),
		slog.String("route", route(c)),
		slog.Int("status", status), slog.Int64("took_ms", took.Milliseconds()),
		slog.Int64("request_bytes", max(0, c.Request.ContentLength)), slog.Int("answer_bytes", max(0, c.Writer.Size())),
	}
	if k := holder(c); k != nil {
		attrs = append(attrs, slog.String("key", k.Name))
	}
	if sc := trace.SpanContextFromContext(ctx); sc.IsSampled() {
		attrs = append(attrs, slog.String("trace_id", sc.TraceID().String()))
	}
	if n := a.muted.n.Swap(0); n > 0 {
		attrs = append(attrs, slog.Int64("lines_left_out", n))
	}
	a.logger.LogAttrs(ctx, level, "request", attrs...)
}

// method keeps what a client wrote out of the log: a method may be any word.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions:
		return m
	}
	return "other"
}

// recover turns a panic into 500. The value of a panic may hold data, so that only runtime errors are logged whole.
func (a *API) recover(c *gin.Context) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(v)
		}
		what := fmt.Sprintf("%T", v)
		if err, ok := v.(runtime.Error); ok {
			what = err.Error()
		}
		a.logger.Error("request panicked", "request_id", requestID(c), "route", route(c), "panic", what, "stack",
			string(debug.Stack()))
		if c.Writer.Written() {
			c.Abort()
			return
		}
		a.fail(c, newProblem(http.StatusInternalServerError, codeInternal,
			"Something went wrong here. Quote the request id when you report it."))
	}()
	c.Next()
}

// harden sets headers for the browser that shows an answer although it is no page.
func (a *API) harden(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if c.Request.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	c.Next()
}

// admit bounds the requests in hand.
func (a *API) admit(ep endpoint) gin.HandlerFunc {
	return func(c *gin.Context) {
		if c.Request.ContentLength == 0 {
			a.conns.arrived(c.Request)
		}
		if ep.free {
			c.Next()
			return
		}
		if leave, ok := a.enter(c); ok {
			defer leave()
			c.Next()
		}
	}
}

// enter takes one of the places for requests in hand, to be left again; when there is none it answers the request.
func (a *API) enter(c *gin.Context) (leave func(), ok bool) {
	select {
	case a.slots <- struct{}{}:
		return func() { <-a.slots }, true
	default:
		a.fail(c, ingest.ErrBusy)
		return nil, false
	}
}

// computeTimeout is how long an answer may take that adds up a month or more, or changes as much: as long as monev112's
// own commands wait for it.
const computeTimeout = 5 * time.Minute

// patient gives such an answer, to a caller who was let in, more than Limits.WriteTimeout.
func (e endpoint) patient(c *gin.Context) {
	if strings.HasPrefix(e.path, "/v1/admin/") || strings.HasPrefix(e.path, "/v1/report") ||
		strings.HasPrefix(e.path, "/v1/monev/") {
		// else that of the server holds
		_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(computeTimeout))
	}
}

// authorize lets a request pass whose key has what the endpoint asks for. While no key was ever created everything
// passes, provided that the request names this machine: a web page that a browser here has open may not speak for it.
func (a *API) authorize(ep endpoint) gin.HandlerFunc {
	return func(c *gin.Context) {
		open := a.cfg.Keys.AuthDisabled()
		if ep.screen() && c.Query("link") != "" { // the handler looks at it
			c.Next()
			return
		}
		if open && !ep.behindProxy() && forwarded(c.Request) {
			a.fail(c, newProblem(http.StatusForbidden, codeForbidden,
				"This request came through a proxy, and no API key exists yet: whoever reaches the proxy would be let in. Create "+
					"a key with: monev112 key create."))
			return
		}
		if ep.scopes == nil {
			c.Next()
			return
		}
		if open {
			if !localRequest(c.Request) {
				a.fail(c, newProblem(http.StatusForbidden, codeForbidden,
					"No API key exists yet, so only requests to the loopback address are answered. Create a key with: monev112 key "+
						"create."))
				return
			}
			c.Next()
			return
		}
		secret := auth.SecretOf(c.Request)
		if secret == "" && ep.screen() && a.cfg.Site != nil {
			if p := a.cfg.Site.Live(c.Request); p.Key != nil && p.May(page.Scopes(ep.scopes...)) {
				c.Set(ctxKey, p.Key)
				c.Next()
				return
			}
		}
		if secret == "" {
			a.fail(c, newProblem(http.StatusUnauthorized, codeUnauthorized, "Send an API key: Authorization: Bearer <key>."))
			return
		}
		key, ok := a.cfg.Keys.Authenticate(secret)
		if !ok {
			if !a.slowed(c, secret) {
				a.fail(c, newProblem(http.StatusUnauthorized, codeUnauthorized, "The API key is unknown, revoked or expired."))
			}
			return
		}
		c.Set(ctxKey, key)
		for _, s := range ep.scopes {
			if key.Allows(s) {
				c.Next()
				return
			}
		}
		if ep.opd && len(key.OPDs()) > 0 {
			c.Next()
			return
		}
		a.fail(c, newProblem(http.StatusForbidden, codeForbidden,
			"The API key does not have the scope "+string(ep.scopes[0])+"."))
	}
}

// behindProxy reports whether an endpoint answers through a proxy also while no key exists: pages ask for a signed link
// instead, the others tell nothing about the centre.
func (ep endpoint) behindProxy() bool {
	return strings.HasPrefix(ep.path, "/p/") || strings.HasPrefix(ep.path, "/-/") || ep.path == "/openapi.yaml"
}

// screen reports whether screens ask for an endpoint too: with the session of a page, in which admin allows it, or with
// the link of a display.
func (ep endpoint) screen() bool { return ep.path == wall.StreamPath }

// forwarders are the headers beside X-Forwarded-* by which proxies say that they passed a request on.
var forwarders = []string{
	"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip",
	"X-Cluster-Client-Ip", "X-Original-Forwarded-For", "X-Original-Host", "X-Envoy-External-Address", "Cdn-Loop",
}

// forwarded reports whether a proxy says that it passed the request on, for whomever: an empty header says so too.
func forwarded(r *http.Request) bool {
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded") || slices.Contains(forwarders, name) {
			return true
		}
	}
	return false
}

// localRequest reports whether the Host is loopback and no foreign page sent the request (a rebound DNS name has a
// foreign Host, a cross-site form a foreign Origin).
func localRequest(r *http.Request) bool {
	if !auth.Loopback(r.Host) {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	_, host, ok := strings.Cut(origin, "://")
	if !ok {
		return false
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return auth.Loopback(host)
}
