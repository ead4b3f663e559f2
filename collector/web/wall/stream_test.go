package wall

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/web"
	"github.com/monev112/monev112/deploy"
)

const center = "35.15"

// world is a wall over a board that the test writes.
type world struct {
	t    *testing.T
	wall *Wall
	dir  string

	mu      sync.Mutex
	waiting int
	since   time.Time
	slow    chan struct{} // not nil: a look at the board waits for it
	looks   int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	listed, err := web.OpenListedLinks(w.dir, time.Now(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w.wall, err = New(Config{
		Snapshot: w.snapshot, Directory: directory.MustLoad("directory.yaml", deploy.Directory), Listed: listed,
		CallBacks: func(string, time.Time, int) []tracker.CallBack {
			return []tracker.CallBack{{ID: "C-7", AbandonedAt: time.Now().Add(-time.Hour)}}
		},
		Version: "1", Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) snapshot(now time.Time) tracker.Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	if w.slow != nil {
		slow := w.slow
		w.mu.Unlock()
		<-slow
		w.mu.Lock()
	}
	c := tracker.CenterSnapshot{Center: center, CallsWaiting: w.waiting, CallsToCallBack: 1}
	if w.waiting > 0 {
		c.OldestWaiting = now.Sub(w.since)
	}
	return tracker.Snapshot{At: now, Complete: true, Centers: []tracker.CenterSnapshot{c}}
}

func (w *world) set(waiting int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting, w.since = waiting, time.Now()
}

// screen is one stream as a browser has it.
type screen struct {
	header http.Header
	cancel func()
	done   chan error

	mu     sync.Mutex
	text   bytes.Buffer
	hold   bool // it does not read: a write ends at its deadline
	dead   time.Time
	status int
}

func (s *screen) Header() http.Header { return s.header }
func (s *screen) WriteHeader(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}
func (s *screen) FlushError() error               { return nil }
func (s *screen) SetReadDeadline(time.Time) error { return nil }
func (s *screen) SetWriteDeadline(at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = at
	return nil
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	hold, dead := s.hold, s.dead
	if !hold {
		defer s.mu.Unlock()
		return s.text.Write(b)
	}
	s.mu.Unlock()
	time.Sleep(time.Until(dead))
	return 0, context.DeadlineExceeded
}

// take returns what came since it was asked last.
func (s *screen) take() string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.text.String()
	s.text.Reset()
	return out
}

func (w *world) open(reader Reader, lastID string) *screen {
	if reader.Live == nil {
		reader.Live = func() bool { return true }
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &screen{header: http.Header{}, cancel: cancel, done: make(chan error, 1)}
	r := httptest.NewRequest("GET", StreamPath, nil).WithContext(ctx)
	go func() { s.done <- w.wall.Stream(s, r, reader, lastID) }()
	return s
}

var idLine = regexp.MustCompile(`(?m)^id: (\S+)$`)

func id(t *testing.T, text string) string {
	t.Helper()
	m := idLine.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no id: %q", text)
	}
	return m[1]
}

func TestAScreenSeesEachChangeWithinAQuarterOfASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.open(Reader{Center: center}, "")
		first := s.take()
		if s.header.Get("Content-Type") != "text/event-stream" || s.header.Get("X-Accel-Buffering") != "no" ||
			!strings.HasPrefix(first, "retry: 2000\n\n") || !strings.Contains(first, `"calls_waiting":0`) {
			t.Fatalf("%v %s", s.header, first)
		}
		w.set(1)
		time.Sleep(lookEvery)
		if got := s.take(); !strings.Contains(got, `"calls_waiting":1,"oldest_waiting_since":"`) || id(t, got) == id(t, first) {
			t.Errorf("after the call: %s", got)
		}
		for range 100 { // a storm is brought together
			w.set(w.waiting + 1)
			time.Sleep(10 * time.Millisecond)
		}
		if got := s.take(); strings.Count(got, "event: board") > 5 {
			t.Errorf("%d events in a second", strings.Count(got, "event: board"))
		}
		s.cancel()
		<-s.done
		time.Sleep(time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		looks := w.looks
		w.mu.Unlock()
		time.Sleep(time.Minute)
		w.mu.Lock()
		if w.looks != looks {
			t.Error("the board is looked at for nobody")
		}
	})
}

