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
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk/disktest"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/source/send"
)

func openTestSpool(t testing.TB, dir string, most int64) *Spool {
	t.Helper()
	s, err := OpenSpool(SpoolOptions{Dir: dir, MaxBytes: most})
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
		p, err := s.Next(2, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if p.Count == 0 {
			return string(out)
		}
		out = append(out, p.Body...)
		s.Take()
	}
}

func add(t testing.TB, s *Spool, events ...string) {
	t.Helper()
	if _, err := s.Submit(context.Background(), []byte(strings.Join(events, "\n")+"\n"), len(events)); err != nil {
		t.Fatal(err)
	}
}

// onDisk is all that the spool's folder holds.
func onDisk(t testing.TB, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, spoolJournal, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return string(all)
}

func TestSpoolGivesWhatItTookInOrder(t *testing.T) {
	dir := t.TempDir()
	s := openTestSpool(t, dir, 0)
	if got := all(t, s); got != "" || s.Waiting() != 0 {
		t.Errorf("a new spool holds %q", got)
	}
	add(t, s, "1", "2", "3")
	add(t, s, "4")
	s.Close()
	s = openTestSpool(t, dir, 0) // after a restart
	add(t, s, "5")
	if got := all(t, s); got != "1\n2\n3\n4\n5\n" || s.Waiting() != 0 {
		t.Errorf("got %q, %d bytes wait", got, s.Waiting())
	}
	add(t, s, "6")
	if got := all(t, s); got != "6\n" {
		t.Errorf("got %q", got)
	}
}

// What the collector has taken is off the disk a minute later.
func TestSpoolKeepsNoCallerForLong(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(base, 0)
	s, err := OpenSpool(SpoolOptions{Dir: dir, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	add(t, s, "081234567890")
	all(t, s)
	s.Prune()
	now = now.Add(spoolSegmentAge)
	s.Prune()
	if strings.Contains(onDisk(t, dir), "0812345") || s.Waiting() != 0 {
		t.Errorf("a caller is still on the disk; %d bytes wait", s.Waiting())
	}
	for range 2 { // the second begins a segment of its own
		now = now.Add(spoolSegmentAge + time.Second)
		add(t, s, "081234567890")
		all(t, s)
	}
	now = now.Add(spoolSegmentAge)
	s.Prune()
	if strings.Contains(onDisk(t, dir), "0812345") || s.Waiting() != 0 {
		t.Errorf("the caller of a later segment is still on the disk; %d bytes wait", s.Waiting())
	}
	add(t, s, "081234567891") // and what is not taken stays
	now = now.Add(24 * time.Hour)
	s.Prune()
	if got := all(t, s); got != "081234567891\n" {
		t.Errorf("got %q", got)
	}
}

func TestSpoolGoesOnBehindDamage(t *testing.T) {
	dir := t.TempDir()
	s := openTestSpool(t, dir, 0)
	add(t, s, "one", "two")
	add(t, s, "three")
	s.Close()
	segments, err := filepath.Glob(filepath.Join(dir, spoolJournal, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range segments {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if damaged := bytes.Replace(text, []byte("two"), []byte("tvo"), 1); !bytes.Equal(damaged, text) {
			if err := os.WriteFile(name, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	s = openTestSpool(t, dir, 0)
	add(t, s, "four")
	if got := all(t, s); got != "three\nfour\n" || s.Damaged() != 1 || s.Waiting() != 0 {
		t.Errorf("got %q, %d damaged, %d bytes wait", got, s.Damaged(), s.Waiting())
	}
}

func TestSpoolOfAnEarlierVersionIsRefusedWithTheRemedy(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "spool-000000000001.ndjson"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSpool(SpoolOptions{Dir: dir}); err == nil || !strings.Contains(err.Error(), "--once") {
		t.Errorf("%v", err)
	}
}

func TestFullSpoolTakesNothingUntilThereIsRoom(t *testing.T) {
	s := openTestSpool(t, t.TempDir(), 150)
	big := strings.Repeat("x", 60)
	add(t, s, big)
	if _, err := s.Submit(t.Context(), []byte(big+"\n"), 1); !errors.Is(err, ErrSpoolFull) {
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
	s := openTestSpool(t, t.TempDir(), 0)
	relay, err := NewRelay(s, RelayOptions{
		Send: send.Config{Server: server.URL, Compression: send.None, Patience: send.Patience{Sleep: noWait}},
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
	deliver := func(ctx context.Context, d event.RawEvent) error {
		_, err := s.Submit(ctx, append(d.AppendCloudEvent(nil), '\n'), 1)
		return err
	}
	const n = 1200
	for i := range n {
		d := event.RawEvent{Source: "s", ID: fmt.Sprint(i), Type: event.CallEnded, Subject: "x", Time: time.Unix(base, 0)}
		if err := deliver(ctx, d); err != nil {
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
	if s.Waiting() != 0 {
		t.Errorf("%d bytes wait", s.Waiting())
	}
}

// Whatever fails on the way and wherever the power goes, what Submit took comes out again, in order, and nothing else
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
			s, err := OpenSpool(SpoolOptions{Dir: "/spool", FS: fsys})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := open()
		tried, taken := 0, map[int]bool{}
		var owed []int // accepted by Submit, not yet given
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
				p, err := s.Next(3, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				if p.Count > 0 {
					give(p)
					s.Take()
				}
			default:
				var events []byte
				from := tried
				for range rapid.IntRange(1, 4).Draw(t, "events") {
					events = append(strconv.AppendInt(events, int64(tried), 10), '\n')
					tried++
				}
				if _, err := s.Submit(context.Background(), events, tried-from); err == nil {
					for n := from; n < tried; n++ {
						owed = append(owed, n)
					}
				}
			}
		}
		failing = false
		for {
			p, err := s.Next(100, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if p.Count == 0 {
				break
			}
			give(p)
			s.Take()
		}
		if len(owed) > 0 {
			t.Fatalf("lost: %v", owed)
		}
	})
}
