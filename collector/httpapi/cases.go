package httpapi

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/store/lookup"
	"github.com/monev112/monev112/collector/tracker"
)

const defaultTicketsPerPage = 100

type ticketsAnswer struct {
	Tickets []ticketView `json:"tickets"`
	Next    string       `json:"next"` // cursor of the next page; empty on the last
}

func states() []string {
	var out []string
	for _, s := range [...]casefile.State{casefile.Opened, casefile.Assigned, casefile.Acknowledged, casefile.Departed,
		casefile.Arrived, casefile.Resolved, casefile.Confirmed, casefile.Closed, casefile.Rejected, casefile.Merged} {
		out = append(out, string(s))
	}
	return out
}

func (a *API) getTickets(c *gin.Context) (any, error) {
	q := a.query(c, "center", "opd", "state", "overdue", "at_risk", "limit", "cursor", "as_of")
	f := tracker.TicketFilter{Center: q.Get("center"), OPD: q.Get("opd"), State: casefile.State(q.Get("state"))}
	if f.State != "" && !slices.Contains(states(), string(f.State)) {
		q.wrong("state", "use one of "+strings.Join(states(), ", ")+".")
	}
	f.Overdue, f.AtRisk = q.flag("overdue"), q.flag("at_risk")
	asOf := q.asOf()
	limit := q.number("limit", min(defaultTicketsPerPage, a.limits.TicketsPerPage), a.limits.TicketsPerPage,
		fmt.Sprintf("use a number from 1 to %d.", a.limits.TicketsPerPage))
	after := q.cursor(q.Get("cursor"))
	if q.err == nil {
		q.err = a.confine(c, &f)
	}
	if q.err != nil {
		return nil, q.err
	}
	var rows []tracker.Row
	var err error
	if asOf.IsZero() {
		asOf = q.now
		rows, err = a.cfg.Cases.Tickets(f, asOf, after, limit+1)
	} else {
		rows, err = a.cfg.Cases.TicketsAsOf(c.Request.Context(), f, asOf, after, limit+1)
	}
	if err != nil {
		return nil, err
	}
	out := ticketsAnswer{Tickets: []ticketView{}}
	if len(rows) > limit {
		rows = rows[:limit]
		out.Next = encodeCursor(rows[limit-1].Key)
	}
	for i := range rows {
		out.Tickets = append(out.Tickets, a.ticketView(&rows[i], nil, reading{now: asOf, lang: "id"}))
	}
	if len(rows) > 0 {
		a.recordRead(c, audit.Entry{Kind: "list", Center: f.Center, OPD: f.OPD, Filter: shownFilter(&f), Cases: len(rows)})
	}
	return out, nil
}

// confine narrows a filter to what the request's key may see. Asking for more than that is not found, not forbidden:
// an answer must not tell what exists elsewhere.
func (a *API) confine(c *gin.Context, f *tracker.TicketFilter) error {
	key := holder(c)
	if key == nil {
		return nil
	}
	if key.Center != "" {
		if f.Center != "" && f.Center != key.Center {
			return notFound("ticket")
		}
		f.Center = key.Center
	}
	if key.Allows("board:read") {
		return nil
	}
	opds := key.OPDs()
	switch {
	case f.OPD == "" && len(opds) == 1:
		f.OPD = opds[0]
	case f.OPD == "":
		return badQuery("opd", "this key reads several OPDs; name one.")
	case !slices.Contains(opds, f.OPD):
		return notFound("ticket")
	}
	return nil
}

// visible reports whether the request's key may see a case.
func (a *API) visible(c *gin.Context, row *tracker.Row) bool {
	key := holder(c)
	if key == nil {
		return true
	}
	if key.Center != "" && row.Key.Center != key.Center {
		return false
	}
	if key.Allows("board:read") {
		return true
	}
	if row.Ticket == nil {
		return false
	}
	id := a.opdID(row.Key.Center, row.Ticket.OPD)
	return id != "" && slices.Contains(key.OPDs(), id)
}

func (a *API) getTicket(c *gin.Context) (any, error) {
	found, r, err := a.find(c, event.KindTicket)
	if err != nil {
		return nil, err
	}
	if found.Events == nil {
		found.Events = []*event.Event{}
	}
	return a.ticketView(&found.Row, found.Events, r), nil
}

