package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLateConflictsHoldNoLiveEventUp sends ids that are older than all memories of the service once more, with another
// content, beside live events: first while ClickHouse answers, so that the senders are told, then while it does not, so
// that the events are accepted and the conflicts found when they are shipped. Live events reach ClickHouse both times,
// every conflict is told or listed, and what came first stands.
func TestLateConflictsHoldNoLiveEventUp(t *testing.T) {
	t.Parallel()
	const storm, live = 1000, 50
	s := newAging(t)
	s.start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	past := s.now().AddDate(0, -2, 0).UTC().Format(time.RFC3339)
	old := func(from, to int, queue string) (lines []string) {
		for i := from; i < to; i++ {
			lines = append(lines, line(fmt.Sprint("old-", i), fields{"time": past, "data": fields{"queue": queue}}))
		}
		return lines
	}
	post := func(lines ...string) answer {
		t.Helper()
		a, status, text := s.send(ndjson, "", []byte(strings.Join(lines, "\n")))
		if status != http.StatusOK {
			t.Fatalf("%d: %.500s", status, text)
		}
		return a
	}
	if a := post(old(0, 2*storm, "112")...); a.Accepted != 2*storm {
		t.Fatalf("%d accepted", a.Accepted)
	}
	s.shipped()
	s.age(72) // ids are remembered for 24 h, cases for 48 h
	sent := 0
	beside := func() (lines []string) {
		for range live {
			sent++
			lines = append(lines, line(fmt.Sprint("live-", sent), fields{"time": s.now().UTC().Format(time.RFC3339)}))
		}
		return lines
	}
	arrived := func() {
		t.Helper()
		if !s.until("live events are stored", func() bool {
			n, err := s.tryQuery("SELECT count() FROM events FINAL WHERE startsWith(id, 'live-')")
			return err == nil && n == fmt.Sprint(sent)
		}) {
			t.Fatal("the service ended")
		}
	}
	// The board lets go of the cases with the next batch.
	post(beside()...)
	arrived()
	post(beside()...)
	arrived()

	told := 0
	for _, r := range post(append(old(0, storm, "other"), beside()...)...).Rejected {
		if told++; r.Reason != "conflict" || !strings.HasPrefix(r.ID, "old-") {
			t.Errorf("refused: %+v", r)
		}
	}
	arrived()
	if told == 0 { // the look-up is bounded: on a machine that is busy enough it answers nobody
		t.Log("no sender was told of a conflict: ClickHouse was too slow to answer the door")
	}
	engine := enginePID(s.cmd.Process.Pid)
	if engine == 0 {
		t.Fatal("the engine's process is not found")
	}
	s.signal(engine, syscall.SIGSTOP)
	a := post(append(old(storm, 2*storm, "other"), beside()...)...)
	s.signal(engine, syscall.SIGCONT)
	if a.Accepted != storm+live || len(a.Rejected) > 0 {
		t.Errorf("while ClickHouse does not answer %d of %d are accepted, %d refused: are they remembered?", a.Accepted,
			storm+live, len(a.Rejected))
	}
	arrived()
	s.shipped()

	if got := s.query("SELECT queue, count() FROM events FINAL WHERE startsWith(id, 'old-') GROUP BY queue"); got !=
		fmt.Sprintf("112\t%d", 2*storm) {
		t.Errorf("what came first does not stand: %s", got)
	}
	late := 2*storm - told
	listed, _, _ := s.run("journal", "list", "conflicts", "--data", s.dir)
	if n := strings.Count(listed, "\n"); n != late {
		t.Errorf("%d conflicts are listed, want the %d of which nobody was told", n, late)
	}
	for series, want := range map[string]int{
		`monev112_conflicts_total{found="late"`: late, `monev112_conflicts_total{found="door"`: told,
		"monev112_conflicts_held": late, "monev112_dead_letters_total": 0,
	} {
		if got := s.metric(series); got != float64(want) && !(want == 0 && got == -1) {
			t.Errorf("%s is %v, want %d", series, got, want)
		}
	}
	t.Logf("%d conflicts told, %d listed", told, late)
}
