// Package child keeps the embedded ClickHouse running as a process of its own: a fault in ClickHouse, or its memory, is
// then not the service's. It owns both sides of what parent and child tell each other; it asks ClickHouse nothing but
// whether it answers.
package child

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/monev112/monev112/collector/engine"
)

// Config configures a Process.
type Config struct {
	// DataDir and Listen are the engine's. Listen with port 0 takes a free port at the first start and keeps it.
	DataDir, Listen string
	// Command is the program and its arguments before --data and --listen; default: this program and "engine".
	Command []string
	// MaxMemoryBytes bounds what all statements together may use; 0 is the engine's default.
	MaxMemoryBytes int64
	// Env is added to this process's environment.
	Env []string
	// StartTimeout bounds the time until the engine answers /ping: it covers the 15 s that the engine itself waits for the
	// folder and the port. Default 60 s (opening loads every table); after a start that took longer, twice as long as
	// before, up to 16 min.
	StartTimeout time.Duration
	// StopTimeout is how long a clean end may take before the engine is killed, which loses nothing; default 2 s.
	StopTimeout time.Duration
	// An engine that answers no /ping HealthMisses times in a row, asked every HealthEvery and given HealthTimeout for
	// each, hangs: it is killed and started again. Defaults 10 s, 10 s and 6: a minute or two.
	HealthEvery, HealthTimeout time.Duration
	HealthMisses               int
	// Log gets the engine's own lines and what the supervision does; default slog.Default().
	Log *slog.Logger
}

// Process keeps an engine running as a process of its own: a fault in ClickHouse, or its memory, is then not the
// caller's. Make it with New, run it with Run. Its methods may be called from several goroutines.
type Process struct {
	config Config

	mu       sync.Mutex
	addr     string        // known once the engine has answered
	ready    chan struct{} // closed at the first answer
	over     chan struct{} // closed when Run has returned
	err      error         // why there will be no answer; valid once over is closed
	restarts int
}

// New checks the configuration and returns a Process, which Run starts.
func New(config Config) (*Process, error) {
	if config.DataDir == "" {
		return nil, errors.New("engine: no data folder given")
	}
	dir, err := filepath.Abs(config.DataDir)
	if err != nil {
		return nil, fmt.Errorf("engine: data folder %s: %w", config.DataDir, err)
	}
	config.DataDir = dir
	config.Listen = cmp.Or(config.Listen, engine.DefaultListen)
	config.StartTimeout = cmp.Or(config.StartTimeout, time.Minute)
	config.StopTimeout = cmp.Or(config.StopTimeout, 2*time.Second)
	config.HealthEvery = cmp.Or(config.HealthEvery, 10*time.Second)
	config.HealthTimeout = cmp.Or(config.HealthTimeout, 10*time.Second)
	config.HealthMisses = cmp.Or(config.HealthMisses, 6)
	config.Log = cmp.Or(config.Log, slog.Default()).With("component", "engine")
	if len(config.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("engine: find this program: %w", err)
		}
		config.Command = []string{self, "engine"}
	}
	return &Process{config: config, ready: make(chan struct{}), over: make(chan struct{})}, nil
}

// WaitReady waits until the engine answers and gives its address and key, or the reason why it never will.
func (p *Process) WaitReady(ctx context.Context) (addr, key string, err error) {
	select {
	case <-p.ready:
	case <-p.over:
		if p.Addr() == "" {
			return "", "", p.err
		}
	case <-ctx.Done():
		return "", "", context.Cause(ctx)
	}
	key, err = engine.ReadKey(p.config.DataDir)
	return p.Addr(), key, err
}

// Addr is the engine's address, or "" before it has answered, and without a Process. It stays the same over restarts.
func (p *Process) Addr() string {
	if p == nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

// Restarts counts the engine's unplanned ends.
func (p *Process) Restarts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.restarts
}

// Backoff between restarts: doubled each time, back to the first after an engine that stayed up.
const (
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 30 * time.Second
	stableAfter  = time.Minute
)

// maxStartTimeout is how far Config.StartTimeout grows.
const maxStartTimeout = 16 * time.Minute

// Run starts the engine and starts it again whenever it ends or hangs, until ctx ends; then it stops it and returns
// nil. An engine that never came up (library missing, port taken, folder held by another process) ends Run with its
// reason, unless that was none of its own: it was killed, as by a host without memory, or had no time to open its
// tables.
func (p *Process) Run(ctx context.Context) (err error) {
	defer func() {
		if p.err = err; err == nil {
			p.err = errors.New("engine: stopped before it was ready")
		}
		close(p.over)
	}()
	backoff, patience := firstBackoff, p.config.StartTimeout
	for {
		started := time.Now()
		err := p.runOnce(ctx, patience)
		if ctx.Err() != nil {
			return nil
		}
		if p.Addr() == "" && !temporary(err) {
			return err
		}
		if time.Since(started) > stableAfter {
			backoff = firstBackoff
		}
		p.mu.Lock()
		p.restarts++
		p.mu.Unlock()
		p.config.Log.Error("process ended, starting it again", "error", err, "backoff", backoff)
		select {
		case <-time.After(backoff):
		case <-ctx.Done():
			return nil
		}
		backoff = min(2*backoff, maxBackoff)
		if errors.Is(err, errNotReady) { // it may need longer: a slow machine, or years of tables
			patience = min(2*patience, max(p.config.StartTimeout, maxStartTimeout))
		} else {
			patience = p.config.StartTimeout
		}
	}
}

