package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// child returns the process of the embedded ClickHouse, waiting until it was started.
func (s *service) child(other int) int {
	s.t.Helper()
	pid := 0
	if !s.until("the engine was started", func() bool {
		p := strconv.Itoa(s.cmd.Process.Pid)
		tasks, _ := filepath.Glob("/proc/" + p + "/task/*/children") // a child belongs to the thread that made it
		for _, task := range tasks {
			text, _ := os.ReadFile(task)
			for _, f := range strings.Fields(string(text)) {
				line, _ := os.ReadFile("/proc/" + f + "/cmdline")
				if n, err := strconv.Atoi(f); err == nil && n != other && strings.Contains(string(line), "\x00engine\x00") {
					pid = n
				}
			}
		}
		return pid != 0
	}) {
		s.t.Fatal("the service ended")
	}
	return pid
}

func (s *service) signal(pid int, sig syscall.Signal) {
	s.t.Helper()
	err := syscall.Kill(pid, sig)
	if sig == syscall.SIGCONT && errors.Is(err, syscall.ESRCH) {
		return // it was still so long that the service has put another in its place
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// lines are n good events.
func lines(prefix string, n int) []byte {
	all := make([]string, n)
	for i := range all {
		all[i] = line(fmt.Sprintf("%s-%d", prefix, i), nil)
	}
	return []byte(strings.Join(all, "\n"))
}

// must sends n events that have to be accepted.
func (s *service) must(prefix string, n int) {
	s.t.Helper()
	a, status, err := s.post(lines(prefix, n))
	if err != nil || status != http.StatusOK || a.Accepted != n {
		s.t.Fatalf("%s: status %d, %v, %+v", prefix, status, err, a)
	}
}

// TestClickHouseAway: ClickHouse is away at the start, hangs and dies under load. Events are accepted all the while,
// the lag shows, and in the end each stands in ClickHouse once, without anybody's help.
func TestClickHouseAway(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("the engine's process is found through /proc: ", err)
	}
	s := newService(t).start()
	pid := s.child(0)
	s.signal(pid, syscall.SIGSTOP)
	if !s.ready() {
		t.Fatal("not ready without ClickHouse")
	}
	sent := 0
	send := func(prefix string) {
		t.Helper()
		s.must(prefix, 500)
		sent += 500
	}
	lagging := func(when string) {
		t.Helper()
		s.until(when+": the lag shows", func() bool {
			return s.metric("monev112_journal_lag_bytes") > 0 && s.metric("monev112_journal_lag_seconds") > 0
		})
		if r, err := http.Get("http://" + s.addr + "/-/ready"); err != nil || r.StatusCode != http.StatusOK {
			t.Errorf("%s: not ready: %v %v", when, r, err)
		} else {
			r.Body.Close()
		}
	}
	stored := func(when string) {
		t.Helper()
		s.shipped()
		if got := s.query("SELECT count(), uniqExact(id) FROM events"); got != fmt.Sprintf("%d\t%d", sent, sent) {
			t.Errorf("%s: events, different ones: %s; want %d", when, got, sent)
		}
		if got := s.query("SELECT count() FROM calls_now"); got != strconv.Itoa(sent) {
			t.Errorf("%s: %s calls, want %d", when, got, sent)
		}
	}
	send("away-at-start")
	lagging("away at the start")
	s.signal(pid, syscall.SIGCONT)
	stored("away at the start")

	s.signal(pid, syscall.SIGSTOP)
	send("hanging-1")
	send("hanging-2")
	lagging("hanging")
	s.signal(pid, syscall.SIGCONT)
	stored("hanging")

	send("before-the-kill")
	s.signal(pid, syscall.SIGKILL)
	for i := range 4 {
		send(fmt.Sprintf("killed-%d", i))
	}
	next := s.child(pid)
	s.signal(next, syscall.SIGSTOP)
	send("killed-and-slow")
	lagging("killed")
	s.signal(next, syscall.SIGCONT)
	stored("killed")
	if got := s.metric("monev112_events_total{result=\"accepted\""); got != float64(sent) {
		t.Errorf("%v accepted by the metrics, want %d", got, sent)
	}
}

// TestFullDisk fills the disk of the journal, with a floor that is kept free and to the last byte. Nothing is
// acknowledged then, the service says so, and goes on by itself when there is room again.
func TestFullDisk(t *testing.T) {
	for name, floor := range map[string]int{"floor": 1 << 20, "to the last byte": -1} {
		t.Run(name, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "monev112.yaml")
			if err := os.WriteFile(config, fmt.Appendf(nil, "limits:\n  min_free_bytes: %d\n", floor), 0o600); err != nil {
				t.Fatal(err)
			}
			s := newService(t, "--config", config)
			journal := filepath.Join(s.dir, "journal")
			if err := os.MkdirAll(journal, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mount("tmpfs", journal, "tmpfs", 0, "size=4m"); err != nil {
				t.Skip("a small disk cannot be mounted here: ", err)
			}
			t.Cleanup(func() {
				s.kill()
				if err := syscall.Unmount(journal, 0); err != nil {
					t.Error(err)
				}
			})
			if s.start(); !s.ready() {
				t.Fatal("the service ended")
			}
			s.must("before", 100)
			filler := filepath.Join(journal, "filler")
			if err := os.WriteFile(filler, make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
				t.Fatal("the disk is not full: ", err)
			}
			if _, status, err := s.post(lines("full", 100)); err != nil || status != http.StatusServiceUnavailable {
				t.Errorf("a full disk answers %d, %v", status, err)
			}
			s.until("not ready", func() bool {
				r, err := http.Get("http://" + s.addr + "/-/ready")
				if err != nil {
					return false
				}
				r.Body.Close()
				return r.StatusCode == http.StatusServiceUnavailable && r.Header.Get("Retry-After") != ""
			})
			if got := s.metric("monev112_disk_free_bytes"); got < 0 || got > 1<<20 {
				t.Errorf("monev112_disk_free_bytes is %v", got)
			}
			s.shipped() // what was acknowledged drains
			if got := s.query("SELECT count() FROM events_now"); got != "100" {
				t.Errorf("%s events of 100 that were acknowledged", got)
			}
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			if !s.ready() {
				t.Fatal("the service ended")
			}
			s.must("full", 100) // the client sends it again
			s.must("after", 100)
			s.kill()
			if s.start(); !s.ready() {
				t.Fatal("the service ended")
			}
			s.shipped()
			if got := s.query("SELECT count(), uniqExact(id) FROM events"); got != "300\t300" {
				t.Errorf("events, different ones: %s; want 300", got)
			}
		})
	}
}