func TestHeartbeatsAreEventsAndStopWithTheBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.open(Reader{Center: center}, "")
		s.take()
		time.Sleep(3*beatEvery + time.Millisecond)
		if got := s.take(); strings.Count(got, "event: heartbeat\ndata: {\"at\":\"") != 3 || strings.Contains(got, "event: board") {
			t.Errorf("an idle board: %s", got)
		}
		slow := make(chan struct{})
		w.mu.Lock()
		w.slow = slow
		w.mu.Unlock()
		time.Sleep(beatEvery + lookEvery) // one may come of what was seen before
		s.take()
		time.Sleep(4 * beatEvery)
		if got := s.take(); got != "" {
			t.Errorf("the board gives no answer, and the screen hears %s", got)
		}
		w.mu.Lock()
		w.slow = nil
		w.mu.Unlock()
		close(slow)
		time.Sleep(beatEvery)
		if got := s.take(); !strings.Contains(got, "event: heartbeat") {
			t.Errorf("afterwards: %s", got)
		}
		s.cancel()
		<-s.done
		time.Sleep(time.Second)
	})
}

func TestAStreamGoesOnWhereItEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.open(Reader{Center: center}, "")
		seen := id(t, s.take())
		s.cancel()
		<-s.done
		time.Sleep(time.Second)
		s = w.open(Reader{Center: center}, seen)
		time.Sleep(lookEvery)
		if got := s.take(); strings.Contains(got, "event: board") {
			t.Errorf("what was seen is sent again: %s", got)
		}
		s.cancel()
		<-s.done
		w.set(2)
		time.Sleep(time.Second)
		s = w.open(Reader{Center: center}, seen)
		time.Sleep(lookEvery)
		if got := s.take(); strings.Count(got, "event: board") != 1 || !strings.Contains(got, `"calls_waiting":2`) {
			t.Errorf("what was missed: %s", got)
		}
		s.cancel()
		<-s.done
		time.Sleep(time.Second)
	})
}

func TestAReaderThatMayReadNoMoreIsToldSoWithinTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		l, token, err := web.LinkList{Dir: w.dir}.Create(center, time.Hour, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		reader, ok := w.wall.Display(token)
		if !ok || reader.Center != center || reader.Calls || reader.Name != "link:"+l.ID {
			t.Fatalf("%+v %v", reader, ok)
		}
		s := w.open(reader, "")
		if got := s.take(); !strings.Contains(got, `"calls_to_call_back":1`) || strings.Contains(got, "C-7") {
			t.Errorf("a link shows counts alone: %s", got)
		}
		time.Sleep(time.Minute)
		if len(s.done) > 0 {
			t.Fatal("the stream of a good link ended")
		}
		if _, err := (web.LinkList{Dir: w.dir}).Revoke(l.ID, time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if got := s.take(); len(s.done) != 1 || !strings.HasSuffix(got, "\"}\n\n") || !strings.Contains(got, "event: end") {
			t.Errorf("ended %d: %s", len(s.done), got)
		}
		if _, ok := w.wall.Display(token); ok {
			t.Error("the link opens again")
		}
		time.Sleep(time.Second)
	})
}

func TestAScreenThatDoesNotReadIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		good, bad := w.open(Reader{Center: center}, ""), w.open(Reader{Center: center}, "")
		good.take()
		bad.mu.Lock()
		bad.hold = true
		bad.mu.Unlock()
		w.set(1)
		time.Sleep(lookEvery)
		if got := good.take(); !strings.Contains(got, `"calls_waiting":1`) {
			t.Errorf("it holds up the other: %s", got)
		}
		time.Sleep(writeWithin)
		synctest.Wait()
		if len(bad.done) != 1 {
			t.Error("it is not dropped")
		}
		if open, _ := w.wall.Streams(); open != 1 {
			t.Errorf("%d open", open)
		}
		good.cancel()
		<-good.done
		time.Sleep(time.Second)
	})
}

