package dropfolder

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/internal/disk"
)

// ledger remembers which contents were imported: a text file, one line for each, "<mapping and content hash> <when>".
// It spares work and explains; forgetting costs a second import, which the server answers with "known".
type ledger struct {
	path string
	most int

	mu    sync.Mutex
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
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok = l.keys[key]
	return at, ok
}

// add adds a content and replaces the file.
func (l *ledger) add(key string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(key, now.UTC().Format(time.RFC3339))
	return l.write()
}

// forget forgets every content of a mapping and replaces the file, if there was any.
func (l *ledger) forget(mapping string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.order)
	l.order = slices.DeleteFunc(l.order, func(key string) bool {
		is := strings.HasPrefix(key, mapping)
		if is {
			delete(l.keys, key)
		}
		return is
	})
	if len(l.order) == before {
		return nil
	}
	return l.write()
}

func (l *ledger) write() error {
	return disk.Replace(disk.OS{}, l.path, 0o600, func(out io.Writer) error {
		for _, k := range l.order {
			if _, err := fmt.Fprintf(out, "%s %s\n", k, l.keys[k]); err != nil {
				return err
			}
		}
		return nil
	})
}
