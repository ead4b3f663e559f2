package server

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/engine/chdb"
)

// HTTPOptions configure Database.Handler. The zero value means the defaults.
type HTTPOptions struct {
	// MaxQueryBytes bounds a statement's text (an INSERT's without its rows); default 256 KiB, ClickHouse's own limit.
	MaxQueryBytes int
	// MaxInsertBytes bounds the rows of one INSERT, unpacked; default 512 MiB.
	MaxInsertBytes int64
	// AcquireTimeout is how long a request waits for a connection, in the order of arrival, before 503 and ClickHouse's
	// code 202; default 30 s: a page of a dashboard sends its twenty statements at once.
	AcquireTimeout time.Duration
	// MaxRequests bounds the statements of readers being read, waiting or running, and apart from them those of writers;
	// one more is answered 503 and code 202 at once. Each holds at most MaxQueryBytes while it waits. Default 128.
	MaxRequests int
	// ReadTimeout bounds the wait for the next bytes of a request's body, so that a client that stops sending frees its
	// connection; default 30 s.
	ReadTimeout time.Duration
}

func (o HTTPOptions) withDefaults() HTTPOptions {
	o.MaxQueryBytes = cmp.Or(o.MaxQueryBytes, 256<<10)
	o.MaxInsertBytes = cmp.Or(o.MaxInsertBytes, 512<<20)
	o.AcquireTimeout = cmp.Or(o.AcquireTimeout, 30*time.Second)
	o.MaxRequests = cmp.Or(o.MaxRequests, 128)
	o.ReadTimeout = cmp.Or(o.ReadTimeout, 30*time.Second)
	return o
}

// writeTimeout bounds the sending of one part of a result, so that a client that stops reading frees its connection.
const writeTimeout = 30 * time.Second

type handler struct {
	database *Database
	options  HTTPOptions
	guard    *guard
	reading  chan struct{} // MaxRequests of readers
	writing  chan struct{} // MaxRequests of writers, which readers cannot take
	version  string        // ClickHouse's, for error texts and headers
	display  string
}

// Handler serves the engine over ClickHouse's HTTP interface: GET and POST /, /ping, /replicas_status.
func (d *Database) Handler(options HTTPOptions) (http.Handler, error) {
	s := &handler{database: d, options: options.withDefaults(), display: "monev112"}
	s.reading, s.writing = make(chan struct{}, s.options.MaxRequests), make(chan struct{}, s.options.MaxRequests)
	result, err := d.control.conn.Query("SELECT version()", "TSVRaw", nil)
	if err != nil {
		return nil, fmt.Errorf("engine: ask for ClickHouse's version: %w", err)
	}
	s.version = strings.TrimSpace(string(result.Data))
	result, err = d.control.conn.Query("SELECT name FROM system.table_functions", "TSVRaw", nil)
	if err != nil {
		return nil, fmt.Errorf("engine: list ClickHouse's table functions: %w", err)
	}
	s.guard = newGuard(strings.Fields(string(result.Data)))
	return s, nil
}

func (s *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := checkOrigin(r); err != nil {
		s.fail(w, err, http.StatusForbidden)
		return
	}
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "only GET and POST", http.StatusMethodNotAllowed)
	case r.URL.Path == "/ping", r.URL.Path == "/replicas_status",
		r.URL.Path == "/" && r.Method != http.MethodPost && !r.URL.Query().Has("query"):
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		_, _ = w.Write([]byte("Ok.\n"))
	case r.URL.Path != "/" && r.URL.Path != "/query":
		http.Error(w, "there is nothing at "+strconv.Quote(r.URL.Path)+": send statements to /, or ask /ping",
			http.StatusNotFound)
	default:
		slots := s.reading
		if writer, err := s.authenticate(r); err == nil && writer && r.Method == http.MethodPost {
			slots = s.writing
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			s.serveStatement(w, r)
		default:
			s.fail(w, ErrBusy, 0)
		}
	}
}

// checkOrigin refuses what a web page elsewhere may have sent: a foreign name in Host (DNS rebinding) or in Origin.
func checkOrigin(r *http.Request) error {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !isLoopbackHost(host) {
		return denied("the request names the host %q, which is not this machine's", host)
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || !isLoopbackHost(u.Hostname()) {
			return denied("the request comes from a page of %q", origin)
		}
	}
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return denied("the request comes from a page of another site")
	}
	return nil
}

func isLoopbackHost(host string) bool {
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// authenticate tells a writer from a reader. A wrong key is refused and not taken for none.
func (s *handler) authenticate(r *http.Request) (writer bool, err error) {
	key := r.Header.Get("X-ClickHouse-Key")
	if _, password, ok := r.BasicAuth(); ok && password != "" {
		key = password
	} else if r.Header.Get("Authorization") != "" && !ok {
		return false, newException(codeAuthentication,
			"only HTTP Basic authentication, with the engine key as the password")
	}
	if key == "" {
		key = r.URL.Query().Get("password")
	}
	if key == "" {
		return false, nil
	}
	if subtle.ConstantTimeCompare([]byte(s.database.key), []byte(key)) != 1 {
		return false, newException(codeAuthentication,
			"the key is wrong: it stands in the file %s of the data folder; without any key, reading is allowed", engine.KeyFile)
	}
	return true, nil
}

// fail answers with ClickHouse's error: code in the header, text in the body. status 0 means the one that fits the
// code.
func (s *handler) fail(w http.ResponseWriter, err error, status int) {
	e := asException(err)
	if status == 0 {
		status = httpStatus(e.Code)
	}
	h := w.Header()
	h.Del("Content-Encoding")
	h.Del("X-ClickHouse-Format")
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.Code))
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(s.errorText(e) + "\n"))
}

func (s *handler) errorText(e *chdb.Exception) string {
	if s.version == "" || strings.Contains(e.Text, "(version ") {
		return e.Text
	}
	return e.Text + " (version " + s.version + ")"
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
