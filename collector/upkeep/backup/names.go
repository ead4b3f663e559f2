package backup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"unicode"

	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/internal/keyfile"
	"github.com/monev112/monev112/collector/journal"
)

// Every name in a manifest or a file of secrets comes from outside. It is checked in the form in which it is used, what
// is read and written goes through os.Root, and what is written is new: a name that got past the check would still
// reach nothing outside of its folder, and replace nothing in it.

// checkNames refuses a manifest with a file that is not where its kind lies, or that would be restored over another.
func (m *Manifest) checkNames() error {
	read, written := newNameSet(), newNameSet()
	check := func(folder string, files []File, target func(string) (string, error)) error {
		for _, f := range files {
			if !strings.HasPrefix(f.Name, folder+"/") {
				return fmt.Errorf("the manifest names the file %q, which lies outside of %s/", f.Name, folder)
			}
			if err := read.add(f.Name); err != nil {
				return fmt.Errorf("the manifest names the file %q: %w", f.Name, err)
			}
			to, err := target(f.Name)
			if err == nil && to != "" {
				err = written.add(to)
			}
			if err != nil {
				return fmt.Errorf("the manifest names the file %q: %w", f.Name, err)
			}
		}
		return nil
	}
	flat := func(name string) error {
		if strings.Count(name, "/") != 1 {
			return errors.New("it lies in a folder of its own there")
		}
		return nil
	}
	for _, t := range m.Tables {
		if err := check(tablesDir, t.Files, func(name string) (string, error) { return "", flat(name) }); err != nil {
			return err
		}
	}
	if err := check(journal.FolderName, m.Journal.Files, func(name string) (string, error) {
		return name, flat(name)
	}); err != nil {
		return err
	}
	return check(stateDir, m.State, func(name string) (string, error) {
		to := stateTarget(name)
		return to, checkStateTarget(to)
	})
}

// stateTarget is where, below the data folder, a file of the state is restored.
func stateTarget(name string) string { return strings.TrimPrefix(name, stateDir+"/") }

// checkStateTarget refuses a name at which something else lies than the state of a service: the state is in folders,
// and neither in the journal's nor in ClickHouse's; files of the data folder itself are secrets and marks, but for the
// record of known keys.
func checkStateTarget(to string) error {
	if err := checkName(to); err != nil {
		return err
	}
	if to == keyfile.KnownName {
		return nil
	}
	folder, _, below := strings.Cut(to, "/")
	if !below || strings.EqualFold(folder, journal.FolderName) || strings.EqualFold(folder, engine.FolderName) {
		return errors.New("no state of a service lies there")
	}
	return nil
}

// checkSecretName refuses what is no file directly in the data folder.
func checkSecretName(name string) error {
	if err := checkName(name); err != nil || strings.Contains(name, "/") {
		return errors.Join(fmt.Errorf("it names the file %q, which is none of the data folder itself", name), err)
	}
	for _, taken := range []string{journal.FolderName, engine.FolderName, lockName} {
		if strings.EqualFold(name, taken) {
			return fmt.Errorf("it names the file %q, which is no secret", name)
		}
	}
	return nil
}

// checkName refuses every name that is not plain: relative, without "." and "..", and without what another system takes
// for a separator, a drive or a stream.
func checkName(name string) error {
	if !fs.ValidPath(name) || name == "." || path.Clean(name) != name || strings.ContainsAny(name, "\\:") ||
		strings.ContainsFunc(name, unicode.IsControl) {
		return errors.New("it is no plain path below the folder")
	}
	return nil
}

// nameSet holds names of which none is another, nor a folder of another, also where case tells no files apart.
type nameSet struct{ files, folders map[string]bool }

func newNameSet() nameSet { return nameSet{map[string]bool{}, map[string]bool{}} }

func (s nameSet) add(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	key := strings.ToLower(name)
	taken := s.files[key] || s.folders[key]
	s.files[key] = true
	for folder := path.Dir(key); folder != "."; folder = path.Dir(folder) {
		taken = taken || s.files[folder]
		s.folders[folder] = true
	}
	if taken {
		return errors.New("another file has that name")
	}
	return nil
}

// openPlain opens a file below root that is one: a link may leave the folder, and a pipe waits for its writer.
func openPlain(root *os.Root, name string) (*os.File, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no plain file", path.Join(root.Name(), name))
	}
	return root.Open(name)
}

// writeNew writes a file below root, with its folders, on stable storage. It replaces nothing.
func writeNew(root *os.Root, name string, from io.Reader) error {
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Sync(), f.Close())
}
