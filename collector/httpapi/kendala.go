package httpapi

import (
	"errors"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/monev/kendala"
)

// getKendala answers why the cases of a month were late. A key that reads OPDs alone must say which of them.
func (a *API) getKendala(c *gin.Context) {
	q, err := query(c, "center", "month", "against", "opd", "as_of", "check")
	r := kendala.Request{Month: q.Get("month"), Against: q.Get("against"), OPD: q.Get("opd")}
	if err == nil {
		r.Center, err = within(c, q.Get("center"))
	}
	if err == nil {
		r.AsOf, err = a.asOf(q)
	}
	if err == nil {
		r.Check, err = flag(q, "check")
	}
	if key := holder(c); err == nil && key != nil &&
		!slices.ContainsFunc([]auth.Scope{auth.BoardRead, auth.MonevWrite, auth.Admin}, key.Allows) {
		opds := key.OPDs()
		if r.OPD == "" && len(opds) == 1 {
			r.OPD = opds[0]
		}
		if !slices.Contains(opds, r.OPD) || r.Check {
			err = newProblem(http.StatusForbidden, codeForbidden,
				"The API key reads its own OPD alone: name it in opd, and leave out check, which compares the cases of all.")
		}
	}
	var out kendala.Result
	if err == nil {
		out, err = a.cfg.Kendala(c.Request.Context(), r)
	}
	var no *kendala.RefusedError
	if errors.As(err, &no) {
		err = newProblem(http.StatusBadRequest, codeBadRequest, no.Reason)
	}
	a.answerAdmin(c, out, err)
}
