// Package filepages gives back the pages of the program's and the library's own files that only a start needed.
package filepages

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// mapping is a range of addresses.
type mapping struct{ from, to uintptr }

// unchanged returns the mappings in a text of /proc/PID/smaps that hold the program or ClickHouse's library, which stay
// where they are, cannot be written, and have no page that differs from its file, in memory or swapped out: whatever
// leaves them can be read again.
func unchanged(smaps, program string) (out []mapping) {
	var m mapping
	ok := false
	for line := range strings.Lines(smaps) {
		f := strings.Fields(line)
		switch {
		case len(f) < 2:
		case !strings.HasSuffix(f[0], ":"): // address, permissions, offset, device, inode, path
			from, to, _ := strings.Cut(f[0], "-")
			a, errFrom := strconv.ParseUint(from, 16, 64)
			b, errTo := strconv.ParseUint(to, 16, 64)
			m = mapping{uintptr(a), uintptr(b)}
			path := strings.Join(f[min(len(f), 5):], " ")
			ok = errFrom == nil && errTo == nil && (f[1] == "r--p" || f[1] == "r-xp") &&
				(path == program || strings.HasSuffix(path, "/libchdb.so"))
		case f[0] == "Anonymous:" || f[0] == "Swap:":
			ok = ok && f[1] == "0"
		case f[0] == "VmFlags:" && ok: // the last line of each
			out = append(out, m)
		}
	}
	return out
}

// startTakes is when a start is over, on any but a slow machine: there more pages stay.
const startTakes = 25 * time.Second

// UnmapAfterStart takes the code and the constants of this process out of its memory once its start is over, unless ctx
// ends before. What is used again comes back by itself, for a microsecond a piece; what only the start needed
// (relocations, constructors, migrations) does not. The pages stay in the system's cache of files, which gives up those
// first that no process has.
func UnmapAfterStart(ctx context.Context, log *slog.Logger) {
	select {
	case <-ctx.Done():
	case <-time.After(startTakes):
		if err := unmap(); err != nil {
			log.Warn("pages of the start not given back", "error", err)
		}
	}
}
