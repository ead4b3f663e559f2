// Package freeaddr finds addresses for the servers of tests that have to come back on the port they had. It is for
// tests alone.
package freeaddr

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
)

// drawn are the addresses that this process was given: one is bound only some time after it was drawn.
var drawn sync.Map

// first is the lowest port that is given: most servers of a machine have lower ones.
const first = 12000

// Loopback returns an address of 127.0.0.1 on which nothing listens, and each only once. Its port lies below those that
// the kernel gives to outgoing connections, so that none of them takes it while its server is away.
func Loopback() (string, error) {
	low := 32768
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		fmt.Sscan(string(text), &low)
	}
	for range 1000 {
		port := 0 // a machine that gives out nearly all ports: the kernel's choice
		if low > first+1000 {
			port = first + rand.IntN(low-first)
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		_ = l.Close()
		if _, given := drawn.LoadOrStore(l.Addr().String(), true); !given {
			return l.Addr().String(), nil
		}
	}
	return "", errors.New("no free port was found on 127.0.0.1")
}
