package e2e

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// TestAFolderOfTheFirstStageIsTakenOver starts today's program on a data folder that the program of commit 8bee9c5
// wrote: journal, checkpoint and ClickHouse, killed with forty events acknowledged and not yet shipped. What the old
// program showed after its own next start stands below.
func TestAFolderOfTheFirstStageIsTakenOver(t *testing.T) {
	t.Parallel()
	folder := unpackFirstStage(t)
	s := newService(t)
	s.dir = filepath.Join(folder, "data")
	s.start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	s.shipped()
	const want = "calls\t90\t14999856782616820758\nclocks\t151\t3922509072645186109\n" +
		"events\t943\t18437036431055065551\ntickets\t17\t14729042778568253329"
	if got := s.query(facts); got != want {
		t.Errorf("the folder holds\n%s\nthe program that wrote it showed\n%s", got, want)
	}
	if !s.until("the board is complete", func() bool { return s.metric("monev112_board_complete") == 1 }) {
		t.Fatal("the service ended")
	}
	if code := s.stop(); code != 0 {
		t.Errorf("the service exits with %d", code)
	}
}

// TestABackupOfTheFirstStageIsRestored does the same with a backup that the program of commit 8bee9c5 took before those
// forty events came.
func TestABackupOfTheFirstStageIsRestored(t *testing.T) {
	t.Parallel()
	folder := unpackFirstStage(t)
	s := newService(t)
	if out, code, _ := s.tool("", "restore", "--from", filepath.Join(folder, "backup"), "--data", s.dir); code != 0 {
		t.Fatalf("restore exits with %d: %s", code, out)
	}
	s.start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	s.shipped()
	const want = "calls 85\nclocks 146\nevents 903\ntickets 17"
	got := s.query("SELECT concat(t, ' ', toString(n)) FROM (SELECT 'events' AS t, count() AS n FROM events_now " +
		"UNION ALL SELECT 'calls', count() FROM calls_now UNION ALL SELECT 'tickets', count() FROM tickets_now " +
		"UNION ALL SELECT 'clocks', count() FROM clocks_now) ORDER BY t")
	if got != want {
		t.Errorf("restored:\n%s\nwant:\n%s", got, want)
	}
}

// facts counts and sums up what people query.
const facts = `SELECT * FROM (
SELECT 'events' AS t, count(), toString(groupBitXor(cityHash64(center, subject, source, id, type, occurred_at, digest)))
FROM events_now
UNION ALL
SELECT 'calls', count(), toString(groupBitXor(cityHash64(center, id, received_at, answered_at, class))) FROM calls_now
UNION ALL
SELECT 'tickets', count(), toString(groupBitXor(cityHash64(center, id, opd, opened_at, assigned_at, state))) FROM
tickets_now
UNION ALL
SELECT 'clocks', count(), toString(groupBitXor(cityHash64(center, subject, clock, seq, started_at, due_at, stopped_at)))
FROM clocks_now
) ORDER BY t`

// unpackFirstStage unpacks what the first stage wrote: its data folder (data), its backup and, to make them anew, the
// events that were sent (events.ndjson).
func unpackFirstStage(t *testing.T) string {
	t.Helper()
	f, err := os.Open("testdata/folder-first-stage.tar.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	dir := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if !filepath.IsLocal(h.Name) {
			t.Fatalf("%s leads outside", h.Name)
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(path, 0o700)
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, path)
		case tar.TypeReg:
			err = writeFrom(path, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func writeFrom(path string, r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}
