package quarantine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
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

// resume says how far a mark has been worked off.
type resume struct {
	tried uint64 // of the ids that it names: how many; of a mark for all: the last id
	end   uint64 // of a mark for all: entries from this id on came later
}

// Requeue gives each entry that was marked to fn, oldest mark's first, and removes it when fn returns nil. It returns
// how many went through. An entry for which fn fails stays, its mark is spent, and the errors are joined; after an
// error that wraps ErrLater the mark is kept and nothing more is tried. At most limit entries are tried, or all when it
// is 0: the next call goes on behind them. After a crash an entry may be given again: fn must bear that, as the journal
// and ClickHouse do.
func (s *Store) Requeue(limit int, fn func(Entry) error) (requeued int, err error) {
	names, err := s.opts.FS.ReadDir(s.opts.Dir)
	if err != nil {
		return 0, fmt.Errorf("list %s: %w", s.opts.Dir, err)
	}
	r := round{store: s, fn: fn, left: limit}
	if limit == 0 {
		r.left = math.MaxInt
	}
	for _, name := range names {
		if !strings.HasPrefix(name, markPrefix(s.opts.Name)) || !strings.HasSuffix(name, ".json") {
			continue
		}
		path := filepath.Join(s.opts.Dir, name)
		err := r.mark(path)
		if errors.Is(err, errRoundEnds) {
			break
		}
		delete(s.resume, path)
		if err := errors.Join(err, s.opts.FS.Remove(path)); err != nil {
			r.errs = append(r.errs, err)
		}
	}
	return r.requeued, errors.Join(r.errs...)
}

// round is one call of Requeue.
type round struct {
	store    *Store
	fn       func(Entry) error
	left     int // how many may still be tried
	requeued int
	errs     []error
}

// errRoundEnds says that a mark is not worked off yet.
var errRoundEnds = errors.New("to be continued")

// maxErrors bounds how many errors a round reports.
const maxErrors = 20

// mark works off a mark. An error other than errRoundEnds says why the mark can never be.
func (r *round) mark(path string) error {
	s := r.store
	b, err := disk.ReadFile(s.opts.FS, path, maxMarkBytes)
	if err != nil {
		r.report(fmt.Errorf("read requeue mark: %w", err))
		return errRoundEnds
	}
	var ids []string
	if err := json.Unmarshal(b, &ids); err != nil {
		return fmt.Errorf("requeue mark %s: %w", path, err)
	}
	at := s.resume[path]
	defer func() { s.resume[path] = at }()
	if len(ids) > 0 {
		for _, id := range ids[min(at.tried, uint64(len(ids))):] {
			e, ok, err := s.Get(id)
			switch {
			case err != nil:
				r.report(err)
			case ok:
				if err := r.try(&e); err != nil {
					return err
				}
			}
			at.tried++
		}
		return nil
	}
	if at.end == 0 {
		s.mu.Lock()
		at.end = s.nextID
		s.mu.Unlock()
	}
	err = s.from(at.tried, func(e Entry) error {
		n, _ := number(e.ID)
		if n >= at.end {
			return nil
		}
		if err := r.try(&e); err != nil {
			return err
		}
		at.tried = n
		return nil
	})
	if err != nil && !errors.Is(err, errRoundEnds) {
		r.report(err) // a file that cannot be read now
		return errRoundEnds
	}
	return err
}

// try gives one entry; errRoundEnds says that it has to be given again.
func (r *round) try(e *Entry) error {
	if r.left == 0 {
		return errRoundEnds
	}
	r.left--
	err := r.fn(*e)
	if err == nil {
		if err = r.store.remove(e); err == nil {
			r.requeued++
			return nil
		}
	}
	r.report(fmt.Errorf("requeue entry %s of %s: %w", e.ID, r.store.opts.Name, err))
	if errors.Is(err, ErrLater) {
		return errRoundEnds
	}
	return nil
}

func (r *round) report(err error) {
	if len(r.errs) < maxErrors {
		r.errs = append(r.errs, err)
	}
}

// Read calls fn with the entries of a store that another process may have open, oldest first; damaged counts lines that
// cannot be read, of which the last may be one being written.
func Read(dir, name string, fn func(Entry) error) (damaged int, err error) {
	fsys := disk.OS{}
	seqs, err := sequences(fsys, dir, name)
	if err != nil {
		return 0, err
	}
	each := func(fn func(l *line) error) error {
		for _, seq := range seqs {
			b, err := disk.ReadFile(fsys, filepath.Join(dir, fileName(name, seq)), maxFileBytes)
			if errors.Is(err, fs.ErrNotExist) {
				continue // dropped meanwhile
			}
			if err != nil {
				return fmt.Errorf("read %s: %w", name, err)
			}
			eachLine(b, func(text []byte, ended bool) {
				var l line
				switch {
				case err != nil:
				case !ended || json.Unmarshal(text, &l) != nil:
					damaged++
				default:
					err = fn(&l)
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	gone := map[string]bool{}
	if err := each(func(l *line) error {
		for _, id := range l.Removed {
			gone[id] = true
		}
		return nil
	}); err != nil {
		return 0, err
	}
	damaged = 0
	err = each(func(l *line) error {
		if l.ID == "" || gone[l.ID] {
			return nil
		}
		return fn(l.Entry)
	})
	return damaged, err
}
