//go:build faults

package faultpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// The file that MONEV112_FAULTS names holds lines of three kinds:
//
//	clock SECONDS                            the clock of the process is so far ahead (or, below 0, behind)
//	aged SECONDS                             the process has been running so much longer
//	fail OP PATH AFTER COUNT ERROR [PART]    of the calls OP on files whose path contains PATH, the first AFTER pass, the
//	                                         next COUNT fail with ERROR (EIO or ENOSPC), a write after PART of its bytes
//
// OP is write, sync, create, rename, remove or syncdir. A new content takes effect with the next call; each call that
// is made to fail adds a line to the file of that name with ".hits" behind it. Without the file nothing fails.
type control struct {
	mu    sync.Mutex
	name  string
	stamp stamp
	clock time.Duration
	aged  time.Duration
	rules []*rule
}

type stamp struct {
	inode uint64
	size  int64
	at    time.Time
}

type rule struct {
	op, path     string
	after, count int
	fault        Fault
}

var controlled = sync.OnceValue(func() *control { return &control{name: os.Getenv("MONEV112_FAULTS")} })

var errorsByName = map[string]error{"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC}

// reload reads the file when it has changed. A line that cannot be read ends the process: else a test would pass
// without its fault.
func (c *control) reload() {
	info, err := os.Stat(c.name)
	if errors.Is(err, fs.ErrNotExist) {
		c.stamp, c.clock, c.aged, c.rules = stamp{}, 0, 0, nil
		return
	}
	if err != nil {
		panic(err)
	}
	now := stamp{inode: info.Sys().(*syscall.Stat_t).Ino, size: info.Size(), at: info.ModTime()}
	if now == c.stamp {
		return
	}
	text, err := os.ReadFile(c.name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		c.clock, c.aged, c.rules, err = parseControl(string(text))
	}
	if err != nil {
		panic(err)
	}
	c.stamp = now
}

func parseControl(text string) (clock, aged time.Duration, rules []*rule, err error) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		bad := fmt.Errorf("faultpoint: MONEV112_FAULTS: %q: want clock SECONDS, aged SECONDS, or fail OP PATH AFTER COUNT ERROR [PART]",
			line)
		switch {
		case len(f) == 0:
		case (f[0] == "clock" || f[0] == "aged") && len(f) == 2:
			n, err := strconv.Atoi(f[1])
			if err != nil || f[0] == "aged" && n < 0 {
				return 0, 0, nil, bad
			}
			if f[0] == "clock" {
				clock = time.Duration(n) * time.Second
			} else {
				aged = time.Duration(n) * time.Second
			}
		case f[0] == "fail" && (len(f) == 6 || len(f) == 7):
			r := &rule{op: f[1], path: f[2]}
			var err1, err2, err3 error
			r.after, err1 = strconv.Atoi(f[3])
			r.count, err2 = strconv.Atoi(f[4])
			r.fault.Err = errorsByName[f[5]]
			if len(f) == 7 {
				r.fault.Part, err3 = strconv.ParseFloat(f[6], 64)
			}
			known := strings.Contains(" write sync create rename remove syncdir ", " "+r.op+" ")
			if err := errors.Join(err1, err2, err3); err != nil || !known || r.fault.Err == nil || r.fault.Part < 0 ||
				r.fault.Part > 1 {
				return 0, 0, nil, bad
			}
			rules = append(rules, r)
		default:
			return 0, 0, nil, bad
		}
	}
	return clock, aged, rules, nil
}

// Fail returns how the call op on the file name is to fail, nil when it is not. It is safe for concurrent use.
func Fail(op, name string) *Fault {
	c := controlled()
	if c.name == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reload()
	for _, r := range c.rules {
		switch {
		case r.op != op || !strings.Contains(name, r.path) || r.count == 0:
		case r.after > 0:
			r.after--
		default:
			r.count--
			c.line(".hits", op, name)
			return &r.fault
		}
	}
	return nil
}

// line adds a line to a file beside the one that controls.
func (c *control) line(suffix string, words ...any) {
	f, err := os.OpenFile(c.name+suffix, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, words...)
	}
	if err != nil {
		panic(err) // a fault that nobody counts
	}
	_ = f.Close()
}

// Synced adds a line to the file of that name with ".synced" behind it: the size of f and its name, so that a test can
// take from a file what no fsync covered, as a power loss does. It is safe for concurrent use.
func Synced(f *os.File) {
	c := controlled()
	if c.name == "" {
		return
	}
	info, err := f.Stat()
	if err != nil {
		panic(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line(".synced", info.Size(), f.Name())
}

// Now is time.Now, moved as the file says. As when a host's clock is set, "clock" moves the wall reading alone:
// durations between two instants stay what they are.
func Now() time.Time {
	now, c := time.Now(), controlled()
	if c.name == "" {
		return now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reload()
	return step(now.Add(c.aged), c.clock)
}

// step moves the wall reading of t, which must have a monotonic one, by whole seconds. The package time has no other
// way: Add moves both readings.
func step(t time.Time, by time.Duration) time.Time {
	const secondsAt = 30 // the first word of a Time: 1 bit, 33 bits of seconds, 30 bits of nanoseconds
	*(*uint64)(unsafe.Pointer(&t)) += uint64(by/time.Second) << secondsAt
	return t
}
