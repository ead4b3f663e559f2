// Package rulefiles reads the files that hold what a centre goes by: directory, policies and calendars. What a
// deployment does not name comes from the embedded defaults.
package rulefiles

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/deploy"
)

// MaxBytes bounds every file that Read reads.
const MaxBytes = 4 << 20

// Read reads a file that people wrote, whole.
func Read(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > MaxBytes {
		return nil, fmt.Errorf("%s: %d bytes; a configuration file has at most %d", name, info.Size(), MaxBytes)
	}
	return os.ReadFile(name)
}

// Files names files that take the place of the embedded ones. They are keys of the configuration file.
type Files struct {
	Directory string   `yaml:"directory"`
	Policies  []string `yaml:"policies"`
	Calendars []string `yaml:"calendars"`
}

// Resolve makes the paths of f absolute.
func (f *Files) Resolve(path func(string) string) {
	f.Directory = path(f.Directory)
	for _, names := range [][]string{f.Policies, f.Calendars} {
		for i := range names {
			names[i] = path(names[i])
		}
	}
}

// LoadDirectory reads the directory that f names, else the embedded one.
func (f *Files) LoadDirectory() (*directory.Directory, error) {
	if f.Directory == "" {
		return directory.Load("defaults/directory.yaml", []byte(deploy.Directory))
	}
	text, err := Read(f.Directory)
	if err != nil {
		return nil, err
	}
	return directory.Load(f.Directory, text)
}

// LoadBook reads policies and calendars: the embedded ones, each file of f in the place of the embedded one of its
// name.
func (f *Files) LoadBook(dir *directory.Directory) (*sla.Book, error) {
	var files []sla.File
	taken := map[string]bool{}
	for _, name := range slices.Concat(f.Policies, f.Calendars) {
		text, err := Read(name)
		if err != nil {
			return nil, err
		}
		taken[filepath.Base(name)] = true
		files = append(files, sla.File{Name: name, Data: text})
	}
	for _, folder := range []string{"defaults/policies", "defaults/calendars"} {
		entries, err := fs.ReadDir(deploy.Defaults, folder)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if taken[e.Name()] {
				continue
			}
			text, err := fs.ReadFile(deploy.Defaults, folder+"/"+e.Name())
			if err != nil {
				return nil, err
			}
			files = append(files, sla.File{Name: folder + "/" + e.Name(), Data: text, Builtin: true})
		}
	}
	return sla.Load(files, sla.ConfigOf(dir))
}
