// Package audit owns the record of who read a case or a list of them, and what people did on a page: append-only JSON
// lines in local files, bounded in size. It holds ids of keys, links, centres, tickets and calls, and nothing of a
// citizen.
//
// A line is written before the answer is sent. If it cannot be written, because the disk is full, the read goes on all
// the same: this is an emergency service. The failure is logged and counted. Lines are not fsynced one by one: a power
// loss may cost the last seconds, a crash of the process costs nothing.
package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
)

// FolderName is the name of the folder of the record in the data folder.
const FolderName = "audit"

// Bounds of the record; the oldest file goes first. A line has about 150 bytes, so that a million reads are kept.
const (
	maxFileBytes = 16 << 20
	maxFiles     = 10
)

// The actions of an Entry.
const (
	Read        = "read"
	Acknowledge = "acknowledge"
	Record      = "record"   // an OPD recorded a step of a ticket; Filter names it
	Undo        = "undo"     // and took it back
	SignIn      = "sign_in"  // on a page, with a key
	Withdraw    = "withdraw" // events of a source were taken back
	HandOut     = "hand out" // a report became an edition
	Confirm     = "confirm"  // that a ticket whose opening was taken back never was
)

// Nobody is who reads while authentication is disabled.
const Nobody = "nobody"

// Entry is one line.
type Entry struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who"`    // key:<id>, link:<id>, or nobody while authentication is disabled
	Action string    `json:"action"` // read, acknowledge, sign_in, or what a page names
	Kind   string    `json:"kind"`   // ticket, call, list, session, or what a page names
	Center string    `json:"center"`
	OPD    string    `json:"opd,omitzero"`    // of a link, or that a list was narrowed to
	ID     string    `json:"id,omitzero"`     // of the case
	Filter string    `json:"filter,omitzero"` // of a list, beside centre and OPD: state, overdue, at_risk, source; the step of a record
	Name   string    `json:"name,omitzero"`   // of the key by which something was changed
	Cases  int       `json:"cases,omitzero"`  // that a list showed
}

// Log appends entries to the file "reads.jsonl" of a folder. Full files are named reads.1.jsonl (the latest) and up. It
// is safe for concurrent use.
type Log struct {
	dir       string
	fileBytes int64
	log       *slog.Logger
	failed    atomic.Int64

	mu     sync.Mutex
	file   *os.File // nil when closed, and after a failure until the next entry
	bytes  int64
	closed bool
}

// Open opens the record in dir, which is made with mode 0700.
func Open(dir string, log *slog.Logger) (*Log, error) {
	l := &Log{dir: dir, fileBytes: maxFileBytes, log: log.With("component", "audit")}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("record of reads: %w", err)
	}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("record of reads: %w", err)
	}
	return l, nil
}

// name is the name of the n-th file, the current one first.
func (l *Log) name(n int) string {
	if n == 0 {
		return filepath.Join(l.dir, "reads.jsonl")
	}
	return filepath.Join(l.dir, fmt.Sprintf("reads.%d.jsonl", n))
}

func (l *Log) open() error {
	f, err := os.OpenFile(l.name(0), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return err
	}
	l.file, l.bytes = f, info.Size()
	if l.bytes == 0 {
		return nil
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], l.bytes-1); err == nil && last[0] != '\n' {
		_ = l.append([]byte("\n")) // a power loss cut a line: the next begins on its own
	}
	return nil
}

// Record appends an entry.
func (l *Log) Record(e Entry) {
	e.At = e.At.UTC().Truncate(time.Millisecond)
	line, err := json.Marshal(e)
	if err == nil {
		err = l.write(append(line, '\n'))
	}
	if err != nil {
		l.failed.Add(1)
		l.log.Error("a read cannot be recorded", "error", err)
	}
}

// Failed returns how many entries could not be written.
func (l *Log) Failed() int64 { return l.failed.Load() }

func (l *Log) write(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil && l.bytes+int64(len(line)) > l.fileBytes {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	if l.closed {
		return errors.New("the record of reads is closed")
	}
	if l.file == nil {
		if err := l.open(); err != nil {
			return err
		}
	}
	err := l.append(line)
	if err != nil { // part of the line may be written, which opening the file ends
		err = errors.Join(err, l.close())
	}
	return err
}

func (l *Log) append(line []byte) error {
	n, err := l.file.Write(line)
	l.bytes += int64(n)
	return err
}

// rotate closes the full file and shifts the names by one.
func (l *Log) rotate() error {
	if err := l.close(); err != nil {
		l.log.Warn("a full file of the record of reads was not closed cleanly", "error", err)
	}
	for n := maxFiles - 1; n > 0; n-- {
		if err := os.Rename(l.name(n-1), l.name(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, l.open())
		}
	}
	return l.open()
}

// Close closes the file; entries after it are lost and counted. It may be called twice.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return l.close()
}

func (l *Log) close() error {
	if l.file == nil {
		return nil
	}
	err := errors.Join(l.file.Sync(), l.file.Close())
	l.file = nil
	return err
}
