package pager

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace/noop"

	"github.com/monev112/monev112/collector/event"
)

// lateBoard has one ticket that is 70 minutes old at the instant it returns: overdue.
func lateBoard() (*testBoard, time.Time) {
	f := newTestBoard()
	f.apply(event.TicketOpened, "SDA-1", noon, of("pju", "non_darurat"), opd("dishub"))
	f.apply(event.TicketAssigned, "SDA-1", noon, opd("dishub"))
	f.apply(event.TicketAcknowledged, "SDA-1", noon.Add(time.Minute))
	return f, noon.Add(70 * time.Minute)
}

// options are those of a pager on f at now, that pushes to the servers.
func options(t testing.TB, f *testBoard, now func() time.Time, urls ...string) Options {
	o := Options{
		Dir: t.TempDir(), Board: f.board, Directory: f.dir, Now: now, Log: slog.New(slog.DiscardHandler),
		Tracer: noop.NewTracerProvider().Tracer(""), Pushed: func(time.Time, map[string]int) {}, Failed: func(string) {},
	}
	for _, u := range urls {
		o.Config.Alertmanagers = append(o.Config.Alertmanagers, Alertmanager{URL: u, Timeout: time.Minute})
	}
	return o
}

// run runs a pager that looks often, and returns what stops it.
func run(t *testing.T, o Options) (stop func()) {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p.opt.Config.Interval = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx)
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case <-done:
			case <-time.After(patience):
				t.Error("the pager does not stop")
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// last returns the ticket's alert of a level in the latest push, nil when it is not there.
func last(am *alertmanager, level Level) *Alert {
	all := am.taken()
	if len(all) == 0 {
		return nil
	}
	for i := range all[len(all)-1] {
		if a := &all[len(all)-1][i]; a.Labels["level"] == string(level) {
			return a
		}
	}
	return nil
}

func TestADeadOrSlowAlertmanagerHoldsUpNobody(t *testing.T) {
	f, now := lateBoard()
	good := newAlertmanager(t, httptest.NewServer)
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(release) })
	const dead = "127.0.0.1:1" // nothing listens there; the port of a server that was closed may be another's at once

	o := options(t, f, func() time.Time { return now }, "http://"+dead, slow.URL, good.URL)
	var mu sync.Mutex
	failed, levels := map[string]int{}, map[string]int(nil)
	o.Failed = func(name string) { mu.Lock(); failed[name]++; mu.Unlock() }
	o.Pushed = func(at time.Time, l map[string]int) {
		mu.Lock()
		defer mu.Unlock()
		if levels = l; !at.Equal(now) {
			t.Errorf("pushed at %s", at)
		}
	}
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	stop := run(t, o)
	waitFor(t, "five pushes to the good one and two failures of the dead one", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(good.taken()) >= 5 && failed[dead] >= 2
	})
	a := last(good, Overdue)
	if a == nil || a.Annotations["late_by"] != "10 menit" || a.Annotations["deadline"] != "2 November 2026 13.00 WIB" ||
		!a.EndsAt.Equal(now.Add(Lifetime)) {
		t.Errorf("%+v", a)
	}
	stop()
	mu.Lock()
	defer mu.Unlock()
	if levels["overdue"] != 1 || len(failed) != 1 {
		t.Errorf("levels %v, failed %v", levels, failed)
	}
	if n := strings.Count(log.String(), "does not take the alerts"); n != 1 {
		t.Errorf("%d lines on one server that fails:\n%s", n, log.String())
	}
}

func TestAServerThatComesBackGetsTheLatest(t *testing.T) {
	f, now := lateBoard()
	am := newAlertmanager(t, httptest.NewServer)
	refused := make(chan struct{}, 1000)
	am.answering(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		select {
		case refused <- struct{}{}:
		default:
		}
		return true
	})
	run(t, options(t, f, func() time.Time { return now }, am.URL))
	<-refused
	f.apply(event.TicketClosed, "SDA-1", now.Add(-time.Second))
	am.answering(nil)
	waitFor(t, "the closing", func() bool { return last(am, Closed) != nil })
}

