package asterisk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/monev112/monev112/collector/internal/disk"
)

// mark says which file is read, and up to where. A file is known again by its first bytes: an inode is used anew after
// a rotation, and copytruncate keeps it while the content moves.
type mark struct {
	Inode     uint64 `json:"inode"`
	Offset    int64  `json:"offset"` // behind the last line that was taken over
	HeadBytes int    `json:"head_bytes"`
	Head      string `json:"head_sha256"` // of the first HeadBytes bytes
}

// headBytes is how much of a file's beginning makes it known: some lines with their times.
const headBytes = 512

// hashHead is the hash of the first n bytes of f, empty when it has fewer.
func hashHead(f io.ReaderAt, n int) (string, error) {
	b := make([]byte, n)
	if got, err := f.ReadAt(b, 0); got < n {
		if err == nil || errors.Is(err, io.EOF) {
			return "", nil
		}
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// position is the content of the position file: what was read, and what its lines told of calls and agents that go on.
type position struct {
	Version  int               `json:"version"`
	File     mark              `json:"file"`
	Calls    map[string]*call  `json:"calls,omitempty"`
	Finished []string          `json:"finished,omitempty"`
	Agents   map[string]*agent `json:"agents,omitempty"`
}

const (
	positionName     = "position.json"
	positionVersion  = 2 // 1 had the times of calls in seconds
	maxPositionBytes = 64 << 20
)

// readPosition returns ok false when there is none yet.
func readPosition(fsys disk.FS, dir string) (p position, ok bool, err error) {
	name := filepath.Join(dir, positionName)
	text, err := disk.ReadFile(fsys, name, maxPositionBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("position: %w", err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, false, fmt.Errorf(
			"position file %s: %w; remove it, and the log is read again from its start, which counts nothing twice", name, err)
	}
	if p.Version == 1 {
		p.Version = positionVersion
		for _, c := range p.Calls {
			if c != nil {
				c.Entered, c.Left = c.Entered*second, c.Left*second
			}
		}
	}
	if p.Version != positionVersion || p.File.Offset < 0 || p.File.HeadBytes < 0 || p.File.HeadBytes > headBytes {
		return p, false, fmt.Errorf(
			"position file %s is of version %d, this program writes %d; remove it, and the log is read again from its "+
				"start, which counts nothing twice", name, p.Version, positionVersion)
	}
	for id, c := range p.Calls {
		if c == nil {
			delete(p.Calls, id)
		}
	}
	for id, a := range p.Agents {
		if a == nil {
			delete(p.Agents, id)
		}
	}
	return p, true, nil
}

func writePosition(fsys disk.FS, dir string, p position) error {
	p.Version = positionVersion
	return disk.Replace(fsys, filepath.Join(dir, positionName), 0o600, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(p)
	})
}

// restore makes m know what it knew at p.
func (m *Mapper) restore(p position) {
	if p.Calls != nil {
		m.calls = p.Calls
	}
	if p.Agents != nil {
		m.agents = p.Agents
	}
	m.finished = p.Finished
}

// position is where m stands; it shares m's maps and must be written before the next line.
func (m *Mapper) position(at mark) position {
	return position{File: at, Calls: m.calls, Finished: m.finished, Agents: m.agents}
}
