package httpapi

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// full is a house in which connections came one second after the other, each in a state.
func full(states ...connState) (*conns, []*conn) {
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	cs := newConns(len(states))
	cs.now = func() time.Time { return now }
	var all []*conn
	for _, state := range states {
		near, _ := net.Pipe()
		c := cs.admit(near)
		cs.is(c, state)
		all = append(all, c)
		now = now.Add(time.Second)
	}
	now = now.Add(-time.Second) // the last came just now
	return cs, all
}

func TestWhoGivesWayToANewConnection(t *testing.T) {
	for name, tt := range map[string]struct {
		states []connState
		want   int // -1: nobody
	}{
		"the longest idle":              {[]connState{arriving, idle, idle, working}, 1},
		"the slowest without idle ones": {[]connState{working, arriving, arriving}, 1},
		"who came just now stays":       {[]connState{working, arriving}, -1},
		"work stays":                    {[]connState{working, working}, -1},
	} {
		cs, all := full(tt.states...)
		got := -1
		for i, c := range all {
			if cs.victim() == c {
				got = i
			}
		}
		if got != tt.want {
			t.Errorf("%s: %d gives way, want %d", name, got, tt.want)
		}
	}
}

func TestAConnectionIsKnownBelowTLS(t *testing.T) {
	cs, all := full(arriving)
	raw := tls.Server(all[0], &tls.Config{})
	cs.changed(raw, http.StateIdle)
	if all[0].state != idle {
		t.Error("an idle connection counts as one that sends")
	}
	r, err := http.NewRequestWithContext(cs.hold(t.Context(), raw), http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if cs.arrived(r); all[0].state != working {
		t.Error("a request at work may be cut off")
	}
}

// TestIdleConnectionsShutNobodyOut holds every place with connections that have been answered, and with such that are
// slow to send; another client is served all the same, and a request that is worked on is not cut off.
func TestIdleConnectionsShutNobodyOut(t *testing.T) {
	w := start(t, func(c *Config) { c.Limits.Connections = 4 })
	addr := strings.TrimPrefix(w.url, "http://")
	dial := func(text string) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, text := range []string{"GET /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "GET /-/hea"} {
		for i := range 8 {
			c := dial(text)
			if strings.HasSuffix(text, "\r\n\r\n") {
				r, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					t.Fatalf("%d: %v", i, err)
				}
				if r.Body.Close(); r.StatusCode != http.StatusOK {
					t.Fatalf("%d: %s", i, r.Status)
				}
			}
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
		for range 3 {
			r, err := client.Get(w.url + "/-/healthy")
			if err != nil {
				t.Fatal(fmt.Sprintf("%.12q: ", text), err)
			}
			_ = r.Body.Close()
		}
	}
}

// TestWhatIsOnlyAnnouncedCostsNobody lets many clients announce large bodies and send next to nothing of them.
func TestWhatIsOnlyAnnouncedCostsNobody(t *testing.T) {
	w := start(t, func(c *Config) {
		c.Limits = Limits{
			BodyBytes: 1 << 20, UnpackedBytes: 1 << 20, MemoryBytes: 4 << 20, Concurrent: 2, MemoryWait: time.Second,
		}
	})
	head := "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
	for _, rest := range []string{"Content-Length: 1048576\r\n\r\na", "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"} {
		for range 8 {
			c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, head+rest); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 20 { // some of those before may not have been read yet
		r, err := http.Post(w.url+"/v1/events", "application/x-ndjson", strings.NewReader("a s"))
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != http.StatusOK {
			t.Fatalf("status %d", r.StatusCode)
		}
	}
}

func TestABodyOfEverySizeArrivesWhole(t *testing.T) {
	w := start(t, func(c *Config) { c.Limits.BodyBytes = 3 * firstPiece })
	for _, size := range []int{
		0, 1, firstPiece - 1, firstPiece, firstPiece + 1, 2 * firstPiece, 2*firstPiece + 1, 3 * firstPiece, 3*firstPiece + 1,
	} {
		for _, announced := range []bool{true, false} {
			r, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", size)))
			if err != nil {
				t.Fatal(err)
			}
			if !announced {
				r.ContentLength = -1
			}
			body, release, err := w.api.readBody(r)
			if want := size <= 3*firstPiece; (err == nil) != want || want && len(body) != size {
				t.Errorf("%d bytes, announced %v: %d, %v", size, announced, len(body), err)
			}
			if err == nil {
				release()
			}
			if !w.api.memory.TryAcquire(w.api.limits.MemoryBytes) {
				t.Fatalf("%d bytes, announced %v: memory is not given back", size, announced)
			}
			w.api.memory.Release(w.api.limits.MemoryBytes)
		}
	}
}

// TestFormsAndWebhooksThatNeverComeTakeNoPlace announces forms and webhooks, without a key, and sends nothing of them.
func TestFormsAndWebhooksThatNeverComeTakeNoPlace(t *testing.T) {
	w := start(t, func(c *Config) {
		c.Limits.Concurrent, c.Outbox = 2, outboxStub{}
		c.Site = newSite(t, c)
	})
	for _, head := range []string{
		"POST /masuk HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n",
		"POST /v1/whatsapp/webhook HTTP/1.1\r\nContent-Type: application/json\r\n",
	} {
		for range 8 {
			c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, head+"Host: 127.0.0.1\r\nContent-Length: 100\r\n\r\na"); err != nil {
				t.Fatal(err)
			}
		}
		for range 20 { // the last of them have reached the handler by now
			if r := w.get("/v1/board"); r.StatusCode != http.StatusOK && r.StatusCode != http.StatusServiceUnavailable {
				t.Fatalf("%.20q: %d %s", head, r.StatusCode, r.body)
			}
		}
	}
}
