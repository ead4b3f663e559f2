package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/store"
)

// The formats. The first numbered the schema as the program did before its first release, and is otherwise the same.
const (
	format           = "monev112 backup 2"
	prereleaseFormat = "monev112 backup 1"
)

// Manifest says what is in a backup.
type Manifest struct {
	Format  string    `json:"format"`
	ID      string    `json:"id"` // UUID
	TakenAt time.Time `json:"taken_at"`
	Program string    `json:"program"` // the version that took it
	Schema  uint32    `json:"schema"`  // the number of the last migration
	Journal Journal   `json:"journal"`
	Tables  []Table   `json:"tables"`
	State   []File    `json:"state"`
}

// Journal is the journal as it was copied. The tables hold every event below Shipped.
type Journal struct {
	UUID    string           `json:"uuid"`
	Shipped journal.Position `json:"shipped"`
	First   journal.Position `json:"first"`
	End     journal.Position `json:"end"`
	Records int              `json:"records"`
	Files   []File           `json:"files"`
}

// Table is the rows of one table, each key once.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    uint64   `json:"rows"`
	Files   []File   `json:"files"`
}

// File is one file of a backup. Name is relative to the folder, with slashes.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Rows   uint64 `json:"rows,omitempty"`
}

func (m *Manifest) files() (all []File) {
	for _, t := range m.Tables {
		all = append(all, t.Files...)
	}
	return append(append(all, m.Journal.Files...), m.State...)
}

// Bytes is the size of all files.
func (m *Manifest) Bytes() (sum int64) {
	for _, f := range m.files() {
		sum += f.Bytes
	}
	return sum
}

// Rows is the number of rows of all tables.
func (m *Manifest) Rows() (sum uint64) {
	for _, t := range m.Tables {
		sum += t.Rows
	}
	return sum
}

func (m *Manifest) write(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	sum := sha256.Sum256(text)
	if err := writeFile(filepath.Join(dir, manifestName+sumSuffix),
		[]byte(hex.EncodeToString(sum[:])+"  "+manifestName+"\n")); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, manifestName), text)
}

func writeFile(path string, text []byte) error {
	return disk.WriteFile(disk.OS{}, path, 0o600, text)
}

// Open reads the manifest of the backup in dir. It does not look at the other files: Verify does.
func Open(dir string) (*Manifest, error) {
	text, err := disk.ReadFile(disk.OS{}, filepath.Join(dir, manifestName), maxManifestBytes)
	if errors.Is(err, fs.ErrNotExist) {
		if strings.HasSuffix(filepath.Clean(dir), unfinishedSuffix) {
			return nil, fmt.Errorf("%s is a backup that was interrupted; take a new one", dir)
		}
		return nil, fmt.Errorf("%s is no backup: it has no %s", dir, manifestName)
	}
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	want, err := disk.ReadFile(disk.OS{}, filepath.Join(dir, manifestName+sumSuffix), 1<<10)
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	sum := sha256.Sum256(text)
	if got, _, _ := strings.Cut(string(want), " "); got != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("%s: %s is damaged: its checksum is not the one in %s", dir, manifestName,
			manifestName+sumSuffix)
	}
	m := &Manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", dir, manifestName, err)
	}
	if m.Format == prereleaseFormat && m.Schema == store.BaselineSchemaVersion {
		m.Format, m.Schema = format, store.BaselineFiles
	}
	if m.Format != format {
		return nil, fmt.Errorf(
			"%s: the backup has the format %q and the schema %d, this version of monev112 reads the format %q: "+
				"restore it with the version that took it (%s)", dir, m.Format, m.Schema, format, m.Program)
	}
	if err := m.checkNames(); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return m, nil
}

// Verify reads every file of the backup in dir and compares it with the manifest.
func Verify(ctx context.Context, dir string, progress func(Progress)) (*Manifest, error) {
	m, err := Open(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("verify the backup: %w", err)
	}
	defer root.Close()
	report := reporter{to: progress}
	done, total := int64(0), m.Bytes()
	for _, f := range m.files() {
		got, err := sumFile(ctx, root, f.Name, func(n int64) {
			report.update(Progress{"verify", done + n, total, true})
		})
		if err != nil {
			return nil, fmt.Errorf("verify the backup: %w", err)
		}
		if got.Bytes != f.Bytes || got.SHA256 != f.SHA256 {
			return nil, fmt.Errorf(
				"%s is damaged: %d bytes with the checksum %.12s, taken were %d with %.12s; use another backup",
				filepath.Join(dir, f.Name), got.Bytes, got.SHA256, f.Bytes, f.SHA256)
		}
		done += f.Bytes
	}
	report.update(Progress{"verify", total, total, true})
	return m, nil
}

func sumFile(ctx context.Context, root *os.Root, name string, each func(n int64)) (File, error) {
	f, err := openPlain(root, name)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	hash, b, n := sha256.New(), make([]byte, 1<<20), int64(0)
	for {
		k, err := f.Read(b)
		_, _ = hash.Write(b[:k]) // never fails
		n += int64(k)
		each(n)
		if errors.Is(err, io.EOF) {
			return File{Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil))}, nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return File{}, err
		}
	}
}
