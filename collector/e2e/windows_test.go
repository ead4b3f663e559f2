package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/source/simulate"
)

// measures are what window_calls counts, each as a person would ask for it. The target of the centre is 15 s.
var measures = map[string]string{
	"received": "1", "offered": "offered", "answered": "answered",
	"within_target": "offered AND ifNull(answer_ms <= 15000, false)",
	"abandoned":     "abandoned", "unserved": "unserved", "classified": "classified", "hoax": "hoax",
	"ghost":        "ifNull(class = 'ghost', false)",
	"unclassified": "answered AND NOT classified",
}

// TestBoardEqualsClickHouse sends live traffic up to this moment: the windows of the board equal what ClickHouse counts
// of the same hours and day, and a restart changes nothing of it.
func TestBoardEqualsClickHouse(t *testing.T) {
	t.Parallel()
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	now := time.Now().Truncate(time.Second)
	g, err := simulate.New(simulate.Live,
		simulate.Options{Seed: 11, From: now.Add(-30 * time.Minute), To: now, Rate: 70, TimeScale: 20})
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	for m := range g.All() {
		if m.Draft.Time.Before(now) { // what is yet to come is not sent
			body = append(m.Draft.AppendCloudEvent(body), '\n')
		}
	}
	s.postAll(body)
	s.shipped()
	s.until("the board is complete", func() bool { return s.metric("monev112_board_complete") == 1 })
	s.windows(t, "before the restart")
	if received := s.metric("monev112_calls_received_total"); fmt.Sprint(received) != s.query(
		"SELECT count() FROM calls FINAL WHERE received_at IS NOT NULL") {
		t.Errorf("%v received by the counter, %s in ClickHouse", received,
			s.query("SELECT count() FROM calls FINAL WHERE received_at IS NOT NULL"))
	}

	before := s.board()
	began := time.Now()
	if code := s.stop(); code != 0 {
		t.Errorf("SIGTERM ends the service with %d", code)
	}
	t.Logf("stopped in %s", time.Since(began))
	if s.start(); !s.ready() {
		t.Fatal("the service ended")
	}
	if !strings.Contains(s.log.String(), `"checkpoint":true,"replayed_events":0`) {
		t.Error("the second start did not begin with the checkpoint of the clean stop")
	}
	s.shipped()
	s.until("the board is complete", func() bool { return s.metric("monev112_board_complete") == 1 })
	if got := s.board(); got != before {
		t.Errorf("the board after the restart (-before +after):\n-%s\n+%s", before, got)
	}
	s.windows(t, "after the restart")
	if got := s.metric("monev112_calls_received_total"); got != 0 {
		t.Errorf("the restart moved monev112_calls_received_total to %v", got)
	}

	s.kill()
	if s.start(); !s.ready() {
		t.Fatal("the service ended")
	}
	s.shipped()
	s.windows(t, "after a kill")
}

// windows compares the gauges with ClickHouse, for the windows that begin on an hour or at midnight of the centre.
func (s *service) windows(t *testing.T, when string) {
	t.Helper()
	for range 3 {
		now := time.Now().In(wib)
		hour := now.Truncate(time.Hour)
		// The shifts of Sidoarjo begin at 07.00, 14.00 and 21.00 WIB.
		shift, shifts := hour, []time.Time{}
		for ; len(shifts) < 2; shift = shift.Add(-time.Hour) {
			if h := shift.Hour(); h == 7 || h == 14 || h == 21 {
				shifts = append(shifts, shift)
			}
		}
		windows := map[string][2]time.Time{
			"hour": {hour, hour.Add(time.Hour)}, "previous_hour": {hour.Add(-time.Hour), hour},
			"shift": {shifts[0], hour.Add(time.Hour)}, "previous_shift": {shifts[1], shifts[0]},
			"day": {time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, wib), hour.Add(time.Hour)},
		}
		series := s.series()
		if !time.Now().In(wib).Truncate(time.Hour).Equal(hour) {
			continue // the hour has just ended
		}
		total := 0.0
		for window, bounds := range windows {
			for measure, condition := range measures {
				want := s.query(fmt.Sprintf(
					"SELECT countIf(%s) FROM calls_now WHERE center = '35.15' AND at >= fromUnixTimestamp(%d) AND at < "+
						"fromUnixTimestamp(%d)",
					condition, bounds[0].Unix(), bounds[1].Unix()))
				name := fmt.Sprintf(`monev112_window_calls{center="35.15",measure="%s",window="%s"}`, measure, window)
				got, ok := series[name]
				if !ok || fmt.Sprint(got) != want {
					t.Errorf("%s: %s is %v (there: %v), ClickHouse counts %s", when, name, got, ok, want)
				}
				total += got
			}
			for _, target := range []int{10, 15, 20} {
				want := s.query(fmt.Sprintf(
					"SELECT countIf(offered AND answer_ms <= %d) FROM calls_now WHERE center = '35.15' AND at >= "+
						"fromUnixTimestamp(%d) AND at < fromUnixTimestamp(%d)",
					1000*target, bounds[0].Unix(), bounds[1].Unix()))
				name := fmt.Sprintf(`monev112_window_calls_within_target{center="35.15",target="%d",window="%s"}`, target, window)
				if got, ok := series[name]; !ok || fmt.Sprint(got) != want {
					t.Errorf("%s: %s is %v (there: %v), ClickHouse counts %s", when, name, got, ok, want)
				}
			}
		}
		if total == 0 {
			t.Errorf("%s: every window is empty", when)
		}
		return
	}
	t.Fatal("no hour lasts long enough to be read")
}

// board is what GET /v1/board says, without what changes by the second.
func (s *service) board() string {
	s.t.Helper()
	r, err := http.Get("http://" + s.addr + "/v1/board")
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		s.t.Fatalf("%d, %v: %s", r.StatusCode, err, text)
	}
	var board any
	if err := json.Unmarshal(text, &board); err != nil {
		s.t.Fatal(err)
	}
	if text, _ = json.Marshal(timeless(board)); len(text) < 200 {
		s.t.Fatalf("the board says next to nothing: %s", text)
	}
	return string(text)
}

// timeless takes out of an answer what depends on the moment of asking.
func timeless(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			switch key {
			case "at", "oldest_waiting_seconds", "oldest_overdue", "tickets_overdue", "tickets_at_risk", "windows",
				"ring_no_answer_recent", "same_event_tickets", "calls_unclassified":
				delete(v, key)
			default:
				v[key] = timeless(v[key])
			}
		}
	case []any:
		for i := range v {
			v[i] = timeless(v[i])
		}
	}
	return v
}
