package httpapi

import (
	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/monev/number"
)

// getNumber answers which shares of ours round to a number.
func (a *API) getNumber(c *gin.Context) (any, error) {
	q := a.query(c, "value", "center", "since", "until", "as_of")
	r := number.Request{
		Value: q.Get("value"), Center: q.center(), Since: q.Get("since"), Until: q.Get("until"), AsOf: q.asOf(),
	}
	if q.err != nil {
		return nil, q.err
	}
	return a.cfg.Number(c.Request.Context(), r)
}
