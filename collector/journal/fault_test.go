package journal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/monev112/monev112/collector/internal/disk/disktest"
	"github.com/monev112/monev112/collector/journal"
)

// history is what a program that uses the journal on a bad disk knows, and what it must find again.
type history struct {
	t     *testing.T
	label string
	disk  *disktest.FS
	opts  journal.Options
	jrn   *journal.Journal
	rd    *journal.Reader

	next    int
	acked   []string                    // in order
	offered map[string]int              // payload -> number of its group
	sizes   map[int]int                 // group -> records
	shown   map[journal.Position]string // what a reader was ever given
}

func newHistory(t *testing.T, label string, seed int64) *history {
	d := disktest.New(seed)
	return &history{
		t: t, label: label, disk: d,
		opts:    journal.Options{Dir: "/j", SegmentBytes: 300, MinFreeBytes: -1, FS: d},
		offered: map[string]int{}, sizes: map[int]int{}, shown: map[journal.Position]string{},
	}
}

func (h *history) fatalf(format string, args ...any) {
	h.t.Helper()
	h.t.Fatalf("%s: %s", h.label, fmt.Sprintf(format, args...))
}

// open opens the journal, trying again as an operator would, and checks all that must be there.
func (h *history) open() bool {
	h.t.Helper()
	var err error
	for range 3 {
		if h.jrn, err = journal.Open(h.opts); err == nil {
			break
		}
		if errors.Is(err, journal.ErrLocked) {
			h.fatalf("a failed Open kept its lock")
		}
		var damage *journal.CorruptError
		if errors.As(err, &damage) {
			h.fatalf("no byte was damaged, yet %v", err)
		}
	}
	if err != nil {
		return false
	}
	h.check()
	if h.rd, err = h.jrn.NewReader(h.jrn.End()); err != nil {
		h.fatalf("%v", err)
	}
	return true
}

// append appends one group of n records and notes what came of it; it returns whether it was acknowledged.
func (h *history) append(n int) bool {
	group := len(h.sizes)
	list := make([][]byte, n)
	for i := range list {
		s := fmt.Sprintf("record %d of group %d", h.next, group)
		h.next++
		h.offered[s] = group
		list[i] = []byte(s)
	}
	h.sizes[group] = n
	_, _, err := h.jrn.Append(list)
	if err != nil {
		if !errors.Is(err, journal.ErrUnavailable) {
			h.fatalf("append: %v", err)
		}
	} else {
		for _, r := range list {
			h.acked = append(h.acked, string(r))
		}
	}
	h.follow()
	return err == nil
}

// follow lets a shipper read what is new.
func (h *history) follow() {
	h.t.Helper()
	for {
		rec, ok, err := h.rd.TryNext()
		if err != nil {
			h.fatalf("reader: %v", err)
		}
		if !ok {
			return
		}
		h.show(rec)
	}
}

func (h *history) show(rec journal.Record) {
	h.t.Helper()
	if was, ok := h.shown[rec.End]; ok && was != string(rec.Payload) {
		h.fatalf("position %d was %q and is now %q", rec.End, was, rec.Payload)
	}
	h.shown[rec.End] = string(rec.Payload)
}

// check reads everything and compares it with what must and what may be there.
func (h *history) check() {
	h.t.Helper()
	r, err := h.jrn.NewReader(0)
	if err != nil {
		h.fatalf("%v", err)
	}
	defer r.Close()
	var got []string
	at := map[journal.Position]bool{}
	for {
		rec, ok, err := r.TryNext()
		if err != nil {
			h.fatalf("after reopening: %v", err)
		}
		if !ok {
			break
		}
		h.show(rec)
		at[rec.End] = true
		got = append(got, string(rec.Payload))
	}
	for p, s := range h.shown {
		if !at[p] {
			h.fatalf("%q was given to a reader at %d and is gone", s, p)
		}
	}
	perGroup, last := map[int]int{}, -1
	acked := h.acked
	for _, s := range got {
		group, ok := h.offered[s]
		if !ok {
			h.fatalf("%q was never appended", s)
		}
		if group < last {
			h.fatalf("group %d comes after group %d", group, last)
		}
		last = group
		perGroup[group]++
		if len(acked) > 0 && s == acked[0] {
			acked = acked[1:]
		}
	}
	if len(acked) > 0 {
		h.fatalf("acknowledged and lost, twice or out of order: %q\nthere is %q", acked, got)
	}
	for group, n := range perGroup {
		if n != h.sizes[group] {
			h.fatalf("group %d has %d records, was appended with %d", group, n, h.sizes[group])
		}
	}
	rep, err := journal.VerifyOn(h.disk, h.opts.Dir)
	if err != nil || len(rep.Corrupt) > 0 || rep.Records != len(got) {
		h.fatalf("Verify: %+v, %v; %d records were read", rep, err, len(got))
	}
}

