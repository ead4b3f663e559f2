package importer

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/monev112/monev112/collector/internal/disk"
)

// memory is what imports of one source into one collector have sent: for each event, by its own id, the version that
// the collector holds. It is the file <key>.state of the state folder:
//
//	{"format":"monev112-import","version":1,"server":...,"source":...,"center":...}
//	<hash> <hash before> <revision> <row> <id>      a line an event: hex, hex, decimal, unix ms, the rest of the line;
//	                                                behind the id, after a tab each, its subject and the file that gave
//	                                                it first, a number in hex (absent in older lines)
//	carries <mapping's version> <type>=<since, unix ms>,... <mapping's name, quoted>   what its files had
//	end <SHA-256 of everything above, hex>
//
// It is replaced as a whole. While an import runs, <key>.state.open lies beside it: an import that finds it follows one
// that did not come to its end. It holds no caller: the hash leaves the caller out.
type memory struct {
	path  string
	key   memoryKey
	limit int
	lock  io.Closer

	// incomplete says that the collector may hold what is not known here: there was no memory, it was damaged, or the
	// last import did not come to its end.
	incomplete bool
	marked     bool // it did not

	mu      sync.Mutex         // guards which entries are held, and what of
	entries map[string]*entry  // by the event's own id
	blocks  [][]entry          // the same in the order in which they came
	carried map[string]carried // by the mapping's name
}

type memoryKey struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Server  string `json:"server"`
	Source  string `json:"source"`
	Center  string `json:"center"`
}

// version is one content of an event. Revision 0 has the event's own id; revision n replaces n-1.
type version struct {
	hash     uint64
	previous uint64 // hash of the version that it replaces
	row      int64  // when the row happened, milliseconds since 1970
	file     uint64 // a number of the file that gave the event first; 0: not known
	subject  string // such as call/C-1; empty where the id tells it (see about)
	revision uint32
}

// entry is what is known of one event: of millions each byte counts.
type entry struct {
	id string // of revision 0
	version
	held    bool // the collector has it in this version, as far as is known
	planned bool // a row of this run gives it: in this version, until all rows are read
	emptied bool // a row of this run does not give it, for an empty cell
	same    bool // a row of this run says what the collector holds of it
}

// withdrawnHash is the hash of a version that says nothing: the event was withdrawn.
const withdrawnHash = 0

// withdrawn reports whether the collector was told that the event never was.
func (v *version) withdrawn() bool { return v.revision > 0 && v.hash == withdrawnHash }

// about returns the subject of an event: as noted, else what its id says.
func (e *entry) about() string { return cmp.Or(e.subject, subjectOf(e.id)) }

// subjectOf is what an id that the mapping did not choose begins with; empty of another.
func subjectOf(id string) string {
	kind, rest, _ := strings.Cut(id, "/")
	if at := strings.LastIndexByte(rest, '.'); (kind == "call" || kind == "ticket") && at > 0 {
		return id[:len(kind)+1+at]
	}
	return ""
}

// noted is a subject as a version keeps it.
func noted(id, subject string) string {
	if subject == subjectOf(id) {
		return ""
	}
	return subject
}

// hashMask keeps 48 bits of a content hash: what twelve letters of an id hold. Two contents of one event look alike
// with a probability of 4e-15.
const hashMask = 1<<48 - 1

// versionID is the id of a version: the event's own id, or that with ~r<revision>-<hash>. The hash is written in the
// letters a to p, so that it never looks like a telephone number.
func versionID(id string, revision uint32, hash uint64) string {
	if revision == 0 {
		return id
	}
	letters := make([]byte, 12)
	for i := range letters {
		letters[i] = 'a' + byte(hash>>(44-4*i)&15)
	}
	return id + "~r" + strconv.FormatUint(uint64(revision), 10) + "-" + string(letters)
}

// parseVersion undoes versionID for versions of id; ok is false for another event.
func parseVersion(id, of string) (revision uint32, hash uint64, ok bool) {
	rest, ok := strings.CutPrefix(of, id)
	if !ok || rest == "" {
		return 0, 0, ok
	}
	rest, marked := strings.CutPrefix(rest, "~r")
	number, letters, _ := strings.Cut(rest, "-")
	n, err := strconv.ParseUint(number, 10, 32)
	if !marked || err != nil || n == 0 || len(letters) != 12 || strings.Trim(letters, "abcdefghijklmnop") != "" {
		return 0, 0, false
	}
	for _, c := range []byte(letters) {
		hash = hash<<4 | uint64(c-'a')
	}
	return uint32(n), hash, true
}

// memoryPath is where the memory of a source lies in a state folder.
func memoryPath(dir string, key memoryKey) string {
	sum := sha256.Sum256([]byte(strings.TrimSuffix(key.Server, "/") + "\x00" + key.Source + "\x00" + key.Center))
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(key.Source))
	return filepath.Join(dir, name[:min(len(name), 60)]+"-"+hex.EncodeToString(sum[:6])+".state")
}

// openMemory reads the memory of one source and takes its lock.
func openMemory(dir string, key memoryKey, limit int) (_ *memory, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state folder: %w; name one that this user may write to with --state", err)
	}
	key.Format, key.Version, key.Server = "monev112-import", 1, strings.TrimSuffix(key.Server, "/")
	m := &memory{
		key: key, limit: limit, entries: map[string]*entry{}, carried: map[string]carried{}, path: memoryPath(dir, key),
	}
	m.lock, err = disk.OS{}.Lock(m.path + ".lock")
	if errors.Is(err, disk.ErrLocked) {
		return nil, fmt.Errorf("another import of the source %q is running; wait for its end", key.Source)
	}
	if err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	_, unmarked := os.Stat(m.path + ".open")
	err = m.load()
	m.marked = unmarked == nil
	m.incomplete = m.marked || err != nil
	if errors.Is(err, errDamaged) {
		clear(m.entries)
		m.blocks = nil
		clear(m.carried)
		err = os.Rename(m.path, m.path+".damaged")
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = m.mark()
	}
	if err != nil {
		m.close()
		return nil, fmt.Errorf("state file: %w", err)
	}
	return m, nil
}

