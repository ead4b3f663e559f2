package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/internal/disk"
)

const (
	identityName  = "journal.json"
	skipsName     = "skips.json"
	maxSmallBytes = 1 << 20 // of identityName and skipsName
)

// identity is the content of journal.json.
type identity struct {
	uuid  uuid.UUID // changes with Renew
	birth uuid.UUID // stands in every segment
}

type identityJSON struct {
	Format string `json:"format"`
	Birth  string `json:"birth"`
	UUID   string `json:"uuid"`
}

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
			return identity{}, fmt.Errorf("%s is missing beside segments such as %s; restore it from a backup", path, name)
		}
	}
	u, err := uuid.NewRandom()
	if err != nil {
		return identity{}, fmt.Errorf("make a journal id: %w", err)
	}
	id = identity{uuid: u, birth: u}
	return id, writeIdentity(fsys, path, id)
}

func readIdentity(fsys disk.FS, path string) (identity, error) {
	b, err := disk.ReadFile(fsys, path, maxSmallBytes)
	if err != nil {
		return identity{}, fmt.Errorf("read journal id: %w", err)
	}
	var in identityJSON
	bad := func(err error) (identity, error) {
		return identity{}, fmt.Errorf("%s is damaged (%w); restore it from a backup", path, err)
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return bad(err)
	}
	if in.Format != identityFormat && strings.HasPrefix(in.Format, "monev112 journal ") {
		return identity{}, fmt.Errorf(
			"%s is a %q, this version of monev112 reads a %q: run the version that wrote it, or a newer one", path, in.Format,
			identityFormat)
	}
	if in.Format != identityFormat {
		return bad(fmt.Errorf("format is %q, want %q", in.Format, identityFormat))
	}
	u, err := uuid.Parse(in.UUID)
	if err != nil {
		return bad(err)
	}
	birth, err := uuid.Parse(in.Birth)
	if err != nil {
		return bad(err)
	}
	return identity{uuid: u, birth: birth}, nil
}

func writeIdentity(fsys disk.FS, path string, id identity) error {
	out := identityJSON{Format: identityFormat, Birth: id.birth.String(), UUID: id.uuid.String()}
	return writeJSON(fsys, path, out)
}

func writeJSON(fsys disk.FS, path string, v any) error {
	return disk.Replace(fsys, path, 0o600, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	})
}

// Renew gives the closed journal in dir a new UUID: to be called after its folder was restored from a backup, because
// its positions from the time of the backup on will come to mean other records than those a database already has under
// the old UUID. Checkpoints and cursors of the old UUID are then ignored.
func Renew(fsys disk.FS, dir string) (uuid.UUID, error) {
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
	if id.uuid, err = uuid.NewRandom(); err != nil {
		return uuid.UUID{}, fmt.Errorf("make a journal id: %w", err)
	}
	return id.uuid, writeIdentity(fsys, path, id)
}

// Skip is a damaged range that an operator chose to step over. Readers go from From to To.
type Skip struct {
	From    Position  `json:"from"`
	To      Position  `json:"to"`
	Segment string    `json:"segment"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

func loadSkips(fsys disk.FS, dir string) ([]Skip, error) {
	path := filepath.Join(dir, skipsName)
	b, err := disk.ReadFile(fsys, path, maxSmallBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read skipped ranges: %w", err)
	}
	var skips []Skip
	if err := json.Unmarshal(b, &skips); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w); remove it and step over the damage again", path, err)
	}
	return skips, nil
}

// skipTo returns where a reader that stands at p goes on.
func skipTo(skips []Skip, p Position) Position {
	for range skips {
		moved := false
		for _, s := range skips {
			if p >= s.From && p < s.To {
				p, moved = s.To, true
			}
		}
		if !moved {
			break
		}
	}
	return p
}

func (j *Journal) skipped(p Position) bool { return skipTo(j.skips, p) != p }
