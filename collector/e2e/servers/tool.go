// Package servers finds the programs of .tools/bin, Prometheus and Alertmanager above all, for tests that run them.
// Without them a test is skipped, except in CI (CI=true), where it fails: a check that never ran must not look green.
package servers

import (
	"os"
	"path/filepath"
	"testing"
)

// Root returns the folder of the repository: the first above the test's own that holds a go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
}

// Tool returns the path of a program of .tools/bin. Without it the test is skipped; in CI it fails.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs " + name + ": not with -short")
	}
	path := filepath.Join(Root(t), ".tools", "bin", name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not built: make test builds it", name)
		}
		t.Skipf("%s is not built: run make tools", name)
	}
	return path
}
