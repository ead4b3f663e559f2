package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Whatever a manifest says under a checksum that fits, it is refused, or names only files inside of the backup.
func FuzzOpen(f *testing.F) {
	whole, err := json.Marshal(Manifest{
		Format: format, ID: "0192f0c1-0000-7000-8000-000000000000", Program: "1.0", Schema: 4,
		Journal: Journal{
			UUID: "0192f0c1-0000-7000-8000-000000000001", Files: []File{{Name: "journal/1", Bytes: 3, SHA256: "00"}},
		},
		Tables: []Table{{
			Name: "events", Columns: []string{"center"}, Rows: 2, Files: []File{{Name: "tables/events-1", Rows: 2}},
		}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"format":"monev112 backup 2","state":[{"name":"../x"}]}`))
	f.Add([]byte(`{"format":"monev112 backup 2","tables":[{"files":[{"name":"/x"}]}]}`))
	f.Add([]byte(`[]`))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		sum := sha256.Sum256(text)
		for name, content := range map[string][]byte{
			manifestName: text, manifestName + sumSuffix: []byte(hex.EncodeToString(sum[:]) + "  " + manifestName + "\n"),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m, err := Open(dir)
		if err != nil {
			return
		}
		if m.Format != format {
			t.Errorf("format %q", m.Format)
		}
		for _, file := range m.files() {
			if within, err := filepath.Rel(dir, filepath.Join(dir, file.Name)); err != nil || within != "." &&
				!filepath.IsLocal(within) {
				t.Errorf("file %q lies outside", file.Name)
			}
		}
	})
}
