package httpapi

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/monev/number"
)

// getNumber answers which shares of ours round to a number.
func (a *API) getNumber(c *gin.Context) {
	q, err := query(c, "value", "center", "since", "until", "as_of")
	r := number.Request{Value: q.Get("value"), Since: q.Get("since"), Until: q.Get("until")}
	if err == nil {
		r.Center, err = within(c, q.Get("center"))
	}
	if err == nil {
		r.AsOf, err = a.asOf(q)
	}
	var out number.Result
	if err == nil {
		out, err = a.cfg.Number(c.Request.Context(), r)
	}
	var no *number.RefusedError
	if errors.As(err, &no) {
		err = newProblem(http.StatusBadRequest, codeBadRequest, no.Reason)
	}
	a.answerAdmin(c, out, err)
}
