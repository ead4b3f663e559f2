package page

import (
	"crypto/subtle"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
)

// SessionLifetime is how long a person stays signed in.
const SessionLifetime = 12 * time.Hour

const (
	sessionCookie = "monev112_session"
	maxOfKey      = 50 // sessions of one key; the oldest ends for a newer one
)

// session is one sign-in. It lives in memory alone: a restart of the service ends it.
type session struct {
	key     *auth.Key
	expires time.Time
	token   string // of its forms
}

// sessions are those that have not ended, by cookie.
type sessions struct {
	mu   *sync.Mutex
	open map[string]*session
	anon string // token of the forms of whoever is not signed in
}

func newSessions() sessions {
	return sessions{mu: new(sync.Mutex), open: map[string]*session{}, anon: random()}
}

// begin makes a session and returns its cookie's value.
func (s *sessions) begin(key *auth.Key, now time.Time) string {
	id := random()
	s.mu.Lock()
	defer s.mu.Unlock()
	n, oldest := 0, ""
	for other, o := range s.open {
		switch {
		case !now.Before(o.expires):
			delete(s.open, other)
		case o.key.ID == key.ID:
			if n++; oldest == "" || o.expires.Before(s.open[oldest].expires) {
				oldest = other
			}
		}
	}
	if n >= maxOfKey {
		delete(s.open, oldest)
	}
	s.open[id] = &session{key, now.Add(SessionLifetime), random()}
	return id
}

func (s *sessions) get(id string, now time.Time) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.open[id]; o != nil && now.Before(o.expires) {
		return o
	}
	return nil
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

// identify tells who sent a request: by its session, or by a key in its header, as the API has it. wrongBearer is a
// key that is not valid.
func (s *Site) identify(r *http.Request, now time.Time) (p Person, of *session, wrongBearer string) {
	if s.cfg.Keys.AuthDisabled() {
		return Person{Open: true}, nil, ""
	}
	if secret := auth.SecretOf(r); secret != "" {
		key, ok := s.cfg.Keys.Authenticate(secret)
		if !ok {
			return Person{}, nil, secret
		}
		return Person{Key: key}, nil, ""
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return Person{}, nil, ""
	}
	of = s.sessions.get(cookie.Value, now)
	if of == nil {
		return Person{}, nil, ""
	}
	key, live := s.cfg.Keys.Current(of.key) // as the file has it now
	if !live {
		s.sessions.end(cookie.Value)
		return Person{}, nil, ""
	}
	return Person{Key: key}, of, ""
}

// Live returns who sent a request, as Handle would have it, for a connection that outlasts its first answer. Ask again
// while it lasts: a key may be revoked.
func (s *Site) Live(r *http.Request) Person {
	p, _, _ := s.identify(r, s.cfg.Now())
	return p
}

// fromForm parses the form of a request that changes something, and reports whether it comes from a page of this site,
// shown to this person, or bears a key.
func (r *Request) fromForm(rt *route) bool {
	keyed := auth.SecretOf(r.Request) != "" // no page of others can make a browser send a key
	if rt.access.linked && rt.unparsed {    // its handler asks for the link, and for a form that is bound to it
		return true
	}
	if !keyed && r.site.foreign.Check(r.Request) != nil {
		return false
	}
	if rt.unparsed {
		return true
	}
	r.Body = http.MaxBytesReader(r.W, r.Body, MaxFormBytes)
	return r.ParseForm() == nil && (keyed || r.CheckToken(r.PostForm.Get(tokenField)))
}

const tokenField = "form"

func (r *Request) token() string {
	if r.session != nil {
		return r.session.token
	}
	return r.site.sessions.anon
}

// CheckToken reports whether got is what Token wrote into a form of this person. It compares in constant time.
func (r *Request) CheckToken(got string) bool {
	return subtle.ConstantTimeCompare([]byte(got), []byte(r.token())) == 1
}

// refuse sends whoever is not signed in to sign in, and tells the others what is missing.
func (r *Request) refuse() {
	switch {
	case r.Person.SignedIn():
		r.Notice(http.StatusForbidden, r.T("Tidak diizinkan", "Not allowed"),
			r.T("Kunci %s tidak memiliki hak untuk halaman ini. Keluar, lalu masuk dengan kunci lain.",
				"The key %s does not allow this page. Sign out, then sign in with another one.", r.Person.Name()))
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		r.Redirect("/masuk?" + backField + "=" + queryEscape(r.URL.RequestURI()))
	default:
		r.Notice(http.StatusUnauthorized, r.T("Belum masuk", "Not signed in"),
			r.T("Sesi sudah berakhir; yang Anda kirim tidak tersimpan. Masuk, lalu kirim sekali lagi.",
				"The session has ended; what you sent was not saved. Sign in and send it once more."))
	}
}

// Slowed counts a wrong credential: a key, or the path of a link. When too many came before it answers the request.
func (r *Request) Slowed(credential string) bool {
	wrong, _ := r.Context().Value(wrongKey{}).(CountWrong)
	if wrong == nil {
		return false
	}
	wait := wrong(credential)
	if wait <= 0 {
		return false
	}
	seconds := int(math.Ceil(wait.Seconds()))
	r.W.Header().Set("Retry-After", strconv.Itoa(seconds))
	r.Notice(http.StatusTooManyRequests, r.T("Terlalu banyak kunci yang salah", "Too many wrong keys"),
		r.T("Coba lagi setelah %d detik.", "Try again in %d seconds.", seconds))
	return true
}

type signInView struct {
	Back  string
	Wrong bool
}

func (s *Site) showSignIn(r *Request) {
	back := backTo(r.URL.Query().Get(backField))
	if r.Person.SignedIn() {
		r.Redirect(back)
		return
	}
	r.signInPage(http.StatusOK, signInView{Back: back})
}

func (r *Request) signInPage(status int, v signInView) {
	r.Render(Page{
		Status: status, Title: r.T("Masuk", "Sign in"), Templates: r.site.templates, Name: "masuk.html", Data: v,
	})
}

func (s *Site) signIn(r *Request) {
	back := backTo(r.PostForm.Get(backField))
	secret := strings.TrimSpace(r.PostForm.Get("key"))
	key, ok := s.cfg.Keys.Authenticate(secret)
	if !ok {
		if !r.Slowed(secret) {
			r.signInPage(http.StatusUnauthorized, signInView{back, true})
		}
		return
	}
	s.dropCookie(r)
	r.Person = Person{Key: key}
	r.Record(audit.Entry{Action: audit.SignIn, Kind: "session"})
	r.cookie(sessionCookie, s.sessions.begin(key, r.Now), SessionLifetime)
	r.Redirect(back)
}

func (s *Site) signOut(r *Request) {
	s.dropCookie(r)
	r.cookie(sessionCookie, "", -time.Second)
	r.Redirect("/masuk")
}

// dropCookie ends the session that the request came with.
func (s *Site) dropCookie(r *Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		s.sessions.end(c.Value)
	}
}

// cookie sets a cookie for the folder in which the browser sees the page, which is that of /masuk, /keluar and /bahasa.
func (r *Request) cookie(name, value string, lifetime time.Duration) {
	http.SetCookie(r.W, &http.Cookie{
		Name: name, Value: value, MaxAge: int(lifetime.Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	})
}
