package keyfile

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever a file of caller keys holds, it is read or refused.
func FuzzLoad(f *testing.F) {
	made := filepath.Join(f.TempDir(), "caller-keys")
	if _, err := LoadOrCreate(made, now); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(made)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(append(text, text...))
	f.Add([]byte("k1 0\n\n# x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(t.TempDir(), "caller-keys")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if keys, err := Load(name); err == nil && keys == nil {
			t.Error("neither keys nor an error")
		}
	})
}
