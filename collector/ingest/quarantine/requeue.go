package quarantine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/internal/disk"
)

// maxMarkBytes bounds a file that MarkRequeue wrote.
const maxMarkBytes = 16 << 20

// ErrLater is returned by the fn of Store.Requeue when nothing can be tried now: the mark stays for the next Requeue.
var ErrLater = errors.New("not now")

func markPrefix(name string) string { return name + "-requeue-" }

// MarkRequeue asks the process that has the store open to try entries again; no ids means all that it holds then. It
// takes no lock and may be called from another process beside a live store.
func MarkRequeue(fsys disk.FS, dir, name string, ids ...string) error {
	u, err := uuid.NewRandom()
	if err != nil {
		return fmt.Errorf("mark for requeue: %w", err)
	}
	path := filepath.Join(dir, markPrefix(name)+u.String()+".json")
	return disk.Replace(fsys, path, 0o600, func(w io.Writer) error {
		if ids == nil {
			ids = []string{}
		}
		return json.NewEncoder(w).Encode(ids)
	})
}

// Requeue gives each entry that was marked to fn, oldest mark's first, and removes it when fn returns nil. It returns
// how many went through. An entry for which fn fails stays, its mark is spent, and the errors are joined; after an
// error that wraps ErrLater the mark is kept and nothing more is tried. After a crash an entry may be given again: fn
// must bear that, as the journal and ClickHouse do.
func (s *Store) Requeue(fn func(Entry) error) (requeued int, err error) {
	names, err := s.opts.FS.ReadDir(s.opts.Dir)
	if err != nil {
		return 0, fmt.Errorf("list %s: %w", s.opts.Dir, err)
	}
	var errs []error
	for _, name := range names {
		if !strings.HasPrefix(name, markPrefix(s.opts.Name)) || !strings.HasSuffix(name, ".json") {
			continue
		}
		n, err := s.requeueMarked(filepath.Join(s.opts.Dir, name), fn)
		requeued += n
		errs = append(errs, err)
		if errors.Is(err, ErrLater) {
			break
		}
	}
	return requeued, errors.Join(errs...)
}

func (s *Store) requeueMarked(path string, fn func(Entry) error) (requeued int, err error) {
	b, err := disk.ReadFile(s.opts.FS, path, maxMarkBytes)
	if err != nil {
		return 0, fmt.Errorf("read requeue mark: %w", err)
	}
	var ids []string
	if err := json.Unmarshal(b, &ids); err != nil {
		return 0, errors.Join(fmt.Errorf("requeue mark %s: %w", path, err), s.opts.FS.Remove(path))
	}
	if len(ids) == 0 {
		s.mu.Lock()
		ids = append(ids, s.order...)
		s.mu.Unlock()
	}
	var errs []error
	for _, id := range ids {
		e, ok, err := s.Get(id)
		if err != nil || !ok {
			errs = append(errs, err)
			continue
		}
		if err := fn(e); err != nil {
			errs = append(errs, fmt.Errorf("requeue entry %s of %s: %w", id, s.opts.Name, err))
			if errors.Is(err, ErrLater) {
				return requeued, errors.Join(errs...)
			}
			continue
		}
		if err := s.Remove(id); err != nil {
			errs = append(errs, err)
			continue
		}
		requeued++
	}
	errs = append(errs, s.opts.FS.Remove(path))
	return requeued, errors.Join(errs...)
}

// Read calls fn with the entries of a store that another process may have open, oldest first; damaged counts lines that
// cannot be read, of which the last may be one being written.
func Read(dir, name string, fn func(Entry) error) (damaged int, err error) {
	fsys := disk.OS{}
	seqs, err := sequences(fsys, dir, name)
	if err != nil {
		return 0, err
	}
	live := map[string]int{} // id -> where in list
	var list []Entry
	for _, seq := range seqs {
		b, err := disk.ReadFile(fsys, filepath.Join(dir, fileName(name, seq)), 1<<30)
		if err != nil {
			return damaged, fmt.Errorf("read %s: %w", name, err)
		}
		eachLine(b, func(_ int, text []byte, ended bool) {
			var l line
			if !ended || json.Unmarshal(text, &l) != nil {
				damaged++
				return
			}
			for _, id := range l.Removed {
				delete(live, id)
			}
			if l.ID != "" {
				live[l.ID] = len(list)
				list = append(list, l.Entry)
			}
		})
	}
	for i, e := range list {
		if at, ok := live[e.ID]; ok && at == i {
			if err := fn(e); err != nil {
				return damaged, err
			}
		}
	}
	return damaged, nil
}
