package sla

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files that docs/clocks.md shows are files that load.
func TestExamplesInTheDocumentationLoad(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "clocks.md"))
	if err != nil {
		t.Fatal(err)
	}
	var files []File
	for i, part := range strings.Split(string(data), "```yaml\n")[1:] {
		text, _, ok := strings.Cut(part, "```")
		if !ok {
			t.Fatal("a block does not end")
		}
		if strings.HasPrefix(text, "carries:") {
			continue // of the configuration file
		}
		files = append(files, File{Name: fmt.Sprintf("block %d", i+1), Data: []byte(text)})
	}
	if len(files) != 2 {
		t.Fatalf("%d blocks, want a calendar and a policy", len(files))
	}
	if _, err := Load(files, Config{Default: Use{Profiles: []string{"sidoarjo"}, Calendar: "id-sidoarjo"}}); err != nil {
		t.Fatal(err)
	}
}