// mark notes that an import runs.
func (m *memory) mark() error {
	return disk.Replace(disk.OS{}, m.path+".open", 0o600, func(io.Writer) error { return nil })
}

var errDamaged = errors.New("the state file is damaged")

func (m *memory) load() error {
	f, err := os.Open(m.path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	lines := bufio.NewReaderSize(f, 1<<20)
	for n := 0; ; n++ {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return errDamaged
		}
		text := string(line[:len(line)-1])
		end, last := strings.CutPrefix(text, "end ")
		var key memoryKey
		switch {
		case n == 0:
			if json.Unmarshal(line, &key) != nil || key != m.key {
				return errDamaged
			}
		case last:
			if _, err := lines.ReadByte(); end != hexSum(sum) || err != io.EOF {
				return errDamaged
			}
			return nil
		case strings.HasPrefix(text, carriesLine):
			if !m.loadCarried(text) {
				return errDamaged
			}
		case !m.loadLine(text):
			return errDamaged
		}
		_, _ = sum.Write(line)
	}
}

func (m *memory) loadLine(text string) bool {
	parts := strings.SplitN(text, " ", 5)
	if len(parts) != 5 || parts[4] == "" || len(m.entries) >= m.limit {
		return false
	}
	hash, err1 := strconv.ParseUint(parts[0], 16, 64)
	previous, err2 := strconv.ParseUint(parts[1], 16, 64)
	revision, err3 := strconv.ParseUint(parts[2], 10, 32)
	row, err4 := strconv.ParseInt(parts[3], 10, 64)
	id, subject, _ := strings.Cut(parts[4], "\t")
	subject, number, numbered := strings.Cut(subject, "\t")
	file, err5 := strconv.ParseUint(number, 16, 64)
	if numbered && err5 != nil {
		return false
	}
	e, _ := m.entry(strings.Clone(id)) // not the whole line
	e.version = version{hash, previous, row, file, strings.Clone(noted(id, subject)), uint32(revision)}
	e.held = true
	return errors.Join(err1, err2, err3, err4) == nil
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// save replaces the file and removes the mark of an import that runs.
func (m *memory) save() error {
	err := disk.Replace(disk.OS{}, m.path, 0o600, func(w io.Writer) error {
		sum := sha256.New()
		out := bufio.NewWriterSize(io.MultiWriter(w, sum), 64<<10)
		if err := json.NewEncoder(out).Encode(m.key); err != nil {
			return err
		}
		for e := range m.all() {
			if _, err := out.Write(e.appendLine(out.AvailableBuffer())); err != nil {
				return err
			}
		}
		for name, c := range m.carried {
			if _, err := fmt.Fprintf(out, "%s%s %s %q\n", carriesLine, c.version, c.types(), name); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "end %s\n", hexSum(sum))
		return err
	})
	if err == nil {
		err = errors.Join(os.Remove(m.path+".open"), disk.OS{}.SyncDir(filepath.Dir(m.path)))
	}
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	return nil
}

func (m *memory) close() { _ = m.lock.Close() } // the end of the process unlocks it in any case

// appendLine appends the line of the state file.
func (e *entry) appendLine(dst []byte) []byte {
	dst = append(strconv.AppendUint(dst, e.hash, 16), ' ')
	dst = append(strconv.AppendUint(dst, e.previous, 16), ' ')
	dst = append(strconv.AppendUint(dst, uint64(e.revision), 10), ' ')
	dst = append(strconv.AppendInt(dst, e.row, 10), ' ')
	dst = append(append(append(append(dst, e.id...), '\t'), e.subject...), '\t')
	return append(strconv.AppendUint(dst, e.file, 16), '\n')
}

// accepted notes that the collector has an event: in version next, or without one as planned.
func (m *memory) accepted(e *entry, next *version) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.held = true; next != nil {
		e.version = *next
	}
}

// plan notes in which version this run sends an event. held says whether the collector is known to have it so.
func (m *memory) plan(e *entry, v version, held bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.version, e.held, e.planned = v, held, true
}

// find returns the entry of an event that the collector holds, nil when there is none. Like entry it is for one
// goroutine.
func (m *memory) find(id string) *entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[id]; e != nil && e.held {
		return e
	}
	return nil
}

// entry returns that of an event, a new one when there is none; ok is false when there is no room for one.
func (m *memory) entry(id string) (e *entry, ok bool) {
	if e, ok := m.entries[id]; ok {
		return e, true
	}
	if len(m.entries) >= m.limit {
		return nil, false
	}
	if n := len(m.blocks); n == 0 || len(m.blocks[n-1]) == cap(m.blocks[n-1]) {
		m.blocks = append(m.blocks, make([]entry, 0, 256))
	}
	block := &m.blocks[len(m.blocks)-1]
	*block = append(*block, entry{id: id}) // it never grows: entries stay where they are
	e = &(*block)[len(*block)-1]
	m.entries[id] = e
	return e, true
}

// expect makes room for so many events at once where none is known.
func (m *memory) expect(events int) {
	if len(m.entries) == 0 {
		m.entries = make(map[string]*entry, min(events, m.limit))
	}
}

// all goes over what the collector holds, in the order in which it came; the memory must not be asked meanwhile.
func (m *memory) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, block := range m.blocks {
			for i := range block {
				if block[i].held && !yield(&block[i]) {
					return
				}
			}
		}
	}
}
