package web

import (
	"net/http"

	"github.com/monev112/monev112/collector/web/page"
)

// Mount gives the site the pages of persons of an OPD, who hold a link of their own.
func Mount(s *page.Site, p *Pages) {
	show := func(r *page.Request) {
		p.ServePerson(r.W, r.Request, r.PathValue("opd"), r.PathValue("token"), func() bool {
			return r.Slowed(r.URL.Path)
		})
	}
	s.Handle(http.MethodGet+" /opd/{opd}/{token}", page.Linked, show)
	s.Handle(http.MethodPost+" /opd/{opd}/{token}", page.Linked, show, page.Unparsed)
}
