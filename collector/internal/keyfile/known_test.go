package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func numberIDs(n int) []string { return []string{fmt.Sprint("n", n)} }

// Each way in which a file of secrets can be lost ends the start with what depends on it and what to do; none replaces
// what is there. Only a folder that never had one gets a new file.
func TestALostFileIsNeverReplacedInSilence(t *testing.T) {
	evidence := false
	for name, c := range map[string]struct {
		lose    func(path string) error // after a start that found 7; nil: the folder is fresh
		record  func(k Known) error     // before the start under test
		data    bool                    // the folder holds data
		problem string                  // empty: a start gives the number want
		want    int
	}{
		"a fresh folder":            {want: 8},
		"a fresh folder with data":  {data: true, problem: "is missing"},
		"as it was":                 {lose: func(string) error { return nil }, want: 7},
		"gone":                      {lose: os.Remove, problem: "is missing"},
		"gone, beside data":         {lose: os.Remove, data: true, problem: "is missing"},
		"gone, with the record too": {lose: os.Remove, record: func(k Known) error { return os.Remove(k.file.Path) }, data: true, problem: "is missing"},
		"given up": {lose: os.Remove, record: func(k Known) error { return k.Note("number", nil, testNow) }, data: true,
			want: 8},
		"emptied":             {lose: func(p string) error { return os.WriteFile(p, nil, 0o600) }, problem: "invalid syntax"},
		"damaged":             {lose: func(p string) error { return os.WriteFile(p, []byte("7x"), 0o600) }, problem: "invalid syntax"},
		"readable by others":  {lose: func(p string) error { return os.Chmod(p, 0o644) }, problem: "chmod 600"},
		"a folder":            {lose: func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) }, problem: "not a regular file"},
		"a link to nowhere":   {lose: func(p string) error { return errors.Join(os.Remove(p), os.Symlink("none", p)) }, problem: "link to nowhere"},
		"another's":           {lose: func(p string) error { return os.WriteFile(p, []byte("9"), 0o600) }, problem: "other keys than this folder was used with (n7"},
		"the record damaged":  {lose: func(string) error { return nil }, record: func(k Known) error { return os.WriteFile(k.file.Path, []byte("{"), 0o600) }, problem: "record of known keys"},
		"no record, as it is": {lose: func(string) error { return nil }, record: func(k Known) error { return os.Remove(k.file.Path) }, data: true, want: 7},
	} {
		t.Run(name, func(t *testing.T) {
			file := numberFile(filepath.Join(t.TempDir(), "number"))
			start := func(made int) (int, error) {
				return ReadOrMake(file, Dependent{
					What: "all is lost", Remedy: "monev112 number begin", Evidence: func() bool { return evidence },
				}, numberIDs, testNow, func() (int, error) { return made, nil })
			}
			evidence = false
			if c.lose != nil {
				if n, err := start(7); err != nil || n != 7 {
					t.Fatal(n, err)
				}
				if err := c.lose(file.Path); err != nil {
					t.Fatal(err)
				}
			}
			if c.record != nil {
				if err := c.record(KnownIn(filepath.Dir(file.Path))); err != nil {
					t.Fatal(err)
				}
			}
			evidence = c.data
			before, berr := os.ReadFile(file.Path)
			for range 2 { // a start that is refused changes nothing for the next
				n, err := start(8)
				if c.problem == "" {
					if err != nil || n != c.want {
						t.Fatalf("%d, %v, want %d", n, err, c.want)
					}
					continue
				}
				if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), c.problem) {
					t.Fatalf("%v, want %q", err, c.problem)
				}
				if c.problem != "record of known keys" {
					for _, part := range []string{file.Path, "all is lost", "monev112 number begin"} {
						if !strings.Contains(err.Error(), part) {
							t.Errorf("%v does not say %q", err, part)
						}
					}
				}
				after, aerr := os.ReadFile(file.Path)
				if string(after) != string(before) || (aerr == nil) != (berr == nil) {
					t.Errorf("%q became %q", before, after)
				}
			}
		})
	}
}

// Who makes the first file makes its lock before it: a start that finds the one and not the other looks again.
func TestAFileInTheMakingIsNotLost(t *testing.T) {
	file := numberFile(filepath.Join(t.TempDir(), "number"))
	made := func() bool { // between the two looks
		writeFile(t, file.Path+LockSuffix, "", 0o600)
		writeFile(t, file.Path, "7", 0o600)
		return true
	}
	if n, err := ReadKnown(file, Dependent{Evidence: made}, numberIDs, testNow); err != nil || n != 7 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestEarlierKeysMayBeDroppedWhereAnyIsEnough(t *testing.T) {
	for _, c := range []struct {
		any     bool
		has     []string
		refused bool
	}{
		{false, []string{"a", "b", "c"}, false}, {false, []string{"b", "c"}, true}, {true, []string{"b", "c"}, false},
		{true, []string{"c"}, true}, {true, nil, true},
	} {
		file := numberFile(filepath.Join(t.TempDir(), "number"))
		writeFile(t, file.Path, "1", 0o600)
		known := KnownIn(filepath.Dir(file.Path))
		if err := known.Note("number", []string{"a", "b"}, testNow); err != nil {
			t.Fatal(err)
		}
		_, err := ReadKnown(file, Dependent{Any: c.any}, func(int) []string { return c.has }, testNow)
		if (err != nil) != c.refused {
			t.Errorf("%+v: %v", c, err)
		}
		if last, _, _ := known.Last("number"); !c.refused && !slices.Equal(last.IDs, c.has) {
			t.Errorf("%+v: recorded %v", c, last)
		}
	}
}

func TestBeginKeepsWhatLiesThereAndRecordsIt(t *testing.T) {
	for name, lay := range map[string]func(path string) error{
		"nothing": func(string) error { return nil },
		"damage":  func(p string) error { return os.WriteFile(p, []byte("x"), 0o600) },
		"a link":  func(p string) error { return os.Symlink("none", p) },
		"folder":  func(p string) error { return os.Mkdir(p, 0o700) },
	} {
		file := numberFile(filepath.Join(t.TempDir(), "number"))
		known := KnownIn(filepath.Dir(file.Path))
		if err := errors.Join(lay(file.Path), known.Note("number", numberIDs(7), testNow)); err != nil {
			t.Fatal(err)
		}
		create := func() (int, error) { return 9, nil }
		if _, _, err := file.Begin(create, numberIDs, testNow, true); err != nil {
			t.Error(name, err)
		}
		if n, err := file.Read(); err == nil {
			t.Errorf("%s: a dry run wrote %d", name, n)
		}
		aside, n, err := file.Begin(create, numberIDs, testNow.Add(time.Hour), false)
		if err != nil || n != 9 || (aside == "") != (name == "nothing") {
			t.Errorf("%s: %q, %d, %v", name, aside, n, err)
		}
		if aside != "" {
			if _, err := os.Lstat(aside); err != nil {
				t.Error(name, err)
			}
		}
		if n, err := ReadKnown(file, Dependent{}, numberIDs, testNow); err != nil || n != 9 {
			t.Errorf("%s: the next start reads %d, %v", name, n, err)
		}
		entries, err := known.Entries()
		if err != nil || len(entries) != 2 || entries[1].IDs[0] != "n9" || !entries[1].At.Equal(testNow.Add(time.Hour)) {
			t.Errorf("%s: recorded %+v, %v", name, entries, err)
		}
	}
}
