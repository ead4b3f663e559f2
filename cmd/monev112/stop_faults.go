//go:build faults

package main

import "time"

// stopWithin of the program that tests run: many of them on one machine, each of which has to stop in order.
const stopWithin = 2 * time.Minute
