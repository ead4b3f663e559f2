package child_test

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/monev112/monev112/collector/engine/enginetest"
)

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