type end int

const (
	closed end = iota
	killed
	powerLost
)

func (h *history) stop(how end) {
	if h.rd != nil {
		h.rd.Close()
	}
	switch how {
	case closed:
		if h.jrn != nil {
			h.jrn.Close()
		}
	case killed:
		h.disk.Kill()
	case powerLost:
		h.disk.PowerLoss()
	}
	h.jrn, h.rd = nil, nil
}

// run lives three lives of a program, each ended in the given way.
func (h *history) run(how end) {
	for range 3 {
		if !h.open() {
			h.stop(how)
			continue
		}
		for i := range 4 {
			h.append(1 + i%3)
		}
		h.stop(how)
	}
	h.disk.Fail = nil
	if !h.open() {
		h.fatalf("a good disk, and Open fails")
	}
	if !h.append(2) {
		h.fatalf("a good disk, and Append fails")
	}
	h.stop(powerLost)
	if !h.open() {
		h.fatalf("a good disk, and Open fails")
	}
	h.stop(closed)
}

var faults = map[string]disktest.Fault{
	"nothing done":      {Err: disktest.EIO},
	"half done":         {Err: disktest.ENOSPC, Part: 0.5},
	"all done":          {Err: disktest.EIO, Part: 1},
	"short, no error":   {Err: disktest.EIO, Part: 0.7, Silent: true},
	"one byte missing ": {Err: disktest.ENOSPC, Part: 0.999},
}

// Every call that changes the disk fails once, in every way, in lives that end in every way.
func TestEverySingleFaultLosesNothingAcknowledged(t *testing.T) {
	for _, how := range []end{closed, killed, powerLost} {
		probe := newHistory(t, "no fault", 1)
		probe.run(how)
		calls := probe.disk.Calls()
		if calls < 60 || len(probe.acked) < 20 {
			t.Fatalf("the script makes %d calls, %d records: it tests nothing", calls, len(probe.acked))
		}
		for name, fault := range faults {
			for n := 1; n <= calls; n++ {
				for seed := range int64(2) {
					h := newHistory(t, fmt.Sprintf("end %d, %s at call %d, seed %d", how, name, n, seed), seed)
					h.disk.Fail = func(call int, op disktest.Op, _ string) *disktest.Fault {
						if call == n {
							return &fault
						}
						return nil
					}
					h.run(how)
				}
			}
		}
	}
}

// The process dies in the middle of every call: nothing after it happens.
func TestDyingInEveryCallLosesNothingAcknowledged(t *testing.T) {
	for _, how := range []end{killed, powerLost} {
		for n := 1; n <= 90; n++ {
			for seed := range int64(8) {
				h := newHistory(t, fmt.Sprintf("dies at call %d, end %d, seed %d", n, how, seed), seed)
				part := rand.New(rand.NewPCG(uint64(seed), 0)).Float64()
				dead := false
				h.disk.Fail = func(call int, op disktest.Op, _ string) *disktest.Fault {
					if call == n {
						dead = true
					}
					if dead {
						return &disktest.Fault{Err: disktest.EIO, Part: part}
					}
					return nil
				}
				if h.open() {
					for i := 0; i < 12 && !dead; i++ {
						h.append(1 + i%3)
					}
				}
				h.stop(how)
				h.disk.Fail = nil
				h.run(how)
			}
		}
	}
}

