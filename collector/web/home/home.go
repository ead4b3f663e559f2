package home

import (
	"embed"
	"html/template"

	"github.com/monev112/monev112/collector/web/page"
)

//go:embed templates
var files embed.FS

// Config is what the page is made of.
type Config struct {
	Version string // of the program
}

type pages struct {
	cfg       Config
	templates *template.Template
}

// Mount gives the site its first page.
func Mount(s *page.Site, cfg Config) {
	p := &pages{cfg, page.MustParse(files, "templates/*.html")}
	s.Handle("GET /{$}", page.AnyKey, p.home)
}

func (p *pages) home(r *page.Request) {
	r.Render(page.Page{
		Title: r.T("Beranda", "Home"), Templates: p.templates, Name: "home.html", Data: homeView{p.cfg.Version, r.Menu()},
	})
}

type homeView struct {
	Version string
	Menu    []page.Entry
}
