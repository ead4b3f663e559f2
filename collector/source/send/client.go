package send

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression says how request bodies are packed.
type Compression string

// The compressions that a server takes.
const (
	Zstd Compression = "zstd"
	Gzip Compression = "gzip"
	None Compression = "none"
)

// Config says where to send and how patiently. The zero value of a field means its default.
type Config struct {
	Server      string            // base address, for example http://127.0.0.1:8112; required
	Key         string            // API key; empty where the server asks for none
	Compression Compression       // default Zstd
	Timeout     time.Duration     // of one request with its answer; default 1 min
	Patience                      // with one batch; default 15 min
	Transport   http.RoundTripper // default a clone of http.DefaultTransport
}

// Client is the Submitter over HTTP, and reads back what a server holds. It is safe for concurrent use.
type Client struct {
	cfg  Config
	base string
	http *http.Client
	zstd *zstd.Encoder
}

// StatusError is an answer that sending again cannot better. Hint says what the reader can do.
type StatusError struct {
	Status int
	Body   string // the first bytes of the answer
	Hint   string
}

// Error gives status, hint and the beginning of the answer.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	if e.Body != "" {
		s += fmt.Sprintf(" (it said: %s)", e.Body)
	}
	return s
}

// maxAnswerBytes bounds what is read of an answer: 10,000 refusals of 400 bytes.
const maxAnswerBytes = 4 << 20

// New checks the configuration and returns a Client; it opens no connection.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.Server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("server address %q is not of the form http://host:port", redact(cfg.Server))
	}
	if u.User != nil {
		return nil, errors.New("the server address holds a user or password; give the API key through its file instead")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("server address %q goes on behind the path", redact(cfg.Server))
	}
	if strings.ContainsAny(cfg.Key, "\r\n\x00") {
		return nil, errors.New("the API key holds a line break; a key is one line")
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, time.Minute)
	cfg.Total = cmp.Or(cfg.Total, 15*time.Minute)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &Client{cfg: cfg, base: strings.TrimSuffix(u.String(), "/")}
	switch cfg.Compression {
	case Zstd, "":
		c.cfg.Compression = Zstd
		if c.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithEncoderConcurrency(1)); err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
	case Gzip, None:
	default:
		return nil, fmt.Errorf("compression %q is not known; use zstd, gzip or none", cfg.Compression)
	}
	transport := cfg.Transport
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 16
		transport = t
	}
	c.http = &http.Client{
		Transport: transport,
		Timeout:   cfg.Timeout,
		// A redirect would carry the key to another place, and a POST does not survive most of them.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

func redact(server string) string {
	if i := strings.LastIndexByte(server, '@'); i >= 0 {
		return "…" + server[i:]
	}
	return server
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Submit posts one batch until it is answered, the patience is exhausted, ctx ends or the answer says that it will
// never be taken.
func (c *Client) Submit(ctx context.Context, body []byte, count int) (Answer, error) {
	packed, err := c.pack(body)
	if err != nil {
		return Answer{}, err
	}
	var a Answer
	tries, err := c.cfg.Do(ctx, func() (err error) {
		a, err = c.post(ctx, packed, count)
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	a.Tries = tries
	return a, nil
}

func (c *Client) pack(body []byte) ([]byte, error) {
	switch c.cfg.Compression {
	case Zstd:
		return c.zstd.EncodeAll(body, make([]byte, 0, 1<<10+len(body)/8)), nil // events look alike
	case Gzip:
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		if err == nil {
			_, err = z.Write(body)
		}
		if err == nil {
			err = z.Close()
		}
		return b.Bytes(), err
	}
	return bytes.Clone(body), nil // an answer may come while it is still being read
}

// response is the answer to one request, read whole.
type response struct {
	status int
	header http.Header
	text   []byte
}

// request asks once. body is nil for a GET.
func (c *Client) request(ctx context.Context, path string, body []byte) (response, error) {
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return response{}, err
	}
	req.Header.Set("User-Agent", "monev112")
	if c.cfg.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.cfg.Key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-ndjson")
		if c.cfg.Compression != None {
			req.Header.Set("Content-Encoding", string(c.cfg.Compression))
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return response{}, &Temporary{Cause: fmt.Errorf("no answer from the server: %w", err)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	if err != nil {
		return response{}, &Temporary{Cause: fmt.Errorf("the answer broke off: %w", err)}
	}
	return response{resp.StatusCode, resp.Header, text}, nil
}

func (r *response) fail(hint string) error {
	return &StatusError{Status: r.status, Body: excerpt(r.text), Hint: hint}
}

// passes is the error of a status that may be another one later.
func (r *response) passes(now time.Time) error {
	return &Temporary{Cause: r.fail(""), After: retryAfter(r.header.Get("Retry-After"), now)}
}

func (r *response) decode(into any) error {
	if len(r.text) > maxAnswerBytes {
		return r.fail(fmt.Sprintf("the answer is longer than %d bytes", maxAnswerBytes))
	}
	if err := json.Unmarshal(r.text, into); err != nil {
		return r.fail("the answer is not the one of a monev112 server; is the address right?")
	}
	return nil
}

// post submits a packed batch once.
func (c *Client) post(ctx context.Context, packed []byte, count int) (a Answer, err error) {
	r, err := c.request(ctx, "/v1/events", packed)
	if err != nil {
		return a, err
	}
	switch s := r.status; {
	case s == http.StatusOK, s == http.StatusBadRequest:
		if err := r.decode(&a); err != nil {
			return a, err
		}
		if n := a.Accepted + a.Duplicates + len(a.Rejected); a.Accepted < 0 || a.Duplicates < 0 || n != count {
			return a, r.fail(fmt.Sprintf("it accounts for %d of the %d events sent", n, count))
		}
		for _, rejected := range a.Rejected {
			if rejected.Index < 0 || rejected.Index >= count {
				return a, r.fail(fmt.Sprintf("it refuses event %d of %d", rejected.Index, count))
			}
		}
		return a, nil
	case s == http.StatusTooManyRequests, s == http.StatusRequestTimeout, s >= 500 && s <= 504 && s != 501:
		return a, r.passes(c.cfg.Now())
	case s == http.StatusUnauthorized:
		return a, r.fail("the server wants an API key, or does not know the one given")
	case s == http.StatusForbidden:
		return a, r.fail("the API key may not write events")
	case s == http.StatusRequestEntityTooLarge:
		return a, ErrTooLarge
	case s >= 300 && s < 400:
		return a, r.fail(fmt.Sprintf("it points to %q; give that address as the server", redact(r.header.Get("Location"))))
	case s == http.StatusNotFound, s == http.StatusMethodNotAllowed:
		return a, r.fail("there is no monev112 server at this address")
	}
	return a, r.fail("")
}

// retryAfter reads seconds or an HTTP date; 0 is no wish.
func retryAfter(h string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(h)); err == nil {
		return time.Duration(min(max(n, 0), 86400)) * time.Second
	}
	if t, err := http.ParseTime(h); err == nil {
		return max(t.Sub(now), 0)
	}
	return 0
}

// excerpt is the beginning of an answer, on one line.
func excerpt(text []byte) string {
	const most = 200
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(text[:min(len(text), 4*most)]), "?")), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
