package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeyIsMadeOnceAndKeptPrivate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, KeyFile)
	key, err := LoadOrCreateKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := LoadOrCreateKey(dir); err != nil || again != key || len(key) != 2*keyBytes {
		t.Errorf("%q then %q, %v", key, again, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateKey(dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(path, 0o600)
	if _, err := LoadOrCreateKey(dir); err == nil || strings.Contains(err.Error(), "short") {
		t.Error(err)
	}
}

func TestAnEarlierKeyFileIsRead(t *testing.T) {
	dir, key := t.TempDir(), strings.Repeat("0a", keyBytes)
	if err := os.WriteFile(filepath.Join(dir, KeyFile), []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadKey(dir); err != nil || got != key {
		t.Errorf("%q, %v", got, err)
	}
}
