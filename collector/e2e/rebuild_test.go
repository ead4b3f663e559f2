package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/deploy"
)

// policyFile writes the default policy with some of its text replaced.
func policyFile(t *testing.T, name string, replace ...string) {
	t.Helper()
	text, err := deploy.Defaults.ReadFile("defaults/policies/sidoarjo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(text), replace[i]) {
			t.Fatalf("the default policy has no %q", replace[i])
		}
		text = []byte(strings.ReplaceAll(string(text), replace[i], replace[i+1]))
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAPolicyIsChangedAfterAMonthWasFrozen freezes a month, changes the policy, rebuilds with the service killed on the
// way, and looks at what moved: the figures, not the freeze; and the report says why.
func TestAPolicyIsChangedAfterAMonthWasFrozen(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	config, policy := filepath.Join(folder, "serve.yaml"), filepath.Join(folder, "sidoarjo.yaml")
	if err := os.WriteFile(config, []byte("policies: [sidoarjo.yaml]\nlimits: {rebuild_cases: 80}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	policyFile(t, policy)
	s := newService(t, "--config", config).start()
	connected := func() {
		t.Helper()
		if !s.ready() || !s.until("clickhouse is connected", func() bool {
			r, err := http.Get("http://" + s.addr + "/v1/admin/freezes?month=1999-01")
			if err != nil {
				return false
			}
			r.Body.Close()
			return r.StatusCode == http.StatusNotFound
		}) {
			t.Fatal("the service ended")
		}
	}
	ok := func(args ...string) string {
		t.Helper()
		out, errs, code := s.run(append(args, "--server", "http://"+s.addr)...)
		if code != 0 {
			t.Fatalf("%v exits with %d:\n%s%s", args, code, out, errs)
		}
		return out
	}
	refused := func(reason string, args ...string) {
		t.Helper()
		out, errs, code := s.run(append(args, "--server", "http://"+s.addr)...)
		if code == 0 || !strings.Contains(errs, reason) {
			t.Errorf("%v exits with %d and says %s%s, want a refusal with %q", args, code, out, errs, reason)
		}
	}
	holds := func(what, out string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s does not say %q:\n%s", what, w, tail(out, 4000))
			}
		}
	}
	connected()
	ok("simulate", "--preset", "live", "--rate", "1", "--from", "2025-03-03", "--to", "2025-03-06", "--seed", "7")
	s.shipped()

	// What the rows say is what a fold of their events says.
	holds("a rebuild without a change", ok("rebuild"), "Nothing changed")

	refused("not over", "freeze", "--month", time.Now().In(wib).Format("2006-01"))
	refused("never frozen", "freeze", "--month", "2025-03", "--again", "--reason", "x")
	refused("nothing to freeze", "freeze", "--month", "2024-03")
	refused("not frozen", "freeze", "--report", "--month", "2025-03")
	holds("freeze", ok("freeze", "--month", "2025-03"), "revision 1", "sidoarjo/2026.1", "definition 2")
	refused("stands", "freeze", "--month", "2025-03")
	refused("reason", "freeze", "--month", "2025-03", "--again")
	const frozen = "SELECT count(), groupBitXor(cityHash64(*)) FROM frozen"
	const figures = `SELECT sum(numerator), sum(denominator) FROM monev_on_time(since = '2025-03-01', until = '2025-04-01',
		step = 'all')`
	const calls = `SELECT count(), groupBitXor(cityHash64(* EXCEPT (version, written_at))) FROM calls FINAL`
	kept, before, callRows := s.query(frozen), s.query(figures), s.query(calls)
	holds("the report", ok("freeze", "--report", "--month", "2025-03"), "every figure is what was frozen")

	s.stop()
	policyFile(t, policy, `version: "2026.1"`, `version: "2026.2"`, "target: 15s}", "target: 8s}", "target: 5d",
		"target: 1d")
	s.start()
	connected()
	dry := ok("rebuild", "--dry-run", "--from", "2025-03", "--to", "2025-04")
	holds("the dry run", dry, "would change", "policy sidoarjo/2026.1 -> sidoarjo/2026.2", "met", "breached")
	if got := s.query(figures); got != before {
		t.Errorf("a dry run moved the figures from %s to %s", before, got)
	}

	// The service is killed before and after a portion is written; the client says so, and asking again goes on.
	for _, at := range []string{"rebuild.pending:2", "rebuild.upsert:3"} {
		s.stop()
		s.start("MONEV112_KILL_AT=" + at)
		connected()
		client := make(chan string)
		go func() {
			_, errs, code := s.run("rebuild", "--server", "http://"+s.addr, "--from", "2025-03", "--to", "2025-04")
			client <- fmt.Sprint(code, " ", errs)
		}()
		select {
		case <-s.gone:
		case <-time.After(patience):
			t.Fatalf("the service was not killed at %s", at)
		}
		s.start()
		if said := <-client; !strings.HasPrefix(said, "1 ") || !strings.Contains(said, "to go on") {
			t.Errorf("the client of a killed service says %s", said)
		}
	}
	connected()
	done, errs, code := s.run("rebuild", "--server", "http://"+s.addr, "--from", "2025-03", "--to", "2025-04")
	if code != 0 {
		t.Fatalf("the rebuild exits with %d: %s", code, errs)
	}
	holds("the client", errs, "goes on after")
	holds("the rebuild", done, "done", "policy sidoarjo/2026.1 -> sidoarjo/2026.2",
		"figures are no longer what was frozen", "policy sidoarjo/2026.1 is now sidoarjo/2026.2")
	if a, b := changes(dry), changes(done); a != b || a == "" {
		t.Errorf("the rebuild that was killed twice found other changes than the dry run:\n%s\n%s", a, b)
	}
	after := s.query(figures)
	if after == before {
		t.Errorf("the figures are still %s", after)
	}
	if got := s.query(frozen); got != kept {
		t.Errorf("the freeze moved: %s, was %s", got, kept)
	}
	if got := s.query(calls); got != callRows {
		t.Errorf("the rows of calls moved although only a policy of tickets changed")
	}
	again := ok("rebuild")
	holds("the second rebuild", again, "Nothing changed")
	if got := s.query(figures); got != after {
		t.Errorf("the second rebuild moved the figures from %s to %s", after, got)
	}

	report := ok("freeze", "--report", "--month", "2025-03")
	for _, other := range []string{"came in after", "neither definition", "hoax", "funnel", "passed their due time"} {
		if strings.Contains(report, other) {
			t.Errorf("the report speaks of %q, but only a policy changed:\n%s", other, tail(report, 3000))
		}
	}
	// A late event changes other figures, for another reason.
	if a, status, err := s.post([]byte(
		`{"specversion":"1.0","id":"late-1","source":"test","type":"monev112.call.received","subject":"call/late-1","time":"2025-03-05T10:00:00+07:00","data":{"center":"35.15"}}`)); err != nil || status != 200 || a.Accepted != 1 {
		t.Fatal(a, status, err)
	}
	s.shipped()
	holds("the report", ok("freeze", "--report", "--month", "2025-03"), "policy sidoarjo/2026.1 is now sidoarjo/2026.2",
		"events about 1 calls of the month came in after the freeze", "stage=unanswered")

	holds("freezing again", ok("freeze", "--month", "2025-03", "--again", "--reason", "new targets by decree"),
		"revision 2", "sidoarjo/2026.2")
	holds("the report", ok("freeze", "--report", "--month", "2025-03"), "revision 2", "new targets by decree",
		"every figure is what was frozen")
	if got := s.query("SELECT count(), groupBitXor(cityHash64(*)) FROM frozen WHERE revision = 1"); got != kept {
		t.Errorf("the first revision moved: %s, was %s", got, kept)
	}
}

// changes is the part of what a rebuild prints that counts changes.
func changes(out string) string {
	var kept []string
	for line := range strings.Lines(out) {
		_, counts, changed := strings.Cut(strings.Replace(line, "would change", "changed", 1), "changed: ")
		switch {
		case changed:
			kept = append(kept, counts)
		case strings.HasPrefix(line, "35.15"), strings.HasPrefix(line, "policy"):
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
