//go:build !linux

package engine

import "syscall"

func giveWay() error { return syscall.Setpriority(syscall.PRIO_PROCESS, 0, childNice) }
