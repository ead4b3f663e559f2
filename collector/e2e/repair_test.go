package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestJournalRepair damages the journal of a service four times: in the middle of a segment, at a segment's header,
// among records that ClickHouse does not have yet, and at its end. Each time the service refuses to start, or goes on
// accepting events and says that it cannot ship; the commands bring it back. In the end its cases equal those of a
// service that nobody disturbed.
func TestJournalRepair(t *testing.T) {
	t.Parallel()
	batches, events := simulatedDay(t)
	calm := newService(t).start()
	for _, b := range batches {
		calm.deliver(b)
	}
	calm.shipped()
	want := map[string]string{}
	for name, sql := range cases {
		want[name] = calm.query(sql)
	}
	calm.stop()

	s := newService(t)
	copyKeys(t, calm.dir, s.dir)
	next := 0
	deliver := func(quarter int) {
		t.Helper()
		for ; next < len(batches)*quarter/4; next++ {
			s.deliver(batches[next])
		}
	}
	command := func(args ...string) string {
		t.Helper()
		out, stderr, code := s.run(append([]string{"journal", "--data", s.dir}, args...)...)
		if code != 0 {
			t.Fatalf("journal %v: exit %d: %s%s", args, code, out, stderr)
		}
		return out
	}
	// skipped runs skip for the place at which the service refuses to start.
	skipped := func() string {
		t.Helper()
		s.start()
		s.ended("it refuses to start")
		at := regexp.MustCompile(`journal skip --at (\d+)`).FindAllStringSubmatch(s.log.String(), -1)
		if at == nil {
			t.Fatalf("the service does not name the place:\n%s", tail(s.log.String(), 2000))
		}
		position := at[len(at)-1][1]
		plan := command("skip", "--at", position, "--dry-run")
		done := command("skip", "--at", position)
		if i := strings.LastIndex(strings.TrimSpace(plan), "\n"); !strings.HasPrefix(done, plan[:i]) {
			t.Errorf("the dry run said\n%s, the command\n%s", plan, done)
		}
		return done
	}

	s.start()
	deliver(1)
	s.shipped()
	s.kill()
	s.damage(0, 0.5) // no checkpoint yet: a start reads the whole journal
	if out := skipped(); !strings.Contains(out, "of which ClickHouse has the records of") {
		t.Errorf("%s", out)
	}
	s.start()
	deliver(2)
	s.shipped()
	s.kill()

	s.damage(-1, 0) // the header
	if out := skipped(); !strings.Contains(out, "lost: nothing") {
		t.Errorf("%s", out)
	}
	s.start()
	before := next
	deliver(3)
	s.shipped()
	s.stop()

	// The checkpoint lies behind the damage, so that the service starts; the shipper, without its cursor, comes to it.
	s.damage(-1, 0.5)
	if err := os.Remove(filepath.Join(s.dir, "cursor.json")); err != nil {
		t.Fatal(err)
	}
	s.start()
	if !s.ready() || !s.until("the damage is shown", func() bool { return s.metric("monev112_journal_damaged") == 1 }) {
		t.Fatal("the service ended")
	}
	unshipped := next
	deliver(4)
	if out, stderr, code := s.run("journal", "--data", s.dir, "renew"); code == 0 || !strings.Contains(stderr, "in use") {
		t.Errorf("renewed beside the service: %s%s", out, stderr)
	}
	s.stop()
	s.damage(-1, 0.5) // among what ClickHouse does not have
	if plan := command("renew", "--dry-run"); strings.Count(plan, "lost: positions") < 2 {
		t.Errorf("%s", plan)
	}
	command("renew")
	s.start()
	for _, b := range batches[unshipped:] { // the source sends again; what is not lost is a duplicate
		s.deliver(b)
	}
	s.shipped()
	s.kill()

	s.damage(-1, 1) // the end: what the next start cuts off
	s.start()
	for _, b := range batches[before:] {
		s.deliver(b)
	}
	s.shipped()
	if got := s.metric("monev112_journal_damaged"); got != 0 {
		t.Errorf("monev112_journal_damaged is %v", got)
	}
	for name, sql := range cases {
		if got := s.query(sql); got != want[name] {
			t.Errorf("%s differ from those of an undisturbed run:\n%s", name, firstDifference(want[name], got))
		}
	}
	if got := s.query("SELECT count() FROM events FINAL"); got != fmt.Sprint(events) {
		t.Errorf("%s events, want %d", got, events)
	}
}

// damage flips a byte of a segment that holds groups: the n-th, or, below 0, the n-th from the end; share says where in
// it, 0 being its header.
func (s *service) damage(n int, share float64) {
	s.t.Helper()
	all, err := filepath.Glob(filepath.Join(s.dir, "journal", "*.seg"))
	if err != nil {
		s.t.Fatal(err)
	}
	var full []string
	for _, name := range all {
		if st, err := os.Stat(name); err == nil && st.Size() > 4096 {
			full = append(full, name)
		}
	}
	if len(full) == 0 {
		s.t.Fatalf("no segment of %v holds much", all)
	}
	name := full[(n+len(full))%len(full)]
	b, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	at := max(20, int(share*float64(len(b)-1)))
	b[at] ^= 0x10
	if err := os.WriteFile(name, b, 0o600); err != nil {
		s.t.Fatal(err)
	}
}
