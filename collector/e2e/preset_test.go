package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/source/simulate"
)

// TestPresetsAgainstTheirTotals sends ten months of history and a day with all the variety. Each simulation says what
// it made; every figure of that which a view shows must be the same, and nothing of the past may move a live counter.
func TestPresetsAgainstTheirTotals(t *testing.T) {
	t.Parallel()
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	history := s.simulated("--preset", "sidoarjo-2023")
	day := s.simulated("--preset", "live", "--from", "2026-11-02", "--to", "2026-11-03", "--rate", "4", "--time-scale",
		"8", "--seed", "5")
	s.shipped()
	if got, want := s.query("SELECT count() FROM events_now"),
		fmt.Sprint(history.Messages.Events+day.Messages.Events); got != want {
		t.Errorf("%s events, the simulations sent %s different ones", got, want)
	}

	t.Run("funnel", func(t *testing.T) {
		got := s.counts(
			"SELECT stage, numerator FROM monev_funnel(since = '2023-01-01', until = '2023-11-01', step = 'all') WHERE center " +
				"= '35.15' AND numerator > 0")
		if want := map[string]int64{"hoax": 32543, "own": 1597, "vertical": 6178}; !maps.Equal(got, want) {
			t.Errorf("stages %v, want %v", got, want)
		}
		if got := s.query(`SELECT any(denominator), sum(numerator), count(DISTINCT denominator)
			FROM monev_funnel(since = '2023-01-01', until = '2023-11-01', step = 'all') WHERE center =
			'35.15'`); got != "40318\t40318\t1" {
			t.Errorf("the funnel does not close: %s", got)
		}
		if got := s.query(`SELECT measure, numerator, denominator, round(100 * share, 1)
			FROM monev_hoax(since = '2023-01-01', until = '2023-11-01', step = 'all') WHERE center = '35.15' AND measure !=
			'rasio_non_darurat' ORDER BY measure`); got != "belum\t0\t40318\t0\nrasio_hoaks\t32543\t40318\t80.7" {
			t.Errorf("hoax ratio: %s", got)
		}
		if got := s.query(`SELECT sum(numerator), sum(denominator), countIf(numerator > denominator)
			FROM monev_funnel(since = '2023-01-01', until = '2023-11-01', step = 'month') WHERE center = '35.15' AND stage =
			'hoax'`); got != "32543\t40318\t0" {
			t.Errorf("months do not add up: %s", got)
		}
	})
	t.Run("history", func(t *testing.T) { s.compare(t, history, "day < '2024-01-01'") })
	t.Run("live day", func(t *testing.T) { s.compare(t, day, "day > '2024-01-01'") })

	t.Run("no live counter moved", func(t *testing.T) {
		for name, v := range s.series() {
			moves := false
			for _, p := range []string{
				"monev112_calls_", "monev112_call_", "monev112_ticket_", "monev112_tickets_opened", "monev112_tickets_reopened",
				"monev112_clock_", "monev112_window_calls",
			} {
				moves = moves || strings.HasPrefix(name, p)
			}
			if moves && v != 0 && !strings.HasPrefix(name, "monev112_ticket_oldest_overdue_seconds") &&
				!strings.HasPrefix(name, "monev112_calls_to_call_back") {
				t.Errorf("%s is %v after nothing but the past was sent", name, v)
			}
		}
		accepted, backfilled := s.metric(`monev112_events_total{result="accepted"`),
			s.metric(`monev112_events_total{result="backfilled"`)
		if want := float64(history.Messages.Events + day.Messages.Events); accepted != want || backfilled != want {
			t.Errorf("accepted %v, backfilled %v, want %v of both", accepted, backfilled, want)
		}
	})

	t.Run("sent again after a restart", func(t *testing.T) {
		sums := "SELECT count(), sum(cityHash64(*)) FROM (SELECT * EXCEPT (version, written_at) FROM calls FINAL)"
		before := s.query(sums)
		if code := s.stop(); code != 0 {
			t.Errorf("a clean stop exits with %d", code)
		}
		s.start().ready()
		s.simulated("--preset", "live", "--from", "2026-11-02", "--to", "2026-11-03", "--rate", "4", "--time-scale", "8",
			"--seed", "5")
		s.shipped()
		if got := s.metric(`monev112_events_total{result="accepted"`); got != 0 {
			t.Errorf("%v events accepted that were there already", got)
		}
		if got := s.query(sums); got != before {
			t.Errorf("calls %s, before %s", got, before)
		}
	})
}

// simulated sends a simulation and returns its totals.
func (s *service) simulated(args ...string) simulate.Totals {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "totals.json")
	if _, errs, code := s.run(append([]string{"simulate", "--server", "http://" + s.addr, "--totals", file},
		args...)...); code != 0 {
		s.t.Fatalf("simulate exits with %d:\n%s", code, tail(errs, 2000))
	}
	b, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	var totals simulate.Totals
	if err := json.Unmarshal(b, &totals); err != nil {
		s.t.Fatal(err)
	}
	if totals.Pending != 0 || totals.Centers["35.15"] == nil {
		s.t.Fatalf("%d cases are pending; centres %v", totals.Pending, slices.Collect(maps.Keys(totals.Centers)))
	}
	return totals
}

// counts asks for two columns, a name and a number.
func (s *service) counts(sql string) map[string]int64 {
	s.t.Helper()
	out := map[string]int64{}
	for l := range strings.Lines(s.query(sql)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(l, "\n"), "\t")
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			s.t.Fatalf("%q of %s", l, sql)
		}
		out[name] = n
	}
	return out
}

// series are all series of the product as /metrics has them, by their text.
func (s *service) series() map[string]float64 {
	s.t.Helper()
	r, err := http.Get("http://" + s.addr + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	out := map[string]float64{}
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if !strings.HasPrefix(line, "monev112_") || at < 0 {
			continue
		}
		if v, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			out[line[:at]] = v
		}
	}
	return out
}
