package backup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/engine/enginetest"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/shipper"
)

var noon = time.Date(2026, 11, 2, 5, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

// filled is a database with rows that are hard to write down, and the data folder of its service.
func filled(t *testing.T) (c *Client, dataDir string) {
	t.Helper()
	addr, key := enginetest.Start(t)
	c = &Client{URL: "http://" + addr, Password: key, Database: enginetest.Database(t)}
	st, err := c.store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Identity(t.Context()); err != nil {
		t.Fatal(err)
	}
	lat, lon, ring := -7.4475999999999996, 0.1+0.2, int64(-1<<63)
	var events []*event.Event
	for i := range 300 {
		e := &event.Event{Source: "s\t'\\N", ID: fmt.Sprint("id\n", i), Type: event.TicketOpened, Kind: event.KindTicket,
			Subject: "t\\", Center: "35.15",
			OccurredAt: noon.Add(time.Duration(i) * time.Millisecond), ReceivedAt: noon, Lat: &lat, Lon: &lon, RingMS: &ring,
			Calls: []string{"a'b", "c,d", ""}, Attributes: map[string]string{"k\t": "v'\n\\", "": "\x00"}, Class: "Ünïcode 消防"}
		for j := range e.Digest {
			e.Digest[j] = byte(i + j*17) // every byte: tabs, line breaks, zeros
		}
		if i%3 == 0 {
			e.Lat, e.Lon, e.RingMS, e.Calls, e.Attributes, e.Due = nil, nil, nil, nil, nil, noon
		}
		events = append(events, e)
	}
	if err := st.InsertEvents(t.Context(), events, "t"); err != nil {
		t.Fatal(err)
	}
	dataDir = filepath.Join(t.TempDir(), "data")
	j, err := journal.Open(journal.Options{Dir: filepath.Join(dataDir, journal.FolderName), MinFreeBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.Append([][]byte{[]byte("a record")}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return c, dataDir
}

func TestRowsComeBackAsTheyWere(t *testing.T) {
	from, dataDir := filled(t)
	to := filepath.Join(t.TempDir(), "backup")
	m, err := Take(t.Context(), TakeConfig{To: to, DataDir: dataDir, Client: from, MinFree: 1, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if m.Rows() < 300 || m.Journal.Records != 1 {
		t.Errorf("taken: %+v", m)
	}
	order := map[string]int{}
	for i, table := range m.Tables {
		order[table.Name] = i + 1
	}
	for rollup, marks := range map[string]string{
		"calls_hourly": "hours_pending", "calls_daily": "hours_pending", "clocks_daily": "days_pending", "tickets_daily": "days_pending",
	} {
		if order[marks] == 0 || order[marks] > order[rollup] {
			t.Errorf("%s is table %d, %s with the marks of what is behind in it %d: a recomputation between them is lost",
				rollup, order[rollup], marks, order[marks])
		}
	}
	into := &Client{URL: from.URL, Password: from.Password, Database: enginetest.Database(t)}
	restore := func() error {
		_, err := Restore(t.Context(), RestoreConfig{From: to, Client: into, Now: now})
		return err
	}
	if err := restore(); err != nil {
		t.Fatal(err)
	}
	rows := func(c *Client) string {
		t.Helper()
		var out strings.Builder
		if err := c.streamRows(t.Context(), "SELECT * FROM events FINAL ORDER BY ALL", 38, func(row []byte) error {
			out.Write(row)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if a, b := rows(from), rows(into); a != b || len(a) < 300*50 {
		t.Errorf("rows differ after a backup and a restore: %d and %d bytes", len(a), len(b))
	}
	if err := restore(); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("filled twice: %v", err)
	}

	// A restore that did not end is known, and done again.
	st, err := into.store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	done, err := st.Restores(t.Context())
	if err != nil || len(done) != 1 || done[0].EndedAt.IsZero() || done[0].Journal != m.Journal.UUID {
		t.Fatalf("recorded: %+v, %v", done, err)
	}
	if _, err := into.rows(t.Context(), "TRUNCATE TABLE restores"); err != nil {
		t.Fatal(err)
	}
	if err := restore(); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a database with rows: %v", err)
	}
	half := done[0]
	half.EndedAt = time.Time{}
	if err := st.RecordRestore(t.Context(), half); err != nil {
		t.Fatal(err)
	}
	if err := restore(); err != nil {
		t.Errorf("the second half: %v", err)
	}
	if done, err := st.Restores(t.Context()); err != nil || done[0].EndedAt.IsZero() {
		t.Errorf("recorded: %+v, %v", done, err)
	}
}

// Roll-ups of an older schema lack what later files have computed into every row: it is computed again, also where the
// database had the newest schema before the rows came.
func TestRollUpsOfAnOlderBackupAreComputedAgain(t *testing.T) {
	from, dataDir := filled(t)
	for _, sql := range []string{
		"ALTER TABLE clocks_daily DROP COLUMN running", // what 014 added
		"ALTER TABLE tickets_daily DROP COLUMN open, DROP COLUMN categories, DROP COLUMN paused_s",
		"INSERT INTO tickets_daily (center, day, scope, version, opds) VALUES ('35.15', '2026-11-02', 'own', 6, ['dishub'])",
	} {
		if _, err := from.rows(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(t.TempDir(), "backup")
	m, err := Take(t.Context(), TakeConfig{To: to, DataDir: dataDir, Client: from, MinFree: 1, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	m.Schema = 13
	if err := m.write(to); err != nil {
		t.Fatal(err)
	}
	for name, newest := range map[string]bool{"into nothing": false, "into the newest schema": true} {
		into := &Client{URL: from.URL, Password: from.Password, Database: enginetest.Database(t)}
		st, err := into.store(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		if newest {
			if err := st.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Restore(t.Context(), RestoreConfig{From: to, Client: into, Now: now}); err != nil {
			t.Fatal(err)
		}
		pending, err := into.value(t.Context(), "SELECT concat(center, ' ', toString(day)) FROM days_pending FINAL WHERE NOT done")
		if err != nil || pending != "35.15 2026-11-02" {
			t.Errorf("%s: to be computed again: %q, %v", name, pending, err)
		}
	}
}

// TestTakeBelievesACursorThatARenewedJournalContinues: after a repair the cursor names the former journal until the
// service has stored something.
func TestTakeBelievesACursorThatARenewedJournalContinues(t *testing.T) {
	client, dataDir := filled(t)
	dir := filepath.Join(dataDir, journal.FolderName)
	before, err := journal.Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := journal.Renew(journal.Repair{FS: disk.OS{}, Dir: dir, Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	take := func(named string) (*Manifest, error) {
		text := fmt.Sprintf(`{"journal":%q,"start":%d}`, named, before.End)
		if err := os.WriteFile(filepath.Join(dataDir, shipper.CursorFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Take(t.Context(), TakeConfig{
			To: filepath.Join(t.TempDir(), "backup"), DataDir: dataDir, Client: client, MinFree: 1, Now: now,
		})
	}
	m, err := take(before.UUID.String())
	if err != nil {
		t.Fatal(err)
	}
	if m.Journal.UUID != renewed.UUID.String() || m.Journal.Shipped != before.End {
		t.Errorf("%+v", m.Journal)
	}
	if _, err := take("6ba7b810-9dad-11d1-80b4-00c04fd430c8"); err == nil {
		t.Error("a cursor of another journal is believed")
	}
}

func TestTakeLeavesNothingHalf(t *testing.T) {
	from, dataDir := filled(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		cfg  TakeConfig
		want string
	}{
		"stopped": {ended, TakeConfig{Client: from, MinFree: 1}, "canceled"},
		"no room": {t.Context(), TakeConfig{Client: from, MinFree: 1 << 60}, "not enough free space"},
		"no database": {
			t.Context(), TakeConfig{Client: &Client{URL: from.URL, Password: from.Password, Database: "none"}, MinFree: 1},
			"none",
		},
		"native port":    {t.Context(), TakeConfig{Client: &Client{URL: "http://db:9000"}, MinFree: 1}, "native"},
		"no journal":     {t.Context(), TakeConfig{Client: from, MinFree: 1, DataDir: t.TempDir()}, "journal"},
		"not ClickHouse": {t.Context(), TakeConfig{Client: &Client{URL: "http://127.0.0.1:1"}, MinFree: 1}, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			c.cfg.To, c.cfg.Now = filepath.Join(folder, "backup"), now
			if c.cfg.DataDir == "" {
				c.cfg.DataDir = dataDir
			}
			if _, err := Take(c.ctx, c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestAnAnswerThatBreaksOffIsNoTable gives what ClickHouse gives when a query fails after its first rows.
func TestAnAnswerThatBreaksOffIsNoTable(t *testing.T) {
	for name, body := range map[string]string{
		"an error in the place of a row": "1\t2\nCode: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)\n",
		"half a row":                     "1\t2\n1\t",
		"too many columns":               "1\t2\t3\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
			defer s.Close()
			err := (&Client{URL: s.URL}).streamRows(t.Context(), "SELECT", 2, func([]byte) error { return nil })
			if !errors.Is(err, errIncomplete) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestOpenRefusesWhatItCannotTrust(t *testing.T) {
	write := func(m Manifest) string {
		t.Helper()
		dir := t.TempDir()
		if err := m.write(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	edited := write(Manifest{Format: format})
	b, err := os.ReadFile(filepath.Join(edited, manifestName))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(edited, manifestName), append(b, ' '), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, dir := range map[string]string{
		"no backup":        t.TempDir(),
		"damaged":          edited,
		"took it (9.0)":    write(Manifest{Format: "monev112 backup 3", Program: "9.0"}),
		"took it (before)": write(Manifest{Format: prereleaseFormat, Schema: 13, Program: "before"}),
		"outside":          write(Manifest{Format: format, State: []File{{Name: "../../etc/passwd"}}}),
	} {
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := Open(write(Manifest{Format: format})); err != nil {
		t.Error(err)
	}
}
