package home

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"slices"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/web/page"
)

//go:embed templates
var files embed.FS

// Config is what the page is made of. Grafana may be empty.
type Config struct {
	Version   string // of the program
	Grafana   string // address of a Grafana that shows the dashboards
	Started   time.Time
	Directory *directory.Directory
	Snapshot  func(now time.Time) tracker.Snapshot
	// Incomplete says, as the end of an English sentence, what the board still waits for; empty when it is complete.
	Incomplete  func() string
	Definitions []byte // docs/definitions.md
}

type pages struct {
	cfg         Config
	templates   *template.Template
	definitions template.HTML
}

// Mount gives the site its first page, and the definitions of every figure.
func Mount(s *page.Site, cfg Config) error {
	text, err := render(cfg.Definitions)
	if err != nil {
		return fmt.Errorf("definitions: %w", err)
	}
	p := &pages{cfg, page.MustParse(files, "templates/*.html"), text}
	s.Handle("GET /{$}", page.AnyKey, p.home)
	s.Handle("GET /definisi", page.AnyKey, p.showDefinitions)
	s.Menu("/definisi", page.Text{Indonesian: "Definisi", English: "Definitions"}, page.AnyKey)
	return nil
}

// render makes HTML of Markdown. Raw HTML in it is left out; cells are aligned by attribute, for no page has a style in
// it.
func render(text []byte) (template.HTML, error) {
	var out bytes.Buffer
	err := goldmark.New(
		goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
	).Convert(text, &out)
	return template.HTML(out.String()), err
}

type homeView struct {
	Version, Started string
	Complete         bool
	Incomplete       string
	Latest           string // time of the latest event
	Sources          []sourceView
	Menu             []page.Entry
	Grafana          string
	Metrics          bool
	Listed           bool // the sources
}

type sourceView struct{ Name, At, Ago string }

// maxSources bounds the sources that are listed, those heard of last first.
const maxSources = 20

func (p *pages) home(r *page.Request) {
	zone := p.cfg.Directory.Location(cmp.Or(r.Person.Center(), p.cfg.Directory.DefaultCenter()))
	at := func(t time.Time) string {
		t = t.In(zone)
		if r.Lang == page.English {
			return t.Format("2 January 2006 15:04 MST")
		}
		return indonesian.Date(t)
	}
	v := homeView{
		Version: p.cfg.Version, Started: at(p.cfg.Started), Menu: r.Menu(), Grafana: p.cfg.Grafana,
	}
	if v.Incomplete = p.cfg.Incomplete(); v.Incomplete == "" {
		v.Complete = true
	}
	snap := p.cfg.Snapshot(r.Now)
	slices.SortStableFunc(snap.Sources, func(a, b tracker.SourceSnapshot) int {
		return b.LastEventAt.Compare(a.LastEventAt)
	})
	for _, s := range snap.Sources {
		if s.Source != casefile.PageSource { // as on the wallboard: a button that is pressed brings no data
			v.Latest = at(s.LastEventAt)
			break
		}
	}
	v.Metrics = r.Person.May(page.Scopes(auth.BoardRead))
	// The board does not know which centre a source is of: who may see one centre alone is shown none.
	if v.Listed = v.Metrics && r.Person.Center() == ""; v.Listed {
		for _, s := range snap.Sources[:min(maxSources, len(snap.Sources))] {
			v.Sources = append(v.Sources, sourceView{s.Source, at(s.LastEventAt), ago(r, r.Now.Sub(s.LastEventAt))})
		}
	}
	r.Render(page.Page{Title: r.T("Beranda", "Home"), Templates: p.templates, Name: "home.html", Data: v})
}

func ago(r *page.Request, d time.Duration) string {
	switch d = max(0, d); {
	case d < time.Minute:
		return r.T("baru saja", "just now")
	case d < time.Hour:
		return r.T("%d menit lalu", "%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return r.T("%d jam lalu", "%d h ago", int(d.Hours()))
	}
	return r.T("%d hari lalu", "%d days ago", int(d.Hours()/24))
}

func (p *pages) showDefinitions(r *page.Request) {
	r.Render(page.Page{
		Title: r.T("Definisi", "Definitions"), Templates: p.templates, Name: "definisi.html", Data: p.definitions,
	})
}
