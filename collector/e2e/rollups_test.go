package e2e

import "testing"

// TestRollupsThatStayBehindAreSeen: a roll-up that cannot be computed is seen by how long it waits, also over the death
// of the service, until it can be computed again.
func TestRollupsThatStayBehindAreSeen(t *testing.T) {
	t.Parallel()
	const lag = "monev112_rollup_lag_seconds"
	s := newService(t).start()
	started := func() {
		t.Helper()
		if !s.ready() {
			t.Fatal("the service ended")
		}
	}
	until := func(what string, ok func(seconds float64) bool) {
		t.Helper()
		if !s.until(what, func() bool { return ok(s.metric(lag)) }) {
			t.Fatal("the service ended")
		}
	}
	started()
	s.deliver([]byte(line("first", nil)))
	s.shipped()
	until("nothing waits", func(seconds float64) bool { return seconds == 0 })

	s.order("RENAME TABLE calls_rollup TO away")
	s.deliver([]byte(line("second", nil)))
	var before float64
	until("an hour waits", func(seconds float64) bool { before = seconds; return seconds > 4 })
	s.kill()
	s.start()
	started()
	until("ClickHouse is asked", func(seconds float64) bool { return seconds >= 0 })
	if after := s.metric(lag); after < before {
		t.Errorf("the hour has waited for %v s, and after the restart for %v s", before, after)
	}
	s.order("RENAME TABLE away TO calls_rollup")
	until("the hour is recomputed", func(seconds float64) bool { return seconds == 0 })
	s.shipped()
	if got := s.query("SELECT sum(received) FROM calls_hourly FINAL"); got != "2" {
		t.Errorf("%s calls in the roll-up, want 2", got)
	}
}
