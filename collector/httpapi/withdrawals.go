package httpapi

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/upkeep/withdrawal"
)

// sourceEventView is an event of a source that stands.
type sourceEventView struct {
	Center  string  `json:"center"`
	Kind    string  `json:"kind"` // call or ticket
	Subject string  `json:"subject"`
	ID      string  `json:"id"`
	Type    string  `json:"type"` // without the prefix
	Time    instant `json:"time"`
}

type sourceEventsAnswer struct {
	Events []sourceEventView `json:"events"`
	Next   string            `json:"next"` // cursor of the following portion; empty after the last
}

type withdrawalsAnswer struct {
	sourceEventsAnswer
	Withdrawn int             `json:"withdrawn"`
	Already   int             `json:"already"`  // withdrawn before, and ClickHouse did not know it yet
	Rejected  []event.Refusal `json:"rejected"` // index: among events
}

type withdrawalsRequest struct {
	Source string    `json:"source"`
	Center string    `json:"center"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Cursor string    `json:"cursor"`
}

type confirmationAnswer struct {
	Center   string `json:"center"`
	Ticket   string `json:"ticket"`
	Openings int    `json:"openings"` // withdrawn openings that were confirmed now
}

func viewPage(p withdrawal.Page) sourceEventsAnswer {
	out := sourceEventsAnswer{Events: []sourceEventView{}}
	for _, e := range p.Events {
		out.Events = append(out.Events, sourceEventView{
			e.Case.Center, e.Case.Kind.String(), e.Case.ID, e.ID, e.Type, instant(e.At),
		})
	}
	if p.Next != nil {
		out.Next = encodeCursor(*p.Next)
	}
	return out
}

// sourceQuery holds a request for a source's events against what its key is bound to.
func (a *API) sourceQuery(c *gin.Context, r withdrawalsRequest) (withdrawal.Query, error) {
	if key := holder(c); key != nil && key.Source != "" && key.Source != r.Source {
		return withdrawal.Query{}, newProblem(http.StatusForbidden, codeForbidden,
			"The API key is bound to another source.")
	}
	center, err := within(c, r.Center)
	q := params{err: err}
	return withdrawal.Query{Source: r.Source, Center: center, Since: r.Since, Until: r.Until, After: q.cursor(r.Cursor)},
		q.err
}

// getSourceEvents answers with a portion of the events of a source that stand.
func (a *API) getSourceEvents(c *gin.Context) (any, error) {
	const example = "2026-03-31T00:00:00+07:00"
	q := a.query(c, "source", "center", "since", "until", "cursor")
	r := withdrawalsRequest{
		Source: q.Get("source"), Center: q.Get("center"), Since: q.instant("since", example),
		Until: q.instant("until", example), Cursor: q.Get("cursor"),
	}
	if q.err != nil {
		return nil, q.err
	}
	ask, err := a.sourceQuery(c, r)
	if err != nil {
		return nil, err
	}
	p, err := a.cfg.Admin.SourceEvents(c.Request.Context(), ask)
	if err == nil && len(p.Events) > 0 {
		a.recordRead(c, audit.Entry{Kind: "list", Center: ask.Center, Filter: "source", Cases: cases(p.Events)})
	}
	return viewPage(p), err
}

// postWithdrawals takes a portion of the events of a source back.
func (a *API) postWithdrawals(c *gin.Context) (any, error) {
	var r withdrawalsRequest
	if err := readJSON(c, &r); err != nil {
		return nil, err
	}
	ask, err := a.sourceQuery(c, r)
	if err != nil {
		return nil, err
	}
	done, err := a.cfg.Admin.Withdraw(c.Request.Context(), ask, keyID(c))
	if err == nil && done.Withdrawn > 0 {
		a.recordChange(c, audit.Entry{
			Action: audit.Withdraw, Kind: "list", Center: ask.Center, Filter: "source", Cases: cases(done.Events),
		})
	}
	return withdrawalsAnswer{
		viewPage(done.Page), done.Withdrawn, done.Already, append([]event.Refusal{}, done.Rejected...),
	}, err
}

// postConfirmation confirms that a ticket whose opening was withdrawn never was.
func (a *API) postConfirmation(c *gin.Context) (any, error) {
	var r struct {
		Center string `json:"center"`
		Ticket string `json:"ticket"`
	}
	err := readJSON(c, &r)
	if err == nil {
		r.Center, err = within(c, r.Center)
	}
	if err != nil {
		return nil, err
	}
	done, err := a.cfg.Admin.Confirm(c.Request.Context(), r.Center, r.Ticket, keyID(c))
	if err == nil && done.Openings > 0 {
		a.recordChange(c, audit.Entry{Action: audit.Confirm, Kind: "ticket", Center: done.Center, ID: done.Ticket})
	}
	return confirmationAnswer{done.Center, done.Ticket, done.Openings}, err
}

// recordChange writes down who has changed what e tells.
func (a *API) recordChange(c *gin.Context, e audit.Entry) {
	if k := holder(c); k != nil {
		e.Name = k.Name
	}
	a.record(c, e)
}

// keyID is the id of the request's key, empty where no key exists.
func keyID(c *gin.Context) string {
	if k := holder(c); k != nil {
		return k.ID
	}
	return ""
}

// cases counts the cases of events that are in order.
func cases(events []store.SourceEvent) (n int) {
	for i := range events {
		if i == 0 || events[i].Case != events[i-1].Case {
			n++
		}
	}
	return n
}
