package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStartIsRefused: what is wrong with a start is said in one clear sentence that names the place and what would be
// right.
func TestStartIsRefused(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	running := newService(t).start()
	if !running.ready() {
		t.Fatal("the service ended")
	}
	running.child(0)
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() }) // the parallel tests outlive this function
	tests := []struct {
		name string
		args []string
		env  string
		code int
		says []string
	}{
		{"port taken", []string{"serve", "--listen", running.addr}, "", 1, []string{running.addr, "--listen"}},
		{"port of the engine taken", []string{"serve", "--engine-listen", taken.Addr().String()}, "", 1,
			[]string{taken.Addr().String(), "choose another address"}},
		{"a file in place of the folder", []string{"serve", "--data", file("plain", "x")}, "", 1,
			[]string{"plain", "folder"}},
		{"a file in place of a folder above", []string{"serve", "--data", filepath.Join(file("above", "x"), "data")}, "", 1,
			[]string{"above", "folder"}},
		{"second instance", []string{"serve", "--data", running.dir}, "", 1, []string{running.dir, "process"}},
		{"library missing", []string{"serve"}, "MONEV112_CHDB_LIB=" + filepath.Join(dir, "nowhere.so"), 1,
			[]string{"nowhere.so", "engine install"}},
		{"no configuration file", []string{"serve", "--config", filepath.Join(dir, "none.yaml")}, "", 1,
			[]string{"none.yaml"}},
		{"unknown key", []string{"serve", "--config", file("key.yaml", "limits:\n  max_cases: 5\n  max_case: 5\n")}, "", 1,
			[]string{"key.yaml:3:", "limits.max_case: unknown key", "perhaps max_cases"}},
		{"wrong type", []string{"serve", "--config", file("type.yaml", "limits:\n  max_cases: many\n")}, "", 1,
			[]string{"type.yaml:2:", "many", "a whole number"}},
		{"no YAML", []string{"serve", "--config", file("broken.yaml", "limits: [\n")}, "", 1, []string{"broken.yaml:1:"}},
		{"limit out of range", []string{"serve", "--config", file("range.yaml", "limits:\n  max_cases: -5\n")}, "", 1,
			[]string{"range.yaml", "limits.max_cases", "positive"}},
		{"attribute that is a field", []string{"serve", "--config", file("attribute.yaml", "attributes: [caller]\n")}, "", 1,
			[]string{"caller"}},
		{"wrong directory", []string{
			"serve", "--config", file("dir.yaml", "directory: "+file("directory.yaml", "centers: 5\n")+"\n"),
		}, "", 1, []string{"directory.yaml"}},
		{"missing policy", []string{"serve", "--config", file("pol.yaml", "policies: [nowhere.yaml]\n")}, "", 1,
			[]string{"nowhere.yaml"}},
		{"beyond loopback without a key", []string{"serve", "--listen", "0.0.0.0:0"}, "", 1, []string{"key create"}},
		{"unknown flag", []string{"serve", "--datas", dir}, "", 2, []string{"--datas"}},
		{"unknown command", []string{"server"}, "", 2, []string{"server"}},
		{"wrong level", []string{"serve", "--log-level", "loud"}, "", 2, []string{"loud"}},
		{"too many arguments", []string{"serve", "now"}, "", 2, []string{"now"}},
		{"unknown preset", []string{"simulate", "--preset", "surabaya", "--server", "http://" + running.addr}, "", 1,
			[]string{"surabaya", "sidoarjo-2023"}},
		{"server away", []string{
			"import", "--mapping", "sf-fire-2009-2018", "--rejects", filepath.Join(dir, "r"), filepath.Join(dir, "none.csv"),
		}, "", 1, []string{"none.csv"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := tt.args
			if args[0] == "serve" {
				for flag, value := range map[string]string{
					"--data": filepath.Join(t.TempDir(), "data"), "--listen": "127.0.0.1:0", "--engine-listen": "127.0.0.1:0",
				} {
					if !strings.Contains(strings.Join(args, " "), flag+" ") {
						args = append(args, flag, value)
					}
				}
			}
			cmd := exec.Command(path, args...)
			cmd.Env = append(os.Environ(), "HOME="+os.Getenv("HOME"))
			if tt.env != "" {
				cmd.Env = append(cmd.Env, tt.env)
			}
			var said syncBuffer
			cmd.Stderr = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			late := time.AfterFunc(patience/2, func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait()
			if late.Stop(); cmd.ProcessState.ExitCode() != tt.code {
				t.Errorf("exit code %d, want %d", cmd.ProcessState.ExitCode(), tt.code)
			}
			var sentence []string
			for l := range strings.Lines(said.String()) {
				if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, `{"time"`) {
					sentence = append(sentence, l)
				}
			}
			most := 1
			if tt.code == 2 {
				most = 4 // and where to find the usage, what may have been meant
			}
			if len(sentence) == 0 || len(sentence) > most || !strings.HasPrefix(sentence[0], "monev112: ") ||
				len(sentence[0]) > 600 {
				t.Errorf("%d lines, want one sentence:\n%s", len(sentence), strings.Join(sentence, "\n"))
			}
			for _, want := range tt.says {
				if !strings.Contains(strings.Join(sentence, "\n"), want) {
					t.Errorf("%q is not in: %s", want, sentence)
				}
			}
			for _, trace := range []string{"goroutine ", "panic:", ".go:"} {
				if strings.Contains(said.String(), trace) {
					t.Errorf("a stack trace: %s", tail(said.String(), 2000))
				}
			}
		})
	}
}

// TestFullBoard: while ClickHouse is away no more cases are taken than may be in memory; the sender is told to come
// again, and what it was told was accepted is all there in the end.
func TestFullBoard(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "monev112.yaml")
	if err := os.WriteFile(config, []byte("limits:\n  max_cases: 1000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newService(t, "--config", config).start()
	pid := s.child(0)
	s.signal(pid, syscall.SIGSTOP)
	if !s.ready() {
		t.Fatal("the service ended")
	}
	old := func(i int) []byte { // history, which leaves the memory once it is stored
		all := make([]string, 500)
		for j := range all {
			all[j] = line(fmt.Sprintf("old-%d-%d", i, j),
				fields{"time": "2025-01-02T03:04:05Z", "type": "monev112.call.abandoned"})
		}
		return []byte(strings.Join(all, "\n"))
	}
	accepted, refused := 0, 0
	for i := 0; i < 10; i++ {
		r, err := http.Post("http://"+s.addr+"/v1/events", ndjson, strings.NewReader(string(old(i))))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		switch r.StatusCode {
		case http.StatusOK:
			accepted += 500
		case http.StatusTooManyRequests:
			if refused++; r.Header.Get("Retry-After") == "" {
				t.Error("429 does not say when to come again")
			}
		default:
			t.Errorf("status %d", r.StatusCode)
		}
	}
	if refused == 0 || accepted == 0 || accepted > 2000 {
		t.Errorf("%d events accepted, %d requests refused, with room for 1000 cases", accepted, refused)
	}
	s.signal(pid, syscall.SIGCONT)
	s.until("there is room again", func() bool {
		a, status, err := s.post(old(10))
		return err == nil && status == http.StatusOK && a.Accepted+a.Duplicates == 500
	})
	s.shipped()
	if got := s.query("SELECT count(), uniqExact(id) FROM events"); got != fmt.Sprintf("%d\t%d", accepted+500,
		accepted+500) {
		t.Errorf("events, different ones: %s; want %d", got, accepted+500)
	}
}
