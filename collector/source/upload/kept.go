package upload

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
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

// Kept is a mapping that an import used, kept under centre and name of its choice, as <centre>_<name>.json in the
// folder mappings; earlier ones are called <name>.json.
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

// keptPath is where the mapping of a centre lies.
func (d *Desk) keptPath(center, name string) string {
	return filepath.Join(d.cfg.State, mappingsFolder, url.PathEscape(center)+"_"+name+".json")
}

func (d *Desk) keep(k Kept) error {
	if !keptName.MatchString(k.Choice.Name) {
		return ErrName
	}
	folder := filepath.Join(d.cfg.State, mappingsFolder)
	path := d.keptPath(k.Choice.Center, k.Choice.Name)
	if names, _ := filepath.Glob(filepath.Join(folder, "*.json")); len(names) >= d.cfg.Limits.Kept &&
		!slices.Contains(names, path) {
		return fmt.Errorf("%d mappings are kept, which is the most: choose one of their names", len(names))
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return disk.WriteFile(disk.OS{}, path, 0o600, text)
}

func (d *Desk) kept(center, name string) (Kept, error) {
	if !keptName.MatchString(name) {
		return Kept{}, ErrName
	}
	k, err := readKept(d.keptPath(center, name))
	if errors.Is(err, fs.ErrNotExist) { // it may be an earlier one
		k, err = readKept(filepath.Join(d.cfg.State, mappingsFolder, name+".json"))
	}
	if err == nil && k.Choice.Center != center {
		err = fs.ErrNotExist
	}
	if err != nil {
		return Kept{}, fmt.Errorf("kept mapping %s: %w", name, err)
	}
	return k, nil
}

func readKept(path string) (k Kept, err error) {
	f, err := os.Open(path)
	if err != nil {
		return k, err
	}
	defer f.Close()
	err = json.NewDecoder(io.LimitReader(f, maxKeptBytes)).Decode(&k)
	return k, err
}

// Kept returns the mapping of a centre that is kept under a name.
func (d *Desk) Kept(center, name string) (Kept, bool) {
	k, err := d.kept(center, name)
	return k, err == nil
}

// KeptFor returns the mappings, of any centre, that were kept for files with this header, the latest first.
func (d *Desk) KeptFor(p mapping.Proposal) (out []Kept) {
	names, _ := filepath.Glob(filepath.Join(d.cfg.State, mappingsFolder, "*.json"))
	type id struct{ center, name string }
	latest := map[id]Kept{} // one that was kept again replaces an earlier one under its old name
	for _, path := range names {
		k, err := readKept(path)
		at := id{k.Choice.Center, k.Choice.Name}
		if err == nil && keptName.MatchString(at.name) && !k.At.Before(latest[at].At) {
			latest[at] = k
		}
	}
	for _, k := range latest {
		if slices.Equal(k.Header, header(p)) {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b Kept) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(a.Choice.Center, b.Choice.Center),
			strings.Compare(a.Choice.Name, b.Choice.Name))
	})
	return out
}
