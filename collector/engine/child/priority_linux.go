package child

import (
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lowerPriority lowers the priority of every thread of this process by niceness.
func lowerPriority() error {
	own, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		return err
	}
	target := min(20-own+niceness, 19) // the kernel answers 20 - nice
	return everyThread(func(id int) (changed bool, err error) {
		now, err := syscall.Getpriority(syscall.PRIO_PROCESS, id)
		if err != nil || 20-now >= target {
			return false, err
		}
		return true, syscall.Setpriority(syscall.PRIO_PROCESS, id, target)
	})
}

// setSlice asks for slices of that length for every thread of this process. Linux before 6.12 has one length for all,
// which stays; another may give other slices than it is asked for.
func setSlice(d time.Duration) error {
	asked := map[int]bool{}
	return everyThread(func(id int) (changed bool, err error) {
		a, err := unix.SchedGetAttr(id, 0)
		if err != nil || asked[id] || a.Policy != unix.SCHED_NORMAL || a.Runtime == 0 || a.Runtime == uint64(d) {
			return false, err
		}
		asked[id] = true
		a.Runtime = uint64(d)
		return true, unix.SchedSetAttr(id, a, 0)
	})
}

// everyThread has change look at each thread of this process, and so at all that they will start: on Linux a thread has
// its place among others from the one that started it. A thread that was started meanwhile by one not yet changed is
// found by another pass.
func everyThread(change func(id int) (changed bool, err error)) error {
	for again := true; again; {
		again = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				continue
			}
			changed, err := change(id)
			again = again || changed
			if err != nil && !errors.Is(err, syscall.ESRCH) { // a thread may end
				return err
			}
		}
	}
	return nil
}
