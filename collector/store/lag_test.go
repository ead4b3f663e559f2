package store

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// How long the oldest hour or day waits is known once ClickHouse was asked, is told by the one that waits longest, and
// outlives the process that marked it.
func TestRollupLag(t *testing.T) {
	s := openSink(t)
	s.setRunning(true)
	if lag, known := s.RollupLag(); known {
		t.Errorf("%v before anybody asked ClickHouse", lag)
	}
	exec := func(sql string) {
		t.Helper()
		if err := s.exec(t.Context(), "test", sql); err != nil {
			t.Fatal(err)
		}
	}
	between := func(s *Sink, least, most time.Duration) {
		t.Helper()
		if lag, known := s.RollupLag(); !known || lag < least || lag > most {
			t.Errorf("%v, %v, want %v to %v", lag, known, least, most)
		}
	}
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	between(s, 0, 0)
	exec("RENAME TABLE calls_rollup TO calls_away, clocks_rollup TO clocks_away")
	day := []Period{{"35.15", at("2026-10-02 00:00:00")}}
	if err := s.mark(t.Context(), nil, day); err != nil {
		t.Fatal(err)
	}
	if err := s.FlushRollups(t.Context()); err == nil {
		t.Error("nothing failed")
	}
	between(s, 1, time.Hour)

	// As if they had been marked hours ago.
	for _, values := range []string{
		"hours_pending (center, hour, version, done, since) " +
			"SELECT '35.15', toDateTime('2026-10-01 00:00:00', 'UTC'), 1, false, now64(3) - INTERVAL 2 HOUR",
		"days_pending (center, day, version, done, since) " +
			"SELECT '35.15', toDate('2026-10-01'), 1, false, now64(3) - INTERVAL 3 HOUR",
	} {
		exec("INSERT INTO " + values + " SETTINGS insert_allow_materialized_columns = 1")
	}
	next := &Sink{Store: s.Store}
	next.setRunning(true)
	if err := next.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	between(next, 3*time.Hour, 4*time.Hour)
	if err := next.mark(t.Context(), nil, day); err != nil { // again, or another: the oldest stays
		t.Fatal(err)
	}
	between(next, 3*time.Hour, 4*time.Hour)
	exec("RENAME TABLE clocks_away TO clocks_rollup")
	if err := next.FlushRollups(t.Context()); err == nil {
		t.Error("no hour failed")
	}
	between(next, 2*time.Hour, 3*time.Hour)
	exec("RENAME TABLE calls_away TO calls_rollup")
	if err := next.FlushRollups(t.Context()); err != nil {
		t.Fatal(err)
	}
	between(next, 0, 0)
}

// Why roll-ups cannot be recomputed is logged once, and so is that they can again.
func TestRollupFailureIsLoggedOnce(t *testing.T) {
	var out bytes.Buffer
	s := Sink{Log: slog.New(slog.NewTextHandler(&out, nil))}
	for _, err := range []error{nil, errors.New("no memory"), errors.New("no disk"), nil, nil} {
		s.logFailure(t.Context(), err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	s.logFailure(stopped, context.Canceled)
	got := out.String()
	if strings.Count(got, "\n") != 2 || !strings.Contains(got, "no memory") || !strings.Contains(got, "again") {
		t.Error(got)
	}
}
