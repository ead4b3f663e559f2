package e2e

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	tortureRounds   = flag.Int("torture.rounds", 2, "rounds of TestTorture")
	tortureKills    = flag.Int("torture.kills", 0, "TestTorture goes on until the service was killed so often")
	tortureFaults   = flag.Int("torture.faults", 6, "faults in one round of TestTorture")
	tortureSeed     = flag.Uint64("torture.seed", 112, "seed of TestTorture; 0 takes one from the clock and prints it")
	tortureOrdinary = flag.Bool("torture.ordinary", false, "TestTorture harms the ordinary program, from outside alone")
)

const (
	tortureSenders = 6
	blockRounds    = 3       // the second of so many rounds has its ClickHouse behind a proxy
	smallDisk      = "512m"  // of journal, cursor and checkpoint
	keptFree       = 4 << 20 // of it, by the journal
)

// TestTorture runs the real program under load from clients that retry, repeat, shuffle, correct, give up and storm,
// while it, its engine, its disk, its clock and its ClickHouse are harmed in an order that a seed decides. After each
// round everything is held against a ledger that the clients keep and against a fresh fold of all events.
func TestTorture(t *testing.T) {
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("the engine's process is found through /proc: ", err)
	}
	seed := *tortureSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	h, f := newHarm(t, seed), (*fresh)(nil)
	supply := newSupply(seed, h.ledger)
	var total verdict
	began, rounds := time.Now(), 0
	for ; rounds < *tortureRounds || h.kills() < *tortureKills; rounds++ {
		h.settle(rounds%blockRounds == 1)
		round := time.Now()
		h.round(supply)
		shipped := time.Since(round)
		if f == nil {
			f = newFresh(t, h, rand.New(rand.NewPCG(seed, 3)))
		}
		last := rounds+1 >= *tortureRounds && h.kills() >= *tortureKills
		v := f.check(last || rounds%10 == 9)
		t.Logf("round %d: %s until shipped, %s to check %d events; killed %d times so far", rounds+1,
			shipped.Round(time.Millisecond), (time.Since(round) - shipped).Round(time.Millisecond), v.events, h.kills())
		total.events, total.losses, total.doubles, total.differing = v.events, total.losses+v.losses, total.doubles+v.doubles,
			total.differing+v.differing
		total.invisible += v.invisible
		if wrong := h.ledger.wrong; len(wrong) > 0 {
			for _, w := range wrong {
				t.Error(w)
			}
			rounds++
			break
		}
	}
	h.report(seed, rounds, time.Since(began), total)
}

