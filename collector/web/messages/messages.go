// Package messages owns the page /pesan: who was told by the service itself, whose telephone had the message, who read
// it, and how long it took until the ticket was acknowledged. The figures are those of the view deliveries.
package messages

import (
	"context"
	"embed"
	"html/template"
	"net/http"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/web/page"
)

//go:embed templates
var files embed.FS

// Config is what the page is made of; every field is required.
type Config struct {
	Told      func(ctx context.Context, center string, since, until time.Time) ([]store.Told, error)
	Directory *directory.Directory
	Now       func() time.Time
}

// defaultDays is how far back the page looks unless it is told.
const defaultDays = 7

type pages struct {
	cfg       Config
	templates *template.Template
}

// Mount gives the site its page /pesan.
func Mount(s *page.Site, cfg Config) {
	p := &pages{cfg, page.MustParse(files, "templates/*.html")}
	access := page.Scopes(auth.BoardRead, auth.MonevWrite)
	s.Handle("GET /pesan", access, p.show)
	s.Menu("/pesan", page.Text{Indonesian: "Pesan", English: "Messages"}, access)
}

type view struct {
	page.Days
	Wrong string
	Rows  []row
}

// row is the messages to one OPD by one channel; absent times are "–". Times say of how many tickets they are the
// median.
type row struct{ OPD, Channel, Messages, Delivered, Read, Failed, ToRead, ToAcknowledged string }

func (p *pages) show(r *page.Request) {
	var v view
	v.Days, v.Wrong = r.Days(p.cfg.Now(), defaultDays)
	status := http.StatusOK
	since, until := v.Range()
	if v.Wrong != "" {
		status = http.StatusBadRequest
	} else if rows, err := p.cfg.Told(r.Context(), r.Person.Center(), since, until); err != nil {
		status, v.Wrong = http.StatusServiceUnavailable, r.Say(page.DatabaseAway)
	} else {
		for _, t := range rows {
			v.Rows = append(v.Rows, p.row(r, &t))
		}
	}
	r.Render(page.Page{
		Title: r.T("Pesan", "Messages"), Templates: p.templates, Name: "messages.html", Data: v, Status: status,
	})
}

func (p *pages) row(r *page.Request, t *store.Told) row {
	name := t.OPD
	if o, ok := p.cfg.Directory.OPD(t.Center, t.OPD); ok {
		name = o.Name
	} else if name == "" {
		name = r.T("Pimpinan", "Leadership")
	}
	count := func(n uint64) string { return indonesian.Number(int64(n)) }
	span := func(m store.Median) string {
		if m.Value == nil {
			return "–"
		}
		return indonesian.Duration(time.Duration(*m.Value*float64(time.Second))) + " (n = " + count(m.N) + ")"
	}
	read := count(t.Read)
	if t.Channel != "whatsapp" {
		read = "–" // no other channel says
	}
	return row{name, map[string]string{
		"whatsapp": "WhatsApp", "telegram": "Telegram", "email": r.T("Surel", "E-mail"),
	}[t.Channel],
		count(t.Messages), count(t.Delivered), read, count(t.Failed), span(t.ToRead), span(t.ToAcknowledged)}
}
