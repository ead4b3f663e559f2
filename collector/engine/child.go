package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// childEnv marks a process started by Child: its standard input is held by the parent and ends with it, and file
// descriptor 3 takes the address once it serves.
const childEnv = "MONEV112_ENGINE_CHILD"

const childReadyFD = 3

// ChildConfig configures a Child.
type ChildConfig struct {
	// DataDir and Listen are the engine's. Listen with port 0 takes a free port at the first start and keeps it.
	DataDir, Listen string
	// Command is the program and its arguments before --data and --listen; default: this program and "engine".
	Command []string
	// MaxMemoryBytes bounds what all statements together may use; 0 is the engine's default.
	MaxMemoryBytes int64
	// Env is added to this process's environment.
	Env []string
	// StartTimeout bounds the time until the engine answers /ping: it covers the 15 s that the engine itself waits for the
	// folder and the port. Default 60 s (opening loads every table).
	StartTimeout time.Duration
	// StopTimeout is how long a clean end may take before the engine is killed; default 15 s.
	StopTimeout time.Duration
	// Log gets the engine's own lines and what the supervision does; default slog.Default().
	Log *slog.Logger
}

// Child keeps an engine running as a process of its own: a fault in ClickHouse, or its memory, is then not the
// caller's. Make it with NewChild, run it with Run. Its methods may be called from several goroutines.
type Child struct {
	config ChildConfig

	mu       sync.Mutex
	addr     string        // known once the engine has answered
	ready    chan struct{} // closed at the first answer
	over     chan struct{} // closed when Run has returned
	err      error         // why Run returned
	restarts int
}

// NewChild checks the configuration.
func NewChild(config ChildConfig) (*Child, error) {
	if config.DataDir == "" {
		return nil, errors.New("engine: no data folder given")
	}
	dir, err := filepath.Abs(config.DataDir)
	if err != nil {
		return nil, fmt.Errorf("engine: data folder %s: %w", config.DataDir, err)
	}
	config.DataDir = dir
	if config.Listen == "" {
		config.Listen = DefaultListen
	}
	if len(config.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("engine: find this program: %w", err)
		}
		config.Command = []string{self, "engine"}
	}
	if config.StartTimeout == 0 {
		config.StartTimeout = time.Minute
	}
	if config.StopTimeout == 0 {
		config.StopTimeout = 15 * time.Second
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	return &Child{config: config, ready: make(chan struct{}), over: make(chan struct{})}, nil
}

// WaitReady waits until the engine answers and gives its address and key, or the reason why it never will.
func (c *Child) WaitReady(ctx context.Context) (addr, key string, err error) {
	select {
	case <-c.ready:
	case <-c.over:
		select {
		case <-c.ready:
		default:
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.err == nil {
				return "", "", errors.New("engine: stopped before it was ready")
			}
			return "", "", c.err
		}
	case <-ctx.Done():
		return "", "", context.Cause(ctx)
	}
	key, err = ReadKey(c.config.DataDir)
	return c.Addr(), key, err
}

// Addr is the engine's address, or "" before it has answered. It stays the same over restarts.
func (c *Child) Addr() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addr
}

// Restarts counts the engine's unplanned ends.
func (c *Child) Restarts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.restarts
}

// Backoff between restarts: doubled each time, back to the first after an engine that stayed up.
const (
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 30 * time.Second
	stableAfter  = time.Minute
)

