package page

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	textlanguage "golang.org/x/text/language"

	"github.com/monev112/monev112/collector/httpapi/audit"
)

// The languages of pages.
const (
	Indonesian = "id"
	English    = "en"
)

// Text is a text in both languages, for tables of names.
type Text struct{ Indonesian, English string }

// Request is one request for a page, with who it is from. Templates see it as the dot.
type Request struct {
	*http.Request
	W      http.ResponseWriter
	Person Person
	Lang   string // Indonesian or English
	Now    time.Time

	site    *Site
	session *session // nil without
}

// T says it in the reader's language; with arguments by the rules of fmt.
func (r *Request) T(indonesian, english string, args ...any) string {
	text := indonesian
	if r.Lang == English {
		text = english
	}
	if len(args) > 0 {
		return fmt.Sprintf(text, args...)
	}
	return text
}

// Say says a text of a table.
func (r *Request) Say(t Text) string { return r.T(t.Indonesian, t.English) }

// Root is the way from the page to the folder that the service is reached in; it ends in a slash.
func (r *Request) Root() string {
	if up := strings.Count(r.URL.EscapedPath(), "/") - 1; up > 0 {
		return strings.Repeat("../", up)
	}
	return "./"
}

// Token is the hidden field of every form that is sent with POST.
func (r *Request) Token() template.HTML {
	return template.HTML(`<input type="hidden" name="` + tokenField + `" value="` + r.token() + `">`)
}

// Record writes down that the person read or did something.
func (r *Request) Record(e audit.Entry) {
	e.At, e.Who = r.Now, r.Person.Who()
	r.site.cfg.Record(e)
}

// Redirect sends the browser on to an address of this site, which begins with a slash.
func (r *Request) Redirect(to string) {
	r.W.Header().Set("Location", r.Root()+strings.TrimPrefix(to, "/"))
	r.W.WriteHeader(http.StatusSeeOther)
}

// Page is what Render shows.
type Page struct {
	Status    int // 0 is 200
	Title     string
	Templates *template.Template
	Name      string // of the template that makes what stands inside the layout
	Data      any
	Scripts   []string // names of files, loaded as modules
	Class     string   // of the body, for the style sheet: wide, wall
	Bare      bool     // without the header of the site
}

// view is the dot of a page's template.
type view struct {
	*Request
	Data any
}

// frame is the dot of the layout.
type frame struct {
	*Request
	Page
	Content template.HTML
	Here    string // the path, for the switch of the language
}

// Entry is one of the menu's.
type Entry struct {
	Path, Name string // without the slash that it begins with; in the reader's language
	Current    bool   // the page is this entry's, or below it
}

// Menu is where the person may go, in the order in which the site was given it; empty for whoever is not signed in.
func (r *Request) Menu() (out []Entry) {
	for _, m := range r.site.menu {
		if r.Person.SignedIn() && r.Person.May(m.access) {
			out = append(out, Entry{strings.TrimPrefix(m.path, "/"), r.Say(m.name), under(r.URL.Path, m.path)})
		}
	}
	return out
}

// Render answers with a page.
func (r *Request) Render(p Page) {
	var content, out bytes.Buffer
	err := p.Templates.ExecuteTemplate(&content, p.Name, view{r, p.Data})
	if err == nil {
		f := frame{r, p, template.HTML(content.String()), r.URL.RequestURI()}
		if r.Method == http.MethodPost {
			f.Here = r.URL.Path
		}
		err = r.site.templates.ExecuteTemplate(&out, "layout.html", f)
	}
	if err != nil {
		r.site.cfg.Log.Error("a page cannot be rendered", "template", p.Name, "error", err)
		http.Error(r.W, r.T("Halaman tidak dapat ditampilkan.", "The page cannot be shown."), http.StatusInternalServerError)
		return
	}
	r.W.Header().Set("Content-Type", "text/html; charset=utf-8")
	r.W.WriteHeader(max(p.Status, http.StatusOK))
	_, _ = r.W.Write(out.Bytes())
}

// under reports whether a path is that of a menu entry or below it.
func under(path, entry string) bool {
	return path == entry || entry != "/" && strings.HasPrefix(path, entry+"/")
}

type noticeView struct {
	Title string
	Lines []string
}

// Notice answers with a page that only says something.
func (r *Request) Notice(status int, title string, lines ...string) {
	r.Render(Page{Status: status, Title: title, Templates: r.site.templates, Name: "notice.html",
		Data: noticeView{title, lines}})
}

// NotFound answers that there is nothing, or nothing for this person: it does not tell which.
func (r *Request) NotFound() {
	r.Notice(http.StatusNotFound, r.T("Tidak ada", "Not found"),
		r.T("Halaman ini tidak ada, atau tidak untuk kunci Anda.", "There is no such page, or not for your key."))
}

const (
	languageCookie = "monev112_bahasa"
	backField      = "ke"
)

var languages = textlanguage.NewMatcher([]textlanguage.Tag{textlanguage.Indonesian, textlanguage.English})

// language is what the person chose, else what the browser asks for, else Indonesian.
func language(r *http.Request) string {
	if c, err := r.Cookie(languageCookie); err == nil && (c.Value == Indonesian || c.Value == English) {
		return c.Value
	}
	header := r.Header.Get("Accept-Language")
	if len(header) > 200 {
		return Indonesian
	}
	if _, i := textlanguage.MatchStrings(languages, header); i == 1 {
		return English
	}
	return Indonesian
}

// chooseLanguage keeps the language for a year.
func (s *Site) chooseLanguage(r *Request) {
	chosen := r.PostForm.Get("bahasa")
	if chosen != English {
		chosen = Indonesian
	}
	r.cookie(languageCookie, chosen, 365*24*time.Hour)
	r.Redirect(backTo(r.PostForm.Get(backField)))
}

// backTo keeps the address of a page of this site and turns everything else into the home page.
func backTo(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") ||
		strings.ContainsAny(to, "\\\r\n\t") || len(to) > 1000 {
		return "/"
	}
	return u.RequestURI()
}

func queryEscape(s string) string { return url.QueryEscape(s) }
