//go:build !linux

package main

import "time"

// sleepUntil returns once t has come.
func sleepUntil(t time.Time) { time.Sleep(time.Until(t)) }
