package quarantine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil { // the file that is written is treated as the others; the next entry begins a new one
		_ = s.last.Close()
		s.last = nil
	}
	for _, f := range s.files {
		if err := s.rewrite(f, before); err != nil {
			return err
		}
	}
	s.compactOrder()
	return nil
}

// rewrite writes a file anew with the entries that stay. Ids given once are not given again: a file keeps the line of
// the greatest removed id.
func (s *Store) rewrite(f *file, before time.Time) error {
	b, err := disk.ReadFile(s.opts.FS, s.path(f.seq), s.opts.MaxBytes+s.opts.FileBytes)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.opts.Name, err)
	}
	var out bytes.Buffer
	places := map[string]place{}
	var gone []string
	changed := false
	eachLine(b, func(offset int, text []byte, ended bool) {
		var l line
		if !ended || json.Unmarshal(text, &l) != nil {
			changed = true // half a line, or damage: nobody can read it
			return
		}
		at, live := s.entries[l.ID]
		live = live && at.file == f && at.offset == int64(offset)
		switch {
		case l.ID == "": // removals
		case live && l.At.Before(before):
			gone = append(gone, l.ID)
			changed = true
			return
		case !live:
			changed = true
			return
		default:
			places[l.ID] = place{f, int64(out.Len()), len(text)}
		}
		out.Write(text)
		out.WriteByte('\n')
	})
	if !changed {
		return nil
	}
	if len(gone) > 0 {
		text, err := json.Marshal(struct {
			Removed []string `json:"removed"`
		}{gone[len(gone)-1:]})
		if err != nil {
			return fmt.Errorf("encode removal from %s: %w", s.opts.Name, err)
		}
		out.Write(append(text, '\n'))
	}
	err = disk.Replace(s.opts.FS, s.path(f.seq), 0o600, func(w io.Writer) error {
		_, err := w.Write(out.Bytes())
		return err
	})
	if err != nil {
		return fmt.Errorf("expire entries of %s: %w", s.opts.Name, err)
	}
	for _, id := range gone {
		s.forget(id)
	}
	for id, p := range places {
		s.entries[id] = p
	}
	s.stats.Bytes += int64(out.Len()) - f.size
	f.size = int64(out.Len())
	return nil
}