// errNotReady says that the engine was given up while it was starting.
var errNotReady = errors.New("engine: not ready")

// temporary reports whether an engine that ended before its first answer may come up when it is started again.
func temporary(err error) bool {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status, ok := exit.Sys().(syscall.WaitStatus)
		return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	return errors.Is(err, errNotReady)
}

// runOnce starts the process, which has to be ready within patience, and returns when it has ended.
func (p *Process) runOnce(ctx context.Context, patience time.Duration) error {
	listen := p.config.Listen
	if addr := p.Addr(); addr != "" {
		listen = addr
	}
	args := append(append([]string(nil), p.config.Command[1:]...), "--data", p.config.DataDir, "--listen", listen)
	if p.config.MaxMemoryBytes > 0 {
		args = append(args, "--memory", strconv.FormatInt(p.config.MaxMemoryBytes, 10))
	}
	command := exec.Command(p.config.Command[0], args...)
	command.Env = append(append(os.Environ(), p.config.Env...), envName+"=1")
	// A Ctrl-C on the terminal goes to the whole group: the engine must outlive the parent's own draining.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := command.StdinPipe()
	if err != nil {
		return fmt.Errorf("engine: start: %w", err)
	}
	stderr, err := command.StderrPipe()
	if err != nil {
		return fmt.Errorf("engine: start: %w", err)
	}
	readyRead, readyWrite, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("engine: start: %w", err)
	}
	defer readyRead.Close()
	command.ExtraFiles = []*os.File{readyWrite}
	err = command.Start()
	readyWrite.Close()
	if err != nil {
		return fmt.Errorf("engine: start %s: %w", p.config.Command[0], err)
	}

	var tail stderrTail
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		p.logLines(stderr, &tail)
	}()
	exited := make(chan error, 1)
	go func() {
		<-logged // Wait closes the pipe: read it out first
		exited <- command.Wait()
	}()
	stop := func(reason error) error {
		_ = stdin.Close()
		select {
		case <-exited:
		case <-time.After(p.config.StopTimeout):
			p.config.Log.Warn("process did not stop in time, killing it", "after", p.config.StopTimeout)
			_ = command.Process.Kill()
			<-exited
		}
		return reason
	}

	addr := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(readyRead).ReadString('\n')
		addr <- strings.TrimSpace(line)
	}()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case a := <-addr:
		if a == "" { // the pipe closed: the process ended, or is no engine
			err := <-exited
			return tail.explain(err)
		}
		if err := engine.Ping(ctx, a); err != nil {
			return stop(fmt.Errorf("engine: %s does not answer: %w", a, err))
		}
		p.mu.Lock()
		first := p.addr == ""
		p.addr = a
		p.mu.Unlock()
		if first {
			close(p.ready)
		}
	case err := <-exited:
		return tail.explain(err)
	case <-timeout.C:
		_ = command.Process.Kill()
		return stop(fmt.Errorf("%w after %s", errNotReady, patience))
	case <-ctx.Done():
		return stop(nil)
	}

	asking, enough := context.WithCancel(ctx)
	defer enough()
	hung := make(chan struct{})
	go p.watch(asking, hung)
	select {
	case err := <-exited:
		_ = stdin.Close()
		return tail.explain(err)
	case <-hung:
		_ = command.Process.Kill()
		<-exited
		return fmt.Errorf("%w: killed after %d questions", errHung, p.config.HealthMisses)
	case <-ctx.Done():
		return stop(nil)
	}
}

// errHung says that an engine was given up because it answered no more.
var errHung = errors.New("engine: it answers no more")

// watch asks the engine whether it answers until ctx ends, and closes hung when it does not.
func (p *Process) watch(ctx context.Context, hung chan<- struct{}) {
	tick := time.NewTicker(p.config.HealthEvery)
	defer tick.Stop()
	for misses := 0; misses < p.config.HealthMisses; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		ask, done := context.WithTimeout(ctx, p.config.HealthTimeout)
		err := engine.Ping(ask, p.Addr())
		done()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			misses = 0
		default:
			misses++
			p.config.Log.Warn("process does not answer", "error", err, "misses", misses)
		}
	}
	close(hung)
}

// maxLogLine bounds one line of the engine's standard error in the log.
const maxLogLine = 4 << 10

// logLines passes the engine's lines on.
func (p *Process) logLines(r io.Reader, tail *stderrTail) {
	lines := bufio.NewReaderSize(r, maxLogLine)
	for {
		line, more, err := lines.ReadLine()
		if err != nil {
			return
		}
		text := strings.TrimSpace(string(line))
		for more && err == nil { // the rest of an overlong line
			_, more, err = lines.ReadLine()
		}
		if text != "" {
			tail.add(text)
			p.config.Log.Info("process output", "line", text)
		}
	}
}

// stderrTail keeps a process's last lines, which say why it ended.
type stderrTail struct {
	mu    sync.Mutex
	lines []string
}

const tailLines = 3

func (t *stderrTail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	if len(t.lines) > tailLines {
		t.lines = t.lines[1:]
	}
}

func (t *stderrTail) explain(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		err = errors.New("ended by itself")
	}
	return fmt.Errorf("engine: the embedded ClickHouse ended: %w: %s", err, strings.Join(t.lines, "; "))
}
