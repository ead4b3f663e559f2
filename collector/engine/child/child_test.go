package child_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/engine/child"
	"github.com/monev112/monev112/collector/engine/enginetest"
	"github.com/monev112/monev112/collector/engine/install"
	"github.com/monev112/monev112/collector/engine/server"
	"github.com/monev112/monev112/collector/internal/freeaddr"
)

// patience bounds every wait; a machine under load may need it.
const patience = 5 * time.Minute

// mainEnv makes this test binary a program that is run as a child.
const mainEnv = "MONEV112_ENGINE_TEST_MAIN"

func TestMain(m *testing.M) {
	switch os.Getenv(mainEnv) {
	case "":
		os.Exit(m.Run())
	case "engine": // what `monev112 engine` does
		flags := flag.NewFlagSet("engine", flag.ExitOnError)
		data, listen := flags.String("data", "", ""), flags.String("listen", "", "")
		_ = flags.Parse(os.Args[1:])
		patience := patience // for folder and port of one that is ending
		if p, err := time.ParseDuration(os.Getenv("PATIENCE")); err == nil {
			patience = p
		}
		if err := server.Run(context.Background(),
			server.Config{Options: server.Options{DataDir: *data}, Listen: *listen, Patience: patience}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "mute": // answers the first question of its parent, and none after it
		ctx, announce := child.Attach(context.Background(), slog.New(slog.DiscardHandler))
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		var asked atomic.Int32
		go http.Serve(l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if asked.Add(1) > 1 {
				<-r.Context().Done()
			}
		}))
		if err := announce(l.Addr().String()); err != nil {
			panic(err)
		}
		<-ctx.Done()
	case "parent": // a program that holds an engine and is killed
		process, err := child.New(childConfig(os.Args[1], os.Args[2]))
		if err != nil {
			panic(err)
		}
		_ = process.Run(context.Background())
	}
}

func childConfig(data, listen string) child.Config {
	return child.Config{
		DataDir: data, Listen: listen, Command: []string{os.Args[0]}, Env: []string{mainEnv + "=engine"},
		StopTimeout: patience, Log: slog.New(slog.DiscardHandler),
	}
}

// startChild runs an engine as a child until the test ends; stop ends it earlier and waits.
func startChild(t *testing.T, config child.Config) (process *child.Process, addr, key string, stop func()) {
	t.Helper()
	enginetest.Start(t) // skips when there is no library
	process, err := child.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- process.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	wait, over := context.WithTimeout(ctx, patience)
	defer over()
	if addr, key, err = process.WaitReady(wait); err != nil {
		t.Fatal(err)
	}
	return process, addr, key, stop
}

// enginePID finds the engine that serves addr: the process that holds the lock names itself in no file, so ask
// ClickHouse.
func enginePID(t *testing.T, data string) int {
	t.Helper()
	procs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range procs {
		line, _ := os.ReadFile(path)
		if args := strings.Split(string(line), "\x00"); len(args) > 3 && args[1] == "--data" && args[2] == data {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			return pid
		}
	}
	t.Fatal("no engine process found")
	return 0
}

