package repair

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/shipper"
)

const named = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

// Without a checkpoint the cursor alone says how far the journal reached; one that names no journal says nothing.
func TestTheCursorTellsHowFarTheJournalReached(t *testing.T) {
	for text, want := range map[string]journal.Position{
		"": 0,
		`{"journal":"` + named + `","start":4711}`: 4711,
		`{"journal":"` + named + `","start":0}`:    0,
	} {
		dir := t.TempDir()
		if text != "" {
			write(t, dir, text)
		}
		at, of, err := Expected(dir)
		if err != nil || at != want || (of == uuid.Nil) != (text == "") {
			t.Errorf("%s: %d of %s, %v", text, at, of, err)
		}
		r, err := Journal(dir, true)
		if err != nil || r.Shipped != want || r.Expect != want || !r.DryRun ||
			r.Dir != filepath.Join(dir, journal.FolderName) {
			t.Errorf("%s: %+v, %v", text, r, err)
		}
	}
	dir := t.TempDir()
	write(t, dir, `{"journal":"none","start":4711}`)
	if at, of, err := Expected(dir); err == nil && (at != 0 || of != uuid.Nil) {
		t.Errorf("%d of %s", at, of)
	}
	if _, err := Journal(dir, true); err == nil || !strings.Contains(err.Error(), "cursor") {
		t.Error(err)
	}
	write(t, dir, "damaged")
	if _, _, err := Expected(dir); err == nil {
		t.Error("a damaged cursor is believed")
	}
	if _, err := Journal(dir, true); err == nil {
		t.Error("a damaged cursor is believed")
	}
}

func write(t *testing.T, dir, cursor string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, shipper.CursorFile), []byte(cursor), 0o600); err != nil {
		t.Fatal(err)
	}
}
