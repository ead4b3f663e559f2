package e2e

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/disk/disktest"
)

// harm is what drives faults into a running service, one after another, as its seed says.
type harm struct {
	*service
	rng    *rand.Rand
	ledger *ledger
	done   map[string]int // faults by kind

	faultsFile string // empty: the ordinary binary, which no file can harm
	rules      []string
	clock      int
	armed      string // the place at which this life of the process is to be killed
	logFrom    int    // where the log of this life begins
	wasFull    bool   // the disk was full at the start of this life or in it

	disk   string // mounted small disk; empty when none can be mounted
	proxy  *proxy
	apart  *exec.Cmd // the engine, while it is no child of the service
	config struct{ own, apart string }
}

// places are those at which a process of these tests can be killed; rebuilds are not run here.
var places = append([]string{"ingest.ack"}, killPoints...)

// kind is one fault and how often it is chosen.
type kind struct {
	name   string
	weight int
	do     func(*harm)
}

func (h *harm) kinds() []kind {
	all := []kind{
		{"service killed", 6, (*harm).killService}, {"service stopped", 2, (*harm).stopService},
		{"service frozen", 1, (*harm).freezeService},
		{"engine killed", 1, (*harm).killEngine}, {"engine frozen", 2, (*harm).freezeEngine},
	}
	if h.faultsFile != "" {
		all = append(all, kind{"killed at a place", 6, (*harm).killAtPlace}, kind{"disk fails", 4, (*harm).failDisk},
			kind{"clock steps", 2, (*harm).stepClock}, kind{"secret lost", 1, (*harm).loseSecret})
	}
	if h.disk != "" {
		all = append(all, kind{"disk full", 2, (*harm).fillDisk})
	}
	if h.apart != nil {
		all = append(all, kind{"clickhouse cut off", 2, (*harm).cut}, kind{"clickhouse slow", 2, (*harm).slow})
	}
	return all
}

// one does one fault.
func (h *harm) one() {
	h.alive()
	total := 0
	for _, k := range h.kinds() {
		total += k.weight
	}
	n := h.rng.IntN(total)
	for _, k := range h.kinds() {
		if n -= k.weight; n < 0 {
			k.do(h)
			return
		}
	}
}

// pause lets the senders work on.
func (h *harm) pause(from, to time.Duration) {
	time.Sleep(from + time.Duration(h.rng.Int64N(int64(to-from))))
}

func (h *harm) count(what string) { h.done[what]++ }

// run starts the service, half of the time with a place to die at, and mostly waits until it accepts events.
func (h *harm) run() {
	place := ""
	if h.faultsFile != "" && h.rng.IntN(2) == 0 {
		place = places[h.rng.IntN(len(places))]
	}
	h.launch(place)
	if h.rng.IntN(3) > 0 && !h.full() { // on a full disk it may be up and accept nothing until there is room
		h.accepts()
	}
}

// launch starts the service; with a place, it dies at one of the first passes through it.
func (h *harm) launch(place string) {
	h.armed = place
	var env []string
	if h.faultsFile != "" {
		env = append(env, "MONEV112_FAULTS="+h.faultsFile)
	}
	if place != "" {
		pass := 1 // of a checkpoint, there is one at a stop
		switch kind, _, _ := strings.Cut(place, "."); kind {
		case "journal", "ingest":
			pass += h.rng.IntN(20)
		case "shipper":
			pass += h.rng.IntN(2)
		}
		env = append(env, fmt.Sprintf("MONEV112_KILL_AT=%s:%d", place, pass))
	}
	h.service.args = []string{"--config", h.config.own}
	if h.apart != nil {
		h.service.args = []string{"--config", h.config.apart}
	}
	h.ledger.born()
	h.logFrom = len(h.log.String())
	h.wasFull = h.full()
	h.start(env...)
}

// accepts waits until events are accepted; a process that ended is started again.
func (h *harm) accepts() {
	h.t.Helper()
	for try := 0; !h.ready(); try++ {
		if try == 50 {
			h.t.Fatal("the service does not stay up")
		}
		h.again()
	}
}

// alive starts the service again when it has ended.
func (h *harm) alive() {
	select {
	case <-h.gone:
		h.again()
	default:
	}
}

// again starts the service after an end that was not asked for here: the place was met, or a failing disk kept it from
// starting. Every other end is a fault of the service's own.
func (h *harm) again() {
	h.t.Helper()
	harmed := len(h.rules) > 0 || h.wasFull
	switch {
	case h.armed != "" && h.killed():
		h.count("killed at " + h.armed)
		h.powerLoss()
	case harmed && !strings.Contains(h.log.String()[h.logFrom:], "events are accepted"):
		h.count("start refused")
		h.heal()
	default:
		h.ledger.violate("the service ended by itself: %v", h.waitErr)
	}
	h.run()
}

