package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/upkeep/retention"
)

type retentionRequest struct {
	Apply bool `json:"apply"`
}

// postRetention counts, and with apply deletes, the personal data that is due. It is for keys of no centre: what is due
// is due everywhere.
func (a *API) postRetention(c *gin.Context) {
	var r retentionRequest
	err := readJSON(c, &r)
	if key := holder(c); err == nil && key != nil && key.Center != "" {
		err = newProblem(http.StatusForbidden, codeForbidden, "The API key is bound to a centre; retention is for all.")
	}
	var out retention.Report
	if err == nil {
		if a.cfg.Admin.Retention == nil {
			err = ErrUnavailable
		} else {
			out, err = a.cfg.Admin.Retention(c.Request.Context(), r.Apply)
		}
	}
	if err != nil {
		a.fail(c, refused(err))
		return
	}
	a.answer(c, http.StatusOK, out)
}
