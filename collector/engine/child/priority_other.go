//go:build !linux

package child

import "syscall"

func lowerPriority() error { return syscall.Setpriority(syscall.PRIO_PROCESS, 0, niceness) }