func TestKilledEngineKeepsEveryAcknowledgedRow(t *testing.T) {
	data := t.TempDir()
	process, addr, key, _ := startChild(t, childConfig(data, "127.0.0.1:0"))
	for _, sql := range []string{
		"CREATE DATABASE d", "CREATE TABLE d.t (writer UInt64, n UInt64, s String) ENGINE = ReplacingMergeTree ORDER BY " +
			"(writer, n) SETTINGS non_replicated_deduplication_window = 1000",
	} {
		if _, err := enginetest.Post(addr, key, sql, "", nil); err != nil {
			t.Fatal(err)
		}
	}
	const (
		writers = 4
		rows    = 200
		kills   = 2
	)
	type unsent struct {
		writer, from int
	}
	acknowledged := make([]int, writers)
	var again []unsent
	for round := range kills {
		pid := enginePID(t, data)
		var mu sync.Mutex
		var wait sync.WaitGroup
		killed := make(chan struct{})
		inserted := make(chan struct{}, 1000)
		for w := range writers {
			wait.Go(func() {
				for {
					mu.Lock()
					from := acknowledged[w]
					mu.Unlock()
					var body strings.Builder
					for n := from; n < from+rows; n++ {
						fmt.Fprintf(&body, "%d\t%d\t%s\n", w, n, strings.Repeat("x", 100))
					}
					_, err := enginetest.Post(addr, key, "INSERT INTO d.t FORMAT TSV", body.String(),
						url.Values{"insert_deduplication_token": {fmt.Sprintf("%d-%d", w, from)}})
					if err != nil {
						mu.Lock()
						again = append(again, unsent{w, from})
						mu.Unlock()
						return
					}
					mu.Lock()
					acknowledged[w] = from + rows
					mu.Unlock()
					select {
					case inserted <- struct{}{}:
					default:
					}
				}
			})
		}
		go func() {
			for range 10 + 7*round {
				<-inserted
			}
			_ = syscall.Kill(pid, syscall.SIGKILL)
			close(killed)
		}()
		<-killed
		wait.Wait()
		waitForPing(t, addr)
		if process.Addr() != addr {
			t.Fatalf("the address changed from %s to %s", addr, process.Addr())
		}
		mu.Lock()
		total := 0
		for w, n := range acknowledged {
			total += n
			got, err := enginetest.Post(addr, key,
				fmt.Sprintf("SELECT count() >= %d, uniqExact(n) >= %d, countIf(n < %d) = %d FROM d.t WHERE writer = %d", n, n, n, n,
					w), "", nil)
			if err != nil || got != "1\t1\t1\n" {
				t.Errorf("round %d writer %d: of %d acknowledged rows: %q, %v", round, w, n, got, err)
			}
		}
		// What was not acknowledged is sent again with its token: nothing is counted twice.
		for _, u := range again {
			var body strings.Builder
			for n := u.from; n < u.from+rows; n++ {
				fmt.Fprintf(&body, "%d\t%d\t%s\n", u.writer, n, strings.Repeat("x", 100))
			}
			if _, err := enginetest.Post(addr, key, "INSERT INTO d.t FORMAT TSV", body.String(),
				url.Values{"insert_deduplication_token": {fmt.Sprintf("%d-%d", u.writer, u.from)}}); err != nil {
				t.Error(err)
			}
			acknowledged[u.writer] = u.from + rows
			total += rows
		}
		again = nil
		mu.Unlock()
		if got, err := enginetest.Post(addr, key, "SELECT count() FROM d.t", "", nil); err != nil ||
			got != fmt.Sprintf("%d\n", total) {
			t.Errorf("round %d: %q rows without FINAL, want %d (%v)", round, got, total, err)
		}
	}
	if process.Restarts() != kills {
		t.Errorf("%d restarts, want %d", process.Restarts(), kills)
	}
}

