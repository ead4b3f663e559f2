package dropfolder

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ledger remembers which contents were imported: a text file, one line for each, "<mapping and content hash> <when>".
// It spares work and explains; forgetting costs a second import, which the server answers with "known".
type ledger struct {
	path  string
	most  int
	keys  map[string]string
	order []string
}

func openLedger(path string, most int) (*ledger, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("list of dropped files: %w", err)
	}
	l := &ledger{path: path, most: most, keys: map[string]string{}}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list of dropped files: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if key, at, ok := strings.Cut(lines.Text(), " "); ok && len(at) == len(time.RFC3339)-len("07:00") {
			l.put(key, at)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("list of dropped files: %w", err)
	}
	return l, nil
}

func (l *ledger) put(key, at string) {
	if _, ok := l.keys[key]; !ok {
		l.order = append(l.order, key)
	}
	l.keys[key] = at
	for len(l.order) > l.most {
		delete(l.keys, l.order[0])
		l.order = l.order[1:]
	}
}

func (l *ledger) find(key string) (at string, ok bool) {
	at, ok = l.keys[key]
	return at, ok
}

// add writes the list anew, beside the old one, and puts it in its place.
func (l *ledger) add(key string, now time.Time) error {
	l.put(key, now.UTC().Format(time.RFC3339))
	f, err := os.CreateTemp(filepath.Dir(l.path), "dropped-*")
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	for _, k := range l.order {
		fmt.Fprintf(out, "%s %s\n", k, l.keys[k]) // kept for Flush
	}
	if err := errors.Join(out.Flush(), f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return err
	}
	return os.Rename(f.Name(), l.path)
}