func TestStreamsAreBoundedForEachReaderAndInAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var screens []*screen
		for i := range maxStreams {
			screens = append(screens, w.open(Reader{Name: string(rune('a' + i/maxOfReader)), Center: center}, ""))
		}
		synctest.Wait()
		s := w.open(Reader{Name: "z", Center: center}, "")
		if err := <-s.done; !errors.Is(err, ErrTooMany) || s.status != 0 {
			t.Errorf("in all: %v", err)
		}
		screens[0].cancel()
		<-screens[0].done
		s = w.open(Reader{Name: "b", Center: center}, "")
		if err := <-s.done; !errors.Is(err, ErrOfReader) {
			t.Errorf("of a reader: %v", err)
		}
		if open, refused := w.wall.Streams(); open != maxStreams-1 || refused != 2 {
			t.Errorf("%d open, %d refused", open, refused)
		}
		w.wall.Stop()
		for _, s := range screens[1:] {
			<-s.done
		}
		time.Sleep(time.Second)
	})
}

func TestACentreWithoutABoardIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, code := range []string{"99.99", "unknown"} {
		s := w.open(Reader{Center: code}, "")
		if err := <-s.done; !errors.Is(err, ErrNoCenter) {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// The numbers of a screen are those of the snapshot, which the gauges show too.
func TestCountsAreThoseOfTheSnapshot(t *testing.T) {
	at := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	snap := tracker.Snapshot{At: at, Complete: true,
		Sources: []tracker.SourceSnapshot{{Source: "people", LastEventAt: at}, {Source: "a", LastEventAt: at.Add(-time.Minute)}},
		Centers: []tracker.CenterSnapshot{{Center: "x"}, {
			Center: center, CallsWaiting: 2, OldestWaiting: 12500 * time.Millisecond, CallsToCallBack: 3, EmergenciesOverdue: 4,
			Agents: []tracker.LabelCount{{Label: "busy", N: 5}},
			Windows: []tracker.WindowCount{
				{Window: "hour", Measure: "received", N: 30}, {Window: "hour", Measure: "offered", N: 28},
				{Window: "hour", Measure: "within_target", N: 21}, {Window: "hour", Measure: "classified", N: 20},
				{Window: "hour", Measure: "hoax", N: 11}, {Window: "hour", Measure: "ghost", N: 2},
				{Window: "hour", Measure: "unclassified", N: 6}, {Window: "hour", Measure: "abandoned", N: 4},
				{Window: "shift", Measure: "offered", N: 100}, {Window: "day", Measure: "offered", N: 900},
			},
		}}}
	got, err := json.Marshal(counts(snap, center, 10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"calls_waiting":2,"oldest_waiting_since":"2026-11-29T02:59:47.5Z","calls_to_call_back":3,` +
		`"emergencies_overdue":4,"agents":[{"state":"available","n":0},{"state":"busy","n":5},{"state":"wrapup","n":0},` +
		`{"state":"paused","n":0},{"state":"offline","n":0}],"target_seconds":10,"hour":{"received":30,"offered":28,` +
		`"within_target":21,"answered":0,"abandoned":4,"hoax":11,"ghost":2,"other_class":7,"unclassified":6},` +
		`"shift":{"received":0,"offered":100,"within_target":0,"answered":0,"abandoned":0,"hoax":0,"ghost":0,` +
		`"other_class":0,"unclassified":0}}`
	if string(got) != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if last := lastEvent(snap, "people"); !last.Equal(at.Add(-time.Minute)) {
		t.Errorf("the latest event is of %s", last)
	}
}
