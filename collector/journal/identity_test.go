package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The positions of a journal mean something under its UUID alone: without it ClickHouse would be sent other rows under
// tokens that it knows, and drop them. So an identity is made only where there is no segment.
func TestALostIdentityIsNeverReplacedInSilence(t *testing.T) {
	other := t.TempDir()
	j, err := Open(Options{Dir: other, MinFreeBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(filepath.Join(other, identityName))
	if err != nil {
		t.Fatal(err)
	}
	for name, lose := range map[string]func(path string) error{
		"gone":               os.Remove,
		"emptied":            func(p string) error { return os.Truncate(p, 0) },
		"cut short":          func(p string) error { return os.Truncate(p, 40) },
		"a link to nowhere":  func(p string) error { return errors.Join(os.Remove(p), os.Symlink("none", p)) },
		"a folder":           func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) },
		"of another journal": func(p string) error { return os.WriteFile(p, foreign, 0o600) },
	} {
		opt := Options{Dir: t.TempDir(), MinFreeBytes: -1}
		j, err := Open(opt)
		if err != nil {
			t.Fatal(err)
		}
		if HoldsRecords(opt.Dir) {
			t.Error("an empty journal holds records")
		}
		if _, _, err := j.Append([][]byte{[]byte("a")}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil || !HoldsRecords(opt.Dir) {
			t.Errorf("%v: it holds no records", err)
		}
		path := filepath.Join(opt.Dir, identityName)
		if err := lose(path); err != nil {
			t.Fatal(err)
		}
		if j, err := Open(opt); err == nil {
			t.Errorf("%s: opened as %s", name, j.UUID())
		} else if name != "a folder" && !strings.Contains(err.Error(), "journal renew") &&
			!strings.Contains(err.Error(), "another journal") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
