package keyfile

import (
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Recheck is how often a Watched looks at its files: a change takes effect at most that much later.
const Recheck = time.Second

// Watched is a value that follows the files from which it is read. It is safe for concurrent use.
type Watched[T any] struct {
	read  func() (T, error)
	files []string
	log   *slog.Logger

	mu      sync.RWMutex
	checked time.Time
	infos   []fs.FileInfo // of files when value was read, or could not be; nil for one that is absent
	value   T
}

// Watch returns the value that read makes of files, read for the first time.
func Watch[T any](read func() (T, error), now time.Time, log *slog.Logger, files ...string) (*Watched[T], error) {
	w := &Watched[T]{read: read, files: files, log: log, checked: now}
	w.infos = w.look() // before reading: a change in between is seen at the next look
	var err error
	if w.value, err = read(); err != nil {
		return nil, err
	}
	return w, nil
}

// Get returns the value, read again when a file changed. When that fails the value stays, and the log says so once.
func (w *Watched[T]) Get(now time.Time) T {
	w.mu.RLock()
	value, recent := w.value, w.recent(now)
	w.mu.RUnlock()
	if recent {
		return value
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.recent(now) {
		return w.value
	}
	return w.follow(now)
}

// Fresh is Get that looks at the files whenever it is asked: a change takes effect at once.
func (w *Watched[T]) Fresh(now time.Time) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.follow(now)
}

// follow looks at the files. The caller holds the lock.
func (w *Watched[T]) follow(now time.Time) T {
	w.checked = now
	infos := w.look()
	if sameFiles(infos, w.infos) {
		return w.value
	}
	w.infos = infos
	value, err := w.read()
	if err != nil {
		w.log.Error("changed file cannot be read, keeping what was read before", "files", w.files, "error", err)
		return w.value
	}
	w.value = value
	w.log.Info("changed file read", "files", w.files)
	return value
}

// recent reports whether the files were looked at less than Recheck ago; a clock that was set back says nothing.
func (w *Watched[T]) recent(now time.Time) bool {
	age := now.Sub(w.checked)
	return age >= 0 && age < Recheck
}

func (w *Watched[T]) look() []fs.FileInfo {
	infos := make([]fs.FileInfo, len(w.files))
	for i, name := range w.files {
		if info, err := os.Stat(name); err == nil {
			infos[i] = info
		}
	}
	return infos
}

func sameFiles(a, b []fs.FileInfo) bool {
	for i, x := range a {
		y := b[i]
		if x == nil && y == nil {
			continue
		}
		if x == nil || y == nil || !os.SameFile(x, y) || !x.ModTime().Equal(y.ModTime()) || x.Size() != y.Size() ||
			x.Mode() != y.Mode() {
			return false
		}
	}
	return true
}
