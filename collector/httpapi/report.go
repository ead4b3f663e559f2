package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/monev/report"
)

// Reports makes the reports of the monev meeting; *report.Runner is one.
type Reports interface {
	Report(ctx context.Context, q report.Request) (*report.Result, error)
	File(a *report.Result, format string) ([]byte, error)
	// Changed is what of a frozen month is no longer what was frozen; nil when nothing is.
	Changed(ctx context.Context, center, month string) (*freeze.Report, error)
	Months(ctx context.Context, center string) ([]report.Month, error)
}

// reportTag is the header that names what an answer was made from: files of one tag agree.
const reportTag = "Monev112-Report"

type monthsAnswer struct {
	Months []report.Month `json:"months"`
}

type changesAnswer struct {
	Changes *freeze.Report `json:"changes"` // null: every figure is what was frozen, or the month is not frozen
}

// reportProgress is the answer while a report is being made.
type reportProgress struct {
	Detail string `json:"detail"`
}

// failReport answers why there is no report: not yet, or for what other reason.
func (a *API) failReport(c *gin.Context, err error) {
	var wait *report.MakingError
	if errors.As(err, &wait) {
		c.Header("Retry-After", strconv.Itoa(int(report.AskAgain/time.Second)))
		a.answer(c, http.StatusAccepted, reportProgress{wait.Error()})
		return
	}
	a.fail(c, err)
}

// reportWait leaves an answer the rest of the time that it has.
func (a *API) reportWait() time.Duration { return a.limits.WriteTimeout / 4 * 3 }

// who is the name of the request's key, as what is kept has it.
func who(c *gin.Context) string {
	if k := holder(c); k != nil {
		return k.Name
	}
	return audit.Nobody
}

// part narrows a request of a report to what its key may see: a key that reads OPDs alone sees their parts.
func part(c *gin.Context, opd string) (string, error) {
	key := holder(c)
	if mayHandOut(key) || key.Allows(auth.BoardRead) {
		return opd, nil
	}
	switch opds := key.OPDs(); {
	case opd == "" && len(opds) == 1:
		return opds[0], nil
	case opd == "":
		return "", badQuery("opd", "this key reads several OPDs; name one.")
	case !slices.Contains(opds, opd):
		return "", notFound("report")
	}
	return opd, nil
}

// mayHandOut reports whether a key may hand a report out; where no key exists, everybody may.
func mayHandOut(key *auth.Key) bool {
	return key == nil || key.Allows(auth.MonevWrite) || key.Allows(auth.Admin)
}

// recordHandOut returns what records that the request's key handed a report out, maybe after the answer.
func (a *API) recordHandOut(c *gin.Context) func(*report.Edition) {
	c = c.Copy()
	return func(e *report.Edition) {
		a.recordChange(c, audit.Entry{Action: audit.HandOut, Kind: "report", Center: e.Report.Center, ID: e.Report.Month})
	}
}

func (a *API) getReport(c *gin.Context) {
	q := a.query(c, "center", "month", "opd", "format", "edition", "draft", "fresh")
	r := report.Request{
		Center: q.center(), Month: q.Get("month"), By: who(c), HandOut: mayHandOut(holder(c)), Wait: a.reportWait(),
		Kept: a.recordHandOut(c),
	}
	var err error
	if r.OPD, err = part(c, q.Get("opd")); err != nil {
		q.keep(err)
	}
	r.Draft, r.Fresh = q.flag("draft"), q.flag("fresh")
	r.Edition = q.number("edition", 0, math.MaxInt, "use a number from 1.")
	format := cmp.Or(q.Get("format"), "json")
	if _, known := report.MediaTypes[format]; !known {
		q.keep(report.ErrFormat)
	}
	if r.Draft && r.Edition > 0 {
		q.wrong("edition", "an edition is no draft; give one of the two.")
	}
	var result *report.Result
	if err = q.err; err == nil {
		result, err = a.cfg.Reports.Report(c.Request.Context(), r)
	}
	var file []byte
	if err == nil {
		file, err = a.cfg.Reports.File(result, format)
	}
	if err != nil {
		a.failReport(c, err)
		return
	}
	a.recordRead(c, audit.Entry{Kind: "report", Center: result.Report.Center, OPD: result.OPD, ID: result.Report.Month})
	c.Header(reportTag, result.Tag())
	c.Header("Content-Disposition", fmt.Sprintf("attachment; filename=%q", result.Name(format)))
	c.Data(http.StatusOK, report.MediaTypes[format], file)
}

// postReport hands out a further edition of a month.
func (a *API) postReport(c *gin.Context) {
	var r report.Request
	err := readJSON(c, &r)
	if err == nil {
		r.Center, err = within(c, r.Center)
	}
	if err == nil && (r.OPD != "" || r.Draft || r.Edition != 0) {
		err = newProblem(http.StatusBadRequest, codeBadRequest, "Give center, month and again alone: a report is handed "+
			"out whole.")
	}
	var result *report.Result
	if err == nil {
		r.By, r.Wait, r.Polls, r.Kept = who(c), a.reportWait(), true, a.recordHandOut(c)
		result, err = a.cfg.Reports.Report(c.Request.Context(), r)
	}
	if err == nil && result.Edition == nil {
		err = newProblem(http.StatusConflict, codeConflict, "The month is not frozen: its report is a draft, which is not "+
			"handed out. Freeze the month first.")
	}
	if err != nil {
		a.failReport(c, err)
		return
	}
	a.answer(c, http.StatusOK, result.Edition.Summary())
}

func (a *API) getReports(c *gin.Context) (any, error) {
	q := a.query(c, "center")
	center := q.center()
	if q.err != nil {
		return nil, q.err
	}
	months, err := a.cfg.Reports.Months(c.Request.Context(), center)
	return monthsAnswer{months}, err
}

func (a *API) getReportChanges(c *gin.Context) (any, error) {
	q := a.query(c, "center", "month")
	center := q.center()
	if q.err != nil {
		return nil, q.err
	}
	changes, err := a.cfg.Reports.Changed(c.Request.Context(), center, q.Get("month"))
	return changesAnswer{changes}, err
}
