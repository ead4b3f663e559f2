package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/event"
)

// eventsAnswer is the answer of POST /v1/events.
type eventsAnswer struct {
	Accepted   int        `json:"accepted"`
	Duplicates int        `json:"duplicates"`
	Rejected   []rejected `json:"rejected"`
}

type rejected struct {
	Index  int          `json:"index"`
	ID     string       `json:"id"`
	Field  event.Field  `json:"field"`
	Reason event.Reason `json:"reason"`
	Detail string       `json:"detail,omitzero"`
}

func (a *API) postEvents(c *gin.Context) {
	format, err := formatOf(c.Request.Header)
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
	decoded, err := a.cfg.Decoder.Decode(format, body, a.cfg.Now())
	if err != nil {
		if errors.Is(err, event.ErrTooManyEvents) {
			err = newProblem(http.StatusRequestEntityTooLarge, codeTooManyEvents,
				fmt.Sprintf("The request holds more than %d events; send smaller batches.", event.MaxBatchEvents))
		}
		a.fail(c, err)
		return
	}
	indexes := positions(len(decoded.Events), decoded.Refused)
	events, foreign := a.ownSource(c, decoded.Events, indexes)

	ctx := c.Request.Context()
	var done Submitted
	if len(events) > 0 {
		if done, err = a.cfg.Ingest.Submit(ctx, events); err != nil {
			a.fail(c, err) // nothing was taken, and the refused come again with the rest: they are neither counted nor kept
			return
		}
	}
	a.report(c, decoded, foreign)
	out := eventsAnswer{Accepted: done.Accepted, Duplicates: done.Duplicates, Rejected: []rejected{}}
	for i := range decoded.Refused {
		r := &decoded.Refused[i]
		out.Rejected = append(out.Rejected, rejected{r.Index, r.ID, r.Field, r.Reason, r.Detail})
	}
	out.Rejected = append(out.Rejected, foreign...)
	if len(foreign) > 0 {
		indexes = slices.DeleteFunc(indexes, func(i int) bool {
			return slices.ContainsFunc(foreign, func(r rejected) bool { return r.Index == i })
		})
	}
	for _, at := range done.Conflicts {
		if at < 0 || at >= len(events) {
			continue
		}
		out.Rejected = append(out.Rejected, rejected{indexes[at], events[at].ID, event.FieldID, event.Conflict,
			"An event of this source and id came before with another content; a correction needs an id of its own and names this one in replaces."})
	}
	slices.SortStableFunc(out.Rejected, func(x, y rejected) int { return cmp.Compare(x.Index, y.Index) })
	status := http.StatusOK
	if len(out.Rejected) > 0 && out.Accepted == 0 && out.Duplicates == 0 {
		status = http.StatusBadRequest
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.Int("events.accepted", out.Accepted),
		attribute.Int("events.duplicates", out.Duplicates), attribute.Int("events.rejected", len(out.Rejected)))
	a.answer(c, status, out)
}

// positions returns where in the request each of n good events stood, which are the places that no refusal names.
func positions(n int, refused []event.Refusal) []int {
	out := make([]int, 0, n)
	taken := make(map[int]struct{}, len(refused))
	for i := range refused {
		taken[refused[i].Index] = struct{}{}
	}
	for i := 0; len(out) < n; i++ {
		if _, ok := taken[i]; !ok {
			out = append(out, i)
		}
	}
	return out
}

// ownSource takes out the events that the request's key may not send.
func (a *API) ownSource(c *gin.Context, events []*event.Event, indexes []int) (kept []*event.Event,
	foreign []rejected) {
	key := holder(c)
	if key == nil || key.Source == "" {
		return events, nil
	}
	kept = events[:0:0]
	for i, e := range events {
		if e.Source == key.Source {
			kept = append(kept, e)
			continue
		}
		foreign = append(foreign,
			rejected{indexes[i], e.ID, event.FieldSource, event.SourceNotAllowed, "The API key is for another source."})
	}
	return kept, foreign
}

// report tells the hooks what the door refused and left out.
func (a *API) report(c *gin.Context, d Decoded, foreign []rejected) {
	h := a.cfg.Hooks
	if h.Rejected != nil {
		for i := range d.Refused {
			h.Rejected(d.Refused[i].Reason)
		}
		for range foreign {
			h.Rejected(event.SourceNotAllowed)
		}
	}
	if h.Dropped != nil {
		for key, n := range d.Dropped {
			h.Dropped(key, n)
		}
	}
	if h.Refused != nil && len(d.Refused) > 0 {
		name := ""
		if k := holder(c); k != nil {
			name = k.Name
		}
		h.Refused(c.Request.Context(), name, d.Refused)
	}
}