// waitForPing waits until the engine answers again.
func waitForPing(t *testing.T, addr string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		response, err := http.Get("http://" + addr + "/ping")
		if err == nil {
			response.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestEngineEndsWithItsParent(t *testing.T) {
	enginetest.Start(t)
	data := t.TempDir()
	addr, err := freeaddr.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(os.Args[0], data, addr)
	parent.Env = append(os.Environ(), mainEnv+"=parent")
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	waitForPing(t, addr)
	_ = parent.Process.Kill()
	_ = parent.Wait()
	// A second engine waits for folder and port, and gets them.
	_, again, _, stop := startChild(t, childConfig(data, addr))
	if again != addr {
		t.Errorf("listens on %s", again)
	}
	stop()
	if r, err := http.Get("http://" + addr + "/ping"); err == nil {
		r.Body.Close()
		t.Error("still answers after its end")
	}
	if _, err := os.Stat(filepath.Join(data, "engine.addr")); err == nil {
		t.Error("a clean end leaves engine.addr")
	}
}

func TestChildSaysWhyItCannotStart(t *testing.T) {
	enginetest.Start(t)
	held := t.TempDir()
	startChild(t, childConfig(held, "127.0.0.1:0"))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, data, listen, env, want string
	}{
		{"folder held", held, "127.0.0.1:0", "", "another process uses this data folder"},
		{"port taken", t.TempDir(), taken.Addr().String(), "", "is taken by another program"},
		{"folder is a file", file, "127.0.0.1:0", "", "make the data folder"},
		{"library missing", t.TempDir(), "127.0.0.1:0", install.LibraryEnv + "=/nonexistent/libchdb.so", "not installed"},
		{"library broken", t.TempDir(), "127.0.0.1:0", install.LibraryEnv + "=" + file, "load ClickHouse library"},
		{"not an address", t.TempDir(), "nonsense", "", "write host:port"},
		{"open to all", t.TempDir(), ":0", "", "can be reached from other machines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := childConfig(c.data, c.listen)
			config.Env = append(config.Env, "PATIENCE=200ms")
			if c.env != "" {
				config.Env = append(config.Env, c.env)
			}
			process, err := child.New(config)
			if err != nil {
				t.Fatal(err)
			}
			err = process.Run(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
			if _, _, ready := process.WaitReady(context.Background()); ready == nil || ready.Error() != err.Error() {
				t.Errorf("WaitReady: %v", ready)
			}
		})
	}
}

// TestAnEngineKilledWhileItStartsIsStartedAgain kills the first engine before it can answer, lets the second hang, and
// gives the next too little time, which grows until it is enough.
func TestAnEngineKilledWhileItStartsIsStartedAgain(t *testing.T) {
	config := childConfig(t.TempDir(), "127.0.0.1:0")
	const script = `n=$(ls "$LIVES" | wc -l); touch "$LIVES/$n"
		case $n in 0) kill -KILL $$;; 1) exec sleep 600;; *) exec "$PROGRAM" "$@";; esac`
	config.Command = []string{"/bin/sh", "-c", script, "sh"}
	config.Env = append(config.Env, "PROGRAM="+os.Args[0], "LIVES="+t.TempDir())
	config.StartTimeout = 500 * time.Millisecond
	process, _, _, _ := startChild(t, config)
	if n := process.Restarts(); n < 2 {
		t.Errorf("it came up after %d restarts", n)
	}
}

// saying passes on the messages of a log whose text begins in a certain way.
type saying struct {
	slog.Handler
	start string
	to    chan<- slog.Record
}

func (s saying) Enabled(context.Context, slog.Level) bool { return true }

func (s saying) WithAttrs([]slog.Attr) slog.Handler { return s }

func (s saying) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, s.start) {
		select {
		case s.to <- r:
		default:
		}
	}
	return nil
}

func TestAnEngineThatHangsIsStartedAgain(t *testing.T) {
	told := make(chan slog.Record, 10)
	config := childConfig(t.TempDir(), "127.0.0.1:0")
	config.Env = []string{mainEnv + "=mute"}
	config.HealthEvery, config.HealthTimeout, config.HealthMisses = time.Millisecond, 20*time.Millisecond, 3
	config.Log = slog.New(saying{slog.DiscardHandler, "process ended", told})
	process, err := child.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- process.Run(ctx) }()
	for range 2 { // also the one that took its place
		r := <-told
		why := ""
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "error" {
				why = a.Value.String()
			}
			return true
		})
		if !strings.Contains(why, "answers no more: killed after 3 questions") {
			t.Errorf("it ended because %q", why)
		}
	}
	if n := process.Restarts(); n < 2 {
		t.Errorf("%d restarts were counted", n)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestSecondEngineOnAFolderIsRefused(t *testing.T) {
	enginetest.Start(t)
	data := t.TempDir()
	startChild(t, childConfig(data, "127.0.0.1:0"))
	if _, err := server.Open(server.Options{DataDir: data}); !errors.Is(err, server.ErrLocked) {
		t.Errorf("%v", err)
	}
}
