package quarantine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/monev112/monev112/collector/internal/disk"
)

// Older counts the entries that were refused before an instant, and says when the oldest of them was.
func (s *Store) Older(before time.Time) (n int, oldest time.Time, err error) {
	err = s.Each(func(e Entry) error {
		if e.At.Before(before) {
			n++
			if oldest.IsZero() || e.At.Before(oldest) {
				oldest = e.At
			}
		}
		return nil
	})
	return n, oldest, err
}

// Expire removes the entries that were refused before an instant, and every trace of entries that were removed earlier,
// from the files: they are written anew without them.
func (s *Store) Expire(before time.Time) error {
	return s.rewrite(func(e *Entry) change {
		if e.At.Before(before) {
			return removed
		}
		return unchanged
	})
}

// change is what rewrite does with an entry.
type change uint8

const (
	unchanged change = iota
	edited
	removed
)

// rewrite gives every entry to edit and writes the files anew that lose something by it, or hold traces of removed
// entries. Entries may be added between two files.
func (s *Store) rewrite(edit func(*Entry) change) error {
	s.mu.Lock()
	if s.last != nil { // the file that is written is treated as the others; the next entry begins a new one
		_ = s.last.Close()
		s.last = nil
	}
	files := append([]*file(nil), s.files...)
	s.mu.Unlock()
	for _, f := range files {
		if err := s.rewriteFile(f, edit); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) rewriteFile(f *file, edit func(*Entry) change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := disk.ReadFile(s.opts.FS, s.path(f.seq), maxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // dropped meanwhile
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", s.opts.Name, err)
	}
	out := bytes.NewBuffer(s.head())
	var gone []*Entry
	var lost []int // bytes of the lines of gone
	var heavier []func()
	touched := false
	eachLine(b, func(text []byte, ended bool) {
		var l line
		if !ended || json.Unmarshal(text, &l) != nil {
			touched = true // half a line, or damage: nobody can read it
			return
		}
		n, _ := number(l.ID)
		was := len(text)
		switch {
		case len(l.Removed) > 0: // of entries in earlier files, perhaps
		case l.ID == "":
			return // a head
		case !f.has(n):
			touched = true
			return
		default:
			e := l.Entry
			switch edit(&e) {
			case removed:
				touched = true
				gone, lost = append(gone, &e), append(lost, was)
				return
			case edited:
				line, merr := json.Marshal(&e)
				if merr != nil {
					err = fmt.Errorf("encode entry of %s: %w", s.opts.Name, merr)
					return
				}
				touched, text = true, line
				heavier = append(heavier, func() { s.weigh(&l.Entry, was, -1); s.weigh(&e, len(line), 1) })
			}
		}
		out.Write(text)
		out.WriteByte('\n')
	})
	if err != nil || !touched {
		return err
	}
	err = disk.Replace(s.opts.FS, s.path(f.seq), 0o600, func(w io.Writer) error {
		_, err := w.Write(out.Bytes())
		return err
	})
	if err != nil {
		return fmt.Errorf("write %s anew: %w", s.opts.Name, err)
	}
	for i, e := range gone {
		n, _ := number(e.ID)
		f.remove(n)
		s.stats.Entries--
		s.weigh(e, lost[i], -1)
	}
	for _, reweigh := range heavier {
		reweigh()
	}
	s.stats.Bytes += int64(out.Len()) - f.size
	f.size = int64(out.Len())
	return nil
}