// Run starts the engine and starts it again whenever it ends, until ctx ends; then it stops it and returns nil. An
// engine that never came up (library missing, port taken, folder held by another process) ends Run with its reason,
// unless that was none of its own: it was killed, as by a host without memory, or had no time to open its tables.
func (c *Child) Run(ctx context.Context) (err error) {
	defer func() {
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
		close(c.over)
	}()
	backoff := firstBackoff
	for {
		started := time.Now()
		err := c.runOnce(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if c.Addr() == "" && !passing(err) {
			return err
		}
		if time.Since(started) > stableAfter {
			backoff = firstBackoff
		}
		c.mu.Lock()
		c.restarts++
		c.mu.Unlock()
		c.config.Log.Error("the embedded ClickHouse ended and is started again", "error", err, "backoff", backoff.String())
		select {
		case <-time.After(backoff):
		case <-ctx.Done():
			return nil
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// errNotReady says that the engine was given up while it was starting.
var errNotReady = errors.New("engine: not ready")

// passing reports whether an engine that ended before its first answer may come up when it is started again.
func passing(err error) bool {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status, ok := exit.Sys().(syscall.WaitStatus)
		return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	return errors.Is(err, errNotReady)
}

// runOnce is one life of the process.
func (c *Child) runOnce(ctx context.Context) error {
	listen := c.config.Listen
	if addr := c.Addr(); addr != "" {
		listen = addr
	}
	args := append(append([]string(nil), c.config.Command[1:]...), "--data", c.config.DataDir, "--listen", listen)
	if c.config.MaxMemoryBytes > 0 {
		args = append(args, "--memory", strconv.FormatInt(c.config.MaxMemoryBytes, 10))
	}
	command := exec.Command(c.config.Command[0], args...)
	command.Env = append(append(os.Environ(), c.config.Env...), childEnv+"=1")
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
		return fmt.Errorf("engine: start %s: %w", c.config.Command[0], err)
	}

	var last lastWords
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		c.logLines(stderr, &last)
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
		case <-time.After(c.config.StopTimeout):
			c.config.Log.Warn("the embedded ClickHouse did not stop in time and is killed", "after",
				c.config.StopTimeout.String())
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
	timeout := time.NewTimer(c.config.StartTimeout)
	defer timeout.Stop()
	select {
	case a := <-addr:
		if a == "" { // the pipe closed: the process ended, or is no engine
			err := <-exited
			return last.explain(err)
		}
		if err := ping(ctx, a); err != nil {
			return stop(fmt.Errorf("engine: %s does not answer: %w", a, err))
		}
		c.mu.Lock()
		first := c.addr == ""
		c.addr = a
		c.mu.Unlock()
		if first {
			close(c.ready)
		}
	case err := <-exited:
		return last.explain(err)
	case <-timeout.C:
		_ = command.Process.Kill()
		return stop(fmt.Errorf("%w after %s", errNotReady, c.config.StartTimeout))
	case <-ctx.Done():
		return stop(nil)
	}

	select {
	case err := <-exited:
		_ = stdin.Close()
		return last.explain(err)
	case <-ctx.Done():
		return stop(nil)
	}
}

// pingTimeout bounds the question whether the engine answers; it already listens by then.
const pingTimeout = 10 * time.Second

func ping(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/ping", nil)
	if err != nil {
		return err
	}
	response, err := new(http.Client).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/ping answers %s", response.Status)
	}
	return nil
}

// maxLogLine bounds one line of the engine's standard error in the log.
const maxLogLine = 4 << 10

// logLines passes the engine's lines on.
func (c *Child) logLines(r io.Reader, last *lastWords) {
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
			last.add(text)
			c.config.Log.Info("embedded ClickHouse", "line", text)
		}
	}
}

// lastWords keeps a process's last lines, which say why it ended.
type lastWords struct {
	mu    sync.Mutex
	lines []string
}

const keptLines = 3

func (l *lastWords) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if len(l.lines) > keptLines {
		l.lines = l.lines[1:]
	}
}

func (l *lastWords) explain(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		err = errors.New("ended by itself")
	}
	return fmt.Errorf("engine: the embedded ClickHouse ended: %w: %s", err, strings.Join(l.lines, "; "))
}

// tellParent gives the address to the process that started this one as a Child.
func tellParent(addr string) error {
	pipe := os.NewFile(childReadyFD, "ready")
	if pipe == nil {
		return nil
	}
	_, err := io.WriteString(pipe, addr+"\n")
	return errors.Join(err, pipe.Close())
}
