//go:build !linux

package chdb

// saveSignalHandlers does nothing here: the pinned library says that it leaves handlers alone once told to, and the
// guard against older ones is written for Linux, where the engine is meant to run.
func saveSignalHandlers() (restore func()) { return func() {} }
