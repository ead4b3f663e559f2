package ingest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/internal/keyfile"
	"github.com/monev112/monev112/collector/journal"
)

func TestCallerKeysAreCreatedAtTheFirstStartAndRotated(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	if _, err := RotateCallerKeys(dir, now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("rotated before the first start: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("a refused rotation leaves %v behind", left)
	}
	first, err := ReadOrCreateCallerKeys(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ReadOrCreateCallerKeys(dir, now.Add(time.Hour)); err != nil ||
		again.CurrentID() != first.CurrentID() {
		t.Errorf("%v: key %v, then %v", err, first, again)
	}
	second, err := RotateCallerKeys(dir, now.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := CallerKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	ids, created := keys.KeyIDs()
	if !slices.Equal(ids, []string{first.CurrentID(), second.CurrentID()}) || keys.CurrentID() != ids[1] ||
		!created[1].Equal(now.Add(24*time.Hour)) {
		t.Errorf("keys %v of %v", ids, created)
	}
}

// testdata/caller-keys was written by commit 8bee9c5.
func TestAnEarlierFileOfCallerKeysIsRead(t *testing.T) {
	text, err := os.ReadFile("testdata/caller-keys")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, CallerKeysFile)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := ReadOrCreateCallerKeys(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if ids, _ := keys.KeyIDs(); !slices.Equal(ids, []string{"k8bd870a0", "k54a00521"}) {
		t.Errorf("keys %v", ids)
	}
	if got := string(keys.FileText()); got != string(text) {
		t.Errorf("it would be written as %s", got)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadOrCreateCallerKeys(dir, time.Now()); err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
		t.Errorf("others may read it: %v", err)
	}
}

// A folder as the program wrote it that kept no record of its keys is known by its journal.
func TestLostCallerKeysAreNeverReplacedInSilence(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		lose    func(t *testing.T, path string)
		early   bool // without a record
		problem string
	}{
		"gone":                      {lose: remove, problem: "is missing"},
		"gone from an early folder": {lose: remove, early: true, problem: "is missing"},
		"emptied":                   {lose: func(t *testing.T, path string) { rewrite(t, path, "") }, problem: "empty"},
		"cut in a line": {
			lose:    func(t *testing.T, path string) { text := readText(t, path); rewrite(t, path, text[:len(text)-20]) },
			problem: "hex digits",
		},
		"cut before its last line": {
			lose: func(t *testing.T, path string) {
				text := readText(t, path)
				rewrite(t, path, text[:strings.LastIndex(text, "caller ")])
			},
			problem: "other keys than this folder was used with",
		},
		"with another's digest key": {
			lose: func(t *testing.T, path string) {
				text := readText(t, path)
				i := strings.Index(text, "digest ") + len("digest ")
				rewrite(t, path, text[:i]+strings.Repeat("ab", 32)+text[i+64:])
			},
			problem: "other keys than this folder was used with (d",
		},
		"of another installation": {
			lose: func(t *testing.T, path string) {
				other := t.TempDir()
				if _, err := ReadOrCreateCallerKeys(other, now); err != nil {
					t.Fatal(err)
				}
				rewrite(t, path, readText(t, filepath.Join(other, CallerKeysFile)))
			},
			problem: "of another installation",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, CallerKeysFile)
			if _, err := ReadOrCreateCallerKeys(dir, now); err != nil {
				t.Fatal(err)
			}
			if _, err := RotateCallerKeys(dir, now); err != nil {
				t.Fatal(err)
			}
			keys, err := ReadOrCreateCallerKeys(dir, now)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := BeginCallerKeys(dir, now, false); err == nil || !strings.Contains(err.Error(), "nothing to begin") {
				t.Errorf("keys that are whole are given up: %v", err)
			}
			if HasData(dir) {
				t.Error("an empty folder has data")
			}
			j, err := journal.Open(journal.Options{Dir: filepath.Join(dir, journal.FolderName), MinFreeBytes: -1})
			if err != nil {
				t.Fatal(err)
			}
			if HasData(dir) {
				t.Error("an empty journal has data")
			}
			if _, _, err := j.Append([][]byte{[]byte("a record")}); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			c.lose(t, path)
			if c.early {
				remove(t, filepath.Join(dir, keyfile.KnownName))
			}
			for range 2 {
				_, err := ReadOrCreateCallerKeys(dir, now)
				for _, part := range []string{c.problem, path, "conflict instead of a duplicate",
					"monev112 caller-key begin --data " + dir} {
					if err == nil || !strings.Contains(err.Error(), part) {
						t.Errorf("%v, want %q", err, part)
					}
				}
			}
			if _, _, err := BeginCallerKeys(dir, now, true); err != nil {
				t.Error(err)
			}
			if _, err := ReadOrCreateCallerKeys(dir, now); err == nil {
				t.Error("a dry run began")
			}
			_, begun, err := BeginCallerKeys(dir, now, false)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := ReadOrCreateCallerKeys(dir, now); err != nil || got.CurrentID() != begun.CurrentID() ||
				got.CurrentID() == keys.CurrentID() {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func rewrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
