package httpapi

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/event"
)

func badQuery(name, detail string) *problem {
	return newProblem(http.StatusBadRequest, codeBadRequest, "Query parameter "+name+": "+detail)
}

// params are the parameters of a request. The first that is wrong is kept in err, which whoever reads them looks at
// before using any.
type params struct {
	url.Values
	c   *gin.Context
	now time.Time
	err error
}

// query reads a request's parameters and refuses unknown, repeated and overlong ones: a misspelt filter must not
// answer with everything.
func (a *API) query(c *gin.Context, known ...string) *params {
	q := &params{c: c, now: a.cfg.Now()}
	var err error
	if q.Values, err = url.ParseQuery(c.Request.URL.RawQuery); err != nil {
		q.keep(newProblem(http.StatusBadRequest, codeBadRequest, "The query is not well-formed."))
	}
	for name, values := range q.Values {
		switch {
		case !slices.Contains(known, name):
			q.keep(newProblem(http.StatusBadRequest, codeBadRequest,
				"A query parameter is unknown; known are: "+strings.Join(known, ", ")+"."))
		case len(values) > 1:
			q.wrong(name, "give it once.")
		case len(values[0]) > 1024:
			q.wrong(name, "too long.")
		}
	}
	return q
}

func (q *params) keep(err error) {
	if q.err == nil {
		q.err = err
	}
}

func (q *params) wrong(name, detail string) { q.keep(badQuery(name, detail)) }

// center is the centre that is asked for, held against the one that the key is bound to.
func (q *params) center() string {
	center, err := within(q.c, q.Get("center"))
	if err != nil {
		q.keep(err)
	}
	return center
}

func (q *params) flag(name string) bool {
	s := q.Get(name)
	if s != "" && s != "true" && s != "false" {
		q.wrong(name, "use true or false.")
	}
	return s == "true"
}

func (q *params) language() string {
	s := cmp.Or(q.Get("lang"), "id")
	if s != "id" && s != "en" {
		q.wrong("lang", "use id or en.")
	}
	return s
}

// number is a whole number from 1 to most, or what stands for none.
func (q *params) number(name string, otherwise, most int, detail string) int {
	if !q.Has(name) || q.Get(name) == "" {
		return otherwise
	}
	n, err := strconv.Atoi(q.Get(name))
	if err != nil || n < 1 || n > most {
		q.wrong(name, detail)
	}
	return n
}

// asOf is the instant of which an answer is asked; zero is now.
func (q *params) asOf() time.Time {
	at := q.instant("as_of", "2026-03-31T23:59:59+07:00")
	if at.After(q.now) {
		q.wrong("as_of", "it lies in the future.")
	}
	return at
}

// presentOnly refuses an instant of the past, where none is known.
func (q *params) presentOnly(detail string) {
	if q.Get("as_of") != "" {
		q.wrong("as_of", detail)
	}
}

// instant is the zero time where none is given.
func (q *params) instant(name, example string) time.Time {
	return q.parse(name, time.RFC3339, time.Time{}, "use an instant such as "+example+" (with + written as %2B).")
}

func (q *params) day(name string, otherwise time.Time) time.Time {
	return q.parse(name, time.DateOnly, otherwise, "use a day such as 2026-03-31.")
}

func (q *params) parse(name, layout string, otherwise time.Time, detail string) time.Time {
	if q.Get(name) == "" {
		return otherwise
	}
	t, err := time.Parse(layout, q.Get(name))
	if err != nil {
		q.wrong(name, detail)
	}
	return t
}

// cursor is where the page before ended; the zero key without one.
func (q *params) cursor(s string) (k event.Key) {
	if s == "" {
		return k
	}
	k, err := decodeCursor(s)
	if err != nil {
		q.wrong("cursor", "it is not one that an answer gave.")
	}
	return k
}
