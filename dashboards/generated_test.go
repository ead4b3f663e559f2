package dashboards

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write json/ anew")

// The committed JSON is what the code says: make dashboards writes it.
func TestTheCommittedJSONIsWhatTheCodeSays(t *testing.T) {
	known := map[string]bool{}
	for _, f := range All() {
		known[f.Name] = true
		path := filepath.Join("json", f.Name)
		want, err := f.Dashboard.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := All()[0].Dashboard.JSON(); f.Name == All()[0].Name && !bytes.Equal(want, again) {
			t.Error("two generations differ")
		}
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from the code: run make dashboards", path)
		}
	}
	files, err := filepath.Glob("json/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !known[filepath.Base(f)] {
			t.Errorf("%s: no code makes this file", f)
		}
	}
}