func (h *harm) killed() bool {
	var exit *exec.ExitError
	if !errors.As(h.waitErr, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signal() == syscall.SIGKILL
}

func (h *harm) killService() {
	h.kill()
	h.count("service killed")
	h.powerLoss()
	h.run()
}

// powerLoss takes from the journal of a service that was killed, half of the time, what no fsync covered: the end of a
// segment is missing, or stands in some of its sectors alone, or noise stands behind it.
func (h *harm) powerLoss() {
	if h.faultsFile == "" || h.rng.IntN(2) == 0 {
		return
	}
	text, _ := os.ReadFile(h.faultsFile + ".synced")
	synced := map[string]int64{} // by segment; it gets its name after its first fsync
	for line := range strings.Lines(string(text)) {
		size, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			continue // the process was killed while it wrote the line
		}
		synced[filepath.Base(strings.TrimSuffix(name, disk.TempSuffix))] = n
	}
	segments, err := filepath.Glob(filepath.Join(h.dir, "journal", "*.seg"))
	if err != nil {
		h.t.Fatal(err)
	}
	for i, name := range segments {
		kept, known := synced[filepath.Base(name)]
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil || !known {
			continue
		}
		b, err := io.ReadAll(f)
		if err != nil {
			h.t.Fatal(err)
		}
		kept = min(kept, int64(len(b)))
		lost := len(b) - int(kept)
		b = b[kept:][:h.rng.IntN(lost+1)]
		for sector := range slices.Chunk(b, disktest.SectorBytes) {
			if h.rng.IntN(2) == 0 {
				clear(sector)
			}
		}
		if lost > 0 {
			h.count("unsynced writes lost")
		}
		if i == len(segments)-1 && h.rng.IntN(3) == 0 {
			for range 1 + h.rng.IntN(4096) {
				b = append(b, byte(h.rng.Uint32()))
			}
			h.count("journal tail damaged")
		}
		if err := f.Truncate(kept); err != nil {
			h.t.Fatal(err)
		}
		_, _ = f.WriteAt(b, kept) // the disk may be full
		_ = f.Close()
	}
}

// loseSecret takes a file of secrets away: the service refuses to start and says what to do. Brought back, nothing is
// lost.
func (h *harm) loseSecret() {
	h.heal()
	h.accepts() // it has taken something in by now
	h.kill()
	secret := []struct{ name, remedy string }{
		{ingest.CallerKeysFile, "monev112 caller-key begin"}, {filepath.Join("journal", "journal.json"), "journal renew"},
	}[h.rng.IntN(2)]
	path := filepath.Join(h.dir, secret.name)
	if err := os.Rename(path, path+".lost"); err != nil {
		h.t.Fatal(err)
	}
	h.launch("")
	select {
	case <-h.gone:
	case <-time.After(patience):
		h.t.Fatal("the service does not end without ", secret.name)
	}
	if said := h.log.String()[h.logFrom:]; h.killed() || !strings.Contains(said, secret.remedy) {
		h.ledger.violate("without %s the service says, %v: %s", secret.name, h.waitErr, tail(said, 500))
	}
	if _, err := os.Stat(path); err == nil {
		h.ledger.violate("%s was made anew in silence", secret.name)
	}
	if err := os.Rename(path+".lost", path); err != nil {
		h.t.Fatal(err)
	}
	h.count("secret lost")
	h.run()
}

func (h *harm) stopService() {
	armed := h.armed
	code := h.stop()
	switch {
	case armed != "" && h.killed():
		h.count("killed at " + armed)
	case code != 0 && len(h.log.String()) == h.logFrom: // before it could listen to a signal
	case code != 0 && len(h.rules) == 0 && !h.full():
		h.ledger.violate("SIGTERM ends the service with %d, %v", code, h.waitErr)
	default:
		h.count("service stopped")
	}
	h.run()
}

// killAtPlace waits for the place of this life, and for the next life when there is none.
func (h *harm) killAtPlace() {
	if h.armed == "" || strings.HasPrefix(h.armed, "checkpoint") { // those are met at a stop
		h.stopService()
		return
	}
	select {
	case <-h.gone:
		h.again()
	case <-time.After(3 * time.Second):
		h.killService()
	}
}

// freeze stops a process for a while.
func (h *harm) freeze(pid int, from, to time.Duration) {
	if syscall.Kill(pid, syscall.SIGSTOP) != nil {
		return
	}
	h.pause(from, to)
	_ = syscall.Kill(pid, syscall.SIGCONT) // it may have been killed meanwhile
}

func (h *harm) freezeService() {
	h.freeze(h.cmd.Process.Pid, 200*time.Millisecond, 2500*time.Millisecond)
	h.count("service frozen")
}

