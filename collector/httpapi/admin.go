package httpapi

import (
	"bytes"
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

// within holds a request's centre against the centre that its key is bound to, and returns the one to use.
func within(c *gin.Context, center string) (string, error) {
	key := holder(c)
	if key == nil || key.Center == "" || key.Center == center {
		return center, nil
	}
	if center != "" {
		return "", newProblem(http.StatusForbidden, codeForbidden, "The API key is bound to another centre.")
	}
	return key.Center, nil
}

// refused turns the refusals of an operator's request into problems.
func refused(err error) error {
	var spec *rebuild.SpecError
	var no *freeze.RefusedError
	var not *withdrawal.RefusedError
	switch {
	case errors.As(err, &not) && not.Wait:
		return newProblem(http.StatusConflict, codeConflict, not.Reason)
	case errors.As(err, &not):
		return newProblem(http.StatusBadRequest, codeBadRequest, not.Reason)
	case errors.Is(err, withdrawal.ErrNotFound):
		return notFound("ticket")
	case errors.As(err, &spec):
		return newProblem(http.StatusBadRequest, codeBadRequest, spec.Error())
	case errors.As(err, &no) && no.Conflict:
		return newProblem(http.StatusConflict, codeConflict, no.Reason)
	case errors.As(err, &no):
		return newProblem(http.StatusBadRequest, codeBadRequest, no.Reason)
	case errors.Is(err, rebuild.ErrBusy):
		return newProblem(http.StatusConflict, codeConflict, "Another rebuild is under way; wait for it or stop it.")
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
	if key := holder(c); err == nil && key != nil && key.Center != "" {
		if len(spec.Centers) == 0 {
			spec.Centers = []string{key.Center}
		} else if !slices.Equal(spec.Centers, []string{key.Center}) {
			err = newProblem(http.StatusForbidden, codeForbidden, "The API key is bound to another centre.")
		}
	}
	var job rebuild.Job
	if err == nil {
		job, err = a.cfg.Admin.StartRebuild(c.Request.Context(), spec)
	}
	a.answerJob(c, http.StatusAccepted, job, err)
}

func (a *API) getRebuild(c *gin.Context)    { a.namedRebuild(c, a.cfg.Admin.Rebuild) }
func (a *API) deleteRebuild(c *gin.Context) { a.namedRebuild(c, a.cfg.Admin.StopRebuild) }

func (a *API) namedRebuild(c *gin.Context, do func(string) (rebuild.Job, error)) {
	if _, err := query(c); err != nil {
		a.fail(c, err)
		return
	}
	id := strings.TrimPrefix(c.Param("id"), "/")
	switch id {
	case "":
		a.fail(c, notFound("rebuild"))
		return
	case latest:
		id = ""
	}
	job, err := a.cfg.Admin.Rebuild(id)
	if key := holder(c); err == nil && key != nil && key.Center != "" &&
		!slices.Equal(job.Spec.Centers, []string{key.Center}) {
		err = rebuild.ErrUnknown
	}
	if err == nil {
		job, err = do(job.ID)
	}
	a.answerJob(c, http.StatusOK, job, err)
}

func (a *API) answerJob(c *gin.Context, status int, job rebuild.Job, err error) {
	if err != nil {
		a.fail(c, refused(err))
		return
	}
	a.answer(c, status, job)
}

func (a *API) postFreeze(c *gin.Context) {
	var r freeze.Request
	err := readJSON(c, &r)
	if err == nil {
		r.Center, err = within(c, r.Center)
	}
	var out freeze.Frozen
	if err == nil {
		out, err = a.cfg.Admin.Freeze(c.Request.Context(), r)
	}
	a.answerAdmin(c, out, err)
}

func (a *API) getFreezes(c *gin.Context) {
	q, err := query(c, "center", "month", "as_of")
	center, asOf := "", time.Time{}
	if err == nil {
		center, err = within(c, q.Get("center"))
	}
	if err == nil {
		asOf, err = a.asOf(q)
	}
	out := freezesAnswer{}
	if err == nil {
		out.Reports, err = a.cfg.Admin.Compare(c.Request.Context(), center, q.Get("month"), asOf)
	}
	if out.Reports == nil {
		out.Reports = []freeze.Report{}
	}
	a.answerAdmin(c, out, err)
}

// postRetention counts, and with apply deletes, the personal data that is due. It is for keys of no centre: what is due
// is due everywhere.
func (a *API) postRetention(c *gin.Context) {
	var r struct {
		Apply       bool `json:"apply"`
		DeadLetters bool `json:"dead_letters"`
	}
	err := readJSON(c, &r)
	if key := holder(c); err == nil && key != nil && key.Center != "" {
		err = newProblem(http.StatusForbidden, codeForbidden, "The API key is bound to a centre; retention is for all.")
	}
	var out retention.Report
	switch {
	case err != nil:
	case r.Apply:
		out, err = a.cfg.Admin.DeleteDue(c.Request.Context(), r.DeadLetters)
	default:
		out, err = a.cfg.Admin.CountDue(c.Request.Context())
	}
	a.answerAdmin(c, out, err)
}

// answerAdmin answers with out unless err says why there is none.
func (a *API) answerAdmin(c *gin.Context, out any, err error) {
	if err != nil {
		a.fail(c, refused(err))
		return
	}
	a.answer(c, http.StatusOK, out)
}
