package httpapi

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/web/page"
)

type statusAnswer struct {
	Status string `json:"status"`
}

func (a *API) getHealthy(c *gin.Context) { a.answer(c, http.StatusOK, statusAnswer{"healthy"}) }

// getReady says whether events can be accepted. The reason goes to the log and not to the client, who may be anybody.
func (a *API) getReady(c *gin.Context) {
	if a.cfg.Ready != nil {
		if err := a.cfg.Ready(c.Request.Context()); err != nil {
			a.logger.Warn("not ready", "request_id", requestID(c), "error", err)
			p := newProblem(http.StatusServiceUnavailable, codeUnavailable, "Events cannot be accepted now; the log says why.")
			p.retryAfter = a.limits.RetryAfter
			a.fail(c, p)
			return
		}
	}
	a.answer(c, http.StatusOK, statusAnswer{"ready"})
}

func (a *API) metrics(c *gin.Context) {
	if a.cfg.Metrics == nil {
		a.fail(c, newProblem(http.StatusNotFound, codeNotFound, "Metrics are not exposed here."))
		return
	}
	a.cfg.Metrics.ServeHTTP(c.Writer, c.Request)
}

// pages hands a request to the pages behind the links of alerts, which check the link themselves.
func (a *API) pages(c *gin.Context) {
	if a.cfg.Pages == nil {
		a.fail(c, newProblem(http.StatusNotFound, codeNotFound,
			"No pages are shown here: pages.public_url is not configured."))
		return
	}
	if path := c.Request.URL.Path; !a.cfg.Pages.ValidLink(path) && a.slowed(c, path) {
		return
	}
	a.cfg.Pages.ServeHTTP(c.Writer, c.Request)
}

// pagesRoute stands for all pages of the site in metrics, logs and spans.
const pagesRoute = "pages"

// page hands a request to the site, which knows its pages and who may see them.
func (a *API) page(c *gin.Context) {
	if a.cfg.Site == nil || !a.cfg.Site.Has(c.Request) {
		a.fail(c, newProblem(http.StatusNotFound, codeNotFound,
			"There is nothing at this path; /openapi.yaml lists what there is."))
		return
	}
	c.Set(ctxPage, true)
	c.Status(http.StatusOK) // gin begins with 404 here
	mediaType, _, _ := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if mediaType == "application/x-www-form-urlencoded" {
		// Who sends slowly holds a connection until then, and none of the places for those who are served.
		text, err := io.ReadAll(http.MaxBytesReader(nil, c.Request.Body, page.MaxFormBytes+1))
		c.Request.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text), failing{err}))
		a.conns.arrived(c.Request)
	} else if c.Request.ContentLength == 0 {
		a.conns.arrived(c.Request)
	}
	leave, ok := a.enter(c)
	if !ok {
		return
	}
	defer leave()
	if a.cfg.Keys.AuthDisabled() && !a.cfg.Site.AsksForLink(c.Request) &&
		(forwarded(c.Request) || !localRequest(c.Request)) {
		a.fail(c, newProblem(http.StatusForbidden, codeForbidden,
			"No API key exists yet, so pages are shown on this machine alone, at its loopback address and not through a proxy. "+
				"Create a key with: monev112 key create."))
		return
	}
	a.cfg.Site.Serve(c.Writer, c.Request, func(credential string) time.Duration {
		return a.guesses.bad(newGuesser(c.ClientIP(), credential))
	})
}

func (a *API) getOpenAPI(c *gin.Context) {
	if len(a.cfg.OpenAPI) == 0 {
		a.fail(c, newProblem(http.StatusNotFound, codeNotFound, "The document is not part of this build."))
		return
	}
	c.Data(http.StatusOK, "application/yaml", a.cfg.OpenAPI)
}

// failing is the end of a body: an error, or io.EOF where there is none.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}
