package chdb

import (
	"syscall"
	"unsafe"
)

// Signals that ClickHouse resets to their default action when it is told to leave signals alone, and the Go runtime's
// preemption signal. Go turns SIGSEGV, SIGBUS and SIGFPE into panics: without its handler a nil pointer would kill the
// process.
var guardedSignals = []syscall.Signal{
	syscall.SIGABRT, syscall.SIGSEGV, syscall.SIGILL, syscall.SIGBUS, syscall.SIGSYS, syscall.SIGFPE, syscall.SIGTSTP,
	syscall.SIGTRAP, syscall.SIGURG, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGHUP,
}

// kernelSigaction has the size of the kernel's struct sigaction (32 bytes on amd64 and arm64); its content is only
// carried.
type kernelSigaction [32]byte

const signalSetSize = 8 // bytes of the kernel's sigset_t

// saveSignalHandlers remembers who handles the guarded signals and returns the function that puts them back. It speaks
// to the kernel directly, so that the restorer address the Go runtime set is kept as it is.
func saveSignalHandlers() (restore func()) {
	saved := make([]kernelSigaction, len(guardedSignals))
	ok := make([]bool, len(guardedSignals))
	for i, signal := range guardedSignals {
		_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(signal), 0, uintptr(unsafe.Pointer(&saved[i])),
			signalSetSize, 0, 0)
		ok[i] = errno == 0
	}
	return func() {
		for i, signal := range guardedSignals {
			if ok[i] {
				syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(signal), uintptr(unsafe.Pointer(&saved[i])), 0, signalSetSize,
					0, 0)
			}
		}
	}
}
