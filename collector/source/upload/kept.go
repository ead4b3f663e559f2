package upload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/tabular"
)

// Kept is a mapping that an import used, kept under the name of its choice, as <name>.json in the folder mappings.
type Kept struct {
	Choice Choice    `json:"choice"`
	YAML   string    `json:"yaml"`
	Header []string  `json:"header"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

const mappingsFolder = "mappings"

// maxKeptBytes bounds the file of a kept mapping.
const maxKeptBytes = 1 << 20

// ErrName is returned for a name that no mapping can be kept under.
var ErrName = errors.New("a name has 1 to 40 lower-case letters, digits and hyphens")

var keptName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// header is the row of column names of a proposal.
func header(p mapping.Proposal) (out []string) {
	for _, c := range p.Columns {
		out = append(out, tabular.NormalHeader(c.Header))
	}
	return out
}

func (d *Desk) keep(k Kept) error {
	if !keptName.MatchString(k.Choice.Name) {
		return ErrName
	}
	folder := filepath.Join(d.cfg.State, mappingsFolder)
	path := filepath.Join(folder, k.Choice.Name+".json")
	if names, _ := filepath.Glob(filepath.Join(folder, "*.json")); len(names) >= d.cfg.Limits.Kept &&
		!slices.Contains(names, path) {
		return fmt.Errorf("%d mappings are kept, which is the most: choose one of their names", len(names))
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return disk.Replace(disk.OS{}, path, 0o600, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

func (d *Desk) kept(name string) (k Kept, err error) {
	if !keptName.MatchString(name) {
		return k, ErrName
	}
	f, err := os.Open(filepath.Join(d.cfg.State, mappingsFolder, name+".json"))
	if err != nil {
		return k, fmt.Errorf("kept mapping %s: %w", name, err)
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, maxKeptBytes)).Decode(&k); err != nil {
		return k, fmt.Errorf("kept mapping %s: %w", name, err)
	}
	return k, nil
}

// Kept returns the mapping that is kept under a name.
func (d *Desk) Kept(name string) (Kept, bool) {
	k, err := d.kept(name)
	return k, err == nil
}

// KeptFor returns the mappings that were kept for files with this header, the latest first.
func (d *Desk) KeptFor(p mapping.Proposal) (out []Kept) {
	names, _ := filepath.Glob(filepath.Join(d.cfg.State, mappingsFolder, "*.json"))
	for _, path := range names {
		k, err := d.kept(strings.TrimSuffix(filepath.Base(path), ".json"))
		if err == nil && slices.Equal(k.Header, header(p)) {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b Kept) int { return b.At.Compare(a.At) })
	return out
}
