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
	if again, err := ReadOrCreateCallerKeys(dir, now.Add(time.Hour)); err != nil || again.CurrentID() != first.CurrentID() {
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
