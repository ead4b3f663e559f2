// Package e2e runs the real program with the real engine, as a user would, kills it, starts it again and counts.
package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program, built once with the tag that lets a test kill it at a named place.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "monev112-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "monev112")
	return path, buildProgram(path, "-tags", "faults")
})

func buildProgram(path string, flags ...string) error {
	args := append(append([]string{"build"}, flags...), "-o", path, "github.com/monev112/monev112/cmd/monev112")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

// roomBytes is what the data folders of the tests that run at once, and what the go command builds, take of the disk.
const roomBytes = 2 << 30

func TestMain(m *testing.M) {
	if flag.Parse(); testing.Short() {
		return // every test here starts servers
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(os.TempDir(), &disk); err == nil && disk.Bavail*uint64(disk.Bsize) < roomBytes {
		fmt.Fprintf(os.Stderr, "%s has %d MiB left, and these tests need %d: make room, or set TMPDIR to a larger disk\n",
			os.TempDir(), disk.Bavail*uint64(disk.Bsize)>>20, roomBytes>>20)
		os.Exit(1)
	}
	state, err := os.MkdirTemp("", "monev112-state-") // of imports: not the home of who runs the tests
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_STATE_HOME", state)
	code := m.Run()
	os.RemoveAll(state)
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// service is one data folder and, while it runs, the process on it.
type service struct {
	t       testing.TB
	dir     string
	addr    string // of the service
	engine  string // of the embedded ClickHouse
	args    []string
	env     []string
	program string      // the binary; empty: the one built with the tag faults
	command string      // of the program; empty: serve
	said    *syncBuffer // its standard output; nil: nowhere
	cmd     *exec.Cmd
	gone    chan struct{}
	log     *syncBuffer
	waitErr error
	once    []string // the environment of the latest start
	before  int      // bytes of log before it
}

// newService prepares a service on a folder of its own; start runs it.
func newService(t testing.TB, args ...string) *service {
	s := &service{
		t: t, dir: filepath.Join(t.TempDir(), "data"), addr: freeAddr(t), engine: freeAddr(t), args: args, log: &syncBuffer{},
	}
	t.Cleanup(func() {
		s.kill()
		s.endChildren()
		if t.Failed() {
			t.Logf("log of the service:\n%s", tail(s.log.String(), 8000))
		}
	})
	return s
}

// needs skips a test of commands that this machine has not.
func needs(t testing.TB, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("commands of a document are run, and this machine has no ", name)
		}
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func (s *service) start(env ...string) *service {
	s.t.Helper()
	path, err := s.program, error(nil)
	if path == "" {
		path, err = binary()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd = exec.Command(path,
		append([]string{cmp.Or(s.command, "serve"), "--data", s.dir, "--listen", s.addr, "--engine-listen", s.engine},
			s.args...)...)
	s.cmd.Env = append(append(os.Environ(), s.env...), env...)
	s.once, s.before = env, len(s.log.String())
	s.cmd.Stderr = s.log
	if s.said != nil {
		s.cmd.Stdout = s.said
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	gone := make(chan struct{})
	s.gone = gone
	go func() {
		s.waitErr = s.cmd.Wait()
		close(gone)
	}()
	return s
}

// ready waits until events are accepted; it returns false when the process ends before. One that found its port taken,
// by a test of another package that looks for one of its own, is started again.
func (s *service) ready() bool {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; s.start(s.once...) {
		if s.until("events are accepted", func() bool {
			r, err := http.Get("http://" + s.addr + "/-/ready")
			if err != nil {
				return false
			}
			r.Body.Close()
			return r.StatusCode == http.StatusOK
		}) {
			return true
		}
		if !portTaken(s.log.String()[s.before:]) || time.Now().After(deadline) {
			return false
		}
	}
}

// until polls until ok, and returns false when the process ends first.
func (s *service) until(what string, ok func() bool) bool {
	s.t.Helper()
	return s.within(patience, what, ok)
}

// within is until with a patience of its own.
func (s *service) within(patience time.Duration, what string, ok func() bool) bool {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		select {
		case <-s.gone:
			return false
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("not within %s: %s", patience, what)
		}
	}
	return true
}

// ended waits for an end that the test brought about.
func (s *service) ended(why string) {
	s.t.Helper()
	s.until(why, func() bool { return false })
}

// kill ends the process at once, as power loss does for a process.
func (s *service) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.gone
}

// endChildren ends what a killed process left behind, the engine above all: it writes for some moments more, into the
// folder that the test is about to remove.
func (s *service) endChildren() {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		found := false
		names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, name := range names {
			line, _ := os.ReadFile(name) // empty of a process that has ended
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil && pid != os.Getpid() &&
				bytes.Contains(line, []byte("\x00"+s.dir)) {
				found = true
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		if !found {
			return
		}
	}
}

// stop ends the process as an operator does, and returns its exit code.
func (s *service) stop() int {
	s.t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.gone:
	case <-time.After(patience):
		s.t.Fatal("the service does not stop on SIGTERM")
	}
	var exit *exec.ExitError
	if errors.As(s.waitErr, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// answer is what POST /v1/events says.
type answer struct {
	Accepted   int `json:"accepted"`
	Duplicates int `json:"duplicates"`
	Rejected   []struct {
		Index  int    `json:"index"`
		ID     string `json:"id"`
		Field  string `json:"field"`
		Reason string `json:"reason"`
	} `json:"rejected"`
}

// post sends lines of events once.
func (s *service) post(lines []byte) (answer, int, error) {
	r, err := http.Post("http://"+s.addr+"/v1/events", "application/x-ndjson", bytes.NewReader(lines))
	if err != nil {
		return answer{}, 0, err
	}
	defer r.Body.Close()
	var a answer
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return answer{}, r.StatusCode, err
	}
	if r.StatusCode == http.StatusOK || r.StatusCode == http.StatusBadRequest {
		err = json.Unmarshal(body, &a)
	}
	return a, r.StatusCode, err
}

// query asks ClickHouse as a person with curl does.
func (s *service) query(sql string) string {
	s.t.Helper()
	out, err := s.tryQuery(sql)
	if err != nil {
		s.t.Fatalf("%v\nof %s", err, sql)
	}
	return out
}

func (s *service) tryQuery(sql string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.engine+"/?database=monev112",
		strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", r.StatusCode, body)
	}
	return strings.TrimRight(string(body), "\n"), err
}

// shipped waits until ClickHouse has everything that was accepted, cases included.
func (s *service) shipped() {
	s.t.Helper()
	if !s.until("the journal is shipped", func() bool {
		if s.metric("monev112_journal_lag_bytes") != 0 {
			return false
		}
		left, err := s.tryQuery(
			"SELECT (SELECT count() FROM hours_pending FINAL WHERE NOT done) + (SELECT count() FROM days_pending FINAL WHERE " +
				"NOT done)")
		return err == nil && left == "0"
	}) {
		s.t.Fatal("the service ended")
	}
}

// metric returns the sum of the series that begin so, -1 when there is none.
func (s *service) metric(prefix string) float64 {
	r, err := http.Get("http://" + s.addr + "/metrics")
	if err != nil {
		return -1
	}
	defer r.Body.Close()
	sum, found := 0.0, false
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		line := lines.Text()
		if !strings.HasPrefix(line, prefix) {
			continue
		}
		if rest := line[len(prefix):]; rest != "" && rest[0] != ' ' && rest[0] != '{' && !strings.Contains(prefix, "{") {
			continue
		}
		v, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err == nil {
			sum, found = sum+v, true
		}
	}
	if !found {
		return -1
	}
	return sum
}

// run runs another command of the program to its end.
func (s *service) run(args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	return out.String(), errs.String(), code
}

// syncBuffer is a buffer that a process writes while a test reads.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// copyKeys gives a second service the caller keys of a first one, so that both make the same hashes.
func copyKeys(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(from, "caller-keys"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "caller-keys"), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// merge makes ClickHouse merge a table whole, as it would in time.
func (s *service) merge(table string) {
	s.t.Helper()
	s.order("OPTIMIZE TABLE " + table + " FINAL")
}

// order has ClickHouse do what only the service may ask of it.
func (s *service) order(sql string) {
	s.t.Helper()
	key, err := os.ReadFile(filepath.Join(s.dir, "clickhouse", "engine.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+s.engine+"/?database=monev112",
		strings.NewReader(sql))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("X-ClickHouse-Key", strings.TrimSpace(string(key)))
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	if body, _ := io.ReadAll(r.Body); r.StatusCode != http.StatusOK {
		s.t.Fatalf("%d: %s\nof %s", r.StatusCode, body, sql)
	}
}
