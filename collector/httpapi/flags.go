package httpapi

import (
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
func (a *API) getFlags(c *gin.Context) (any, error) {
	q := a.query(c, "center", "since", "until", "as_of")
	center, asOf := q.center(), q.asOf()
	if !asOf.IsZero() {
		q.now = asOf
	}
	until := q.day("until", q.now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 2)) // today in every time zone
	since := q.day("since", until.AddDate(0, 0, -defaultFlagDays))
	if q.err != nil {
		return nil, q.err
	}
	counts, err := a.cfg.Cases.Flags(c.Request.Context(), center, since, until, asOf)
	out := flagsAnswer{Flags: []flagView{}}
	for _, f := range counts {
		out.Flags = append(out.Flags, flagView(f))
	}
	return out, err
}
