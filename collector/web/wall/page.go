package wall

import (
	"embed"
	"net/http"
	"net/url"

	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/web/page"
)

//go:embed templates files
var files embed.FS

// Access is who may see a wallboard, beside the link of a display.
func Access() page.Access { return page.Scopes(auth.BoardRead) }

// StreamPath is where the stream is.
const StreamPath = "/v1/board/stream"

// Mount gives the site the wallboard: /papan for whoever is signed in, /papan/<token> for the link of a display.
func (w *Wall) Mount(s *page.Site) {
	templates := page.MustParse(files, "templates/*.html")
	s.AddFiles(files)
	s.Menu("/papan", page.Text{Indonesian: "Papan siaga", English: "Wallboard"}, Access())
	show := func(r *page.Request, reader Reader, query url.Values) {
		c, ok := w.center(reader.Center)
		if !ok {
			r.NotFound()
			return
		}
		r.Render(page.Page{
			Title: r.T("Papan siaga – %s", "Wallboard – %s", c.Name), Templates: templates, Name: "papan.html",
			Scripts: []string{"papan.js"}, Class: "wall", Bare: true, Data: boardView{
				Name: c.Name, Stream: r.Root() + StreamPath[1:] + "?" + query.Encode(),
				Zone: c.Location.String(), Linked: !r.Person.SignedIn() || query.Has("link"), Calls: reader.Calls,
			},
		})
	}
	s.Handle("GET /papan", Access(), func(r *page.Request) {
		center := r.URL.Query().Get("center")
		if center == "" {
			center = r.Person.Center()
		}
		if c, ok := w.center(center); !ok || !r.Person.MaySee(c.Code) {
			r.NotFound()
			return
		}
		show(r, Reader{Center: center, Calls: true}, url.Values{"center": {center}})
	})
	s.Handle("GET /papan/{token}", page.Linked, func(r *page.Request) {
		token := r.PathValue("token")
		reader, ok := w.Display(token)
		if !ok {
			if !r.Slowed("/papan/" + token) {
				r.Notice(http.StatusNotFound, r.T("Tautan tidak berlaku", "The link is not valid"),
					r.T("Tautan layar ini tidak berlaku, sudah kedaluwarsa, atau dicabut. Minta yang baru kepada pengelola "+
						"layanan: monev112 link --to papan.",
						"The link of this display is not valid, has expired or was revoked. Ask whoever runs the service for a new "+
							"one: monev112 link --to papan."))
			}
			return
		}
		show(r, reader, url.Values{"link": {token}})
	})
}

type boardView struct {
	Name, Stream, Zone string
	Linked             bool // no menu to go back to
	Calls              bool
}
