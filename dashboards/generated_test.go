package dashboards

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write json/ anew")

// The committed JSON is what the pages say: make dashboards writes it.
func TestTheCommittedJSONIsWhatThePagesSay(t *testing.T) {
	known := map[string]bool{}
	for _, f := range All() {
		known[f.Name] = true
		path := filepath.Join("json", f.Name)
		want := f.JSON
		if again := All()[0]; f.Name == again.Name && !bytes.Equal(want, again.JSON) {
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
			t.Errorf("%s differs from its page: run make dashboards", path)
		}
	}
	files, err := filepath.Glob("json/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !known[filepath.Base(f)] {
			t.Errorf("%s: no page makes this file", f)
		}
	}
}
