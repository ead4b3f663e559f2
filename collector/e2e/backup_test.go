package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// tool runs a command of the program with an environment and tells whether it was killed.
func (s *service) tool(env string, args ...string) (text string, code int, killed bool) {
	s.t.Helper()
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	if env != "" {
		cmd.Env = append(os.Environ(), env)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode(), err != nil && strings.Contains(err.Error(), "killed")
}

// rowCounts returns how many rows each table holds, each key once.
func (s *service) rowCounts() string {
	s.t.Helper()
	var out []string
	for _, rows := range []string{ // without those that say that there is none any more, which a backup need not hold
		"events FINAL", "calls FINAL", "tickets FINAL", "clocks FINAL WHERE NOT void", "calls_hourly_now", "frozen FINAL",
		"notifications FINAL",
	} {
		out = append(out, rows+" "+s.query("SELECT count() FROM "+rows))
	}
	return strings.Join(out, "\n")
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// TestBackupBesideIngestAndRestore takes a backup while events come in, restores it into an empty folder and starts a
// service there. Both are killed half-way first. The restored service holds all that was acknowledged before the backup
// began, knows it when it is sent again, and with the rest it ends as the first service does.
func TestBackupBesideIngestAndRestore(t *testing.T) {
	t.Parallel()
	batches, events := simulatedDay(t)
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	third := len(batches) / 3
	for _, b := range batches[:third] {
		s.deliver(b)
	}
	s.shipped()

	folder := t.TempDir()
	to, secrets := filepath.Join(folder, "backup"), filepath.Join(folder, "secrets.json")
	if out, _, killed := s.tool("MONEV112_KILL_AT=backup.tables:1", "backup", "--data", s.dir, "--to", to); !killed ||
		exists(to) {
		t.Fatalf("killed %v; an interrupted backup stands under its name: %v\n%s", killed, exists(to), out)
	}
	if out, code, _ := s.tool("", "restore", "--from", to+".unfinished", "--data",
		filepath.Join(folder, "half")); code != 1 || !strings.Contains(out, "interrupted") {
		t.Errorf("a half backup is restored: %d %s", code, out)
	}

	sent := make(chan struct{})
	began := make(chan struct{})
	begin := sync.OnceFunc(func() { close(began) })
	go func() {
		defer close(sent)
		defer begin() // what ended early is told below
		for i, b := range batches[third:] {
			if i == 2 {
				begin()
			}
			if !s.tryDeliver(b) {
				return
			}
		}
	}()
	<-began
	out, code, _ := s.tool("", "backup", "--data", s.dir, "--to", to, "--secrets", secrets)
	if code != 0 {
		t.Fatalf("backup exits with %d: %s", code, out)
	}
	<-sent
	if out, code, _ := s.tool("", "backup", "--data", s.dir, "--to", to); code != 1 || !strings.Contains(out, "exists") {
		t.Errorf("a second backup to the same folder: %d %s", code, out)
	}
	if out, code, _ := s.tool("", "backup", "--verify", to); code != 0 || !strings.Contains(out, "complete") {
		t.Errorf("verify: %d %s", code, out)
	}
	s.shipped()
	want, wantCases := s.rowCounts(), map[string]string{}
	for name, sql := range cases {
		wantCases[name] = s.query(sql)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("the service exits with %d", code)
	}

	r := newService(t)
	if out, code, _ := s.tool("", "restore", "--from", to, "--data", s.dir); code != 1 ||
		!strings.Contains(out, "not empty") {
		t.Errorf("a restore over a data folder: %d %s", code, out)
	}
	for _, point := range []string{"restore.tables:1", "restore.rename:1"} {
		if out, _, killed := s.tool("MONEV112_KILL_AT="+point, "restore", "--from", to, "--data", r.dir); !killed ||
			exists(r.dir) {
			t.Fatalf("%s: killed %v; an interrupted restore stands under its name: %v\n%s", point, killed, exists(r.dir), out)
		}
	}
	if out, code, _ := s.tool("", "restore", "--from", to, "--data", r.dir, "--secrets", secrets); code != 0 {
		t.Fatalf("restore exits with %d: %s", code, out)
	}
	r.start()
	if !r.ready() {
		t.Fatal("the restored service ended")
	}
	r.shipped()
	if !r.until("the board is whole", func() bool { return r.metric("monev112_board_complete") == 1 }) {
		t.Fatal("the restored service ended")
	}
	for i, b := range batches {
		a, status, err := r.post(b)
		if err != nil || status != http.StatusOK {
			t.Fatalf("batch %d: %d %v", i, status, err)
		}
		if i < third && a.Accepted > 0 {
			t.Fatalf("batch %d was acknowledged before the backup, %d of its events are new to the restored service", i,
				a.Accepted)
		}
	}
	r.shipped()
	if got := r.rowCounts(); got != want {
		t.Errorf("rows of the first service\n%s\nof the restored\n%s", want, got)
	}
	for name, sql := range cases {
		if got := r.query(sql); got != wantCases[name] {
			t.Errorf("%s differ from those of the first service:\n%s", name, firstDifference(wantCases[name], got))
		}
	}
	if got := r.query("SELECT count() FROM events FINAL"); got != fmt.Sprint(events) {
		t.Errorf("%s events, want %d", got, events)
	}
	if code := r.stop(); code != 0 {
		t.Errorf("the restored service exits with %d", code)
	}

	// Offline, the engine runs for the time of the backup.
	again := filepath.Join(folder, "again")
	if out, code, _ := s.tool("", "backup", "--data", r.dir, "--to", again); code != 0 ||
		!strings.Contains(out, fmt.Sprint(events)) {
		t.Errorf("a backup of a service that does not run: %d %s", code, out)
	}
	damage(t, filepath.Join(again, "tables", "events-0001.tsv.zst"))
	if out, code, _ := s.tool("", "backup", "--verify", again); code != 1 ||
		!strings.Contains(out, "events-0001.tsv.zst is damaged") {
		t.Errorf("a damaged file: %d %s", code, out)
	}
	if out, code, _ := s.tool("", "restore", "--from", again, "--data", filepath.Join(folder, "none")); code != 1 ||
		exists(filepath.Join(folder, "none")) {
		t.Errorf("a damaged backup is restored: %d %s", code, out)
	}
}

func damage(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
