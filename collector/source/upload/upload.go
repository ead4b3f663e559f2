package upload

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/source/importer"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/tabular"
)

// FolderName is the name, in the data folder, of the folder of uploaded files.
const FolderName = "uploads"

// Config is what a Desk runs on. Limits and Log may be left out.
type Config struct {
	Dir       string             // for the files; emptied by New
	State     string             // what imports remember; kept mappings lie below it
	Collector importer.Collector // where events go
	Name      string             // the collector's address, by which State tells collectors apart
	Directory *directory.Directory
	Limits    Limits
	Log       *slog.Logger
	Now       func() time.Time
}

// Limits bound what people may hand over. The zero value of a field means its default.
type Limits struct {
	FileBytes int64         // one file as it is sent; default 64 MiB
	Files     int           // that lie here at once; the oldest goes; default 8
	Age       time.Duration // after which a file goes; default 2 h
	Rows      int           // rows that a preview looks at; default 20,000
	Kept      int           // kept mappings; default 200
}

// rowLimits are tighter than those of the commands: a page shares the memory of the service.
var rowLimits = importer.Limits{
	Limits:     tabular.Limits{WorkbookBytes: 512 << 20, SharedBytes: 64 << 20, FileBytes: 1 << 30},
	GroupBytes: 128 << 20,
}

// The errors of a Desk. Those of a file are told as they are.
var (
	ErrTooLarge = errors.New("the file is too large")
	ErrEmpty    = errors.New("the file is empty")
	ErrNoFile   = errors.New("the file is not here any more")
	ErrBusy     = errors.New("another import is running")
)

// Desk takes uploaded files in, proposes mappings for them and imports them, one at a time. It is safe for concurrent
// use; Run does the imports.
type Desk struct {
	cfg   Config
	look  chan struct{} // holds a token while a preview is made: one at a time
	start chan *job

	mu    sync.Mutex
	files map[string]*File
	last  *job // the one that runs, else the latest
}

// File is an uploaded file.
type File struct {
	ID     string
	Name   string // as it was called, cleaned
	Bytes  int64
	SHA256 string
	At     time.Time
	By     string // name of the key; empty while nobody is asked

	path string
}

// New returns a Desk. It makes its folders, and removes the files that an earlier run left.
func New(cfg Config) (*Desk, error) {
	l := cfg.Limits
	cfg.Limits = Limits{
		FileBytes: cmp.Or(l.FileBytes, 64<<20), Files: cmp.Or(l.Files, 8), Age: cmp.Or(l.Age, 2*time.Hour),
		Rows: cmp.Or(l.Rows, 20_000), Kept: cmp.Or(l.Kept, 200),
	}
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)).With("component", "upload")
	if err := os.RemoveAll(cfg.Dir); err != nil {
		return nil, fmt.Errorf("uploaded files: %w", err)
	}
	for _, dir := range []string{cfg.Dir, filepath.Join(cfg.State, mappingsFolder)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("uploaded files: %w", err)
		}
	}
	d := &Desk{
		cfg: cfg, look: make(chan struct{}, 1), start: make(chan *job, 1), files: map[string]*File{},
	}
	d.last = d.interrupted()
	return d, nil
}

// Limits returns the limits in force, defaults filled in.
func (d *Desk) Limits() Limits { return d.cfg.Limits }

// Directory returns the directory that resolves the names in files.
func (d *Desk) Directory() *directory.Directory { return d.cfg.Directory }

// Receive keeps what r gives as a file. name is what it was called, by who sends it.
func (d *Desk) Receive(name, by string, r io.Reader) (*File, error) {
	d.empty(d.cfg.Limits.Files - 1)
	f := &File{ID: rand.Text(), Name: cleanName(name), At: d.cfg.Now(), By: by}
	dir := filepath.Join(d.cfg.Dir, f.ID)
	f.path = filepath.Join(dir, f.Name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("uploaded file: %w", err)
	}
	err := d.write(f, r)
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	d.mu.Lock()
	d.files[f.ID] = f
	d.mu.Unlock()
	return f, nil
}

func (d *Desk) write(f *File, r io.Reader) error {
	out, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("uploaded file: %w", err)
	}
	sum := sha256.New()
	f.Bytes, err = io.Copy(io.MultiWriter(out, sum), io.LimitReader(r, d.cfg.Limits.FileBytes+1))
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	switch err = errors.Join(err, out.Close()); {
	case err != nil:
		return fmt.Errorf("uploaded file: %w", err)
	case f.Bytes > d.cfg.Limits.FileBytes:
		return ErrTooLarge
	case f.Bytes == 0:
		return ErrEmpty
	}
	return nil
}

// maxName bounds the name of a file, in letters.
const maxName = 80

