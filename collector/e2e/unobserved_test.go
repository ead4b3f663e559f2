package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWhatASourceNeverSaysIsNoFailure brings what offices and systems really send to the real program: calls without a
// word of any ticket's work, an answer of a call that was never queued, a ticket that was resolved before it was opened,
// a pause and its resumption in one minute, and an export that comes again corrected.
func TestWhatASourceNeverSaysIsNoFailure(t *testing.T) {
	t.Parallel()
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	cases := filepath.Join("testdata", "cases")
	for name, n := range map[string]int{
		"answered-without-queue": 4, "resolved-before-opened": 6, "pause-and-resume-in-one-minute": 6,
	} {
		text, err := os.ReadFile(filepath.Join(cases, name+".ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		if a, status, err := s.post(text); err != nil || status != http.StatusOK || a.Accepted != n {
			t.Fatalf("%s: %+v, %d, %v", name, a, status, err)
		}
	}
	dir := t.TempDir()
	ok := func(args ...string) string {
		t.Helper()
		out, errs, code := s.run(args...)
		if code != 0 {
			t.Fatalf("%v exits with %d:\n%s%s", args, code, out, errs)
		}
		return out + errs
	}
	server := []string{"--server", "http://" + s.addr, "--state", filepath.Join(dir, "state")}
	mapped := func(file, source string) string {
		t.Helper()
		name := filepath.Join(dir, source+".yaml")
		ok("map", "--source", source, "--write", name, filepath.Join(cases, file))
		return name
	}
	ok(append([]string{"import", "--mapping", mapped("calls-only.csv", "panggilan"), filepath.Join(cases, "calls-only.csv")},
		server...)...)
	corrected := mapped("corrected-first.csv", "koreksi")
	ok(append([]string{"import", "--mapping", corrected, filepath.Join(cases, "corrected-first.csv")}, server...)...)
	said := ok(append([]string{"import", "--mapping", corrected, filepath.Join(cases, "corrected-second.csv")}, server...)...)
	if !strings.Contains(said, "call/C-3") || !strings.Contains(said, "empty cell") {
		t.Errorf("the corrected export:\n%s", said)
	}
	s.shipped()

	get := func(path string) string { return s.get(t, "http://"+s.addr+path) }
	const april = "since = '2026-04-01', until = '2026-05-01', step = 'all'"
	const february = "since = '2026-02-01', until = '2026-03-01', step = 'all'"
	const january = "since = '2026-01-01', until = '2026-02-01', step = 'all'"
	for sql, want := range map[string]string{
		"SELECT numerator, denominator FROM monev_service_level(" + april + ", target = 15, short = 5) WHERE measure = 'terjawab'": "1\t1",
		"SELECT max(coverage) <= 1 FROM monev_intervals(" + april + ")":                                                            "1",
		"SELECT numerator, denominator FROM monev_on_time(" + february + ") WHERE clock = 'resolve' AND opd = 'dishub'":            "2\t2",
		"SELECT count() FROM clocks_now WHERE subject = 'CB-1' AND clock = 'resolve' AND NOT void":                                 "0",
		"SELECT has(flags, 'resolved_before_opened') FROM tickets_now WHERE id = 'CB-1'":                                           "1",
		"SELECT sum(dateDiff('second', since, ifNull(until, resolved_at))) FROM tickets_now ARRAY JOIN pauses.since AS since, " +
			"pauses.until AS until WHERE id = 'P-1'": "172740",
		// Of forty tickets nobody said what became of them.
		"SELECT clock, sum(numerator), sum(denominator), sum(unobserved), any(share) FROM monev_on_time(" + january + ") " +
			"WHERE opd != '' AND clock IN ('acknowledge', 'arrive', 'resolve') GROUP BY clock ORDER BY clock": "acknowledge\t0\t0\t40\t\\N\n" +
			"arrive\t0\t0\t40\t\\N\nresolve\t0\t0\t40\t\\N",
		"SELECT count() FROM clocks_now WHERE subject LIKE 'S-%' AND overdue":                                                   "0",
		"SELECT uniqExact(clock) >= 3, min(unobserved = n) FROM monev_not_recorded(since = '2026-01-01', until = '2026-02-01')": "1\t1",
		"SELECT answered_at IS NULL FROM calls_now WHERE id = 'C-1'":                                                            "1",
		"SELECT class FROM calls_now WHERE id = 'C-2'":                                                                          "ghost",
		"SELECT count() FROM calls_now WHERE id = 'C-3'":                                                                        "1",
	} {
		if got := s.query(sql); got != want {
			t.Errorf("got %q, want %q\nof %s", got, want, sql)
		}
	}
	if body := get("/v1/tickets?overdue=true"); strings.Contains(body, `"id":"S-`) {
		t.Errorf("a ticket is late for want of a stamp:\n%s", tail(body, 2000))
	}
	if body := get("/v1/tickets/S-0"); !strings.Contains(body, `"state":"unobserved"`) || !strings.Contains(body, "tidak dicatat") {
		t.Errorf("the explanation:\n%s", tail(body, 3000))
	}
	if body := get("/v1/tickets/CB-1"); !strings.Contains(body, `"state":"void"`) || strings.Contains(body, `"state":"met"`) {
		t.Errorf("a contradiction:\n%s", tail(body, 3000))
	}
	// The figures of an instant know nothing of what came later, and call nothing late that nobody records.
	if got := s.query("SELECT sum(open_late) FROM monev_on_time(" + january + ", as_of = '2026-01-31T23:59:59+07:00')"); got != "0" {
		t.Errorf("late at the end of January: %s", got)
	}
	ok(append([]string{"import", "--mapping", corrected, "--withdraw", filepath.Join(cases, "corrected-second.csv")}, server...)...)
	s.shipped()
	if got := s.query("SELECT count() FROM calls_now WHERE id = 'C-3'"); got != "0" {
		t.Errorf("C-3 stands: %s", got)
	}
}
