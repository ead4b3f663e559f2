package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/collector/web/wall"
)

// getStream answers with the events of a centre's board: to the link of a display, to a key with board:read, and to
// whoever is signed in on a page.
func (a *API) getStream(c *gin.Context) {
	q := a.query(c, "center", "link")
	if q.err != nil {
		a.fail(c, q.err)
		return
	}
	if a.cfg.Wall == nil {
		a.fail(c, newProblem(http.StatusNotFound, codeNotFound, "The board is not streamed here."))
		return
	}
	var reader wall.Reader
	if token := q.Get("link"); token != "" {
		var ok bool
		if reader, ok = a.cfg.Wall.Display(token); !ok {
			if !a.slowed(c, "/"+token) {
				a.fail(c, newProblem(http.StatusNotFound, codeNotFound, "The link is not valid, has expired or was revoked."))
			}
			return
		}
		if center := q.Get("center"); center != "" && center != reader.Center {
			a.fail(c, notFound("centre"))
			return
		}
	} else {
		p := page.Person{Key: holder(c), Open: holder(c) == nil}
		reader = wall.Reader{Name: p.Who(), Center: q.Get("center"), Calls: true, Live: func() bool {
			return a.cfg.Site.Live(c.Request).May(wall.Access())
		}}
		if reader.Center == "" {
			reader.Center = p.Center()
		}
		if p.Center() != "" && !p.MaySee(reader.Center) {
			a.fail(c, notFound("centre"))
			return
		}
		reader.Began = func(center string) {
			if a.cfg.Hooks.Read != nil {
				a.cfg.Hooks.Read(audit.Entry{
					At: a.cfg.Now(), Who: p.Who(), Action: audit.Read, Kind: "list", Center: center, Filter: "to_call_back",
				})
			}
		}
	}
	reader.Name += " " + c.ClientIP()
	c.Set(ctxAnswered, a.cfg.Now())
	switch err := a.cfg.Wall.Stream(c.Writer, c.Request, reader, c.GetHeader("Last-Event-ID")); {
	case errors.Is(err, wall.ErrNoCenter):
		a.fail(c, notFound("centre"))
	case err != nil:
		p := newProblem(http.StatusTooManyRequests, codeBusy, "Too many streams of the board are open; close some, and come "+
			"back later.")
		p.retryAfter = streamRetry
		a.fail(c, p)
	}
}

// streamRetry is when a screen for which there was no room comes back.
const streamRetry = 30 * time.Second
