package simulate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/send"
)

// handClock is a clock that goes on only when somebody waits for it.
type handClock struct {
	now   time.Time
	waits int
	stop  func(time.Time) bool // ends the waiting, as a cancelled context would
}

func (h *handClock) clock() Clock {
	return Clock{
		Now: func() time.Time { return h.now },
		Sleep: func(_ context.Context, d time.Duration) error {
			h.waits++
			h.now = h.now.Add(d)
			if h.stop != nil && h.stop(h.now) {
				return context.Canceled
			}
			return nil
		},
	}
}

func TestPaceTellsThePastAtOnceAndTheFutureInTime(t *testing.T) {
	h := &handClock{now: noon()}
	g := generator(t, Live, Options{From: noon().Add(-2 * time.Hour), To: noon().Add(10 * time.Minute), TimeScale: 30})
	waiting := 0 // handed over and not flushed
	var past, live int
	err := Pace(t.Context(), g, h.clock(), func(m *Message) error {
		if m.At.After(h.now) {
			t.Fatalf("%s is handed over %s early", m.Draft.ID, m.At.Sub(h.now))
		}
		if late := h.now.Sub(m.At); h.waits > 0 && late > paceStep {
			t.Fatalf("%s is handed over %s late", m.Draft.ID, late)
		}
		if h.waits == 0 {
			past++
		} else {
			live++
		}
		waiting++
		return nil
	}, func() error { waiting = 0; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if past < 500 || live < 50 || waiting != 0 {
		t.Errorf("%d messages of the past, %d of the present, %d not flushed", past, live, waiting)
	}
	if h.now.Before(g.o.To) || h.now.After(g.o.To.Add(time.Minute)) {
		t.Errorf("ended at %s, the range at %s", h.now, g.o.To)
	}
	if g.Totals().Pending == 0 {
		t.Error("no case is pending, though tickets outlive the range")
	}
}

func TestPaceStopsWithTheContextAndWithErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	nothing := func() error { return nil }
	g := liveDay(t)
	if err := Pace(ctx, g, (&handClock{now: noon()}).clock(), func(*Message) error {
		t.Error("handed over")
		return nil
	}, nothing); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	broken := errors.New("broken")
	if err := Pace(t.Context(), g, (&handClock{now: noon().Add(time.Hour)}).clock(), func(*Message) error {
		return broken
	}, nothing); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// door is a server that takes everything but what refuse says.
func door(t *testing.T, refuse string) (*httptest.Server, func() map[string]int) {
	t.Helper()
	var mu sync.Mutex
	ids := map[string]int{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		answer := event.Receipt{Rejected: []event.Refusal{}}
		lines := bufio.NewScanner(r.Body)
		lines.Buffer(nil, 1<<20)
		for i := 0; lines.Scan(); i++ {
			var e struct{ ID, Source, Type string }
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Error(err)
			}
			switch key := e.Source + " " + e.ID; {
			case e.Type == refuse:
				answer.Rejected = append(answer.Rejected, event.Refusal{Index: i, ID: e.ID, Field: "type", Reason: "unknown_type"})
			case ids[key] > 0:
				ids[key]++
				answer.Duplicates++
			default:
				ids[key]++
				answer.Accepted++
			}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s, func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return ids
	}
}

func TestRunSendsEverythingAndWritesTheTotals(t *testing.T) {
	s, ids := door(t, "")
	h := &handClock{now: noon().Add(90 * 24 * time.Hour)}
	file := filepath.Join(t.TempDir(), "totals.json")
	var out bytes.Buffer
	o := RunOptions{
		Preset: Live, Options: Options{From: noon(), To: noon().Add(3 * time.Hour)}, Server: s.URL, Totals: file,
		Progress: &out, Clock: h.clock(), Client: send.Config{Compression: send.None},
	}
	if err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var totals Totals
	if err := json.Unmarshal(b, &totals); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for _, n := range ids() {
		sent += n
	}
	if int64(sent) != totals.Messages.Sent || int64(len(ids())) != totals.Messages.Events || totals.Pending != 0 {
		t.Errorf("the server got %d messages of %d events; the totals say %+v", sent, len(ids()), totals.Messages)
	}
	if want := "refused 0"; !strings.Contains(out.String(), want) {
		t.Errorf("progress %q does not say %q", out.String(), want)
	}
}

func TestRunReportsRefusals(t *testing.T) {
	s, _ := door(t, "monev112.call.queued")
	o := RunOptions{
		Preset: Load, Options: Options{From: noon(), Cases: 10}, Server: s.URL,
		Clock:  (&handClock{now: noon().AddDate(0, 1, 0)}).clock(),
		Client: send.Config{Compression: send.None},
	}
	err := Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "refused 9 events") || !strings.Contains(err.Error(), "unknown_type") {
		t.Errorf("got %v", err)
	}
}

func TestRunWritesLines(t *testing.T) {
	var lines bytes.Buffer
	h := &handClock{now: noon()}
	h.stop = func(now time.Time) bool { return now.After(noon().Add(time.Minute)) }
	ctx, cancel := context.WithCancel(t.Context())
	stop := h.stop
	h.stop = func(now time.Time) bool {
		if stop(now) {
			cancel()
			return true
		}
		return false
	}
	last := Options{From: h.now.Add(-time.Hour)}
	if err := Run(ctx, RunOptions{Preset: Live, Options: last, Lines: &lines, Clock: h.clock()}); err != nil {
		t.Fatalf("stopping a live simulation is no error, got %v", err)
	}
	if n := bytes.Count(lines.Bytes(), []byte("\n")); n < 500 || h.waits == 0 {
		t.Errorf("%d lines, %d waits", n, h.waits)
	}
	for line := range bytes.Lines(lines.Bytes()) {
		if !json.Valid(line) {
			t.Fatalf("not JSON: %s", line)
		}
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	for name, o := range map[string]RunOptions{
		"no destination":        {Preset: Live},
		"two destinations":      {Preset: Live, Server: "http://127.0.0.1:1", Lines: &bytes.Buffer{}},
		"unknown preset":        {Preset: "bandung", Lines: &bytes.Buffer{}},
		"rate of a fixed world": {Preset: Sidoarjo2023, Options: Options{Rate: 2}, Lines: &bytes.Buffer{}},
		"scale of a fixed one":  {Preset: Sidoarjo2023, Options: Options{TimeScale: 2}, Lines: &bytes.Buffer{}},
		"negative rate":         {Preset: Live, Options: Options{Rate: -1}, Lines: &bytes.Buffer{}},
		"tiny rate":             {Preset: Live, Options: Options{Rate: 0.0001}, Lines: &bytes.Buffer{}},
		"time runs slower":      {Preset: Live, Options: Options{TimeScale: 0.5}, Lines: &bytes.Buffer{}},
		"cases of live":         {Preset: Live, Options: Options{Cases: 5}, Lines: &bytes.Buffer{}},
		"from after to": {
			Preset: Live, Options: Options{From: noon(), To: noon().Add(-time.Hour)}, Lines: &bytes.Buffer{},
		},
		"outside of 2023":     {Preset: Sidoarjo2023, Options: Options{From: noon()}, Lines: &bytes.Buffer{}},
		"center with a quote": {Preset: Live, Options: Options{Center: "35\"15"}, Lines: &bytes.Buffer{}},
	} {
		o.Clock = (&handClock{now: noon()}).clock()
		if err := Run(t.Context(), o); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := New(Live, Options{}); !errors.Is(err, ErrOptions) {
		t.Errorf("live without a start: got %v", err)
	}
}
