package asterisk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// tail reads the complete lines of a log that is rotated while it is read, by rename and by copytruncate. Every method
// is for one goroutine.
type tail struct {
	path string
	log  func(msg string, args ...any) // of what an operator should know; may be nil

	file    file // nil while the log is missing
	offset  int64
	inode   uint64
	head    string // of headLen bytes
	headLen int
	queue   []string // rotated files that are read before the log itself
	last    time.Time
	buf     []byte // of the last read: lines and a part of one
	lost    int    // times that the place was not found again

	unreadable map[string]bool
}

// file is an open file; a compressed one is read into memory.
type file interface {
	io.ReaderAt
	io.Closer
}

const (
	readBytes     = 256 << 10
	maxUnzipBytes = 256 << 20 // of a compressed rotated log
)

// memory is a file that was decompressed.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// openLog opens a plain or gzip file.
func openLog(name string) (file, fs.FileInfo, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", name)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	if !strings.HasSuffix(name, ".gz") {
		return f, info, nil
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	b, err := io.ReadAll(io.LimitReader(z, maxUnzipBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(b) > maxUnzipBytes {
		return nil, nil, fmt.Errorf("%s: over %d bytes when decompressed; decompress and split it", name, maxUnzipBytes)
	}
	return memory{bytes.NewReader(b)}, info, nil
}

func (t *tail) say(msg string, args ...any) {
	if t.log != nil {
		t.log(msg, args...)
	}
}

// leaveOut remembers a rotated file that cannot be read, so that it is told once and holds nothing up.
func (t *tail) leaveOut(name string, err error) {
	if t.unreadable == nil {
		t.unreadable = map[string]bool{}
	}
	t.unreadable[name] = true
	t.say("a rotated log cannot be read; its lines are left out", "file", filepath.Base(name), "error", err)
}

// resume finds the place of m again: in the log, else in one of its rotated files.
func (t *tail) resume(m mark) error {
	if f, info, err := openLog(t.path); err == nil {
		if same, err := holds(f, m); err == nil && same && (m.HeadBytes > 0 || inodeOf(info) == m.Inode) {
			t.use(f, info, m)
			return nil
		}
		f.Close()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if m.HeadBytes > 0 {
		if t.resumeRotated(m) {
			return nil
		}
		t.lost++
		t.say("the rotated log that was read last is gone; the log is read from its start", "offset", m.Offset)
	}
	return nil
}

// holds reports whether f begins as m says and reaches to its offset.
func holds(f file, m mark) (bool, error) {
	head, err := hashHead(f, m.HeadBytes)
	if err != nil || head != m.Head && m.HeadBytes > 0 {
		return false, err
	}
	if m.Offset == 0 {
		return true, nil
	}
	var b [1]byte
	n, err := f.ReadAt(b[:], m.Offset-1)
	if n == 1 {
		return true, nil
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return false, err
}

// resumeRotated looks for m among the rotated files and reads on there.
func (t *tail) resumeRotated(m mark) bool {
	for _, r := range t.rotated() {
		f, info, err := openLog(r.name)
		if err != nil {
			t.leaveOut(r.name, err)
			continue
		}
		if same, err := holds(f, m); err == nil && same {
			t.use(f, info, m)
			t.enqueue()
			return true
		}
		f.Close()
	}
	return false
}

// rotatedFile is a file beside the log whose name begins with the log's.
type rotatedFile struct {
	name string
	at   time.Time
}

// rotated lists the rotated files, the one written last first.
func (t *tail) rotated() []rotatedFile {
	dir, base := filepath.Dir(t.path), filepath.Base(t.path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []rotatedFile
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), base)
		name := filepath.Join(dir, e.Name())
		if !ok || rest == "" || rest[0] != '.' && rest[0] != '-' || !e.Type().IsRegular() || t.unreadable[name] {
			continue
		}
		if info, err := e.Info(); err == nil {
			out = append(out, rotatedFile{name, info.ModTime()})
		}
	}
	slices.SortFunc(out, func(a, b rotatedFile) int {
		if c := b.at.Compare(a.at); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	return out
}

// enqueue lists the files that were written after the one that is read: those that lie between it and the log.
func (t *tail) enqueue() {
	t.queue = nil
	for _, r := range slices.Backward(t.rotated()) {
		if r.at.After(t.last) {
			t.queue = append(t.queue, r.name)
		}
	}
}

// use reads f from the offset of m on.
func (t *tail) use(f file, info fs.FileInfo, m mark) {
	t.close()
	t.file, t.offset, t.inode, t.last = f, m.Offset, inodeOf(info), info.ModTime()
	t.head, t.headLen, t.buf = m.Head, m.HeadBytes, t.buf[:0]
}

func (t *tail) close() {
	if t.file != nil {
		t.file.Close()
		t.file = nil
	}
}

// mark is the place behind n bytes of the last read.
func (t *tail) mark(n int) mark {
	return mark{Inode: t.inode, Offset: t.offset + int64(n), HeadBytes: t.headLen, Head: t.head}
}

// take says that n bytes of the last read are done.
func (t *tail) take(n int) { t.offset += int64(n) }

// read returns what lies behind the offset, up to 256 KiB: whole lines, and at the end perhaps a part of one. final is
// true when nothing will be added to that part. With nothing to read it goes on to the next file if there is one, and
// returns done true when there is none: everything written so far was read.
func (t *tail) read() (b []byte, final, done bool, err error) {
	for range 2 + len(t.queue) {
		if t.file == nil {
			f, info, err := openLog(t.path)
			if err != nil {
				return nil, false, false, err
			}
			t.use(f, info, mark{})
		}
		if moved, err := t.truncated(); err != nil {
			return nil, false, false, err
		} else if moved {
			continue
		}
		n, err := t.fill()
		if err != nil {
			return nil, false, false, err
		}
		if n > 0 && bytes.IndexByte(t.buf, '\n') >= 0 {
			return t.buf, false, false, nil
		}
		if !t.next() {
			return t.buf, false, n < readBytes, nil
		}
		// The file was left for another one. What was added to it before that must not be missed.
		if n, err = t.fill(); err != nil {
			return nil, false, false, err
		}
		if n > 0 {
			return t.buf, n < readBytes, false, nil
		}
		if err := t.advance(); err != nil {
			return nil, false, false, err
		}
	}
	return nil, false, false, nil
}

// fill reads behind the offset.
func (t *tail) fill() (int, error) {
	if cap(t.buf) < readBytes {
		t.buf = make([]byte, readBytes)
	}
	n, err := t.file.ReadAt(t.buf[:readBytes], t.offset)
	t.buf = t.buf[:n]
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("read %s: %w", t.path, err)
	}
	// The head grows with the file until it is long enough to be told from every other.
	if want := int(min(t.offset+int64(n), headBytes)); want > t.headLen {
		if head, err := hashHead(t.file, want); err == nil && head != "" {
			t.head, t.headLen = head, want
		}
	}
	return n, nil
}

// truncated notices that the file was cut (copytruncate) and goes on in the copy, if lines are left there, else at the
// beginning.
func (t *tail) truncated() (bool, error) {
	m := t.mark(0)
	same, err := holds(t.file, m)
	if err != nil || same {
		return false, err
	}
	if t.resumeRotated(m) {
		t.say("the log was copied and cut; what was not read yet is read from the copy")
		return true, nil
	}
	t.lost++
	t.say("the log was cut and no copy of it was found; lines may be lost", "offset", m.Offset)
	f, info, err := openLog(t.path)
	if err != nil {
		return false, err
	}
	t.use(f, info, mark{})
	return true, nil
}

// next reports whether another file follows the one that is read. A new empty log does not: until the first line is in
// it the telephone system may write to the old one.
func (t *tail) next() bool {
	if len(t.queue) > 0 {
		return true
	}
	info, err := os.Stat(t.path)
	if err != nil || info.Size() == 0 {
		return false
	}
	if t.isLog(info) {
		return false
	}
	if of, ok := t.file.(*os.File); ok {
		if mine, err := of.Stat(); err == nil {
			t.last = mine.ModTime()
		}
	}
	return true
}

// isLog reports whether the file that is read is the log itself and no rotated one.
func (t *tail) isLog(info fs.FileInfo) bool {
	of, ok := t.file.(*os.File)
	if !ok {
		return false
	}
	mine, err := of.Stat()
	return err == nil && os.SameFile(mine, info)
}

// advance opens the file that follows.
func (t *tail) advance() error {
	if len(t.queue) == 0 {
		t.enqueue() // rotated more than once since
	}
	if len(t.queue) > 0 {
		name := t.queue[0]
		t.queue = t.queue[1:]
		f, info, err := openLog(name)
		if err != nil {
			t.leaveOut(name, err)
			return nil
		}
		t.use(f, info, mark{})
		return nil
	}
	f, info, err := openLog(t.path)
	if err != nil {
		return err
	}
	t.use(f, info, mark{})
	return nil
}
