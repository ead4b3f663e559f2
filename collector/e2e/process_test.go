package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/e2e/servers"
	"github.com/monev112/monev112/collector/internal/freeaddr"
)

// patience bounds every wait of these tests; a machine under load may need it.
const patience = 15 * time.Minute

// pause is how long a wait rests between two looks.
const pause = 20 * time.Millisecond

// Until polls until ok, and fails the test after patience; what says what was waited for.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// freeAddr returns a loopback address on which nothing listens, for a server that may be killed and started again.
func freeAddr(t testing.TB) string {
	t.Helper()
	addr, err := freeaddr.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// process is a server with a folder, a configuration and an address that outlive it.
type process struct {
	t      testing.TB
	name   string
	path   string
	dir    string
	addr   string
	config func(addr string) string
	args   func(p *process) []string
	cmd    *exec.Cmd
	gone   chan struct{}
}

// newProcess starts a server; another one may take the port between choosing and binding, so several are tried.
func newProcess(t testing.TB, name string, config func(string) string, args func(*process) []string) *process {
	t.Helper()
	p := &process{t: t, name: name, path: servers.Tool(t, name), dir: t.TempDir(), config: config, args: args}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, p.logTail())
		}
	})
	for range 5 {
		p.addr = freeAddr(t)
		if p.start() {
			return p
		}
	}
	t.Fatalf("%s found every port taken", name)
	return nil
}

func (p *process) logFile() string { return filepath.Join(p.dir, "log") }

func (p *process) configFile() string { return filepath.Join(p.dir, p.name+".yml") }

func (p *process) logTail() string {
	text, _ := os.ReadFile(p.logFile())
	return string(text[max(0, len(text)-8000):])
}

// Addr is host:port; it stays the same over restarts.
func (p *process) Addr() string { return p.addr }

// URL is the base address.
func (p *process) URL() string { return "http://" + p.addr }

// Start starts a server that was killed or stopped, on the same port and data, and waits until it is ready.
func (p *process) Start() {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !p.start(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s does not get its port %s back", p.name, p.addr)
		}
	}
}

// portTaken reports whether a server that ended says that another program had its port.
func portTaken(log string) bool { return strings.Contains(log, "address already in use") }

// start returns false when the port is taken.
func (p *process) start() bool {
	p.t.Helper()
	if err := os.WriteFile(p.configFile(), []byte(p.config(p.addr)), 0o600); err != nil {
		p.t.Fatal(err)
	}
	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	before, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		p.t.Fatal(err)
	}
	p.cmd = exec.Command(p.path, p.args(p)...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.dir, log, log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	gone := make(chan struct{})
	p.gone = gone
	cmd := p.cmd
	go func() {
		_ = cmd.Wait()
		close(gone)
	}()
	deadline := time.Now().Add(patience)
	for {
		select {
		case <-gone:
			text, _ := os.ReadFile(p.logFile())
			if portTaken(string(text[before:])) {
				return false
			}
			p.t.Fatalf("%s ended before it was ready:\n%s", p.name, text[before:])
		case <-time.After(pause):
		}
		if r, err := http.Get(p.URL() + "/-/ready"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return true
			}
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s is not ready within %s", p.name, patience)
		}
	}
}

// Kill ends the server at once, as power loss does for a process.
func (p *process) Kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.gone
}

// Stop ends the server as an operator does.
func (p *process) Stop() {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.gone:
	case <-time.After(patience):
		p.t.Fatalf("%s does not stop on SIGTERM", p.name)
	}
}

// get decodes the JSON answer of a path. An answer other than 200, or none, is an error.
func (p *process) get(path string, into any) error {
	r, err := http.Get(p.URL() + path)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", path, r.Status, body)
	}
	return json.Unmarshal(body, into)
}