// enginePID is 0 while there is none.
func (h *harm) enginePID() int {
	if h.apart != nil {
		return h.apart.Process.Pid
	}
	return enginePID(h.cmd.Process.Pid)
}

// enginePID is the child of a service, 0 while it has none.
func enginePID(service int) int {
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(service) + "/task/*/children")
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, f := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(f); err == nil {
				return n
			}
		}
	}
	return 0
}

func (h *harm) freezeEngine() {
	if pid := h.enginePID(); pid != 0 {
		h.freeze(pid, 200*time.Millisecond, 3*time.Second)
		h.count("engine frozen")
	}
}

func (h *harm) killEngine() {
	pid := h.enginePID()
	if pid == 0 {
		return
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	h.count("engine killed")
	if h.apart != nil {
		_ = h.apart.Wait()
		h.pause(0, time.Second)
		h.startApart()
	}
}

// startApart runs the engine as a process of its own, behind the proxy.
func (h *harm) startApart() {
	path, err := h.program, error(nil)
	if path == "" {
		path, err = binary()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	h.apart = exec.Command(path, "engine", "--data", filepath.Join(h.dir, "clickhouse"), "--listen", h.engine)
	h.apart.Stderr = h.log
	if err := h.apart.Start(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harm) stopApart() {
	if h.apart == nil {
		return
	}
	_ = h.apart.Process.Signal(syscall.SIGTERM)
	_ = h.apart.Wait()
	h.apart = nil
}

func (h *harm) cut() {
	h.proxy.set(true, 0)
	h.pause(100*time.Millisecond, 2*time.Second)
	h.proxy.set(false, 0)
	h.count("clickhouse cut off")
}

func (h *harm) slow() {
	h.proxy.set(false, time.Duration(10+h.rng.IntN(90))*time.Millisecond)
	h.count("clickhouse slow")
}

// failDisk makes some of the next calls to the disk fail, each kind of call on each kind of file.
func (h *harm) failDisk() {
	op := []string{"write", "write", "sync", "sync", "create", "rename", "syncdir"}[h.rng.IntN(7)]
	path := []string{"/journal", "/journal", "/journal", "cursor.json", "checkpoint", "/"}[h.rng.IntN(6)]
	err := []string{"EIO", "ENOSPC"}[h.rng.IntN(2)]
	h.rules = append(h.rules,
		fmt.Sprintf("fail %s %s %d %d %s %.2f", op, path, h.rng.IntN(6), 1+h.rng.IntN(4), err, h.rng.Float64()))
	h.control()
}

// stepClock sets the clock of the service forward or back.
func (h *harm) stepClock() {
	h.clock = []int{-7200, -3600, -90, 90, 3600, 7200, 26 * 3600, 100 * 3600}[h.rng.IntN(8)] + h.rng.IntN(60)
	h.control()
	h.count("clock steps")
}

// control tells the running program which calls fail and where its clock stands.
func (h *harm) control() {
	if h.faultsFile == "" {
		return
	}
	text := fmt.Sprintf("clock %d\n%s\n", h.clock, strings.Join(h.rules, "\n"))
	if err := os.WriteFile(h.faultsFile+".new", []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(h.faultsFile+".new", h.faultsFile); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harm) filler() string { return filepath.Join(h.disk, "filler") }

func (h *harm) full() bool {
	if h.disk == "" {
		return false
	}
	_, err := os.Stat(h.filler())
	return err == nil
}

// fillDisk leaves no byte for journal, cursor and checkpoint.
func (h *harm) fillDisk() {
	var st unix.Statfs_t
	f, err := os.Create(h.filler())
	if err == nil {
		if err = unix.Fstatfs(int(f.Fd()), &st); err == nil {
			err = unix.Fallocate(int(f.Fd()), 0, 0, int64(st.Bavail)*st.Bsize)
		}
		_ = f.Close()
	}
	if err != nil && !errors.Is(err, unix.ENOSPC) {
		h.t.Fatal("fill the disk: ", err)
	}
	h.count("disk full")
	h.wasFull = true
	if h.rng.IntN(3) == 0 { // it dies while the disk is full
		h.killService()
	}
	h.pause(200*time.Millisecond, 1500*time.Millisecond)
	_ = os.Remove(h.filler())
}

// heal takes every lasting fault away.
func (h *harm) heal() {
	h.rules, h.clock = nil, 0
	h.control()
	if h.disk != "" {
		_ = os.Remove(h.filler())
	}
	if h.proxy != nil {
		h.proxy.set(false, 0)
	}
}

// hits counts the calls to the disk that were made to fail.
func (h *harm) hits() int {
	text, _ := os.ReadFile(h.faultsFile + ".hits")
	return strings.Count(string(text), "\n")
}
