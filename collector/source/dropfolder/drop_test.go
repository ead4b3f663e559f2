package dropfolder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/monev112/monev112/collector/source/send"
)

const mappingText = `version: 1
name: kantor
source: kantor
center: "35.15"
timezone: Asia/Jakarta
fields:
  number: {column: No Tiket, required: true}
  received: {column: Waktu, type: time, formats: [office], required: true}
  district: {column: Kecamatan, optional: true}
events:
  - {type: call.received, subject: "call/{number}", time: received, data: {kecamatan: "{district}"}}
`

// collector takes events by id; the same id again is a duplicate.
type collector struct {
	mu   sync.Mutex
	ids  map[string]bool
	fail error // to answer with; nil accepts
	n    int
}

func (c *collector) Submit(_ context.Context, body []byte, _ int) (send.Answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var a send.Answer
	if c.fail != nil {
		return a, c.fail
	}
	c.n++
	for line := range bytes.Lines(body) {
		var e struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return a, err
		}
		if c.ids[e.ID] {
			a.Duplicates++
		} else {
			a.Accepted++
		}
		c.ids[e.ID] = true
	}
	return a, nil
}

func (c *collector) Sources(context.Context) (map[string]bool, error) { return nil, nil }

func (c *collector) Events(context.Context, string, string, string) ([]send.HeldEvent, error) {
	return nil, nil
}

// scene is a watched folder and a collector.
type scene struct {
	t   *testing.T
	dir string
	to  *collector
	log bytes.Buffer
	cfg Config
	*Watcher
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, dir: t.TempDir(), to: &collector{ids: map[string]bool{}}}
	m := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(m, []byte(mappingText), 0o600); err != nil {
		t.Fatal(err)
	}
	s.cfg = Config{Folders: []Folder{{Dir: s.dir, Mapping: m}}, State: t.TempDir(), Collector: s.to,
		Limits: Limits{FileBytes: 1 << 20, HalfScans: 3},
		Log:    slog.New(slog.NewTextHandler(&s.log, nil)),
		Now:    func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }}
	s.restart()
	return s
}

func (s *scene) restart() {
	s.t.Helper()
	var err error
	if s.Watcher, err = New(s.cfg); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) put(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) scans(n int) {
	for range n {
		s.Scan(context.Background())
	}
}

// has checks that a file is where it should be and what stands in it.
func (s *scene) has(name string, texts ...string) {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatalf("%v\nlog:\n%s", err, s.log.String())
	}
	for _, text := range texts {
		if !strings.Contains(string(b), text) {
			s.t.Errorf("%s lacks %q:\n%s", name, text, b)
		}
	}
}

const rows = "No Tiket;Waktu;Kecamatan\nA-1;27/02/2023 07.30;Waru\nA-2;27 Februari 2023 07.31;Taman\n"

func TestAFileIsImportedOnce(t *testing.T) {
	s := newScene(t)
	s.put("Budi 081234567890.csv", rows)
	s.scans(1)
	if len(s.to.ids) != 0 {
		t.Error("a file was imported at the first scan")
	}
	s.scans(1)
	s.has("done/Budi 081234567890.csv", "A-1")
	s.has("done/Budi 081234567890.csv.report.txt", "2 accepted", "SHA-256")
	if len(s.to.ids) != 2 {
		t.Errorf("%d events", len(s.to.ids))
	}
	if log := s.log.String(); strings.Contains(log, "Budi") || strings.Contains(log, "0812") ||
		strings.Contains(log, "A-1") {
		t.Errorf("the log names what it must not:\n%s", log)
	}
	requests := s.to.n
	s.restart()
	s.put("again.csv", rows)
	s.scans(2)
	s.has("done/again.csv.report.txt", "The same content was imported 2026-03-01T00:00:00Z; nothing was sent.")
	if s.to.n != requests {
		t.Error("the same content was sent again")
	}
	s.put("again.csv", rows+"A-3;27/02/2023 07.32;Waru\n")
	s.scans(2)
	s.has("done/again-2.csv", "A-3")
	if len(s.to.ids) != 3 {
		t.Errorf("%d events", len(s.to.ids))
	}
}

