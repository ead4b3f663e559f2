package asterisk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/disk/disktest"
	"github.com/monev112/monev112/collector/source/send"
)

func openTestSpool(t testing.TB, dir string, most int64) *Spool {
	t.Helper()
	s, err := OpenSpool(disk.OS{}, dir, most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// all takes everything out, in portions.
func all(t testing.TB, s *Spool) string {
	t.Helper()
	var out []byte
	for {
		p, err := s.Peek(2, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if p.Count == 0 {
			return string(out)
		}
		out = append(out, p.Body...)
		s.Take(p)
	}
}

func add(t testing.TB, s *Spool, events ...string) {
	t.Helper()
	var b [][]byte
	for _, e := range events {
		b = append(b, []byte(e))
	}
	if err := s.Append(b); err != nil {
		t.Fatal(err)
	}
}

func spoolFiles(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "spool-*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestSpoolGivesWhatItTookInOrderAndLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	s := openTestSpool(t, dir, 0)
	if got := all(t, s); got != "" || !s.Empty() {
		t.Errorf("a new spool holds %q", got)
	}
	add(t, s, "1", "2", "3")
	add(t, s, "4")
	s.Close()
	s = openTestSpool(t, dir, 0) // after a restart, with a new file for what comes
	add(t, s, "5")
	if got := all(t, s); got != "1\n2\n3\n4\n5\n" {
		t.Errorf("got %q", got)
	}
	if left := spoolFiles(t, dir); len(left) > 0 || s.Bytes() != 0 || !s.Empty() {
		t.Errorf("left: %v, %d bytes", left, s.Bytes())
	}
	add(t, s, "6")
	if got := all(t, s); got != "6\n" {
		t.Errorf("got %q", got)
	}
}

func TestSpoolLeavesOutTornAndDamagedLines(t *testing.T) {
	dir := t.TempDir()
	s := openTestSpool(t, dir, 0)
	add(t, s, "one", "two", "three")
	s.Close()
	name := spoolFiles(t, dir)[0]
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("two"), []byte("tvo"), 1)
	if err := os.WriteFile(name, append(text, "0123abcd torn"...), 0o600); err != nil {
		t.Fatal(err)
	}
	s = openTestSpool(t, dir, 0)
	if got := all(t, s); got != "one\nthree\n" || s.Damaged() != 1 || !s.Empty() {
		t.Errorf("got %q, %d damaged, empty %t", got, s.Damaged(), s.Empty())
	}
}

func TestFullSpoolTakesNothingUntilThereIsRoom(t *testing.T) {
	s := openTestSpool(t, t.TempDir(), 100)
	big := string(bytes.Repeat([]byte("x"), 60))
	add(t, s, big)
	if err := s.Append([][]byte{[]byte(big)}); !errors.Is(err, ErrSpoolFull) {
		t.Fatalf("%v", err)
	}
	all(t, s)
	add(t, s, big)
}

// collectorOf is an HTTP server that answers as a collector does, and keeps what it took.
type collectorOf struct {
	mu   sync.Mutex
	away int // further requests that are answered 503
	ids  []string
	seen map[string]bool
	told chan struct{}
}

func (c *collectorOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away > 0 {
		c.away--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var a send.Answer
	for d := json.NewDecoder(r.Body); d.More(); {
		var e struct{ ID, Type string }
		if err := d.Decode(&e); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if e.Type == "monev112.feed.heartbeat" {
			e.ID = "heartbeat"
		}
		if c.seen[e.ID] && e.ID != "heartbeat" {
			a.Duplicates++
			continue
		}
		c.seen[e.ID] = true
		c.ids = append(c.ids, e.ID)
		a.Accepted++
	}
	_ = json.NewEncoder(w).Encode(a)
	select {
	case c.told <- struct{}{}:
	default:
	}
}

func (c *collectorOf) took() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.ids...)
}

func TestRelayKeepsEventsWhileTheCollectorIsAwayAndBeatsLast(t *testing.T) {
	c := &collectorOf{away: 7, seen: map[string]bool{}, told: make(chan struct{}, 1)}
	server := httptest.NewServer(c)
	defer server.Close()
	dir := t.TempDir()
	s := openTestSpool(t, dir, 0)
	relay, err := NewRelay(s, RelayOptions{
		Send: send.Config{Server: server.URL, Compression: send.None, Sleep: noWait},
		Wait: noWait,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := relay.Beat(ctx, event.RawEvent{Type: event.FeedHeartbeat, Subject: "f", ID: "h"}); err != nil {
		t.Fatal(err)
	}
	const n = 1200
	for i := range n {
		d := event.RawEvent{Source: "s", ID: fmt.Sprint(i), Type: event.CallEnded, Subject: "x", Time: time.Unix(base, 0)}
		if err := relay.Deliver(ctx, []event.RawEvent{d}); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() { relay.Run(ctx); close(done) }()
	deadline := time.After(time.Minute)
	for len(c.took()) < n+1 {
		select {
		case <-c.told:
		case <-deadline:
			t.Fatalf("only %d events came", len(c.took()))
		}
	}
	cancel()
	<-done
	for i, id := range c.took() {
		if want := fmt.Sprint(i); id != want && (i != n || id != "heartbeat") {
			t.Fatalf("event %d is %s", i, id)
		}
	}
	if left := spoolFiles(t, dir); len(left) > 1 {
		t.Errorf("left: %v", left)
	}
}

// Whatever fails on the way and wherever the power goes, what Append took comes out again, in order, and nothing else
// does.
func TestSpoolLosesNothingItTook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fsys := disktest.New(rapid.Int64().Draw(t, "seed"))
		failing := false
		fsys.SetFail(func(n int, op disktest.Op, _ string) *disktest.Fault {
			if failing && n%3 == 0 && op != disktest.Remove {
				return &disktest.Fault{Err: disktest.EIO, Part: 0.5}
			}
			return nil
		})
		open := func() *Spool {
			s, err := OpenSpool(fsys, "/spool", 0)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := open()
		tried, taken := 0, map[int]bool{}
		var owed []int // taken over by Append, not yet given
		give := func(p Portion) {
			last := -1
			for _, text := range bytes.Fields(p.Body) {
				n, err := strconv.Atoi(string(text))
				if err != nil || n >= tried || n <= last {
					t.Fatalf("got %q after %d of %d", text, last, tried)
				}
				last = n
				taken[n] = true
			}
			owed = slices.DeleteFunc(owed, func(n int) bool { return taken[n] })
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				failing = !failing
			case 1, 2:
				failing = false
				fsys.PowerLoss()
				s = open()
			case 3, 4, 5:
				failing = false
				p, err := s.Peek(3, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				if p.Count > 0 {
					give(p)
					s.Take(p)
				}
			default:
				var events [][]byte
				from := tried
				for range rapid.IntRange(1, 4).Draw(t, "events") {
					events = append(events, strconv.AppendInt(nil, int64(tried), 10))
					tried++
				}
				if s.Append(events) == nil {
					for n := from; n < tried; n++ {
						owed = append(owed, n)
					}
				}
			}
		}
		failing = false
		for {
			p, err := s.Peek(100, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if p.Count == 0 {
				break
			}
			give(p)
			s.Take(p)
		}
		if len(owed) > 0 {
			t.Fatalf("lost: %v", owed)
		}
	})
}
