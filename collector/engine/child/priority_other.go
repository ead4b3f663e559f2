//go:build !linux

package child

import (
	"syscall"
	"time"
)

func lowerPriority() error { return syscall.Setpriority(syscall.PRIO_PROCESS, 0, niceness) }

func setSlice(time.Duration) error { return nil }
