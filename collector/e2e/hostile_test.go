package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Limits that the service keeps whoever calls.
const (
	hostileMemory     = 768 << 20 // bytes of resident memory at most; bodies in hand alone may take 256 MiB
	hostileGoroutines = 64        // above those before, once all have hung up
)

// hostile is a service under attack, and one honest client that is served meanwhile.
type hostile struct {
	*service
	acked atomic.Int64
}

// honest posts single events, each on a connection of its own, until the test ends.
func (h *hostile) honest(ctx context.Context) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	for i := 0; ctx.Err() == nil; i++ {
		body := line(fmt.Sprintf("honest-%d", i), nil)
		for ctx.Err() == nil { // 429 says later
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.addr+"/v1/events", strings.NewReader(body))
			if err != nil {
				return
			}
			req.Header.Set("Content-Type", ndjson)
			r, err := client.Do(req)
			if err == nil {
				r.Body.Close()
			}
			if err == nil && r.StatusCode == http.StatusOK {
				h.acked.Add(1)
				break
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

// serves waits until more events of the honest client were acknowledged.
func (h *hostile) serves(t *testing.T) {
	t.Helper()
	from := h.acked.Load()
	if !h.until("an honest client is served", func() bool { return h.acked.Load() >= from+5 }) {
		t.Fatal("the service ended")
	}
}

// dial opens a connection and sends a text on it.
func (h *hostile) dial(t *testing.T, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, _ = io.WriteString(c, text) // who is cut off early need not have taken all of it
	return c
}

// many opens n connections that all send the same text and stay.
func (h *hostile) many(t *testing.T, n int, text string) []net.Conn {
	t.Helper()
	out := make([]net.Conn, n)
	for i := range out {
		out[i] = h.dial(t, text)
	}
	return out
}

// says sends a text and returns the status of the first answer, 0 when the connection is closed without one.
func (h *hostile) says(t *testing.T, text string) int {
	t.Helper()
	c := h.dial(t, text)
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	status, err := bufio.NewReader(c).ReadString('\n')
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		t.Errorf("%.60q: no answer", text)
	}
	n, _ := strconv.Atoi(strings.TrimSpace(strings.SplitN(strings.TrimPrefix(status, "HTTP/1.1 "), " ", 2)[0]))
	return n
}

// answers is says for a request that has one right answer: while the service has its hands full with others it answers
// 429, or closes the connection, and is asked again.
func (h *hostile) answers(t *testing.T, what, text string, want int) {
	t.Helper()
	got := 0
	if h.until(what, func() bool {
		got = h.says(t, text)
		return got != 0 && got != http.StatusTooManyRequests
	}); got != want {
		t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// resident is the greatest resident memory that the service ever had, in bytes.
func (h *hostile) resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.cmd.Process.Pid))
	if err != nil {
		t.Skip("memory is read from /proc: ", err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

const (
	getHead  = "GET /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	postHead = "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
)

// TestHostileClients does what a broken or hostile client can do to the door. Memory stays bounded, an honest client is
// served all the while, nothing panics, and nothing is left over when they hang up.
func TestHostileClients(t *testing.T) {
	h := &hostile{service: newService(t, "--log-level", "debug").start()}
	if !h.ready() {
		t.Fatal("the service ended")
	}
	ctx, stop := context.WithCancel(t.Context())
	var client sync.WaitGroup
	client.Go(func() { h.honest(ctx) })
	defer client.Wait()
	defer stop()
	h.serves(t)
	before := h.metric("go_goroutines")

	connections := 2000
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil {
		connections = min(connections, int(files.Cur)/2)
	}
	for _, a := range []struct {
		name string
		n    int
		text string
	}{
		{"half-open", connections, ""},
		{"idle after an answer", connections, getHead + "\r\n"},
		{"slow headers", connections, getHead + "X-Slow: "},
		{"slow bodies, announced", connections / 2, postHead + "Content-Length: 8000000\r\n\r\n{"},
		{"slow bodies, not announced", connections / 2, postHead + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"},
	} {
		t.Run(a.name, func(t *testing.T) {
			conns := h.many(t, a.n, a.text)
			h.serves(t)
			for _, c := range conns { // a byte at a time
				_, _ = io.WriteString(c, "1")
			}
			h.serves(t)
		})
	}

	t.Run("bodies too large", func(t *testing.T) {
		h.answers(t, "announced", postHead+"Content-Length: 9000000000\r\n\r\n", http.StatusRequestEntityTooLarge)
		var endless sync.WaitGroup
		for range 16 {
			endless.Go(func() {
				body := io.LimitReader(zeros{}, 64<<20)
				r, err := http.Post("http://"+h.addr+"/v1/events", ndjson, struct{ io.Reader }{body})
				if err != nil { // it was cut off while it sent
					return
				}
				r.Body.Close()
				if r.StatusCode != http.StatusRequestEntityTooLarge && r.StatusCode != http.StatusTooManyRequests {
					t.Errorf("not announced: %d", r.StatusCode)
				}
			})
		}
		h.serves(t)
		endless.Wait()
	})

	t.Run("bombs", func(t *testing.T) {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := io.Copy(z, io.LimitReader(zeros{}, 256<<20)); err != nil {
			t.Fatal(err)
		}
		_ = z.Close()
		e, err := zstd.NewWriter(nil, zstd.WithWindowSize(8<<20))
		if err != nil {
			t.Fatal(err)
		}
		bombs := map[string][]byte{"gzip": packed.Bytes(), "zstd": e.EncodeAll(make([]byte, 256<<20), nil)}
		var all sync.WaitGroup
		var found atomic.Int32
		for range 8 {
			for encoding, body := range bombs {
				all.Go(func() {
					req, err := http.NewRequest(http.MethodPost, "http://"+h.addr+"/v1/events", bytes.NewReader(body))
					if err != nil {
						t.Error(err)
						return
					}
					req.Header.Set("Content-Type", ndjson)
					req.Header.Set("Content-Encoding", encoding)
					r, err := http.DefaultClient.Do(req)
					if err != nil { // it was cut off while it sent
						return
					}
					r.Body.Close()
					if r.StatusCode == http.StatusRequestEntityTooLarge {
						found.Add(1)
					} else if r.StatusCode != http.StatusTooManyRequests {
						t.Errorf("%s: %d", encoding, r.StatusCode)
					}
				})
			}
		}
		h.serves(t)
		if all.Wait(); found.Load() == 0 {
			t.Error("no bomb was found to be one")
		}
	})

	t.Run("requests", func(t *testing.T) {
		// 501: a transfer encoding that is not spoken.
		bad := func(status int) bool {
			return status == 0 || status >= 400 && status < 500 || status == http.StatusNotImplemented
		}
		event := line("framed", nil)
		for name, text := range map[string]string{
			"many headers":          getHead + strings.Repeat("X-Flood: 1\r\n", 20_000) + "\r\n",
			"a long header":         getHead + "X-Flood: " + strings.Repeat("x", 4<<20) + "\r\n\r\n",
			"a long path":           "GET /v1/tickets/" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
			"dots":                  "GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
			"escaped dots":          "GET /v1/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
			"dots as an id":         "GET /v1/tickets/..%2f..%2fapi-keys.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
			"slashes":               "GET //v1//board HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
			"a zero byte":           "GET /v1/tickets/%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
			"a path that is none":   "GET %zz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
			"no UTF-8 in a path":    "GET /v1/tickets/\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
			"another host":          "GET /v1/board HTTP/1.1\r\nHost: attacker.example\r\n\r\n",
			"two hosts":             "GET /v1/board HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: attacker.example\r\n\r\n",
			"two lengths":           postHead + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
			"a length that is none": postHead + "Content-Length: -1\r\n\r\n{}",
			"length and chunks": postHead +
				"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
			"chunks of chunks":     postHead + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
			"packed chunks":        postHead + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
			"a huge chunk":         postHead + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{",
			"a chunk that is none": postHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{\r\n0\r\n\r\n",
			"a short chunk":        postHead + "Transfer-Encoding: chunked\r\n\r\n1\r\n" + event + "\r\n0\r\n\r\n",
			"chunk extensions": postHead + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 1<<20) +
				"\r\n{\r\n0\r\n\r\n",
			"a body cut off":      postHead + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
			"no UTF-8 in a body":  postHead + "Content-Length: 4\r\n\r\n\"\xff\xfe\"",
			"HTTP/2":              "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
			"a method of its own": "BREW /v1/board HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
			"noise":               strings.Repeat("\x00\xff\x7f", 1000) + "\r\n\r\n",
		} {
			got := 0
			if h.until(name, func() bool { // 503: a ticket is looked for in ClickHouse, which is not there yet or has no time
				got = h.says(t, text)
				return got != http.StatusServiceUnavailable
			}); !bad(got) {
				t.Errorf("%s: status %d", name, got)
			}
		}
		// HTTP/2 is not spoken: an upgrade is passed over.
		h.answers(t, "upgrade to HTTP/2", getHead+
			"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", http.StatusOK)
		// What follows a good request on its connection harms nobody.
		h.answers(t, "a good request before noise", getHead+"\r\n"+strings.Repeat("\x00\xff", 10_000), http.StatusOK)
		h.serves(t)
	})

	h.until("what the others held is given back", func() bool {
		return h.metric("go_goroutines") <= before+hostileGoroutines
	})
	if got := h.resident(t); got > hostileMemory {
		t.Errorf("resident memory rose to %d MiB", got>>20)
	} else {
		t.Logf("resident memory at most %d MiB; %d events acknowledged meanwhile", got>>20, h.acked.Load())
	}
	if text := h.log.String(); strings.Contains(text, "panic") {
		t.Errorf("something panicked:\n%s", text[strings.Index(text, "panic"):][:2000])
	}
}

// zeros is an endless reader of zero bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
