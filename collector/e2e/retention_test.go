package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRetentionDeletesCallersAndKeepsCases brings events in that are older than what may be kept, as an import of the
// past does. What is due is printed, deleted when asked, proved and recorded; the cases fold as before.
func TestRetentionDeletesCallersAndKeepsCases(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "monev112.yaml")
	if err := os.WriteFile(config, []byte("attributes: [note]\nretention: {caller_months: 13, attributes_months: 24}\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	s := newService(t, "--config", config).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	now := time.Now().UTC()
	send := func(id, kind, subject string, months int, caller string) {
		t.Helper()
		text := line(id, fields{"type": kind, "subject": subject, "time": now.AddDate(0, -months, 0).Format(time.RFC3339),
			"data": fields{"caller": caller, "note": "n-" + id, "category": "pju", "kecamatan": "Waru"}})
		if a, status, said := s.send(ndjson, "", []byte(text)); status != http.StatusOK || a.Accepted != 1 {
			t.Fatalf("%d: %s", status, said)
		}
	}
	send("old", "monev112.call.received", "call/old", 14, "081234567801")
	send("open", "monev112.ticket.opened", "ticket/open", 15, "081234567802") // still open: it is on the board
	send("older", "monev112.call.received", "call/older", 30, "081234567803")
	send("young", "monev112.call.received", "call/young", 1, "081234567804")
	s.shipped()
	keys := strings.Fields(s.query("SELECT caller_key FROM events_now WHERE id IN ('old', 'open', 'older') ORDER BY id"))
	if len(keys) != 3 {
		t.Fatalf("%d callers are stored, want 3", len(keys))
	}
	names := s.query("SELECT count() FROM events_now WHERE caller_key != '' AND notEmpty(attributes)")
	run := func(args ...string) string {
		t.Helper()
		out, errs, code := s.run(append([]string{"retention", "--server", "http://" + s.addr}, args...)...)
		if code != 0 {
			t.Fatalf("retention exits with %d: %s%s", code, out, errs)
		}
		return out
	}
	if out := run(); !strings.Contains(out, "nothing was deleted") {
		t.Errorf("asked for nothing: %s", out)
	}
	if got := s.query("SELECT count() FROM events_now WHERE caller_key != '' AND notEmpty(attributes)"); got != names {
		t.Errorf("%s events with caller and attributes, before %s", got, names)
	}
	out := run("--apply")
	t.Log(out)
	if !strings.Contains(out, "left 0; recorded") {
		t.Errorf("not all is deleted: %s", out)
	}
	for sql, want := range map[string]string{
		"SELECT count() FROM events WHERE caller_key != '' OR caller_last3 != ''":                               "1",
		"SELECT count() FROM calls WHERE caller_key IS NOT NULL":                                                "1",
		"SELECT count() FROM events WHERE notEmpty(attributes)":                                                 "3",
		"SELECT count() FROM events_now WHERE category = 'pju'":                                                 "4",
		"SELECT groupArray((place, kind, due, left)) FROM (SELECT * FROM retention FINAL ORDER BY place, kind)": "[('board','attributes',1,0),('board','caller',3,0),('calls','caller',2,0),('events','attributes',1,0),('events','caller',3,0)]",
	} {
		if got := s.query(sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
	if out, errs, code := s.run("rebuild", "--server", "http://"+s.addr, "--dry-run"); code != 0 ||
		!strings.Contains(out, "Nothing would change.") {
		t.Errorf("the cases fold to something else: %d %s%s", code, out, errs)
	}
	if out := run("--apply"); !strings.Contains(out, "deleted 0, left 0") {
		t.Errorf("the second time: %s", out)
	}

	// Two checkpoints later no file of the service names them, but for the journal, which lets go of them in its time.
	for _, id := range []string{"one", "two"} {
		send(id, "monev112.call.received", "call/"+id, 0, "081234567804")
		s.shipped()
		if code := s.stop(); code != 0 {
			t.Fatalf("the service exits with %d", code)
		}
		if s.start(); !s.ready() {
			t.Fatal("the service ended")
		}
	}
	looked := 0
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // the service is at work, and replaces files
			return nil
		}
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "clickhouse" || d.Name() == "journal") {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		looked++
		for _, k := range keys {
			if bytes.Contains(b, []byte(k)) {
				t.Errorf("%s still names a caller", path)
			}
		}
		return nil
	})
	if err != nil || looked < 4 {
		t.Errorf("looked into %d files, %v", looked, err)
	}
	if b, err := os.ReadFile(filepath.Join(s.dir, "retention.jsonl")); err != nil ||
		bytes.Count(b, []byte(`"applied":true`)) != 2 {
		t.Errorf("the local record: %v\n%s", err, b)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("the service exits with %d", code)
	}
}