func (a *API) getCall(c *gin.Context) (any, error) {
	found, r, err := a.find(c, event.KindCall)
	if err != nil {
		return nil, err
	}
	return a.callView(&found.Row, found.Events, r), nil
}

// find returns the one case of the request's id that its key may see.
func (a *API) find(c *gin.Context, kind event.Kind) (found lookup.Case, r reading, err error) {
	q := a.query(c, "center", "lang", "as_of")
	asOf := q.asOf()
	r = reading{now: q.now, lang: q.language(), explain: true}
	id := strings.TrimPrefix(c.Param("id"), "/")
	if id == "" || len(id) > event.MaxIDBytes {
		q.keep(notFound(kind.String()))
	}
	if q.err != nil {
		return found, r, q.err
	}
	all, err := a.cfg.Cases.Find(c.Request.Context(), kind, q.Get("center"), id)
	if err != nil {
		return found, r, err
	}
	r.now = a.cfg.Now() // not before it was found, which may have taken a while
	all = slices.DeleteFunc(all, func(k lookup.Case) bool {
		return (kind == event.KindTicket && k.Row.Ticket == nil) || (kind == event.KindCall && k.Row.Call == nil) ||
			!a.visible(c, &k.Row)
	})
	switch len(all) {
	case 0:
		return found, r, notFound(kind.String())
	case 1:
		found = all[0]
		key := found.Row.Key
		if !asOf.IsZero() { // whoever may see the case now may see what it was
			var began bool
			r.now = asOf
			found, began, err = a.cfg.Cases.FindAsOf(c.Request.Context(), key, asOf)
			if err == nil && !began {
				err = notFound(kind.String() + " at that instant")
			}
			if err != nil {
				return found, r, err
			}
		}
		a.recordRead(c, audit.Entry{Kind: kind.String(), Center: key.Center, ID: key.ID})
		return found, r, nil
	}
	var centers []string
	for i := range all {
		centers = append(centers, all[i].Row.Key.Center)
	}
	slices.Sort(centers)
	return found, r, newProblem(http.StatusBadRequest, codeAmbiguous,
		"Several centres have this id; add ?center= with one of: "+strings.Join(centers, ", ")+".")
}

// recordRead writes down who is about to see what e tells: a single case, or a list.
func (a *API) recordRead(c *gin.Context, e audit.Entry) {
	e.Action = audit.Read
	a.record(c, e)
}

func (a *API) record(c *gin.Context, e audit.Entry) {
	if a.cfg.Hooks.Read == nil {
		return
	}
	e.At, e.Who = a.cfg.Now(), audit.Nobody
	if k := holder(c); k != nil {
		e.Who = "key:" + k.ID
	}
	a.cfg.Hooks.Read(e)
}

// shownFilter is what narrows a list beside centre and OPD, as the record of reads has it.
func shownFilter(f *tracker.TicketFilter) string {
	var out []string
	if f.State != "" {
		out = append(out, string(f.State))
	}
	if f.Overdue {
		out = append(out, "overdue")
	}
	if f.AtRisk {
		out = append(out, "at_risk")
	}
	return strings.Join(out, ",")
}

func notFound(what string) *problem {
	return newProblem(http.StatusNotFound, codeNotFound, "There is no such "+what+", or the key may not see it.")
}

// cursor is the last case of a page, a ticket unless it says otherwise. It holds nothing that the page did not show.
type cursor struct {
	Center string `json:"c"`
	ID     string `json:"i"`
	Call   bool   `json:"l,omitzero"`
}

func encodeCursor(k event.Key) string {
	text, err := json.Marshal(cursor{k.Center, k.ID, k.Kind == event.KindCall})
	if err != nil {
		return "" // two strings that came from JSON
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func decodeCursor(s string) (event.Key, error) {
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return event.Key{}, err
	}
	var c cursor
	if err := json.Unmarshal(text, &c, json.RejectUnknownMembers(true)); err != nil {
		return event.Key{}, err
	}
	k := event.Key{Center: c.Center, Kind: event.KindTicket, ID: c.ID}
	if c.Call {
		k.Kind = event.KindCall
	}
	return k, nil
}
