// Package page owns what all pages for people have in common: one layout and style sheet, the headers that a browser
// obeys, Indonesian and English, signing in with an API key, what a key may see, and the token of every form. It knows
// no board and no event: a page brings its own contents. The pages behind the links of alerts, which ask for no key,
// use its style sheet alone.
//
// # How to add a page
//
// Make a package below collector/web with a function Mount, and call it where the root makes the others:
//
//	//go:embed templates
//	var files embed.FS
//
//	func Mount(s *page.Site, cfg Config) {
//		p := &pages{cfg, page.MustParse(files, "templates/*.html")}
//		access := page.Scopes(auth.BoardRead, auth.MonevWrite) // any of them; admin always; nobody is asked without keys
//		s.Handle("GET /monev/{month}", access, p.show)
//		s.Handle("POST /monev/{month}", page.Scopes(auth.MonevWrite), p.save) // its form token is checked before
//		s.Menu("/monev", page.Text{"Rapat monev", "Meeting"}, access)
//	}
//
//	func (p *pages) show(r *page.Request) {
//		if !r.Person.MaySee(center) { r.NotFound(); return } // a key may be bound to one centre
//		r.Render(page.Page{Title: r.T("Rapat monev", "Meeting"), Templates: p.templates, Name: "month.html", Data: view})
//	}
//
//	func (p *pages) save(r *page.Request) {
//		text := r.PostFormValue("text")         // the form is parsed, at most MaxFormBytes
//		by := r.Person.Name()                   // of the key, written down with what people change
//		r.Record(audit.Entry{Action: "remark", Kind: "month", ID: r.PathValue("month")})
//		r.Redirect("/monev/2026-10")            // so that a reload sends nothing twice
//	}
//
// Patterns are those of net/http. In a template: {{ .T "Simpan" "Save" }} says it in the reader's language, {{ .Data }}
// is the page's own, {{ .Token }} stands in every form with method post, and every address begins with {{ .Root }}
// (href="{{ .Root }}monev"), because the service may be reached below a folder of another. No style= and no script
// in a page: classes are in files/style.css, scripts are modules given to Site.AddFiles and named in Page.Scripts.
// A large upload takes the option Unparsed and calls CheckToken itself. Routes of pages have rows in TestAccess of
// package httpapi and in docs/security.md; TestPages of this package shows how one is tested.
package page