func TestAFileThatIsNotCompleteWaits(t *testing.T) {
	s := newScene(t)
	for i := range 5 {
		s.put("grows.csv", rows+strings.Repeat("\n", i))
		s.put("copied.csv.part", rows)
		s.put("~$open.csv", "x")
		s.put("open.csv", rows)
		s.put(".hidden", rows)
		s.scans(1)
	}
	if len(s.to.ids) != 0 {
		t.Fatal("a file that changes, or is open, was imported")
	}
	if err := os.Rename(filepath.Join(s.dir, "copied.csv.part"), filepath.Join(s.dir, "copied.csv")); err != nil {
		t.Fatal(err)
	}
	s.scans(2)
	s.has("done/copied.csv")
	s.has("done/grows.csv")
	if err := os.Remove(filepath.Join(s.dir, "~$open.csv")); err != nil {
		t.Fatal(err)
	}
	s.scans(2)
	s.has("done/open.csv")
}

func TestHalfAWorkbookWaits(t *testing.T) {
	s := newScene(t)
	f := excelize.NewFile()
	for i, row := range [][]any{{"No Tiket", "Waktu"}, {"X-1", 44984.5}} {
		if err := f.SetSheetRow("Sheet1", []string{"A1", "A2"}[i], &row); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	half := b.String()[:b.Len()/2]
	s.put("a.xlsx", half)
	s.scans(3)
	s.put("a.xlsx", b.String())
	s.scans(2)
	s.has("done/a.xlsx.report.txt", "1 accepted")
	s.put("b.xlsx", half)
	s.scans(6)
	s.has("failed/b.xlsx.report.txt", "was it copied whole?")
}

func TestWhatFailsSaysWhy(t *testing.T) {
	s := newScene(t)
	s.put("other.csv", "a;b\n1;2\n")
	s.put("large.csv", strings.Repeat("x", 1<<20+1))
	s.put("bad.csv", "No Tiket;Waktu;Kecamatan\nA-1;kemarin;Waru\n")
	s.put("mixed.csv", rows+"A-9;99/99/2023 07.30;Waru\n")
	s.scans(2)
	s.has("failed/other.csv.report.txt", "none of the first 30 rows holds every column")
	s.has("failed/large.csv.report.txt", "larger than 1048576 bytes")
	s.has("failed/bad.csv.report.txt", "bad_time")
	s.has("failed/bad.csv.rejects.csv", "bad_time")
	s.has("done/mixed.csv.rejects.csv", ",4,bad_time")
	left, err := os.ReadDir(s.dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%v, %v is left beside done and failed", err, left)
	}
}

// Whatever lies in the folder and stays there: each file has its turn, and a scan reads and watches a bounded number.
func TestNoFileStarves(t *testing.T) {
	s := newScene(t)
	s.cfg.Limits.Files, s.cfg.Limits.Entries = 3, 20
	s.restart()
	for i := range 40 {
		if err := os.Mkdir(filepath.Join(s.dir, fmt.Sprintf("a%02d", i)), 0o700); err != nil {
			t.Fatal(err)
		}
		s.put(fmt.Sprintf(".a%02d", i), "hidden")
		s.put(fmt.Sprintf("a%02d.csv.part", i), rows)
	}
	good := 12
	for i := range good {
		s.put(fmt.Sprintf("m%02d.csv", i), strings.ReplaceAll(rows, "A-", fmt.Sprintf("M%d-", i)))
	}
	for scan := range 150 {
		for i := range 8 { // these are never complete
			s.put(fmt.Sprintf("%c-grows.csv", 'j'+i), strings.Repeat("x", scan))
		}
		s.scans(1)
		if f := s.folders[0]; len(f.seen) > 3 {
			t.Fatalf("%d files are watched", len(f.seen))
		}
	}
	for i := range good {
		s.has(fmt.Sprintf("done/m%02d.csv", i))
	}
	if len(s.to.ids) != 2*good {
		t.Errorf("%d events", len(s.to.ids))
	}
}

// Who may write to the folder decides neither what this service reads elsewhere nor what it writes there.
func TestNoLinkLeadsOutOfTheFolder(t *testing.T) {
	s := newScene(t)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(rows + "A-9;99/99/2023 07.30;Waru\n"))
	for _, name := range []string{
		"link.csv", "done/a.csv.report.txt", "done/a-2.csv.rejects.csv", ".rejects-" + hex.EncodeToString(sum[:])[:12] + ".csv",
	} {
		if err := os.Symlink(victim, filepath.Join(s.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s.put("a.csv", rows+"A-9;99/99/2023 07.30;Waru\n")
	s.scans(3)
	s.has("done/a-3.csv")
	s.has("done/a-3.csv.report.txt", "2 accepted")
	s.has("done/a-3.csv.rejects.csv", ",4,bad_time")
	if text, err := os.ReadFile(victim); err != nil || string(text) != rows {
		t.Errorf("written through a link: %q, %v", text, err)
	}
	if _, err := os.Lstat(filepath.Join(s.dir, "link.csv")); err != nil || len(s.to.ids) != 2 {
		t.Errorf("%v, %d events: a link was imported", err, len(s.to.ids))
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(s.dir, "done")),
		os.Symlink(t.TempDir(), filepath.Join(s.dir, "done"))); err != nil {
		t.Fatal(err)
	}
	if _, err := New(s.cfg); err == nil || !strings.Contains(err.Error(), "no link") {
		t.Errorf("%v", err)
	}
	s.put("b.csv", strings.ReplaceAll(rows, "A-", "B-")) // laid while the service runs
	s.scans(3)
	s.has("b.csv")
}

func TestAFileStaysWhileTheCollectorTakesNothing(t *testing.T) {
	s := newScene(t)
	s.put("a.csv", rows)
	s.to.fail = errors.New("not now")
	s.scans(4)
	s.has("a.csv")
	s.to.fail = nil
	s.restart()
	s.scans(2)
	s.has("done/a.csv")
	if len(s.to.ids) != 2 {
		t.Errorf("%d events", len(s.to.ids))
	}
}

func TestWrongConfigurationIsRefused(t *testing.T) {
	s := newScene(t)
	for _, c := range []struct {
		name, want string
		change     func(*Config)
	}{
		{"no folder", "make the folder", func(c *Config) { c.Folders[0].Dir = filepath.Join(s.dir, "none") }},
		{"no mapping", "drop[0].mapping: there is no mapping", func(c *Config) { c.Folders[0].Mapping = "none" }},
		{"twice", "watched twice", func(c *Config) { c.Folders = append(c.Folders, c.Folders[0]) }},
		{"one source", "the source of two folders", func(c *Config) {
			c.Folders = append(c.Folders, Folder{Dir: t.TempDir(), Mapping: c.Folders[0].Mapping})
		}},
	} {
		cfg := s.cfg
		cfg.Folders = append([]Folder(nil), s.cfg.Folders...)
		c.change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// With withdraw a later edition of a file takes back what it does not say any more; a file of the afternoon takes
// nothing of the morning back.
func TestALaterEditionWithdraws(t *testing.T) {
	s := newScene(t)
	s.cfg.Folders[0].Withdraw = true
	s.restart()
	s.put("pagi.csv", rows)
	s.scans(2)
	s.put("sore.csv", "No Tiket;Waktu;Kecamatan\nB-1;27/02/2023 15.30;Waru\nB-2;27/02/2023 15.40;Waru\n")
	s.scans(2)
	s.has("done/sore.csv.report.txt", "0 refused")
	withdrawn := func() (n int) {
		for id := range s.to.ids {
			if strings.HasSuffix(id, "-aaaaaaaaaaaa") {
				n++
			}
		}
		return n
	}
	if n := withdrawn(); n != 0 {
		t.Errorf("the file of the afternoon takes %d events of the morning back", n)
	}
	s.put("sore-2.csv", "No Tiket;Waktu;Kecamatan\nB-1;27/02/2023 15.30;Waru\n")
	s.scans(2)
	if n := withdrawn(); n != 1 {
		t.Errorf("a later edition takes %d events back, want 1", n)
	}
}

// After a withdrawal from outside the same content is imported again.
func TestTheSameContentAfterAWithdrawal(t *testing.T) {
	s := newScene(t)
	s.put("a.csv", rows)
	s.scans(2)
	m := s.folders[0].mapping
	if err := s.Forget(m.Center, "another"); err != nil {
		t.Fatal(err)
	}
	s.put("b.csv", rows)
	s.scans(2)
	s.has("done/b.csv.report.txt", "imported 2026")
	if err := s.Forget(m.Center, m.Source); err != nil {
		t.Fatal(err)
	}
	s.restart()
	s.put("c.csv", rows)
	s.scans(2)
	s.has("done/c.csv.report.txt", "2 rows")
	var none *Watcher
	if err := none.Forget("", ""); err != nil {
		t.Error(err)
	}
}
