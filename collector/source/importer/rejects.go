package importer

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/monev112/monev112/collector/source/tabular"
)

// rejects writes what was refused to a CSV file that its owner alone may read: file, line, code, column, reason, event,
// and then the cells of the row, masked. It is safe for concurrent use. An older file of the same name is overwritten,
// so that the file always speaks of the latest run; a run without refusals leaves none.
type rejects struct {
	mu     sync.Mutex
	path   string // empty: refusals are counted only
	file   *os.File
	buf    *bufio.Writer
	csv    *csv.Writer
	counts map[tabular.Code]int
	first  []string // the first few, for the summary
	errs   []tabular.RowError
	err    error
}

// How many refusals a summary shows, and how many it holds.
const (
	firstRefusals = 5
	heldRefusals  = 20
)

func newRejects(path string) (*rejects, error) {
	r := &rejects{path: path, counts: map[tabular.Code]int{}}
	if path == "" {
		return r, nil
	}
	// Made at once, so that a folder that cannot be written is known before the first row is sent.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("rejects file: %w", err)
	}
	if err := f.Chmod(0o600); err != nil { // an older file may have been open to others
		f.Close()
		return nil, fmt.Errorf("rejects file: %w", err)
	}
	r.file, r.buf = f, bufio.NewWriterSize(f, 64<<10)
	r.csv = csv.NewWriter(r.buf)
	r.write("file", "line", "code", "column", "reason", "event", "cells")
	return r, nil
}

// add notes a refused row with its masked cells, or, with its masked id, an event of it.
func (r *rejects) add(e *tabular.RowError, event string, cells []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[e.Code]++
	if len(r.first) < firstRefusals {
		r.first = append(r.first, e.Error())
	}
	if len(r.errs) < heldRefusals {
		r.errs = append(r.errs, *e)
	}
	r.write(append([]string{e.File, strconv.Itoa(e.Line), string(e.Code), e.Column, e.Reason, event}, cells...)...)
}

func (r *rejects) write(cells ...string) {
	if r.csv == nil || r.err != nil {
		return
	}
	for i, c := range cells {
		// A spreadsheet takes a text that begins so for a formula.
		if c != "" && strings.ContainsRune("=+-@", rune(c[0])) {
			cells[i] = "'" + c
		}
	}
	r.err = r.csv.Write(cells)
}

// total is the number of refusals so far.
func (r *rejects) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, c := range r.counts {
		n += c
	}
	return n
}

// close writes out what is left.
func (r *rejects) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	r.csv.Flush()
	err := cmp.Or(r.err, r.csv.Error(), r.buf.Flush(), r.file.Close())
	r.file, r.csv = nil, nil
	if err == nil && len(r.counts) == 0 {
		err = os.Remove(r.path)
	}
	if err != nil {
		return fmt.Errorf("rejects file %s: %w", r.path, err)
	}
	return nil
}
