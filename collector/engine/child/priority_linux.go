package child

import (
	"errors"
	"os"
	"strconv"
	"syscall"
)

// lowerPriority lowers the priority of every thread of this process by niceness, and with them of all that they will
// start: on Linux priorities belong to threads, and those that live before the library is loaded are all there are. A
// thread that was started meanwhile by one not yet lowered is found by another pass.
func lowerPriority() error {
	own, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		return err
	}
	target := min(20-own+niceness, 19) // the kernel answers 20 - nice
	for lowered := true; lowered; {
		lowered = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				continue
			}
			now, err := syscall.Getpriority(syscall.PRIO_PROCESS, id)
			if err == nil && 20-now < target {
				err = syscall.Setpriority(syscall.PRIO_PROCESS, id, target)
				lowered = true
			}
			if err != nil && !errors.Is(err, syscall.ESRCH) { // a thread may end
				return err
			}
		}
	}
	return nil
}
