package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/internal/disk"
)

const (
	identityName  = "journal.json"
	maxSmallBytes = 1 << 20 // of identityName and skipsName
)

// identity is the content of journal.json.
type identity struct {
	Format string    `json:"format"`
	Birth  uuid.UUID `json:"birth"` // stands in every segment
	UUID   uuid.UUID `json:"uuid"`  // names positions: changes when they may come to mean other records
	// Continues are former UUIDs under which a position means the same as under UUID, as far as it is still there.
	Continues []uuid.UUID `json:"continues,omitempty"`
}

func (id identity) names(u uuid.UUID) bool { return u == id.UUID || slices.Contains(id.Continues, u) }

const identityFormat = "monev112 journal 1"

// loadIdentity reads journal.json, or makes it when the folder holds no segment.
func loadIdentity(fsys disk.FS, dir string, names []string) (identity, error) {
	path := filepath.Join(dir, identityName)
	id, err := readIdentity(fsys, path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	for _, name := range names {
		if _, _, ok := parseSegmentName(name); ok {
			return identity{}, fmt.Errorf(
				"%s is missing beside segments such as %s; restore it from a backup or run monev112 journal renew",
				path, name)
		}
	}
	u, err := uuid.NewRandom()
	if err != nil {
		return identity{}, fmt.Errorf("make a journal id: %w", err)
	}
	id = identity{UUID: u, Birth: u}
	return id, writeIdentity(fsys, path, id)
}

func readIdentity(fsys disk.FS, path string) (id identity, err error) {
	b, err := disk.ReadFile(fsys, path, maxSmallBytes)
	if err != nil {
		return id, fmt.Errorf("read journal id: %w", err)
	}
	switch err = json.Unmarshal(b, &id); {
	case err != nil:
	case !strings.HasPrefix(id.Format, "monev112 journal "):
		err = fmt.Errorf("format is %q, want %q", id.Format, identityFormat)
	case id.Format == identityFormat && (id.UUID == uuid.Nil || id.Birth == uuid.Nil):
		err = errors.New("birth or uuid is missing")
	}
	if err != nil {
		return id, fmt.Errorf("%s is damaged (%w); restore it from a backup or run monev112 journal renew", path, err)
	}
	if id.Format != identityFormat {
		return id, fmt.Errorf(
			"%s is a %q, this version of monev112 reads a %q: run the version that wrote it, or a newer one",
			path, id.Format, identityFormat)
	}
	return id, nil
}

func writeIdentity(fsys disk.FS, path string, id identity) error {
	id.Format = identityFormat
	return writeJSON(fsys, path, id)
}

func writeJSON(fsys disk.FS, path string, v any) error {
	return disk.Replace(fsys, path, 0o600, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	})
}

// HoldsRecords reports whether a record was ever appended to the journal in dir, by the names and sizes of its
// segments.
func HoldsRecords(dir string) bool {
	names, _ := disk.OS{}.ReadDir(dir) // without the folder there is none
	return slices.ContainsFunc(names, func(name string) bool {
		first, _, ok := parseSegmentName(name)
		if !ok || first > 0 {
			return ok
		}
		info, err := os.Stat(filepath.Join(dir, name))
		return err == nil && info.Size() > segmentHeaderBytes
	})
}

// ChangeUUID gives the closed journal in dir a new UUID: to be called after its folder was restored from a backup,
// because its positions from the time of the backup on will come to mean other records than those a database already
// has under the old UUID. Checkpoints and cursors of the old UUID are then ignored.
func ChangeUUID(fsys disk.FS, dir string) (uuid.UUID, error) {
	lock, err := lockDir(fsys, dir)
	if err != nil {
		return uuid.UUID{}, err
	}
	defer lock.Close()
	path := filepath.Join(dir, identityName)
	id, err := readIdentity(fsys, path)
	if err != nil {
		return uuid.UUID{}, err
	}
	if id.UUID, err = uuid.NewRandom(); err != nil {
		return uuid.UUID{}, fmt.Errorf("make a journal id: %w", err)
	}
	id.Continues = nil
	return id.UUID, writeIdentity(fsys, path, id)
}