func TestARestartRepeatsNothing(t *testing.T) {
	f, now := lateBoard()
	am := newAlertmanager(t, httptest.NewServer)
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	pass := func(d time.Duration) { mu.Lock(); now = now.Add(d); mu.Unlock() }
	o := options(t, f, clock, am.URL)
	started := now
	restart := func(stop func()) func() {
		stop()
		pass(time.Minute)
		am.mu.Lock()
		am.pushes = nil
		am.mu.Unlock()
		return run(t, o)
	}
	stop := run(t, o)
	waitFor(t, "the ticket", func() bool { return last(am, Overdue) != nil })
	stop = restart(stop)
	waitFor(t, "the ticket again", func() bool { return last(am, Overdue) != nil })
	if a := last(am, Overdue); !a.StartsAt.Equal(started) {
		t.Errorf("started at %s, after the restart at %s", started, a.StartsAt)
	}
	// The board is not complete: silence, and nothing ends.
	stop()
	f.board.SetComplete(false)
	f.apply(event.TicketClosed, "SDA-1", started)
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if p.round() != nil {
		t.Error("the pager speaks although the board is not complete")
	}
	f.board.SetComplete(true)
	stop = restart(stop)
	waitFor(t, "the closing of a ticket that was paged before the restart", func() bool { return last(am, Closed) != nil })
	told := last(am, Closed).StartsAt
	stop = restart(stop)
	waitFor(t, "the closing again", func() bool { return last(am, Closed) != nil })
	if a := last(am, Closed); !a.StartsAt.Equal(told) {
		t.Errorf("the closing was told at %s and again at %s", told, a.StartsAt)
	}
	waitFor(t, "that it was taken, on disk", func() bool {
		text, err := os.ReadFile(filepath.Join(o.Dir, stateFile))
		return err == nil && bytes.Contains(text, []byte(`"until"`))
	})
	pass(DefaultClosedFor)
	stop = restart(stop)
	waitFor(t, "a push", func() bool { return len(am.taken()) > 0 })
	if a := last(am, Closed); a != nil {
		t.Errorf("the closing is told for ever: %+v", a)
	}
	stop()
}

func TestAStateFileThatCannotBeReadIsKeptAside(t *testing.T) {
	f, now := lateBoard()
	am := newAlertmanager(t, httptest.NewServer)
	for name, text := range map[string]string{
		"no JSON": "{", "empty": "", "of the future": `{"version": 2}`, "unknown member": `{"version": 1, "mood": "good"}`,
	} {
		o := options(t, f, func() time.Time { return now }, am.URL)
		var log bytes.Buffer
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		file := filepath.Join(o.Dir, stateFile)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := New(o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if kept, err := os.ReadFile(file + ".corrupt"); err != nil || string(kept) != text ||
			!strings.Contains(log.String(), "starting without") {
			t.Errorf("%s: kept %q, %v; log %s", name, kept, err, log.String())
		}
		if p.round() == nil {
			t.Errorf("%s: nothing to push", name)
		}
		if s, err := load(p.opt.FS, file, o.Log); err != nil || len(s.Active) != 1 {
			t.Errorf("%s: written anew: %+v, %v", name, s, err)
		}
	}
}

func TestAlertsGoOutThoughTheStateCannotBeWritten(t *testing.T) {
	f, now := lateBoard()
	am := newAlertmanager(t, httptest.NewServer)
	o := options(t, f, func() time.Time { return now }, am.URL)
	o.Dir = filepath.Join(o.Dir, "none")
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	stop := run(t, o)
	waitFor(t, "three pushes", func() bool { return len(am.taken()) >= 3 })
	stop()
	if n := strings.Count(log.String(), "cannot be saved"); n != 1 || last(am, Overdue) == nil {
		t.Errorf("%d lines:\n%s", n, log.String())
	}
}

func TestTheStateFileIsWrittenOnlyWhenSomethingChanged(t *testing.T) {
	f, now := lateBoard()
	o := options(t, f, func() time.Time { return now }, "http://127.0.0.1:1")
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(o.Dir, stateFile)
	round := func(pass time.Duration, accepted bool) (written bool) {
		t.Helper()
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		now = now.Add(pass)
		next := p.round()
		if next == nil {
			t.Fatal("nothing to push")
		}
		if accepted {
			p.pushAccepted(next)
		}
		_, err := os.Stat(file)
		return err == nil
	}
	for i, step := range []struct {
		pass              time.Duration
		accepted, written bool
	}{
		{0, true, true}, {time.Second, true, true}, {time.Second, true, false}, {time.Second, false, false},
		{time.Minute, true, false},
		{time.Second, true, true}, {10 * time.Second, true, false}, {20 * time.Minute, true, true}, // escalated
	} {
		if got := round(step.pass, step.accepted); got != step.written {
			t.Errorf("step %d: written %v, want %v", i+1, got, step.written)
		}
	}
}

func TestASlowServerTakesBackNothing(t *testing.T) {
	f, now := lateBoard()
	o := options(t, f, func() time.Time { return now }, "http://127.0.0.1:1")
	var told []time.Time
	o.Pushed = func(at time.Time, _ map[string]int) { told = append(told, at) }
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	first := p.round()
	now = now.Add(-time.Hour) // the clock is set back: later is what was made later
	second := p.round()
	for _, taken := range []*push{second, first, second} {
		p.pushAccepted(taken)
	}
	if len(told) != 2 || !told[1].Equal(second.at) || !p.accepted.Equal(second.at) {
		t.Errorf("told of %v, accepted %s", told, p.accepted)
	}
}
