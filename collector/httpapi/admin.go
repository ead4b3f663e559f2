package httpapi

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/monev/number"
	"github.com/monev112/monev112/collector/monev/report"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/upkeep/rebuild"
	"github.com/monev112/monev112/collector/upkeep/retention"
	"github.com/monev112/monev112/collector/upkeep/withdrawal"
)

// Admin is what an operator may ask the service to do.
type Admin struct {
	StartRebuild func(ctx context.Context, spec rebuild.Spec) (rebuild.Job, error)
	Rebuild      func(id string) (rebuild.Job, error) // the latest, when id is empty
	StopRebuild  func(id string) (rebuild.Job, error)
	// Freeze freezes a month of the centre named, of every centre with a board when none is.
	Freeze func(ctx context.Context, r freeze.Request) (freeze.Frozen, error)
	// Compare reports on frozen months: of every centre when none is named, of every frozen month when none is.
	Compare func(ctx context.Context, center, month string, asOf time.Time) ([]freeze.Report, error)
	// CountDue counts the personal data that is due, DeleteDue deletes it; old dead letters and conflicts only when asked.
	CountDue  func(ctx context.Context) (retention.Report, error)
	DeleteDue func(ctx context.Context, deadLetters bool) (retention.Report, error)
	// SourceEvents lists the events of a source, Withdraw takes them back, Confirm confirms that a ticket never was; by
	// is the id of the key that asks, empty where none exists.
	SourceEvents func(ctx context.Context, q withdrawal.Query) (withdrawal.Page, error)
	Withdraw     func(ctx context.Context, q withdrawal.Query, by string) (withdrawal.Done, error)
	Confirm      func(ctx context.Context, center, ticket, by string) (withdrawal.Confirmed, error)
}

type freezesAnswer struct {
	Reports []freeze.Report `json:"reports"`
}

// latest names the latest rebuild in the place of an id.
const latest = "latest"

// maxAdminBytes bounds the body of an operator's request.
const maxAdminBytes = 64 << 10

// readJSON reads the body of an operator's request strictly.
func readJSON(c *gin.Context, into any) error {
	if mediaType, _, err := mime.ParseMediaType(c.GetHeader("Content-Type")); err != nil ||
		mediaType != "application/json" {
		return newProblem(http.StatusUnsupportedMediaType, codeMediaType, "Send application/json.")
	}
	text, err := io.ReadAll(http.MaxBytesReader(nil, c.Request.Body, maxAdminBytes))
	if err != nil {
		var limit *http.MaxBytesError
		if errors.As(err, &limit) {
			return tooLarge("The body", maxAdminBytes)
		}
		return newProblem(http.StatusBadRequest, codeBadRequest, "The body ended before it was complete.")
	}
	if err := json.Unmarshal(bytes.TrimSpace(text), into, json.RejectUnknownMembers(true)); err != nil {
		return newProblem(http.StatusBadRequest, codeBadRequest,
			"The body is not the JSON object that /openapi.yaml describes.")
	}
	return nil
}

// errOtherCenter answers who asks for another centre than the key's.
var errOtherCenter = newProblem(http.StatusForbidden, codeForbidden, "The API key is bound to another centre.")

// ownCenter is the centre that the request's key is bound to; empty is any.
func ownCenter(c *gin.Context) string {
	if key := holder(c); key != nil {
		return key.Center
	}
	return ""
}

// within holds a request's centre against the centre that its key is bound to, and returns the one to use.
func within(c *gin.Context, center string) (string, error) {
	if own := ownCenter(c); own != "" && center != "" && center != own {
		return "", errOtherCenter
	}
	return cmp.Or(center, ownCenter(c)), nil
}

