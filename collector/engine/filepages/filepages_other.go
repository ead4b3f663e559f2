//go:build !linux

package filepages

func unmap() error { return nil }