// cleanName keeps of a file's name what is safe in a folder and on a page.
func cleanName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.TrimLeft(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" ._-()", r) {
			return r
		}
		return '_'
	}, name), ". ")
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[len(runes)-maxName:])
	}
	return cmp.Or(name, "berkas")
}

// File returns an uploaded file; ErrNoFile when it has gone.
func (d *Desk) File(id string) (*File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.files[id]; f != nil {
		return f, nil
	}
	return nil, ErrNoFile
}

// Remove removes a file at once.
func (d *Desk) Remove(id string) {
	d.mu.Lock()
	f := d.files[id]
	running := d.last != nil && d.last.file.ID == id && !d.last.done
	if f != nil && !running {
		delete(d.files, id)
	}
	d.mu.Unlock()
	if f != nil && !running {
		if err := os.RemoveAll(filepath.Dir(f.path)); err != nil {
			d.cfg.Log.Warn("uploaded file cannot be removed", "error", err)
		}
	}
}

// empty removes what is old, and the oldest until at most so many files are left.
func (d *Desk) empty(leave int) {
	d.mu.Lock()
	oldest := slices.SortedFunc(maps.Values(d.files), func(a, b *File) int { return a.At.Compare(b.At) })
	d.mu.Unlock()
	for i, f := range oldest {
		if len(oldest)-i > leave || d.cfg.Now().Sub(f.At) > d.cfg.Limits.Age {
			d.Remove(f.ID)
		}
	}
}

// shown takes the path of the folder out of a text: people know the file by its name.
func (d *Desk) shown(f *File, text string) string {
	return strings.ReplaceAll(text, filepath.Dir(f.path)+string(filepath.Separator), "")
}

// Choice is what a person says of a file.
type Choice struct {
	Kept   string            `json:"-"`     // take the mapping of Center that was kept under this name as it is
	Roles  map[string]string `json:"roles"` // see mapping.ProposeOptions
	Words  map[string]string `json:"words"`
	Name   string            `json:"name"` // of the mapping
	Source string            `json:"source"`
	Center string            `json:"center"`
}

// Plan is what the service would make of a file.
type Plan struct {
	Proposal mapping.Proposal
	YAML     string // of the mapping
	Preview  importer.Preview
	// Refused says why nothing can be sent as things stand; nil when something can. It is an error of mapping, tabular or
	// importer, without the folder in it.
	Refused error
}

// Plan proposes a mapping by what a person says, and tries it. It sends nothing.
func (d *Desk) Plan(ctx context.Context, f *File, c Choice) (Plan, error) {
	select {
	case d.look <- struct{}{}:
		defer func() { <-d.look }()
	case <-ctx.Done():
		return Plan{}, ctx.Err()
	}
	p, m, err := d.propose(ctx, f, &c)
	if err == nil {
		p.Preview, err = importer.Try(ctx, importer.TryOptions{
			Mapping: m, File: f.path, Directory: d.cfg.Directory, Limits: rowLimits, Most: d.cfg.Limits.Rows, Rows: 5,
		})
	}
	for i := range p.Preview.Summary.Refusals {
		r := &p.Preview.Summary.Refusals[i]
		r.File = d.shown(f, r.File)
	}
	switch {
	case ctx.Err() != nil:
		return Plan{}, ctx.Err()
	case err != nil && !errors.Is(err, importer.ErrRefused):
		p.Refused = &fault{d.shown(f, err.Error()), err}
	case p.Preview.Summary.Events == 0:
		p.Refused = importer.ErrRefused
	}
	return p, nil
}

// fault is an error whose text names no folder.
type fault struct {
	text  string
	cause error
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.cause }

// propose returns the mapping that a choice means.
func (d *Desk) propose(ctx context.Context, f *File, c *Choice) (p Plan, m *mapping.Mapping, err error) {
	if c.Kept != "" {
		kept, err := d.kept(c.Center, c.Kept)
		if err != nil {
			return p, nil, err
		}
		p.YAML, c.Roles, c.Words = kept.YAML, kept.Choice.Roles, kept.Choice.Words
		c.Name, c.Source, c.Center = kept.Choice.Name, kept.Choice.Source, kept.Choice.Center
	}
	center, known := d.cfg.Directory.Center(c.Center)
	if !known {
		return p, nil, fmt.Errorf("the directory has no centre %q", c.Center)
	}
	p.Proposal, err = mapping.Propose(ctx, mapping.ProposeOptions{
		File: f.path, Name: c.Name, Source: c.Source, Center: c.Center, Timezone: center.Location.String(),
		Limits: rowLimits.Limits, Directory: d.cfg.Directory, Roles: c.Roles, Words: c.Words,
	})
	if c.Kept == "" {
		p.YAML = p.Proposal.YAML
	}
	if p.YAML == "" || err != nil && c.Kept == "" {
		return p, nil, err
	}
	m, err = mapping.Parse(c.Name+".yaml", []byte(p.YAML))
	return p, m, err
}
