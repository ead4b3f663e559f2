package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// startEngine runs an engine by itself, as a stand-in for a ClickHouse server, and returns its address and key file.
func startEngine(t *testing.T) (addr, keyFile string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir, log := filepath.Join(t.TempDir(), "server"), &syncBuffer{}
	var cmd *exec.Cmd
	var gone chan struct{}
	start := func() {
		addr = freeAddr(t)
		cmd, gone = exec.Command(path, "engine", "--data", dir, "--listen", addr), make(chan struct{})
		cmd.Stderr = log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func(cmd *exec.Cmd, gone chan struct{}) {
			_ = cmd.Wait()
			close(gone)
		}(cmd, gone)
	}
	start()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
		if t.Failed() {
			t.Logf("log of the server:\n%s", tail(log.String(), 2000))
		}
	})
	Until(t, "the server answers", func() bool {
		select {
		case <-gone:
			if !portTaken(log.String()) {
				t.Fatal("the server ended")
			}
			start()
		default:
		}
		r, err := http.Get("http://" + addr + "/ping")
		if err == nil {
			r.Body.Close()
		}
		return err == nil
	})
	return addr, filepath.Join(dir, "engine.key")
}

// TestMoveToAServer moves a service from the embedded ClickHouse to another while a client sends without a pause:
// history is brought over by a backup, killed once on the way, beside the service at work; then the service stops and
// starts with the new address. In the end the server holds every event once, and the cases that follow from them.
func TestMoveToAServer(t *testing.T) {
	t.Parallel()
	batches, events := simulatedDay(t)
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	var sent atomic.Int64
	ended, over := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(over); <-ended })
	// how far the client may go: the steps below fall between its batches, wherever the machine is slow
	upTo := make(chan int, 3)
	go func() {
		defer close(ended)
		limit := 0
		for i, b := range batches {
			for i >= limit {
				select {
				case limit = <-upTo:
				case <-over:
					return
				}
			}
			for {
				a, status, err := s.post(b)
				if err == nil && status == http.StatusOK && len(a.Rejected) == 0 {
					break
				}
				select {
				case <-over:
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
			sent.Add(1)
		}
	}()
	reached := func(n int) {
		t.Helper()
		if !s.until(fmt.Sprint(n, " batches are sent"), func() bool { return sent.Load() >= int64(n) }) {
			t.Fatal("the service ended")
		}
	}
	quarter := len(batches) / 4
	upTo <- quarter
	reached(quarter)
	s.shipped()
	upTo <- 3 * quarter // it sends on while history is moved

	server, key := startEngine(t)
	to := filepath.Join(t.TempDir(), "history")
	if out, code, _ := s.tool("", "backup", "--data", s.dir, "--to", to); code != 0 {
		t.Fatalf("backup exits with %d: %s", code, out)
	}
	fill := []string{"restore", "--from", to, "--clickhouse", "http://" + server, "--clickhouse-password-file", key}
	if out, _, killed := s.tool("MONEV112_KILL_AT=restore.tables:1", fill...); !killed {
		t.Fatalf("not killed: %s", out)
	}
	if out, code, _ := s.tool("", fill...); code != 0 {
		t.Fatalf("the second restore exits with %d: %s", code, out)
	}
	if out, code, _ := s.tool("", fill...); code != 1 || !strings.Contains(out, "already") {
		t.Errorf("the server is filled twice: %d %s", code, out)
	}
	reached(3 * quarter)
	upTo <- len(batches) // it sends on while the service is away
	if code := s.stop(); code != 0 {
		t.Errorf("the service exits with %d", code)
	}
	config := filepath.Join(t.TempDir(), "monev112.yaml")
	text := fmt.Sprintf("clickhouse:\n  address: %s\n  protocol: http\n  password_file: %s\n", server, key)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.args, s.engine = []string{"--config", config}, server
	s.start()
	reached(len(batches))
	s.shipped()
	if !s.until("the board is whole", func() bool { return s.metric("monev112_board_complete") == 1 }) {
		t.Fatal("the service ended")
	}
	if got := s.query("SELECT count() FROM events FINAL"); got != fmt.Sprint(events) {
		t.Errorf("%s events on the server, %d were acknowledged", got, events)
	}
	if !strings.Contains(s.log.String(), "another ClickHouse than before") {
		t.Error("the move is not in the log")
	}
	// To fold every case again from its events changes none.
	out, errs, code := s.run("rebuild", "--server", "http://"+s.addr, "--dry-run")
	if code != 0 || !strings.Contains(out, "Nothing would change.") {
		t.Errorf("rebuild exits with %d: %q, %q", code, out, errs)
	}
	// The second start knows the server.
	s.stop()
	s.start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	s.shipped()
	if n := strings.Count(s.log.String(), "another ClickHouse than before"); n != 1 {
		t.Errorf("%d times said to be another ClickHouse", n)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("the service exits with %d", code)
	}
}