// newHarm prepares a service with a small disk of its own where one can be mounted.
func newHarm(t *testing.T, seed uint64) *harm {
	h := &harm{service: newService(t), rng: rand.New(rand.NewPCG(seed, 2)), done: map[string]int{}}
	dir := t.TempDir()
	h.ledger = newLedger(t, filepath.Join(dir, "ledger"))
	if *tortureOrdinary {
		h.program = filepath.Join(dir, "monev112")
		if err := buildProgram(h.program); err != nil {
			t.Fatal(err)
		}
	} else {
		h.faultsFile = filepath.Join(dir, "faults")
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", h.dir, "tmpfs", 0, "mode=0700,size="+smallDisk); err == nil {
		h.disk = h.dir
		t.Cleanup(func() {
			h.kill()
			h.stopApart()
			if err := syscall.Unmount(h.dir, 0); err != nil {
				t.Error(err)
			}
		})
		tables := filepath.Join(dir, "clickhouse") // on a disk that stays
		if err := os.Mkdir(tables, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(tables, filepath.Join(h.dir, "clickhouse")); err != nil {
			t.Fatal(err)
		}
	} else {
		t.Log("no small disk can be mounted here, so none is filled: ", err)
		t.Cleanup(h.stopApart)
	}
	h.proxy = newProxy(t, h.engine)
	limits := fmt.Sprintf("limits:\n  min_free_bytes: %d\n", keptFree)
	h.config.own, h.config.apart = filepath.Join(dir, "own.yaml"), filepath.Join(dir, "apart.yaml")
	apart := fmt.Sprintf("clickhouse:\n  address: %s\n  protocol: http\n  password_file: %s\n", h.proxy.addr(),
		filepath.Join(h.dir, "clickhouse", "engine.key"))
	for name, text := range map[string]string{h.config.own: limits, h.config.apart: limits + apart} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// settle starts what a round needs: ClickHouse as a child, or apart and behind the proxy.
func (h *harm) settle(apart bool) {
	h.t.Helper()
	if h.cmd != nil && apart == (h.apart != nil) {
		return
	}
	if h.cmd != nil {
		h.alive()
		h.accepts()
		h.endInOrder()
	}
	h.stopApart()
	if apart {
		h.startApart()
	}
	h.run()
}

// round harms the service under load, lets it recover, and waits until all that the senders have is delivered and
// stored.
func (h *harm) round(supply *supply) {
	h.t.Helper()
	stop, abandon := make(chan struct{}), make(chan struct{})
	var senders sync.WaitGroup
	var left atomic.Int64
	var behind atomic.Bool
	behind.Store(true) // a clock that was set back refuses what it takes for the future
	for range tortureSenders {
		c := &sender{
			url: "http://" + h.addr + "/v1/events", rng: rand.New(rand.NewPCG(h.rng.Uint64(), 4)), supply: supply,
			ledger: h.ledger, behind: &behind,
			client: &http.Client{Timeout: senderTimeout, Transport: &http.Transport{DisableCompression: true}},
		}
		senders.Go(func() { left.Add(int64(c.run(stop, abandon))) })
	}
	for range *tortureFaults {
		h.pause(100*time.Millisecond, 900*time.Millisecond)
		h.one()
	}
	h.heal()
	close(stop)
	delivered := make(chan struct{})
	go func() {
		senders.Wait()
		close(delivered)
	}()
	deadline := time.After(patience)
	for done := false; !done; {
		select {
		case <-delivered:
			done = true
		case <-h.gone: // a place that was armed
			h.again()
		case <-deadline:
			close(abandon)
			<-delivered
			h.t.Fatalf("%d events cannot be delivered although every fault is over", left.Load())
		}
	}
	// What was armed may still be met while ClickHouse catches up.
	h.alive()
	h.accepts()
	if h.armed != "" {
		h.endInOrder()
		h.launch("")
		h.accepts()
	}
	h.shipped()
}

// endInOrder ends the service as an operator does, or as the place does that was armed.
func (h *harm) endInOrder() {
	if code := h.stop(); code != 0 && !(h.armed != "" && h.killed()) && len(h.log.String()) > h.logFrom {
		h.ledger.violate("SIGTERM ends the service with %d, %v", code, h.waitErr)
	}
}

func (h *harm) kills() (n int) {
	for name, times := range h.done {
		if name == "service killed" || len(name) > 10 && name[:10] == "killed at " {
			n += times
		}
	}
	return n
}

// report prints what was done and found.
func (h *harm) report(seed uint64, rounds int, took time.Duration, v verdict) {
	acked, tried := 0, 0
	for _, e := range h.ledger.events {
		if e.acked {
			acked++
		}
		if e.tried {
			tried++
		}
	}
	fmt.Printf("seed %d: %d rounds in %s\n", seed, rounds, took.Round(time.Second))
	for _, name := range slices.Sorted(maps.Keys(h.done)) {
		fmt.Printf("  %-32s %6d\n", name, h.done[name])
	}
	if h.faultsFile != "" {
		fmt.Printf("  %-32s %6d\n", "calls to the disk that failed", h.hits())
	}
	fmt.Printf("  %-32s %6d\n", "the service killed, all told", h.kills())
	fmt.Printf("events sent %d, acknowledged %d, stored %d; sent again %d, given up %d, clashing %d\n",
		tried, acked, v.events, h.ledger.repeats, h.ledger.late, h.ledger.clashes)
	fmt.Printf("losses %d, doubles %d, differing rows %d, invisible tickets %d\n", v.losses, v.doubles, v.differing,
		v.invisible)
}
