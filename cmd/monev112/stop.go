//go:build !faults

package main

import "time"

// stopWithin is how long a stop may last: less than the 10 s that container runtimes and people wait.
const stopWithin = 9 * time.Second
