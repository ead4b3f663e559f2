package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/shipper"
	"github.com/monev112/monev112/collector/store"
)

// build makes the program as a user gets it.
func build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "monev112")
	out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path,
		"github.com/monev112/monev112/cmd/monev112").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
}

// patience bounds every wait for a process.
const patience = 5 * time.Minute

// process is a running serve or engine.
type process struct {
	cmd     *exec.Cmd
	dir     string // its data folder
	addr    string // of the service
	engine  string // of ClickHouse
	gone    chan struct{}
	waitErr error
	log     tailWriter
}

// freeAddr finds a free port of loopback.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// serve starts the service on a data folder; with a profile it is this very program that serves and writes one.
func (b *bench) serve(dir, profile string, more ...string) (*process, error) {
	p := &process{dir: dir}
	args, err := p.args("serve", more...)
	if err != nil {
		return nil, err
	}
	if profile == "" {
		return p, p.start(exec.Command(b.program, append(args, "--log-level", "warn")...))
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return p, p.start(exec.Command(self, append(args, "--cpuprofile", profile)...))
}

// args are those with which a command serves p's folder on free ports.
func (p *process) args(command string, more ...string) ([]string, error) {
	var err error
	if p.addr, err = freeAddr(); err != nil {
		return nil, err
	}
	if p.engine, err = freeAddr(); err != nil {
		return nil, err
	}
	return append([]string{command, "--data", p.dir, "--listen", p.addr, "--engine-listen", p.engine}, more...), nil
}

// serveNew starts the service on a new folder and waits until the board is complete, so that a measurement begins with
// everything running.
func (b *bench) serveNew(ctx context.Context, name, profile string, args ...string) (*process, error) {
	p, err := b.serve(filepath.Join(b.dir, name), profile, args...)
	if err != nil {
		return nil, err
	}
	err = p.ready(ctx)
	if err == nil {
		err = p.until(ctx, "the board is complete", 50*time.Millisecond, func() bool {
			return p.metric("monev112_board_complete") == 1
		})
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// engineAlone starts the embedded ClickHouse without the service, on a folder that is made when it is not there.
func (b *bench) engineAlone(ctx context.Context, dir string) (*process, error) {
	p := &process{dir: dir}
	var err error
	if p.engine, err = freeAddr(); err != nil {
		return nil, err
	}
	args := []string{"engine", "--data", dir, "--listen", p.engine, "--log-level", "warn"}
	if err := p.start(exec.Command(b.program, args...)); err != nil {
		return nil, err
	}
	if err := p.until(ctx, "the engine answers", 20*time.Millisecond, func() bool {
		return engine.Ping(ctx, p.engine) == nil
	}); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// database starts the embedded ClickHouse without the service and makes its tables.
func (b *bench) database(ctx context.Context, dir string) (p *process, st *store.Store, err error) {
	if p, err = b.engineAlone(ctx, dir); err != nil {
		return nil, nil, err
	}
	key, err := engine.ReadKey(dir)
	if err == nil {
		zone, _ := time.LoadLocation("Asia/Jakarta") // nil is the same zone, by a name that ClickHouse does not know
		st, err = store.Open(ctx, store.Config{Addr: p.engine, Password: key, RequestTimeout: patience,
			Location: func(string) *time.Location { return zone }})
	}
	if err == nil {
		err = st.Migrate(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(err, p.stop())
	}
	return p, st, nil
}

func (p *process) start(cmd *exec.Cmd) error {
	cmd.Stderr = &p.log
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd, p.gone = cmd, make(chan struct{})
	go func() {
		p.waitErr = cmd.Wait()
		close(p.gone)
	}()
	return nil
}

// stop ends the process cleanly, and by force when that takes too long.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.gone:
		return nil
	case <-time.After(time.Minute):
		return errors.Join(errors.New("the process did not stop on SIGTERM within a minute"), p.kill())
	}
}

func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	<-p.gone
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// until polls ok every tick.
func (p *process) until(ctx context.Context, what string, tick time.Duration, ok func() bool) error {
	deadline := time.Now().Add(patience)
	for !ok() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.gone:
			return fmt.Errorf("the process ended (%w) before: %s; its last lines:\n%s", p.waitErr, what, p.log.String())
		case <-time.After(tick):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s: %s; its last lines:\n%s", patience, what, p.log.String())
		}
	}
	return nil
}

// ready waits until events are accepted.
func (p *process) ready(ctx context.Context) error {
	return p.until(ctx, "events are accepted", 10*time.Millisecond, func() bool {
		r, err := http.Get("http://" + p.addr + "/-/ready")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

// shipped waits until ClickHouse has every event and the rows of their cases, and returns since when. It watches the
// cursor file, which costs the service nothing, and asks the service itself only when the cursor has stood for a while.
func (p *process) shipped(ctx context.Context) (since time.Time, err error) {
	var stands int64 = -1
	var asked time.Time
	err = p.until(ctx, "everything is in ClickHouse", 10*time.Millisecond, func() bool {
		var c struct{ Start, End int64 }
		b, err := os.ReadFile(filepath.Join(p.dir, shipper.CursorFile))
		if err != nil || json.Unmarshal(b, &c) != nil || c.Start != c.End {
			return false
		}
		if c.Start != stands {
			stands, since = c.Start, time.Now()
			asked = since
		}
		if time.Since(asked) < askEvery {
			return false
		}
		asked = time.Now()
		return p.metric("monev112_journal_lag_bytes") == 0
	})
	return since, err
}

// askEvery bounds how often a cursor that stands makes the service count.
const askEvery = 250 * time.Millisecond

// metric adds up the series of some names, from one scrape; -1 when there is none.
func (p *process) metric(names ...string) float64 {
	req, err := http.NewRequest(http.MethodGet, "http://"+p.addr+"/metrics", nil)
	if err != nil {
		return -1
	}
	req.Header.Set("Accept-Encoding", "identity") // to compress it would be this program's doing
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return -1
	}
	defer r.Body.Close()
	return sumOf(r.Body, names)
}

// sumOf adds up the series of some names in the text of a scrape; -1 when there is none.
func sumOf(text io.Reader, names []string) float64 {
	sum, found := 0.0, false
	for lines := bufio.NewScanner(text); lines.Scan(); {
		end := strings.IndexAny(lines.Text(), "{ ")
		if end < 0 || !slices.Contains(names, lines.Text()[:end]) {
			continue
		}
		value := lines.Text()[strings.LastIndexByte(lines.Text(), ' ')+1:]
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			sum, found = sum+v, true
		}
	}
	if !found {
		return -1
	}
	return sum
}

// query asks ClickHouse.
func (p *process) query(sql string) (string, error) {
	req, err := http.NewRequest(http.MethodPost, "http://"+p.engine+"/", strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	if key, err := engine.ReadKey(p.engineDir()); err == nil {
		req.Header.Set("X-ClickHouse-Key", key)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("clickhouse: status %d: %s", r.StatusCode, body)
	}
	return strings.TrimSpace(string(body)), err
}

// engineDir is where the engine's key lies.
func (p *process) engineDir() string {
	if p.addr == "" {
		return p.dir
	}
	return filepath.Join(p.dir, "clickhouse")
}

// usage is what a process has used so far.
type usage struct {
	cpu      time.Duration
	rssBytes int64
}

// clockTick is USER_HZ, which Linux fixes at 100 for what /proc shows.
const clockTick = 10 * time.Millisecond

// used reads /proc of the process and, apart, of its child, the engine.
func (p *process) used() (self, child usage) {
	for _, id := range childrenOf(p.cmd.Process.Pid) {
		u := usageOf(id)
		child.cpu += u.cpu
		child.rssBytes += u.rssBytes
	}
	return usageOf(p.cmd.Process.Pid), child
}

// childrenOf finds the children of a process.
func childrenOf(pid int) (children []int) {
	entries, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range entries {
		if f := statFields(name); len(f) > 1 && f[1] == strconv.Itoa(pid) {
			if id, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
				children = append(children, id)
			}
		}
	}
	return children
}

// statFields are the fields of a stat file after the command's name: state first.
func statFields(name string) []string {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	i := bytes.LastIndexByte(b, ')')
	return strings.Fields(string(b[i+1:]))
}

func usageOf(pid int) (u usage) {
	if f := statFields(fmt.Sprintf("/proc/%d/stat", pid)); len(f) > 21 {
		user, _ := strconv.ParseInt(f[11], 10, 64)
		system, _ := strconv.ParseInt(f[12], 10, 64)
		pages, _ := strconv.ParseInt(f[21], 10, 64)
		u.cpu = time.Duration(user+system) * clockTick
		u.rssBytes = pages * int64(os.Getpagesize())
	}
	return u
}

// tailWriter keeps the end of what is written to it.
type tailWriter struct{ b []byte }

const tailBytes = 4096

func (t *tailWriter) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 2*tailBytes {
		t.b = append(t.b[:0], t.b[len(t.b)-tailBytes:]...)
	}
	return len(p), nil
}

// String is called after the process has ended, or for a message about one that hangs.
func (t *tailWriter) String() string { return string(t.b) }
