package quarantine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/disk/disktest"
)

func open(t *testing.T, opts quarantine.Options) *quarantine.Store {
	t.Helper()
	if opts.Name == "" {
		opts.Name = "refused"
	}
	s, err := quarantine.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func entry(i int) quarantine.Entry {
	return quarantine.Entry{At: time.Unix(int64(i), 0).UTC(), Source: "//s", Field: "data.class",
		Reason: fmt.Sprintf("reason %d", i),
		Event:  json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))}
}

func reasons(t *testing.T, s *quarantine.Store) (list []string) {
	t.Helper()
	if err := s.Each(func(e quarantine.Entry) error { list = append(list, e.Reason); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEntriesComeBackAfterARestartWithoutTheRemovedOnes(t *testing.T) {
	dir := t.TempDir()
	s := open(t, quarantine.Options{Dir: dir})
	for i := range 5 {
		if err := s.Add(entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Add(quarantine.Entry{Reason: "no row", Table: "events", Payload: []byte{0, 1, 0xff, '\n'}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove("2", "4", "99"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := reasons(t, s); !slices.Equal(got, []string{"reason 0", "reason 2", "reason 4", "no row"}) || s.Len() != 4 {
			t.Fatalf("%q, %d", got, s.Len())
		}
		s.Close()
		s = open(t, quarantine.Options{Dir: dir})
	}
	e, ok, err := s.Get("6")
	if err != nil || !ok || e.Table != "events" || string(e.Payload) != "\x00\x01\xff\n" {
		t.Fatalf("%+v, %v, %v", e, ok, err)
	}
	if err := s.Add(entry(7)); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := s.Get("7"); !ok {
		t.Fatal("ids do not go on after a restart")
	}
	names, err := filepath.Glob(dir + "/*")
	if err != nil || len(names) != 2 {
		t.Fatalf("%q, %v", names, err)
	}
	if info, err := os.Stat(names[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
}

func TestTheOldestAreDroppedAndCountedAtEachLimit(t *testing.T) {
	for name, opts := range map[string]quarantine.Options{
		"bytes":   {MaxBytes: 4000, FileBytes: 1000, MaxEntryBytes: 500},
		"entries": {MaxEntries: 20, FileBytes: 500, MaxEntryBytes: 500},
	} {
		opts.Dir = t.TempDir()
		s := open(t, opts)
		for i := range 200 {
			if err := s.Add(entry(i)); err != nil {
				t.Fatal(err)
			}
		}
		st := s.Stats()
		if opts.MaxBytes > 0 && st.Bytes > opts.MaxBytes || opts.MaxEntries > 0 && st.Entries > opts.MaxEntries {
			t.Fatalf("%s: above the limit: %+v", name, st)
		}
		if st.Dropped == 0 || int(st.Dropped)+st.Entries != 200 {
			t.Fatalf("%s: %+v; every entry is there or counted as dropped", name, st)
		}
		got := reasons(t, s)
		if len(got) != st.Entries || got[len(got)-1] != "reason 199" {
			t.Fatalf("%s: %q", name, got)
		}
		var onDisk int64
		names, _ := filepath.Glob(opts.Dir + "/*")
		for _, n := range names {
			info, err := os.Stat(n)
			if err != nil {
				t.Fatal(err)
			}
			onDisk += info.Size()
		}
		if onDisk != st.Bytes {
			t.Fatalf("%s: %d bytes on disk, %d counted", name, onDisk, st.Bytes)
		}
	}
}

func TestRemovingAllFreesTheDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, quarantine.Options{Dir: dir, FileBytes: 600, MaxEntryBytes: 500})
	for i := range 100 {
		if err := s.Add(entry(i)); err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(fmt.Sprint(i + 1)); err != nil {
			t.Fatal(err)
		}
	}
	if st := s.Stats(); st.Entries != 0 || st.Bytes > 2000 || st.Dropped != 0 {
		t.Fatalf("%+v", st)
	}
}

func TestHugeOrBrokenEntriesAreKeptWithoutTheirContent(t *testing.T) {
	s := open(t, quarantine.Options{Dir: t.TempDir(), MaxEntryBytes: 2000})
	if err := s.Add(
		quarantine.Entry{Reason: "huge", Event: json.RawMessage(`"` + strings.Repeat("x", 3000) + `"`)},
		quarantine.Entry{Reason: "no JSON", Event: json.RawMessage(`{`)},
		quarantine.Entry{Reason: strings.Repeat("r", 3000)},
	); err != nil {
		t.Fatal(err)
	}
	if got := reasons(t, s); len(got) != 3 || got[0] != "huge" || got[1] != "no JSON" || len(got[2]) != 256 {
		t.Fatalf("%q", got)
	}
	if st := s.Stats(); st.Cut != 3 {
		t.Fatalf("%+v", st)
	}
}

func TestMarkedEntriesAreTriedAgainAndStayWhenThatFails(t *testing.T) {
	dir := t.TempDir()
	s := open(t, quarantine.Options{Dir: dir})
	for i := range 4 {
		if err := s.Add(entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := quarantine.MarkRequeue(disk.OS{}, dir, "refused", "2", "3", "77"); err != nil {
		t.Fatal(err)
	}
	bad := errors.New("still bad")
	n, err := s.Requeue(0, func(e quarantine.Entry) error {
		if e.ID == "3" {
			return bad
		}
		return nil
	})
	if n != 1 || !errors.Is(err, bad) {
		t.Fatalf("%d, %v", n, err)
	}
	if got := reasons(t, s); !slices.Equal(got, []string{"reason 0", "reason 2", "reason 3"}) {
		t.Fatalf("%q", got)
	}
	if n, err := s.Requeue(0, func(quarantine.Entry) error { return bad }); n != 0 || err != nil {
		t.Fatalf("a mark counts twice: %d, %v", n, err)
	}
	if err := quarantine.MarkRequeue(disk.OS{}, dir, "refused"); err != nil {
		t.Fatal(err)
	}
	asked := 0
	if n, err := s.Requeue(0, func(quarantine.Entry) error {
		asked++
		return quarantine.ErrLater
	}); n != 0 || asked != 1 || !errors.Is(err, quarantine.ErrLater) {
		t.Fatalf("%d of %d, %v", n, asked, err)
	}
	if n, err := s.Requeue(0, func(quarantine.Entry) error { return nil }); n != 3 || err != nil || s.Len() != 0 {
		t.Fatalf("%d, %v, %d left", n, err, s.Len())
	}
}

func TestReadBesideALiveStore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, quarantine.Options{Dir: dir})
	if err := s.Add(entry(0), entry(1), entry(2)); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove("2"); err != nil {
		t.Fatal(err)
	}
	var got []string
	damaged, err := quarantine.Read(dir, "refused", func(e quarantine.Entry) error {
		got = append(got, e.Reason)
		return nil
	})
	if err != nil || damaged != 0 || !slices.Equal(got, []string{"reason 0", "reason 2"}) {
		t.Fatalf("%q, %d, %v", got, damaged, err)
	}
}

// With Keep, what Add took survives every fault and every end of the process, also beside removals and while the files
// are written anew.
func TestDeadLettersSurviveABadDisk(t *testing.T) {
	for seed := range int64(400) {
		d := disktest.New(seed)
		rng := rand.New(rand.NewPCG(uint64(seed), 0))
		opts := quarantine.Options{Dir: "/q", Name: "dead", FileBytes: 400, Keep: true, FS: d}
		fail := func(int, disktest.Op, string) *disktest.Fault {
			if rng.IntN(5) == 0 {
				return &disktest.Fault{Err: disktest.EIO, Part: rng.Float64(), Silent: rng.IntN(3) == 0}
			}
			return nil
		}
		must := map[string]bool{}
		for life := range 4 {
			d.Fail = nil
			s, err := quarantine.Open(opts)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			got := map[string]string{}
			if err := s.Each(func(e quarantine.Entry) error { got[e.Reason] = e.ID; return nil }); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for reason := range must {
				if got[reason] == "" {
					t.Fatalf("seed %d, life %d: %q is lost; there is %v", seed, life, reason, got)
				}
			}
			d.Fail = fail
			for i := range rng.IntN(12) {
				switch rng.IntN(6) {
				case 0:
					if list := slices.Sorted(maps.Keys(got)); len(list) > 0 {
						reason := list[rng.IntN(len(list))]
						delete(must, reason) // whatever Remove says: it may be gone
						_ = s.Remove(got[reason])
					}
				case 1:
					_ = s.Expire(time.Time{}) // removes nothing but traces
				default:
					e := entry(life*100 + i)
					if s.Add(e) == nil {
						must[e.Reason] = true
					}
				}
			}
			if rng.IntN(2) == 0 {
				d.PowerLoss()
			} else {
				d.Kill()
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("{\"id\":\"1\",\"reason\":\"x\"}\n{\"removed\":[\"1\"]}\n"))
	f.Add([]byte("{\"id\":\"18446744073709551615\"}\nxx"))
	f.Add([]byte("\n\n{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := disktest.New(1)
		d.SetBytes("/q/x-0000000001.ndjson", b)
		s, err := quarantine.Open(quarantine.Options{Dir: "/q", Name: "x", FS: d})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Add(entry(1)); err != nil {
			t.Fatal(err)
		}
		found := false
		if err := s.Each(func(e quarantine.Entry) error {
			found = found || e.Reason == "reason 1"
			return nil
		}); err != nil || !found {
			t.Fatalf("%v, found %v", err, found)
		}
	})
}

// What is the only copy of an accepted event is never dropped: not by number, not by bytes, not for its size.
func TestKeptEntriesAreNeverDropped(t *testing.T) {
	s := open(t, quarantine.Options{
		Dir: t.TempDir(), Keep: true, FileBytes: 2000, MaxBytes: 1, MaxEntries: 1, MaxEntryBytes: 1,
	})
	const n = 1000
	for i := range n / 50 {
		var list []quarantine.Entry
		for j := range 50 {
			list = append(list, entry(50*i+j))
		}
		if err := s.Add(list...); err != nil {
			t.Fatal(err)
		}
	}
	huge := quarantine.Entry{Reason: strings.Repeat("x", 1<<16), Payload: make([]byte, 1<<20)}
	if err := s.Add(huge); err != nil {
		t.Fatal(err)
	}
	st := s.Stats()
	if got := reasons(t, s); len(got) != n+1 || st.Entries != n+1 || st.Dropped != 0 || st.Cut != 0 || st.Damaged != 0 {
		t.Fatalf("%d entries, %+v", len(got), st)
	}
	if e, ok, err := s.Get(fmt.Sprint(n + 1)); err != nil || !ok || len(e.Payload) != 1<<20 {
		t.Fatalf("%v, %v, %d bytes", ok, err, len(e.Payload))
	}
	if got := s.Source("//s"); got.Entries != n {
		t.Errorf("%+v of the source, want %d entries", got, n)
	}
}

// A marked store is worked off in portions, and an entry that fails is not given again for the same mark.
func TestRequeueGoesOnWhereItStopped(t *testing.T) {
	dir := t.TempDir()
	s := open(t, quarantine.Options{Dir: dir, Keep: true, FileBytes: 600})
	for i := range 25 {
		if err := s.Add(entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, ids := range [][]string{nil, {"3", "99", "20", "5"}} {
		if err := quarantine.MarkRequeue(disk.OS{}, dir, "refused", ids...); err != nil {
			t.Fatal(err)
		}
		tried := map[string]int{}
		for range 10 {
			_, _ = s.Requeue(4, func(e quarantine.Entry) error {
				tried[e.ID]++
				if e.ID == "5" {
					return errors.New("still bad")
				}
				return nil
			})
			if err := s.Add(entry(100)); err != nil { // what comes later is not meant
				t.Fatal(err)
			}
		}
		for id, n := range tried {
			if n != 1 {
				t.Errorf("%s was tried %d times", id, n)
			}
		}
		if want := map[bool]int{true: 25, false: 1}[ids == nil]; len(tried) != want {
			t.Errorf("%d entries were tried, want %d", len(tried), want)
		}
	}
	if got := s.Stats(); got.Entries != 21 {
		t.Errorf("%+v, want 20 that came later and one that failed", got)
	}
}