// refused turns the refusals of requests into problems. Other errors stay.
func refused(err error) error {
	var spec *rebuild.SpecError
	var month *freeze.RefusedError
	var events *withdrawal.RefusedError
	var made *report.RefusedError
	var causes *kendala.RefusedError
	var percentage *number.RefusedError
	var busy *report.BusyError
	bad := func(conflict bool, reason string) error {
		if conflict {
			return newProblem(http.StatusConflict, codeConflict, reason)
		}
		return newProblem(http.StatusBadRequest, codeBadRequest, reason)
	}
	switch {
	case errors.As(err, &events):
		return bad(events.Wait, events.Reason)
	case errors.As(err, &spec):
		return bad(false, spec.Error())
	case errors.As(err, &month):
		return bad(month.Conflict, month.Reason)
	case errors.As(err, &made):
		return bad(made.Conflict, made.Reason)
	case errors.As(err, &causes):
		return bad(false, causes.Reason)
	case errors.As(err, &percentage):
		return bad(false, percentage.Reason)
	case errors.As(err, &busy):
		p := newProblem(http.StatusServiceUnavailable, codeUnavailable, busy.Reason)
		p.retryAfter = report.AskAgain
		return p
	case errors.Is(err, report.ErrFormat):
		return badQuery("format", report.ErrFormat.Error()+".")
	case errors.Is(err, withdrawal.ErrNotFound):
		return notFound("ticket")
	case errors.Is(err, rebuild.ErrBusy):
		return bad(true, "Another rebuild is under way; wait for it or stop it.")
	case errors.Is(err, rebuild.ErrUnknown):
		return notFound("rebuild")
	case errors.Is(err, freeze.ErrNotFrozen):
		return newProblem(http.StatusNotFound, codeNotFound, "This month was not frozen.")
	case errors.Is(err, rebuild.ErrAway):
		return store.ErrNotReady
	}
	return err
}

func (a *API) postRebuild(c *gin.Context) {
	var spec rebuild.Spec
	err := readJSON(c, &spec)
	if own := ownCenter(c); err == nil && own != "" {
		if len(spec.Centers) == 0 {
			spec.Centers = []string{own}
		} else if !slices.Equal(spec.Centers, []string{own}) {
			err = errOtherCenter
		}
	}
	var job rebuild.Job
	if err == nil {
		job, err = a.cfg.Admin.StartRebuild(c.Request.Context(), spec)
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	a.answer(c, http.StatusAccepted, job)
}

func (a *API) getRebuild(c *gin.Context) (any, error) { return a.namedRebuild(c, a.cfg.Admin.Rebuild) }

func (a *API) deleteRebuild(c *gin.Context) (any, error) {
	return a.namedRebuild(c, a.cfg.Admin.StopRebuild)
}

func (a *API) namedRebuild(c *gin.Context, do func(string) (rebuild.Job, error)) (any, error) {
	if q := a.query(c); q.err != nil {
		return nil, q.err
	}
	id := strings.TrimPrefix(c.Param("id"), "/")
	switch id {
	case "":
		return nil, rebuild.ErrUnknown
	case latest:
		id = ""
	}
	job, err := a.cfg.Admin.Rebuild(id)
	if err != nil {
		return nil, err
	}
	if own := ownCenter(c); own != "" && !slices.Equal(job.Spec.Centers, []string{own}) {
		return nil, rebuild.ErrUnknown
	}
	return do(job.ID)
}

func (a *API) postFreeze(c *gin.Context) (any, error) {
	var r freeze.Request
	err := readJSON(c, &r)
	if err == nil {
		r.Center, err = within(c, r.Center)
	}
	if err != nil {
		return nil, err
	}
	return a.cfg.Admin.Freeze(c.Request.Context(), r)
}

func (a *API) getFreezes(c *gin.Context) (any, error) {
	q := a.query(c, "center", "month", "as_of")
	center, asOf := q.center(), q.asOf()
	if q.err != nil {
		return nil, q.err
	}
	reports, err := a.cfg.Admin.Compare(c.Request.Context(), center, q.Get("month"), asOf)
	return freezesAnswer{append([]freeze.Report{}, reports...)}, err
}

// postRetention counts, and with apply deletes, the personal data that is due. It is for keys of no centre: what is due
// is due everywhere.
func (a *API) postRetention(c *gin.Context) (any, error) {
	var r struct {
		Apply       bool `json:"apply"`
		DeadLetters bool `json:"dead_letters"`
	}
	switch err := readJSON(c, &r); {
	case err != nil:
		return nil, err
	case ownCenter(c) != "":
		return nil, newProblem(http.StatusForbidden, codeForbidden,
			"The API key is bound to a centre; retention is for all.")
	case r.Apply:
		return a.cfg.Admin.DeleteDue(c.Request.Context(), r.DeadLetters)
	}
	return a.cfg.Admin.CountDue(c.Request.Context())
}
