package upload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/source/importer"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/deploy"
)

// memoryCollector takes events, each id once, and can be held up.
type memoryCollector struct {
	mu   sync.Mutex
	ids  map[string]bool
	hold chan struct{} // nil: nobody waits
}

func (c *memoryCollector) Submit(ctx context.Context, body []byte, _ int) (a send.Answer, err error) {
	if c.hold != nil {
		select {
		case <-c.hold:
		case <-ctx.Done():
			return a, ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for line := range bytes.Lines(body) {
		var e struct{ ID string }
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
	a.Tries = 1
	return a, nil
}

func (c *memoryCollector) Sources(context.Context) (map[string]bool, error) { return nil, nil }
func (c *memoryCollector) Events(context.Context, string, string, string) ([]send.HeldEvent, error) {
	return nil, nil
}

type world struct {
	*Desk
	t    *testing.T
	to   *memoryCollector
	now  time.Time
	dir  string
	stop func()
}

func newWorld(t *testing.T, l Limits) *world {
	t.Helper()
	w := &world{t: t, to: &memoryCollector{ids: map[string]bool{}}, now: time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)}
	w.dir = t.TempDir()
	w.begin(l)
	return w
}

// begin starts the service, again.
func (w *world) begin(l Limits) {
	w.t.Helper()
	var err error
	w.Desk, err = New(Config{
		Dir: filepath.Join(w.dir, "uploads"), State: filepath.Join(w.dir, "imports"), Collector: w.to, Name: "here",
		Limits:    l,
		Directory: directory.MustLoad("directory.yaml", deploy.Directory), Now: func() time.Time { return w.now },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	w.stop = sync.OnceFunc(func() { cancel(); <-done })
	w.t.Cleanup(w.stop)
}

func (w *world) receive(name, text string) *File {
	w.t.Helper()
	f, err := w.Receive(name, "pengelola", strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func (w *world) plan(f *File, c Choice) Plan {
	w.t.Helper()
	p, err := w.Plan(w.t.Context(), f, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// done waits for the end of the import that runs.
func (w *world) done() Job {
	w.t.Helper()
	// Nobody tells of the end: the page asks, too.
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if j, ok := w.Job(); ok && j.Done {
			return j
		}
	}
	w.t.Fatal("the import does not end")
	return Job{}
}

func (w *world) send(f *File, c Choice) Job {
	w.t.Helper()
	if err := w.Start(w.t.Context(), f, c, "pengelola"); err != nil {
		w.t.Fatal(err)
	}
	return w.done()
}

var usual = Choice{Name: "ekspor", Source: "ekspor-112", Center: "35.15"}

const tickets = "No Tiket,Waktu Lapor,Kategori,OPD,Waktu Diterima OPD,Waktu Tiba,Waktu Selesai,Jenis Panggilan,No HP\n" +
	"T-1,05/10/2026 08:00,PJU,Dishub,05/10/2026 08:20,05/10/2026 10:00,05/10/2026 11:30,normal,081234567890\n" +
	"T-2,05/10/2026 09:00,Kebakaran,Damkar,05/10/2026 09:02,05/10/2026 09:13,05/10/2026 10:05,bercanda,081234567891\n"

func TestAFileFromThePageIsImported(t *testing.T) {
	w := newWorld(t, Limits{})
	f := w.receive(`C:\Users\x\laporan "Oktober".csv`, tickets)
	if f.Name != "laporan _Oktober_.csv" {
		t.Errorf("name %q", f.Name)
	}
	p := w.plan(f, usual)
	if p.Refused != nil || p.Preview.Summary.RefusedTotal() != 1 || len(p.Proposal.Unknown) != 1 ||
		p.Proposal.Unknown[0].Key != "bercanda" || len(p.Preview.Months) != 1 || p.Preview.Months[0].Tickets != 1 {
		t.Fatalf("%v %+v %+v", p.Refused, p.Preview, p.Proposal.Unknown)
	}
	for _, r := range p.Preview.Summary.Refusals {
		if r.File != f.Name {
			t.Errorf("the place names a folder: %q", r.File)
		}
	}
	if shown := strings.Join(p.Preview.Rows[0].Cells, " "); strings.Contains(shown, "0812") {
		t.Errorf("a number is shown: %s", shown)
	}
	if len(w.to.ids) != 0 {
		t.Fatal("a plan sends something")
	}
	c := usual
	c.Words = map[string]string{"class:bercanda": "prank"}
	c.Roles = map[string]string{"Kategori": mapping.NoRole}
	p = w.plan(f, c)
	if p.Preview.Summary.RefusedTotal() != 0 || p.Preview.Classes["prank"] != 1 || strings.Contains(p.YAML, "Kategori") {
		t.Fatalf("%+v\n%s", p.Preview, p.YAML)
	}
	j := w.send(f, c)
	if j.Err != nil || j.Summary.Totals.Accepted == 0 || j.By != "pengelola" || j.Rejects {
		t.Fatalf("%+v", j)
	}
	if _, err := w.File(f.ID); !errors.Is(err, ErrNoFile) {
		t.Errorf("an imported file stays: %v", err)
	}

	// The same file once more sends nothing new, by the mapping that was kept, also after a restart.
	w.stop()
	w.begin(Limits{})
	f = w.receive("november.csv", tickets)
	kept := w.KeptFor(w.plan(f, usual).Proposal)
	if len(kept) != 1 || kept[0].Choice.Name != "ekspor" || kept[0].By != "pengelola" {
		t.Fatalf("kept %+v", kept)
	}
	if p := w.plan(f, Choice{Kept: "ekspor", Center: "35.15"}); p.Refused != nil || p.YAML != kept[0].YAML {
		t.Fatalf("%v", p.Refused)
	}
	if j := w.send(f, Choice{Kept: "ekspor", Center: "35.15"}); j.Err != nil || j.Summary.Totals.Accepted != 0 ||
		j.Summary.Totals.Duplicates == 0 {
		t.Errorf("the second time: %+v", j)
	}
	// Another header is no such file.
	if kept := w.KeptFor(w.plan(w.receive("x.csv", "Kode,Waktu\nA-1,05/10/2026 08:00\n"),
		usual).Proposal); len(kept) != 0 {
		t.Errorf("offered for another header: %+v", kept)
	}
}

func TestRefusedRowsCanBeFetched(t *testing.T) {
	w := newWorld(t, Limits{})
	f := w.receive("a.csv", tickets)
	j := w.send(f, usual)
	if !j.Rejects || j.Err != nil {
		t.Fatalf("%+v", j)
	}
	var out bytes.Buffer
	if err := w.Rejects(&out); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); !strings.Contains(s, "\na.csv,3,unknown_value,Jenis Panggilan") || strings.Contains(s, "0812") {
		t.Errorf("%s", s)
	}
	w.Remove(f.ID)
	if err := w.Rejects(io.Discard); !errors.Is(err, ErrNoFile) {
		t.Errorf("after it was removed: %v", err)
	}
}

func TestOneImportAtATimeThatStopsWithTheService(t *testing.T) {
	w := newWorld(t, Limits{})
	w.to.hold = make(chan struct{})
	f, other := w.receive("a.csv", tickets), w.receive("b.csv", tickets)
	if err := w.Start(t.Context(), f, usual, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context(), other, usual, ""); !errors.Is(err, ErrBusy) {
		t.Errorf("a second import: %v", err)
	}
	w.Remove(f.ID)
	if _, err := w.File(f.ID); err != nil {
		t.Errorf("a file was removed under its import: %v", err)
	}
	w.stop()
	if j := w.done(); j.Err == nil || !errors.Is(j.Err, context.Canceled) {
		t.Errorf("stopped: %+v", j)
	}
	close(w.to.hold)
	w.begin(Limits{})
	if j, ok := w.Job(); !ok || !j.Interrupted || !j.Done || j.File.Name != "a.csv" || j.Center != "35.15" ||
		j.Source != "ekspor-112" || !j.Started.Equal(w.now) {
		t.Errorf("after the restart: %+v", j)
	}
	if j := w.send(w.receive("a.csv", tickets), usual); j.Err != nil || j.Summary.Totals.Accepted == 0 {
		t.Errorf("begun again: %+v", j)
	}
	w.stop()
	w.begin(Limits{})
	if j, ok := w.Job(); ok {
		t.Errorf("of an import that came to its end, after a restart: %+v", j)
	}
}

func TestFilesAreBounded(t *testing.T) {
	w := newWorld(t, Limits{FileBytes: 2000, Files: 2, Age: time.Hour})
	if _, err := w.Receive("a", "", strings.NewReader(strings.Repeat("x", 2001))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if _, err := w.Receive("a", "", strings.NewReader("")); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
	first := w.receive("1", tickets)
	w.now = w.now.Add(time.Minute)
	second := w.receive("2", tickets)
	third := w.receive("../../3", tickets)
	if _, err := w.File(first.ID); !errors.Is(err, ErrNoFile) {
		t.Error("the oldest of three stays")
	}
	w.now = w.now.Add(61 * time.Minute)
	w.empty(w.cfg.Limits.Files)
	for _, f := range []*File{second, third} {
		if _, err := w.File(f.ID); !errors.Is(err, ErrNoFile) {
			t.Error("an old file stays")
		}
	}
	w.receive("4", tickets)
	w.stop()
	n := 0
	count := func(string, fs.DirEntry, error) error { n++; return nil }
	_ = filepath.WalkDir(w.cfg.Dir, count)
	if n != 3 { // the folder, that of the file, the file
		t.Errorf("%d entries lie there", n)
	}
	if info, err := os.Stat(w.cfg.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v %v", info.Mode(), err)
	}
	w.begin(Limits{})
	n = 0
	if _ = filepath.WalkDir(w.cfg.Dir, count); n != 1 {
		t.Errorf("%d entries after a restart", n)
	}
}

func TestWhatCannotBeSentIsSaid(t *testing.T) {
	w := newWorld(t, Limits{})
	for text, want := range map[string]error{
		"Nama,Umur\nBudi,3\nAni,4\n":                                   mapping.ErrNoHeader,
		"Jam,Jumlah\n00.00,3\n01.00,5\n02.00,1\n":                      mapping.ErrCounts,
		"No Tiket,Waktu Lapor\n":                                       nil, // no row says what its columns hold
		"No Tiket,Waktu Lapor\nA-1,05/10/2028 08:00\nA-2,05/10/2028\n": importer.ErrRefused,
		"PK\x03\x04 is no workbook":                                    nil, "\xd0\xcf\x11\xe0": nil, "<html><table>": nil,
	} {
		f := w.receive("x.csv", text)
		p := w.plan(f, usual)
		if p.Refused == nil || want != nil && !errors.Is(p.Refused, want) {
			t.Errorf("%q: %v", text, p.Refused)
		}
		if p.Refused != nil && strings.Contains(p.Refused.Error(), w.dir) {
			t.Errorf("%q: the folder is told: %v", text, p.Refused)
		}
	}
	f := w.receive("x.csv", tickets)
	for name, c := range map[string]Choice{
		"no such centre":  {Name: "a", Source: "s", Center: "99"},
		"no such role":    {Name: "a", Source: "s", Center: "35.15", Roles: map[string]string{"OPD": "x"}},
		"no such column":  {Name: "a", Source: "s", Center: "35.15", Roles: map[string]string{"X": "opd"}},
		"no such meaning": {Name: "a", Source: "s", Center: "35.15", Words: map[string]string{"class:a": "x"}},
		"no such mapping": {Kept: "x"}, "no name": {Name: "../a", Source: "s", Center: "35.15"},
	} {
		if err := w.Start(t.Context(), f, c, ""); err == nil {
			t.Errorf("%s: started", name)
			w.done()
		}
	}
	// What the columns hold is shown for a person who says what they are.
	p := w.plan(w.receive("x.csv", "Alfa,Beta\nx1,05/10/2026 08:00\nx2,05/10/2026 09:00\nx1,\n"), usual)
	if len(p.Proposal.Columns) != 2 {
		t.Errorf("%+v", p.Proposal)
	}
	c := usual
	c.Roles = map[string]string{"Alfa": "number", "Beta": "received_full"}
	if p := w.plan(w.receive("x.csv", "Alfa,Beta\nx,05/10/2026 08:00\ny,05/10/2026 09:00\n"), c); p.Refused != nil {
		t.Errorf("%v", p.Refused)
	}
}

func TestKeptMappingsAreOfACentre(t *testing.T) {
	w := newWorld(t, Limits{})
	p := w.plan(w.receive("a.csv", tickets), usual)
	k := Kept{Choice: usual, YAML: "one", Header: header(p.Proposal), At: w.now}
	other := k
	other.Choice.Center, other.YAML = "35.78", "two"
	for _, k := range []Kept{k, other} {
		if err := w.keep(k); err != nil {
			t.Fatal(err)
		}
	}
	for center, yaml := range map[string]string{"35.15": "one", "35.78": "two", "": "", "35": ""} {
		if got, ok := w.Kept(center, "ekspor"); ok != (yaml != "") || got.YAML != yaml {
			t.Errorf("%q: %v %+v", center, ok, got)
		}
	}
	if got := w.KeptFor(p.Proposal); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	// One that was kept before the file's name had the centre is found, by its own centre.
	text, _ := json.Marshal(k)
	if err := errors.Join(os.Remove(w.keptPath("35.15", "ekspor")), os.Remove(w.keptPath("35.78", "ekspor")),
		os.WriteFile(filepath.Join(w.dir, "imports", mappingsFolder, "ekspor.json"), text, 0o600)); err != nil {
		t.Fatal(err)
	}
	if got, ok := w.Kept("35.15", "ekspor"); !ok || got.YAML != "one" {
		t.Errorf("%+v", got)
	}
	if _, ok := w.Kept("35.78", "ekspor"); ok {
		t.Error("another centre's")
	}
}
