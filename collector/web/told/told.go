// Package told owns the page /pesan: who was told by the service itself, whose telephone had the message, who read it,
// and how long it took until the ticket was acknowledged. The figures are those of the view deliveries.
package told

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
	Since, Until, Wrong string // days; Until is the day after the last
	Rows                []row
}

// row is the messages to one OPD by one channel; absent times are "–".
type row struct{ OPD, Channel, Messages, Delivered, Read, Failed, ToRead, ToAcknowledged string }

func (p *pages) show(r *page.Request) {
	q := r.URL.Query()
	today := p.cfg.Now().UTC().Truncate(24 * time.Hour)
	v := view{
		Since: today.AddDate(0, 0, 2-defaultDays).Format(time.DateOnly), Until: today.AddDate(0, 0, 2).Format(time.DateOnly),
	}
	if q.Has("since") {
		v.Since, v.Until = q.Get("since"), q.Get("until")
	}
	since, err1 := time.Parse(time.DateOnly, v.Since)
	until, err2 := time.Parse(time.DateOnly, v.Until)
	status := http.StatusOK
	if err1 != nil || err2 != nil || !since.Before(until) {
		status = http.StatusBadRequest
		v.Wrong = r.T("Tulis dua tanggal; tanggal kedua adalah hari setelah hari terakhir.",
			"Give two days; the second is the day after the last.")
	} else if rows, err := p.cfg.Told(r.Context(), r.Person.Center(), since, until); err != nil {
		status = http.StatusServiceUnavailable
		v.Wrong = r.T("Basis data belum menjawab. Coba lagi sebentar lagi.",
			"The database does not answer. Try again in a moment.")
	} else {
		for _, t := range rows {
			v.Rows = append(v.Rows, p.row(r, &t))
		}
	}
	r.Render(page.Page{
		Title: r.T("Pesan", "Messages"), Templates: p.templates, Name: "told.html", Data: v, Status: status,
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
	span := func(seconds *float64) string {
		if seconds == nil {
			return "–"
		}
		return indonesian.Duration(time.Duration(*seconds * float64(time.Second)))
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
