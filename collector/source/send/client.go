package send

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression of request bodies.
type Compression string

// The compressions that a server takes.
const (
	Zstd Compression = "zstd"
	Gzip Compression = "gzip"
	None Compression = "none"
)

// Config says where to send and how patiently. The zero value of a field means its default.
type Config struct {
	Server      string        // base address, for example http://127.0.0.1:8112; required
	Key         string        // API key; empty where the server asks for none
	Compression Compression   // default Zstd
	Timeout     time.Duration // of one request with its answer; default 1 min
	Patience    time.Duration // how long one batch is tried; default 15 min, negative is for ever
	FirstWait   time.Duration // before the second try; doubles up to LongestWait; default 250 ms
	LongestWait time.Duration // also bounds what Retry-After may ask for; default 30 s
	UserAgent   string        // default "monev112"

	Transport http.RoundTripper                          // default a clone of http.DefaultTransport
	Now       func() time.Time                           // default time.Now
	Sleep     func(context.Context, time.Duration) error // default waits for the timer or the context
	// told before each wait; may be nil; called from several goroutines
	OnRetry func(Retry)
}

// Retry says that a batch has to be sent again.
type Retry struct {
	Try   int // of the try that failed, from 1
	Wait  time.Duration
	Cause error
}

// Client sends batches to one server. It is safe for concurrent use.
type Client struct {
	cfg  Config
	base string
	url  string
	http *http.Client
	zstd *zstd.Encoder
}

// Answer is what the server said of one batch.
type Answer struct {
	Accepted   int       `json:"accepted"`
	Duplicates int       `json:"duplicates"`
	Rejected   []Refusal `json:"rejected"`

	Tries int `json:"-"` // 1 when the first try was answered
}

