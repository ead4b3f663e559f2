package ingest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/monev112/monev112/collector/internal/disk"
)

// A checkpoint that was set aside goes, since retention cannot blank what is in it; those in use stay.
func TestCheckpointsThatWereSetAsideAreDeleted(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("caller"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(checkpointName)
	write(previousName)
	if err := ForgetCheckpoints(disk.OS{}, dir); err != nil {
		t.Fatal(err)
	}
	write(checkpointName)
	for range 2 {
		if err := RemoveIgnored(disk.OS{}, dir); err != nil {
			t.Fatal(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != checkpointName {
		t.Errorf("left are %q, %v", left, err)
	}
}
