package httpapi

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/monev/kendala"
)

// getKendala answers why the cases of a month were late. A key that reads OPDs alone must say which of them.
func (a *API) getKendala(c *gin.Context) (any, error) {
	q := a.query(c, "center", "month", "against", "opd", "as_of", "check")
	r := kendala.Request{
		Center: q.center(), Month: q.Get("month"), Against: q.Get("against"), OPD: q.Get("opd"), AsOf: q.asOf(),
		Check: q.flag("check"),
	}
	if q.err != nil {
		return nil, q.err
	}
	if key := holder(c); key != nil && !slices.ContainsFunc(meeting, key.Allows) {
		opds := key.OPDs()
		if r.OPD == "" && len(opds) == 1 {
			r.OPD = opds[0]
		}
		if !slices.Contains(opds, r.OPD) || r.Check {
			return nil, newProblem(http.StatusForbidden, codeForbidden,
				"The API key reads its own OPD alone: name it in opd, and leave out check, which compares the cases of all.")
		}
	}
	return a.cfg.Kendala(c.Request.Context(), r)
}