// Refusal is one event that the server did not take. Index counts the events of the batch from 0.
type Refusal struct {
	Index  int    `json:"index"`
	ID     string `json:"id"`
	Field  string `json:"field"`
	Reason string `json:"reason"`
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

// errTooLarge tells the sender that a batch has to be split.
var errTooLarge = errors.New("the server takes no batch of this size")

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
	or := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	or(&cfg.Timeout, time.Minute)
	or(&cfg.Patience, 15*time.Minute)
	or(&cfg.FirstWait, 250*time.Millisecond)
	or(&cfg.LongestWait, 30*time.Second)
	if cfg.UserAgent == "" {
		cfg.UserAgent = "monev112"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Sleep == nil {
		cfg.Sleep = Sleep
	}
	base := strings.TrimSuffix(u.String(), "/")
	c := &Client{cfg: cfg, base: base, url: base + "/v1/events"}
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

// Sleep waits for d; it returns the context's error when that ends first.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Send posts one batch, NDJSON with count events, until it is answered, the patience ends, ctx ends or the answer says
// that it never will be taken. body is only read.
func (c *Client) Send(ctx context.Context, body []byte, count int) (Answer, error) {
	packed, err := c.pack(body)
	if err != nil {
		return Answer{}, err
	}
	var answer Answer
	tries, err := c.patiently(ctx, func() (after time.Duration, err error) {
		answer, after, err = c.try(ctx, packed, count)
		return after, err
	})
	if err != nil {
		return Answer{}, err
	}
	answer.Tries = tries
	return answer, nil
}

// patiently tries until it works, the patience ends, ctx ends or the failure is one that does not pass.
func (c *Client) patiently(ctx context.Context, do func() (after time.Duration, err error)) (tries int, err error) {
	start := c.cfg.Now()
	wait := c.cfg.FirstWait
	for try := 1; ; try++ {
		after, err := do()
		if err == nil {
			return try, nil
		}
		var again *temporary
		if !errors.As(err, &again) {
			return try, err
		}
		if ctx.Err() != nil {
			return try, ctx.Err()
		}
		// Half of the wait is left to chance, so that many senders do not come back at once.
		pause := wait/2 + rand.N(wait/2+1)
		if after > 0 {
			pause = min(after, c.cfg.LongestWait)
		}
		if c.cfg.Patience > 0 && c.cfg.Now().Add(pause).Sub(start) > c.cfg.Patience {
			return try, fmt.Errorf("gave up after %d tries in %s: %w", try, c.cfg.Patience, again.cause)
		}
		if c.cfg.OnRetry != nil {
			c.cfg.OnRetry(Retry{Try: try, Wait: pause, Cause: again.cause})
		}
		if err := c.cfg.Sleep(ctx, pause); err != nil {
			return try, err
		}
		wait = min(2*wait, c.cfg.LongestWait)
	}
}

// temporary marks a failure that may pass.
type temporary struct{ cause error }

func (t *temporary) Error() string { return t.cause.Error() }
func (t *temporary) Unwrap() error { return t.cause }

func (c *Client) pack(body []byte) ([]byte, error) {
	switch c.cfg.Compression {
	case Zstd:
		return c.zstd.EncodeAll(body, nil), nil
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
	return body, nil
}

// try posts once. after is what Retry-After asks for.
func (c *Client) try(ctx context.Context, body []byte, count int) (a Answer, after time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return a, 0, err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	if c.cfg.Compression != None {
		req.Header.Set("Content-Encoding", string(c.cfg.Compression))
	}
	if c.cfg.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.cfg.Key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return a, 0, &temporary{fmt.Errorf("no answer from the server: %w", err)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	if err != nil {
		return a, 0, &temporary{fmt.Errorf("the answer broke off: %w", err)}
	}
	return c.judge(resp, text, count)
}

// judge decides what an answer means.
func (c *Client) judge(resp *http.Response, text []byte, count int) (a Answer, after time.Duration, err error) {
	fail := func(hint string) (Answer, time.Duration, error) {
		return Answer{}, 0, &StatusError{Status: resp.StatusCode, Body: excerpt(text), Hint: hint}
	}
	switch s := resp.StatusCode; {
	case s == http.StatusOK, s == http.StatusBadRequest:
		if len(text) > maxAnswerBytes {
			return fail(fmt.Sprintf("the answer is longer than %d bytes", maxAnswerBytes))
		}
		if err := json.Unmarshal(text, &a); err != nil {
			return fail("the answer is not the one of a monev112 server; is the address right?")
		}
		if a.Accepted < 0 || a.Duplicates < 0 || a.Accepted+a.Duplicates+len(a.Rejected) != count {
			return fail(fmt.Sprintf("it accounts for %d of the %d events sent", a.Accepted+a.Duplicates+len(a.Rejected), count))
		}
		for _, r := range a.Rejected {
			if r.Index < 0 || r.Index >= count {
				return fail(fmt.Sprintf("it refuses event %d of %d", r.Index, count))
			}
		}
		return a, 0, nil
	case s == http.StatusTooManyRequests, s == http.StatusBadGateway, s == http.StatusServiceUnavailable,
		s == http.StatusGatewayTimeout,
		s == http.StatusRequestTimeout, s == http.StatusInternalServerError:
		return a, retryAfter(resp.Header.Get("Retry-After"), c.cfg.Now()),
			&temporary{&StatusError{Status: s, Body: excerpt(text)}}
	case s == http.StatusUnauthorized:
		return fail("the server wants an API key, or does not know the one given")
	case s == http.StatusForbidden:
		return fail("the API key may not write events")
	case s == http.StatusRequestEntityTooLarge:
		return a, 0, errTooLarge
	case s >= 300 && s < 400:
		return fail(fmt.Sprintf("it points to %q; give that address as the server", redact(resp.Header.Get("Location"))))
	case s == http.StatusNotFound, s == http.StatusMethodNotAllowed:
		return fail("there is no monev112 server at this address")
	}
	return fail("")
}

// retryAfter reads seconds or an HTTP date; 0 is no wish.
func retryAfter(h string, now time.Time) time.Duration {
	if h == "" {
		return 0
	}
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