// A disk that fails at random for a long time, in bursts.
func TestABadDiskLosesNothingAcknowledged(t *testing.T) {
	for seed := range int64(150) {
		h := newHistory(t, fmt.Sprintf("seed %d", seed), seed)
		rng := rand.New(rand.NewPCG(uint64(seed), 0))
		rate := rng.Float64() * 0.5
		h.disk.Fail = func(int, disktest.Op, string) *disktest.Fault {
			if rng.Float64() < rate {
				return &disktest.Fault{Err: disktest.EIO, Part: rng.Float64(), Silent: rng.IntN(4) == 0}
			}
			return nil
		}
		for range 8 {
			if h.open() {
				for range rng.IntN(8) {
					h.append(rng.IntN(4))
				}
			}
			h.stop(end(rng.IntN(3)))
		}
		h.disk.Fail = nil
		h.run(powerLost)
	}
}

func TestAFailedGroupIsNotShownAndTheNextOneTakesItsPlace(t *testing.T) {
	h := newHistory(t, "failed fsync", 1)
	if !h.open() || !h.append(1) {
		t.Fatal("a good disk fails")
	}
	before := h.jrn.End()
	h.disk.Fail = func(_ int, op disktest.Op, _ string) *disktest.Fault {
		if op == disktest.Sync {
			return &disktest.Fault{Err: disktest.EIO}
		}
		return nil
	}
	first, second := h.append(1), h.append(1)
	if first || second || h.jrn.End() != before {
		t.Fatal("acknowledged in spite of a failed fsync")
	}
	if st := h.jrn.Stats(); st.Poisoned != 1 {
		t.Fatalf("%d segments poisoned; want the one whose fsync failed, the next never came to be", st.Poisoned)
	}
	h.disk.Fail = nil
	if err := h.jrn.Probe(); err != nil {
		t.Fatal(err)
	}
	if !h.append(1) {
		t.Fatal("a good disk fails")
	}
	h.check()
	if got := len(readAll(t, h.jrn, 0)); got != 2 {
		t.Fatalf("%d records, want the two acknowledged", got)
	}
}

func TestTheFloorOfFreeSpaceIsKept(t *testing.T) {
	h := newHistory(t, "floor", 1)
	h.opts.MinFreeBytes = 1000
	if !h.open() || !h.append(1) {
		t.Fatal("a good disk fails")
	}
	h.disk.SetFree(1010)
	_, _, err := h.jrn.Append(records(0, 1))
	if !errors.Is(err, journal.ErrUnavailable) || !errors.Is(err, journal.ErrDiskFull) {
		t.Fatalf("append below the floor: %v", err)
	}
	h.disk.SetFree(2000)
	if !h.append(1) {
		t.Fatal("there is room again")
	}
	if h.jrn.Stats().Poisoned != 0 {
		t.Fatal("a refusal is no failed write")
	}
}

// What a disk that lied about an fsync lost is reported, and its positions are not used again.
func TestLostPositionsAreNotUsedAgain(t *testing.T) {
	h := newHistory(t, "lying disk", 1)
	if !h.open() || !h.append(2) {
		t.Fatal("a good disk fails")
	}
	end, id := h.jrn.End(), h.jrn.UUID()
	h.stop(closed)
	h.opts.Expect, h.opts.ExpectUUID = end+500, id
	if !h.open() {
		t.Fatal("Open fails")
	}
	if rec := h.jrn.Recovery(); rec.LostFrom != end || rec.LostTo != end+500 {
		t.Fatalf("recovery %+v", rec)
	}
	// The segment behind the gap is given up empty: the gap must outlive it.
	h.disk.Fail = func(_ int, op disktest.Op, _ string) *disktest.Fault {
		if op == disktest.Write {
			h.disk.Fail = nil
			return &disktest.Fault{Err: disktest.EIO, Part: 0.5}
		}
		return nil
	}
	if h.jrn.End() != end+500 || h.append(1) || !h.append(2) {
		t.Fatalf("end %d", h.jrn.End())
	}
	h.stop(powerLost)
	if !h.open() || len(h.acked) != 4 {
		t.Fatal("Open fails")
	}
	if rec := h.jrn.Recovery(); rec.LostFrom != rec.LostTo {
		t.Fatalf("reported twice: %+v", rec)
	}
}

func TestRestartsDoNotPileUpSegments(t *testing.T) {
	h := newHistory(t, "restarts", 1)
	for range 30 {
		if !h.open() {
			t.Fatal("Open fails")
		}
		if len(h.acked) == 0 {
			h.append(3)
		}
		h.stop(killed)
	}
	if n := len(h.disk.Names()); n > 4 {
		t.Fatalf("%d files after 30 restarts: %q", n, h.disk.Names())
	}
}
