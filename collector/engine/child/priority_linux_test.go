package child_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/monev112/monev112/collector/engine/enginetest"
)

// sliceLengths returns how many of a process's threads have each length of slice; nil where Linux has one for all, or
// does not say.
func sliceLengths(t *testing.T, pid int) map[time.Duration]int {
	t.Helper()
	ids, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "task"))
	if err != nil {
		t.Fatal(err)
	}
	n := map[time.Duration]int{}
	for _, id := range ids {
		tid, _ := strconv.Atoi(id.Name())
		a, err := unix.SchedGetAttr(tid, 0)
		switch {
		case errors.Is(err, unix.ESRCH): // it has ended
		case err != nil || a.Runtime == 0: // what runs us allows no look, or Linux is older
			return nil
		case a.Policy != unix.SCHED_NORMAL: // none of ours
		default:
			n[time.Duration(a.Runtime)]++
		}
	}
	return n
}

// threads returns how many of a process's threads have each nice value.
func threads(t *testing.T, pid int) map[int]int {
	t.Helper()
	ids, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "task"))
	if err != nil {
		t.Fatal(err)
	}
	n := map[int]int{}
	for _, id := range ids {
		tid, _ := strconv.Atoi(id.Name())
		if p, err := syscall.Getpriority(syscall.PRIO_PROCESS, tid); err == nil {
			n[20-p]++
		}
	}
	return n
}

func TestChildGivesWayToItsParent(t *testing.T) {
	data := t.TempDir()
	_, addr, key, _ := startChild(t, childConfig(data, "127.0.0.1:0"))
	// the library has its threads now
	if _, err := enginetest.Post(addr, key, "SELECT sum(number) FROM numbers_mt(1000000)", "", nil); err != nil {
		t.Fatal(err)
	}
	parent, child := sliceLengths(t, os.Getpid()), sliceLengths(t, enginePID(t, data))
	if parent != nil && child != nil && (parent[100*time.Microsecond] < 2 || len(parent) > 1 ||
		child[3*time.Millisecond] < 5 || child[100*time.Microsecond] > 0) {
		t.Errorf("slices of the parent's threads: %v, of the child's: %v", parent, child)
	}
	own, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	mine := 20 - own
	want := min(mine+10, 19)
	// ClickHouse raises a guard of its memory above all when it may.
	if n := threads(t, enginePID(t, data)); n[want] < 5 || want > mine && n[mine] > 0 {
		t.Errorf("nice of the child's threads: %v, want %d", n, want)
	}
}
