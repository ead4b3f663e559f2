package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"github.com/monev112/monev112/collector/alerting/notifications"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/store"
)

// problem is an answer that is no result, by RFC 9457 (application/problem+json).
type problem struct {
	Type      string `json:"type"` // always about:blank: Code tells problems apart
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`

	retryAfter time.Duration
}

// Error implements error.
func (p *problem) Error() string { return p.Code + ": " + p.Detail }

func newProblem(status int, code, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// The codes of problems; each stands in the OpenAPI document.
const (
	codeBadRequest    = "bad_request"
	codeUnauthorized  = "unauthorized"
	codeForbidden     = "forbidden"
	codeNotFound      = "not_found"
	codeAmbiguous     = "ambiguous"
	codeMethod        = "method_not_allowed"
	codeTooLarge      = "too_large"
	codeTooManyEvents = "too_many_events"
	codeMediaType     = "unsupported_media_type"
	codeBusy          = "busy"
	codeUnavailable   = "unavailable"
	codeConflict      = "conflict"
	codeInternal      = "internal"
)

const problemType = "application/problem+json"

// retryClickHouse is what Retry-After says of a request that needs ClickHouse while it is away: it starts in some
// seconds and is tried again every ten.
const retryClickHouse = 5 * time.Second

// retryHeldBack is what Retry-After says of a source that waits for an operator.
const retryHeldBack = time.Minute

// fail answers with a problem and ends the request. An error that is no problem of ours becomes 500 without its text,
// which goes to the log.
func (a *API) fail(c *gin.Context, err error) {
	err = refused(err)
	var p *problem
	var away *store.UnavailableError
	var held *ingest.HeldBackError
	switch {
	case errors.As(err, &p):
		q := *p
		p = &q
	case errors.Is(err, ingest.ErrTooLarge):
		p = newProblem(http.StatusRequestEntityTooLarge, codeTooLarge,
			"The request can never be taken as a whole. Nothing of it was taken; send smaller batches.")
	case errors.As(err, &held):
		p = newProblem(http.StatusTooManyRequests, codeBusy, fmt.Sprintf(
			"What source %q sent before waits as dead letters and takes the room that is left on the disk; other sources go "+
				"on. "+
				"Nothing of this request was taken; tell the operator of the service, and send it again later.", held.Source))
		p.retryAfter = retryHeldBack
	case errors.Is(err, ingest.ErrBusy):
		p = newProblem(http.StatusTooManyRequests, codeBusy,
			"Too much is waiting. Nothing of this request was taken; send it again later.")
		p.retryAfter = a.limits.RetryAfter
		if slices.Contains(alertmanagerPaths, route(c)) { // Alertmanager sends a message again after 5xx alone
			p.Status, p.Title = http.StatusServiceUnavailable, http.StatusText(http.StatusServiceUnavailable)
		}
	case errors.Is(err, ingest.ErrUnavailable):
		p = newProblem(http.StatusServiceUnavailable, codeUnavailable,
			"Events cannot be accepted now; the log and /-/ready say why. Nothing of this request was taken; send it again "+
				"later.")
		p.retryAfter = a.limits.RetryAfter
	case errors.Is(err, notifications.ErrUnavailable):
		p = newProblem(http.StatusServiceUnavailable, codeUnavailable,
			"The record of messages cannot be written now; the log says why. Send the message again later.")
		p.retryAfter = a.limits.RetryAfter
	case errors.As(err, &away):
		if away.Err != nil {
			a.logger.Warn("clickhouse needed and not there", "request_id", requestID(c), "route", route(c), "error", away.Err)
		}
		p = newProblem(http.StatusServiceUnavailable, codeUnavailable,
			fmt.Sprintf("%s Try again in %d s.", away.Reason, retryClickHouse/time.Second))
		p.retryAfter = retryClickHouse
	case c.Request.Context().Err() != nil:
		p = newProblem(http.StatusServiceUnavailable, codeUnavailable, "The request was given up before it was done.")
		p.retryAfter = a.limits.RetryAfter
	default:
		a.logger.Error("request failed", "request_id", requestID(c), "route", route(c), "error", err)
		p = newProblem(http.StatusInternalServerError, codeInternal,
			"Something went wrong here. Quote the request id when you report it.")
	}
	p.RequestID = requestID(c)
	if p.retryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(max(1, int(p.retryAfter.Round(time.Second)/time.Second))))
	}
	switch p.Status {
	case http.StatusUnauthorized:
		c.Header("WWW-Authenticate", `Bearer realm="monev112"`)
	case http.StatusUnsupportedMediaType:
		c.Header("Accept-Encoding", "gzip, zstd")
	}
	a.write(c, p.Status, problemType, p)
	c.Abort()
}

// answers makes a handler of what gives the answer, or says why there is none.
func (a *API) answers(give func(c *gin.Context) (any, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		out, err := give(c)
		if err != nil {
			a.fail(c, err)
			return
		}
		a.answer(c, http.StatusOK, out)
	}
}

// answer writes a result.
func (a *API) answer(c *gin.Context, status int, v any) { a.write(c, status, "application/json", v) }

func (a *API) write(c *gin.Context, status int, mediaType string, v any) {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		a.logger.Error("answer cannot be written", "request_id", requestID(c), "route", route(c), "error", err)
		status, mediaType = http.StatusInternalServerError, problemType
		text = []byte(
			`{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal","detail":"The answer cannot be written.","request_id":"` + requestID(c) + `"}`)
	}
	c.Data(status, mediaType, append(text, '\n'))
}
