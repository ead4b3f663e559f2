package page

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
)

// MaxFormBytes bounds a form that the site parses.
const MaxFormBytes = 256 << 10

// FilesPath is where style sheet and scripts lie.
const FilesPath = "/aset/"

const filesPattern = "GET " + FilesPath + "{name}"

// policy is the Content-Security-Policy of every page: nothing inline, nothing of others.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Config is what a Site is made of. Keys and Now are required.
type Config struct {
	Keys   *auth.Guard
	Record func(audit.Entry) // of reads, and of what people do; nil records nothing
	Now    func() time.Time
	Log    *slog.Logger // nil discards
}

// Site answers the pages that were given to it. Give them all before the first request; then it is safe for concurrent
// use.
type Site struct {
	cfg       Config
	mux       *http.ServeMux
	menu      []menuItem
	linked    []string // patterns
	files     map[string]file
	templates *template.Template
	sessions  sessions
	foreign   *http.CrossOriginProtection
}

// Handler answers one request for a page.
type Handler func(r *Request)

type menuItem struct {
	path   string
	name   Text
	access Access
}

type file struct {
	content   []byte
	mediaType string
	etag      string
}

//go:embed templates files
var embedded embed.FS

// New returns a site with the pages for signing in and out, and those files that all pages use.
func New(cfg Config) (*Site, error) {
	if cfg.Keys == nil || cfg.Now == nil {
		return nil, errors.New("page: Keys and Now are required")
	}
	if cfg.Record == nil {
		cfg.Record = func(audit.Entry) {}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Log = cfg.Log.With("component", "page")
	s := &Site{
		cfg: cfg, mux: http.NewServeMux(), files: map[string]file{}, templates: MustParse(embedded, "templates/*.html"),
		sessions: newSessions(), foreign: http.NewCrossOriginProtection(),
	}
	s.AddFiles(embedded)
	s.mux.HandleFunc(filesPattern, s.file)
	s.Handle("GET /masuk", Public, s.showSignIn)
	s.Handle("POST /masuk", Public, s.signIn)
	s.Handle("POST /keluar", Public, s.signOut)
	s.Handle("POST /bahasa", Public, s.chooseLanguage)
	return s, nil
}

// MustParse parses a package's templates; a mistake in one ends the program at its start.
func MustParse(files fs.FS, patterns ...string) *template.Template {
	return template.Must(template.ParseFS(files, patterns...))
}

// AddFiles serves the files in the folder files of fsys, scripts and pictures, below FilesPath. Everybody may read
// them.
func (s *Site) AddFiles(fsys fs.FS) {
	names, _ := fs.Glob(fsys, "files/*")
	for _, name := range names {
		content, err := fs.ReadFile(fsys, name)
		if _, taken := s.files[path.Base(name)]; err != nil || taken {
			panic(fmt.Sprintf("page: file %s: taken or unreadable: %v", name, err))
		}
		s.files[path.Base(name)] = newFile(name, content)
	}
}

func newFile(name string, content []byte) file {
	sum := sha256.Sum256(content)
	return file{content, mime.TypeByExtension(path.Ext(name)), `"` + hex.EncodeToString(sum[:8]) + `"`}
}

// Style returns the style sheet, for pages that have a policy of their own.
func Style() []byte {
	text, _ := embedded.ReadFile("files/style.css")
	return text
}

// Option changes how a request is taken before its handler gets it.
type Option func(*route)

type route struct {
	access   Access
	handle   Handler
	unparsed bool
}

// Unparsed leaves the body of a POST to the handler, which bounds it and calls CheckToken before it acts.
func Unparsed(r *route) { r.unparsed = true }

// Handle gives the site a page: a pattern of net/http with its method, who may come, and what answers.
func (s *Site) Handle(pattern string, access Access, handle Handler, options ...Option) {
	rt := &route{access: access, handle: handle}
	if access.linked {
		s.linked = append(s.linked, pattern)
	}
	for _, o := range options {
		o(rt)
	}
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rt) })
}

// Menu adds an entry to the header of all pages, for those who may go there.
func (s *Site) Menu(path string, name Text, access Access) {
	s.menu = append(s.menu, menuItem{path, name, access})
}

// Has reports whether the site has a page for the request.
func (s *Site) Has(r *http.Request) bool {
	_, pattern := s.mux.Handler(r)
	return pattern != ""
}

// AsksForLink reports whether a page asks for a signed link itself, or is style and script of one that does.
func (s *Site) AsksForLink(r *http.Request) bool {
	_, pattern := s.mux.Handler(r)
	return slices.Contains(s.linked, pattern) || pattern == filesPattern
}

// CountWrong counts a credential that did not open, and says how long its sender has to wait because too many came
// before.
type CountWrong func(credential string) (wait time.Duration)

type wrongKey struct{}

// Serve answers a request for which Has is true. It does not look at where the request came from: while no key exists,
// the caller lets only those of this machine through.
func (s *Site) Serve(w http.ResponseWriter, r *http.Request, wrong CountWrong) {
	s.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), wrongKey{}, wrong)))
}

// harden sets what a browser obeys.
func harden(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
}

func (s *Site) file(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files[r.PathValue("name")]
	if !ok {
		http.Error(w, "Berkas tidak ada.", http.StatusNotFound)
		return
	}
	harden(w.Header())
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("Cache-Control", "no-cache") // asked for each time, sent again only when it changed
	h.Set("ETag", f.etag)
	if slices.Contains(strings.Split(r.Header.Get("If-None-Match"), ", "), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(f.content)
}

// serve takes a request up to its page: who is it, may they, does the form bear its token.
func (s *Site) serve(w http.ResponseWriter, hr *http.Request, rt *route) {
	harden(w.Header())
	r := &Request{Request: hr, W: w, Now: s.cfg.Now(), Lang: language(hr), site: s}
	var wrongBearer string
	r.Person, r.session, wrongBearer = s.identify(hr, r.Now)
	switch {
	case wrongBearer != "":
		if r.Slowed(wrongBearer) {
			return
		}
		r.Notice(http.StatusUnauthorized, r.T("Kunci tidak berlaku", "The key is not valid"),
			r.T("Kunci tidak dikenal, sudah dicabut, atau kedaluwarsa.", "The key is unknown, revoked or expired."))
		return
	case !r.Person.May(rt.access):
		r.refuse()
		return
	}
	if hr.Method != http.MethodGet && hr.Method != http.MethodHead {
		ok := r.fromForm(rt)
		if ok && !rt.unparsed && len(r.PostForm) == 0 { // with a key: others have sent a token
			r.Notice(http.StatusUnsupportedMediaType, r.T("Belum tersimpan", "Not saved"),
				r.T("Tidak ada isian. Kirim sebagai application/x-www-form-urlencoded.",
					"There are no fields. Send them as application/x-www-form-urlencoded."))
			return
		}
		if !ok {
			r.Notice(http.StatusForbidden, r.T("Belum tersimpan", "Not saved"),
				r.T("Formulir ini sudah tidak berlaku: halaman dibuka sebelum Anda masuk, atau layanan dimulai ulang. "+
					"Kembali, muat ulang halaman, dan isi sekali lagi.",
					"This form is no longer valid: the page was opened before you signed in, or the service was restarted. "+
						"Go back, reload the page and fill it in once more."))
			return
		}
	}
	rt.handle(r)
}

// random returns a text of 256 random bits.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}
