package httpapi

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

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

func badQuery(name, detail string) *problem {
	return newProblem(http.StatusBadRequest, codeBadRequest, "Query parameter "+name+": "+detail)
}

// query reads a request's parameters and refuses unknown, repeated and overlong ones: a misspelt filter must not
// answer with everything.
func query(c *gin.Context, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, codeBadRequest, "The query is not well-formed.")
	}
	for name, values := range q {
		if !slices.Contains(known, name) {
			return nil, newProblem(http.StatusBadRequest, codeBadRequest,
				"A query parameter is unknown; known are: "+strings.Join(known, ", ")+".")
		}
		if len(values) > 1 {
			return nil, badQuery(name, "give it once.")
		}
		if len(values[0]) > 1024 {
			return nil, badQuery(name, "too long.")
		}
	}
	return q, nil
}

func flag(q url.Values, name string) (bool, error) {
	switch q.Get(name) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, badQuery(name, "use true or false.")
}

func language(q url.Values) (string, error) {
	switch q.Get("lang") {
	case "", "id":
		return "id", nil
	case "en":
		return "en", nil
	}
	return "", badQuery("lang", "use id or en.")
}

// asOf reads the instant of which an answer is asked; zero is now.
func (a *API) asOf(q url.Values) (time.Time, error) {
	s := q.Get("as_of")
	if s == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, s)
	switch {
	case err != nil:
		return at, badQuery("as_of", "use an instant such as 2026-03-31T23:59:59+07:00 (with + written as %2B).")
	case at.After(a.cfg.Now()):
		return at, badQuery("as_of", "it lies in the future.")
	}
	return at, nil
}

func states() []string {
	var out []string
	for _, s := range [...]casefile.State{casefile.Opened, casefile.Assigned, casefile.Acknowledged, casefile.Departed,
		casefile.Arrived,
		casefile.Resolved, casefile.Confirmed, casefile.Closed, casefile.Rejected, casefile.Merged} {
		out = append(out, string(s))
	}
	return out
}

func (a *API) getTickets(c *gin.Context) {
	f, now, after, limit, err := a.ticketQuery(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	var rows []tracker.Row
	if now.IsZero() {
		now = a.cfg.Now()
		rows, err = a.cfg.Cases.Tickets(f, now, after, limit+1)
	} else {
		rows, err = a.cfg.Cases.TicketsAsOf(c.Request.Context(), f, now, after, limit+1)
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	out := ticketsAnswer{Tickets: []ticketView{}}
	if len(rows) > limit {
		rows = rows[:limit]
		out.Next = encodeCursor(rows[limit-1].Key)
	}
	for i := range rows {
		out.Tickets = append(out.Tickets, a.ticketView(&rows[i], nil, reading{now: now, lang: "id"}))
	}
	if len(rows) > 0 {
		a.recordRead(c, audit.Entry{Kind: "list", Center: f.Center, OPD: f.OPD, Filter: shownFilter(&f), Cases: len(rows)})
	}
	a.answer(c, http.StatusOK, out)
}

func (a *API) ticketQuery(c *gin.Context) (f tracker.TicketFilter, asOf time.Time, after event.Key, limit int,
	err error) {
	q, err := query(c, "center", "opd", "state", "overdue", "at_risk", "limit", "cursor", "as_of")
	if err != nil {
		return f, asOf, after, 0, err
	}
	f = tracker.TicketFilter{Center: q.Get("center"), OPD: q.Get("opd"), State: casefile.State(q.Get("state"))}
	if f.State != "" && !slices.Contains(states(), string(f.State)) {
		return f, asOf, after, 0, badQuery("state", "use one of "+strings.Join(states(), ", ")+".")
	}
	if f.Overdue, err = flag(q, "overdue"); err != nil {
		return f, asOf, after, 0, err
	}
	if f.AtRisk, err = flag(q, "at_risk"); err != nil {
		return f, asOf, after, 0, err
	}
	if asOf, err = a.asOf(q); err != nil {
		return f, asOf, after, 0, err
	}
	limit = min(defaultTicketsPerPage, a.limits.TicketsPerPage)
	if s := q.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > a.limits.TicketsPerPage {
			return f, asOf, after, 0, badQuery("limit", fmt.Sprintf("use a number from 1 to %d.", a.limits.TicketsPerPage))
		}
	}
	if s := q.Get("cursor"); s != "" {
		if after, err = decodeCursor(s); err != nil {
			return f, asOf, after, 0, badQuery("cursor", "it is not one that an answer gave.")
		}
	}
	return f, asOf, after, limit, a.confine(c, &f)
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

func (a *API) getTicket(c *gin.Context) {
	found, r, err := a.find(c, event.KindTicket)
	if err != nil {
		a.fail(c, err)
		return
	}
	if found.Events == nil {
		found.Events = []*event.Event{}
	}
	a.answer(c, http.StatusOK, a.ticketView(&found.Row, found.Events, r))
}

func (a *API) getCall(c *gin.Context) {
	found, r, err := a.find(c, event.KindCall)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.answer(c, http.StatusOK, a.callView(&found.Row, found.Events, r))
}

// find returns the one case of the request's id that its key may see.
func (a *API) find(c *gin.Context, kind event.Kind) (lookup.Case, reading, error) {
	q, err := query(c, "center", "lang", "as_of")
	if err != nil {
		return lookup.Case{}, reading{}, err
	}
	asOf, err := a.asOf(q)
	if err != nil {
		return lookup.Case{}, reading{}, err
	}
	lang, err := language(q)
	if err != nil {
		return lookup.Case{}, reading{}, err
	}
	id := strings.TrimPrefix(c.Param("id"), "/")
	if id == "" || len(id) > event.MaxIDBytes {
		return lookup.Case{}, reading{}, notFound(kind.String())
	}
	all, err := a.cfg.Cases.Find(c.Request.Context(), kind, q.Get("center"), id)
	if err != nil {
		return lookup.Case{}, reading{}, err
	}
	all = slices.DeleteFunc(all, func(k lookup.Case) bool {
		return (kind == event.KindTicket && k.Row.Ticket == nil) || (kind == event.KindCall && k.Row.Call == nil) ||
			!a.visible(c, &k.Row)
	})
	switch len(all) {
	case 0:
		return lookup.Case{}, reading{}, notFound(kind.String())
	case 1:
		key, r := all[0].Row.Key, reading{now: a.cfg.Now(), lang: lang, explain: true}
		if !asOf.IsZero() { // whoever may see the case now may see what it was
			r.now = asOf
			then, began, err := a.cfg.Cases.FindAsOf(c.Request.Context(), key, asOf)
			if err == nil && !began {
				err = notFound(kind.String() + " at that instant")
			}
			if err != nil {
				return lookup.Case{}, reading{}, err
			}
			all[0] = then
		}
		a.recordRead(c, audit.Entry{Kind: kind.String(), Center: key.Center, ID: key.ID})
		return all[0], r, nil
	}
	var centers []string
	for i := range all {
		centers = append(centers, all[i].Row.Key.Center)
	}
	slices.Sort(centers)
	return lookup.Case{}, reading{}, newProblem(http.StatusBadRequest, codeAmbiguous,
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
