package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
)

func (a *API) postEvents(c *gin.Context) {
	form, err := formOf(c.Request.Header)
	if err != nil {
		a.fail(c, err)
		return
	}
	body, release, err := a.readBody(c.Request)
	if err != nil {
		a.fail(c, err)
		return
	}
	defer release()
	// Who sends slowly holds a connection until then, and none of the places for those who are served.
	a.conns.arrived(c.Request)
	leave, ok := a.enter(c)
	if !ok {
		return
	}
	defer leave()
	r := ingest.Request{Form: form, Body: body}
	r.Reserved = []string{casefile.PageSource} // where no key exists, the service listens on loopback only
	r.Office.Allowed = true
	if key := holder(c); key != nil {
		r.Source, r.Reserved = key.Source, nil
		r.Office = OfficeOf(key)
		if !key.Allows(auth.Admin) {
			r.Reserved = []string{casefile.PageSource, casefile.ConfirmSource}
		}
	}
	receipt, err := a.cfg.Intake.Submit(c.Request.Context(), r)
	if errors.Is(err, event.ErrTooManyEvents) {
		err = newProblem(http.StatusRequestEntityTooLarge, codeTooManyEvents,
			fmt.Sprintf("The request holds more than %d events; send smaller batches.", event.MaxBatchEvents))
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	status := http.StatusOK
	if len(receipt.Rejected) > 0 && receipt.Accepted == 0 && receipt.Duplicates == 0 {
		status = http.StatusBadRequest
	}
	trace.SpanFromContext(c.Request.Context()).SetAttributes(attribute.Int("events.accepted", receipt.Accepted),
		attribute.Int("events.duplicates", receipt.Duplicates), attribute.Int("events.rejected", len(receipt.Rejected)))
	a.answer(c, status, receipt)
}

// OfficeOf says what a key may send of the events of the office.
func OfficeOf(key *auth.Key) ingest.Office {
	admin := key.Allows(auth.Admin)
	return ingest.Office{
		Allowed: admin || key.Allows(auth.MonevWrite), Only: !key.Allows(auth.EventsWrite), By: key.Name, Center: key.Center,
	}
}
