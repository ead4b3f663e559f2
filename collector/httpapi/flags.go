package httpapi

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"
)

type flagsAnswer struct {
	Flags []flagView `json:"flags"`
}

// flagView counts the cases of a kind that have a flag and of which a source sent events.
type flagView struct {
	Center   string   `json:"center"`
	Kind     string   `json:"kind"` // call or ticket
	Flag     string   `json:"flag"`
	Source   string   `json:"source"` // a mapping has one of its own
	Cases    uint64   `json:"cases"`
	Examples []string `json:"examples"` // ids of at most three of them
}

// defaultFlagDays is how far back flags are counted unless the request says otherwise.
const defaultFlagDays = 28

// getFlags answers which sources contradict themselves, of the days since <= day < until.
func (a *API) getFlags(c *gin.Context) {
	q, err := query(c, "center", "since", "until", "as_of")
	var center string
	var since, until, asOf time.Time
	if err == nil {
		center, err = within(c, q.Get("center"))
	}
	if err == nil {
		asOf, err = a.asOf(q)
	}
	if err == nil {
		present := a.cfg.Now()
		if !asOf.IsZero() {
			present = asOf
		}
		today := present.UTC().Truncate(24 * time.Hour)
		until, err = day(q, "until", today.AddDate(0, 0, 2)) // today in every time zone
	}
	if err == nil {
		since, err = day(q, "since", until.AddDate(0, 0, -defaultFlagDays))
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	counts, err := a.cfg.Cases.Flags(c.Request.Context(), center, since, until, asOf)
	if err != nil {
		a.fail(c, err)
		return
	}
	out := flagsAnswer{Flags: []flagView{}}
	for _, f := range counts {
		out.Flags = append(out.Flags, flagView(f))
	}
	a.answer(c, http.StatusOK, out)
}

func day(q url.Values, name string, otherwise time.Time) (time.Time, error) {
	if q.Get(name) == "" {
		return otherwise, nil
	}
	t, err := time.Parse(time.DateOnly, q.Get(name))
	if err != nil {
		return t, badQuery(name, "use a day such as 2026-03-31.")
	}
	return t, nil
}
