package dropfolder

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/source/importer"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/source/tabular"
)

// FolderName is the name, in the data folder, of the folder for what imports remember.
const FolderName = "imports"

// InProcess is the address under which imports that the service does itself remember what they sent to it.
const InProcess = "http://127.0.0.1"

// Folder is one watched folder: a file that is put into it is imported by the mapping. Folders are a section of the
// configuration file.
type Folder struct {
	Dir     string `yaml:"folder"`  // must exist; done and failed are made below it
	Mapping string `yaml:"mapping"` // the name of a built-in mapping, or the path of a YAML file
	Source  string `yaml:"source"`  // takes the place of the mapping's source; empty: the mapping's
	// Withdraw takes back what an earlier file said and a later edition of it does not say any more.
	Withdraw bool `yaml:"withdraw"`
}

// Folders are the watched folders of the configuration file.
type Folders []Folder

// Resolve makes the paths of all absolute.
func (all Folders) Resolve(path func(string) string) {
	for i := range all {
		f := &all[i]
		f.Dir = path(f.Dir)
		if filepath.Ext(f.Mapping) != "" {
			f.Mapping = path(f.Mapping)
		}
	}
}

// Config is what a Watcher runs on.
type Config struct {
	Folders   []Folder
	State     string             // folder for what was sent and which contents were imported
	Collector importer.Collector // where events go; it repeats what may be taken later by itself
	Name      string             // the collector's address, by which State tells collectors apart
	Builtin   fs.FS              // built-in mappings
	Directory *directory.Directory
	Every     time.Duration // between two scans; default 5 s
	Limits    Limits
	Log       *slog.Logger
	Now       func() time.Time
}

// Limits bound what a folder may ask for. The zero value of a field means its default.
type Limits struct {
	FileBytes int64 // one file as it lies on the disk; a larger one fails; default 512 MiB
	Files     int   // files that are watched at once; the others take turns with those that stay; default 1000
	Entries   int   // entries of a folder that one scan reads; the next scan reads on behind them; default 20,000
	Contents  int   // contents that are remembered, the oldest forgotten first; default 10,000
	HalfScans int   // scans for which a workbook that cannot be opened counts as half copied; default 60
	Rows      importer.Limits
}

func (l Limits) withDefaults() Limits {
	return Limits{
		FileBytes: cmp.Or(l.FileBytes, 512<<20), Files: cmp.Or(l.Files, 1000), Entries: cmp.Or(l.Entries, 20_000),
		Contents: cmp.Or(l.Contents, 10_000), HalfScans: cmp.Or(l.HalfScans, 60), Rows: l.Rows,
	}
}

// Names of the folders and of what stands beside an imported file.
const (
	doneDir     = "done"
	failedDir   = "failed"
	reportName  = ".report.txt"
	rejectsName = ".rejects.csv"
)

// Watcher watches the folders; Run and Scan are for one goroutine, Forget for any.
type Watcher struct {
	cfg     Config
	folders []*folder
	ledger  *ledger
}

type folder struct {
	Folder
	mapping *mapping.Mapping
	version string // hash of the mapping's text and source: another mapping is another import of the same content
	seen    map[string]fileState
	listing *os.File // where the next scan reads on; nil: at the beginning
	waiting []string // names that were listed and have had no turn yet
}

// fileState is what a file was like at the last scan.
type fileState struct {
	size   int64
	mod    time.Time
	halves int // scans at which the workbook could not be opened
}

func (f fileState) same(info fs.FileInfo) bool {
	return f.size == info.Size() && f.mod.Equal(info.ModTime())
}

// New reads the mappings and makes the folders. What is wrong is said with what would be right, before anything runs.
func New(cfg Config) (*Watcher, error) {
	cfg.Limits, cfg.Every = cfg.Limits.withDefaults(), cmp.Or(cfg.Every, 5*time.Second)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	w := &Watcher{cfg: cfg}
	for i, f := range cfg.Folders {
		at := fmt.Sprintf("drop[%d]", i)
		m, err := mapping.Load(f.Mapping, cfg.Builtin)
		if err != nil {
			return nil, fmt.Errorf("%s.mapping: %w", at, err)
		}
		if f.Source != "" {
			m = m.WithSource(f.Source)
		}
		info, err := os.Stat(f.Dir)
		if err != nil {
			return nil, fmt.Errorf("%s.folder: %w; make the folder and let this user write to it", at, err)
		}
		if !info.IsDir() {
			return nil, fmt.Errorf("%s.folder: %s is no folder", at, f.Dir)
		}
		for _, other := range w.folders {
			if filepath.Clean(other.Dir) == filepath.Clean(f.Dir) {
				return nil, fmt.Errorf("%s.folder: %s is watched twice", at, f.Dir)
			}
			if other.mapping.Source == m.Source && other.mapping.Center == m.Center {
				return nil, fmt.Errorf("%s.source: %q is the source of two folders; give one of them another source", at, m.Source)
			}
		}
		for _, sub := range []string{doneDir, failedDir} {
			path := filepath.Join(f.Dir, sub)
			if err := os.MkdirAll(path, 0o750); err != nil {
				return nil, fmt.Errorf("%s.folder: %w; let this user write to it", at, err)
			}
			if info, err := os.Lstat(path); err != nil || !info.IsDir() {
				return nil, errors.Join(fmt.Errorf("%s.folder: %s must be a folder itself and no link: files are moved into it", at,
					path), err)
			}
		}
		w.folders = append(w.folders, &folder{Folder: f, mapping: m, version: m.Version(), seen: map[string]fileState{}})
	}
	var err error
	w.ledger, err = openLedger(filepath.Join(cfg.State, "dropped.txt"), cfg.Limits.Contents)
	return w, err
}

// Forget makes the next import of a source look at what the collector holds, of files too that were imported before:
// something of the source was withdrawn. It fails while an import of the source runs. A nil Watcher remembers nothing.
func (w *Watcher) Forget(center, source string) error {
	if w == nil {
		return nil
	}
	if err := importer.Forget(w.cfg.State, w.cfg.Name, source, center); err != nil {
		return err
	}
	for _, f := range w.folders {
		if f.mapping.Source == source && f.mapping.Center == center {
			if err := w.ledger.forget(f.version); err != nil {
				return err
			}
		}
	}
	return nil
}

// Run scans the folders until ctx ends. Without a Watcher it does nothing.
func (w *Watcher) Run(ctx context.Context) {
	if w == nil {
		return
	}
	tick := time.NewTicker(w.cfg.Every)
	defer tick.Stop()
	for {
		w.Scan(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Scan looks at every folder once and imports the files that have not changed since the scan before.
func (w *Watcher) Scan(ctx context.Context) {
	for _, f := range w.folders {
		if err := w.scan(ctx, f); err != nil && ctx.Err() == nil {
			w.cfg.Log.Error("drop folder cannot be read", "source", f.mapping.Source, "error", plain(err))
		}
	}
}

// plain is an error without the path in it, which may hold a name.
func plain(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Op + ": " + p.Err.Error()
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Op + ": " + l.Err.Error()
	}
	return "see the report beside the file"
}

// scan looks at the files that are watched, and takes others in for which there is room. What people put into the
// folder is reached through its os.Root: no link leads out of it.
func (w *Watcher) scan(ctx context.Context, f *folder) error {
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if len(f.waiting) == 0 {
		if f.waiting, err = f.list(root, w.cfg.Limits.Entries); err != nil {
			return err
		}
	}
	watched := slices.Collect(maps.Keys(f.seen))
	f.waiting = slices.DeleteFunc(f.waiting, func(name string) bool { _, ok := f.seen[name]; return ok })
	room := min(len(f.waiting), w.cfg.Limits.Files-len(watched))
	taken := f.waiting[:room]
	f.waiting = f.waiting[room:]
	seen := map[string]fileState{}
	for i, name := range append(watched, taken...) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		info, err := root.Lstat(name)
		if err != nil || !info.Mode().IsRegular() || notReady(name, root) {
			continue // gone, or not for us
		}
		state := fileState{size: info.Size(), mod: info.ModTime()}
		if before, known := f.seen[name]; known && before.same(info) {
			state.halves = before.halves
			if w.importFile(ctx, f, root, name, &state) {
				continue
			}
		}
		if i < len(watched) && len(f.waiting) > 0 {
			continue // it had its turn, and others wait
		}
		seen[name] = state
	}
	f.seen = seen
	return nil
}

// list returns the names of at most so many entries of the folder that may be files to import, the next ones at
// each call.
func (f *folder) list(root *os.Root, entries int) (names []string, err error) {
	if f.listing == nil {
		if f.listing, err = root.Open("."); err != nil {
			return nil, err
		}
	}
	const portion = 1000
	for read := 0; read < entries; {
		part, err := f.listing.ReadDir(min(portion, entries-read))
		read += len(part)
		for _, e := range part {
			if e.Type().IsRegular() && !passedOver(e.Name()) {
				names = append(names, e.Name())
			}
		}
		if err != nil {
			f.listing.Close()
			f.listing = nil
			if !errors.Is(err, io.EOF) {
				return nil, err
			}
			break
		}
	}
	return names, nil
}

// passedOver reports whether a name is never imported: hidden, or being copied.
func passedOver(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$") || slices.Contains(
		[]string{".part", ".partial", ".tmp", ".filepart", ".crdownload", ".lock", ".swp"},
		strings.ToLower(filepath.Ext(name)))
}

// notReady reports whether a file is open in Excel (~$name beside it) or LibreOffice (.~lock.name#).
func notReady(name string, root *os.Root) bool {
	marks := []string{name + ".lock", "~$" + name, ".~lock." + name + "#"}
	if r := []rune(name); len(r) > 2 {
		marks = append(marks, "~$"+string(r[2:]))
	}
	return slices.ContainsFunc(marks, func(mark string) bool { _, err := root.Lstat(mark); return err == nil })
}

// importFile imports a file and moves it; moved is false when it stays for the next scan.
func (w *Watcher) importFile(ctx context.Context, f *folder, root *os.Root, name string,
	state *fileState) (moved bool) {
	path := filepath.Join(f.Dir, name)
	log := w.cfg.Log.With("source", f.mapping.Source, "bytes", state.size)
	if state.size > w.cfg.Limits.FileBytes {
		return w.move(root, name, failedDir,
			fmt.Sprintf("The file is larger than %d bytes; split it.\n", w.cfg.Limits.FileBytes), log)
	}
	sum, err := contentHash(root, name)
	if err != nil {
		log.Warn("dropped file cannot be read", "error", plain(err))
		return false
	}
	log = log.With("file", sum[:12])
	head := fmt.Sprintf("SHA-256 %s\nmapping %s, source %s, %s\n", sum, f.mapping.Name, f.mapping.Source,
		w.cfg.Now().UTC().Format(time.RFC3339))
	if at, known := w.ledger.find(f.version + sum); known {
		log.Info("dropped file was imported before")
		return w.move(root, name, doneDir, head+"The same content was imported "+at+"; nothing was sent.\n", log)
	}
	rejects := w.rejects()
	defer os.Remove(rejects)
	var text strings.Builder
	summary, err := importer.Import(ctx, importer.Options{
		Mapping: f.mapping, Files: []string{path}, Rejects: rejects, State: w.cfg.State, Name: w.cfg.Name,
		Directory: w.cfg.Directory, Limits: w.cfg.Limits.Rows, Out: &text, Collector: w.cfg.Collector,
		Withdraw: f.Withdraw,
	})
	result := func(dir string) bool {
		report := head + text.String()
		if err != nil && !errors.Is(err, importer.ErrRefused) {
			report += "It was not imported to its end: " + err.Error() + "\n"
		}
		return w.move(root, name, dir, report, log)
	}
	var unsent *send.CollectorError
	switch {
	case ctx.Err() != nil, errors.As(err, &unsent), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EIO),
		errors.Is(err, syscall.EROFS):
		if ctx.Err() == nil {
			log.Warn("dropped file waits: it cannot be imported now", "error", plain(err))
		}
		return false
	case err != nil && !errors.Is(err, importer.ErrRefused):
		if state.halves++; tabular.Incomplete(path) && state.halves < w.cfg.Limits.HalfScans {
			return false // half copied, by a program that pauses
		}
		log.Warn("dropped file failed", "rows", summary.Rows, "events", summary.Events)
		return result(failedDir)
	}
	if info, serr := root.Lstat(name); serr != nil || !info.Mode().IsRegular() || !state.same(info) {
		return false // it has changed meanwhile: what was sent is known, the rest follows
	}
	if summary.Events == 0 {
		log.Warn("dropped file gave no event", "rows", summary.Rows, "refused", summary.RefusedTotal())
		return result(failedDir)
	}
	if err := w.ledger.add(f.version+sum, w.cfg.Now()); err != nil {
		log.Warn("dropped file cannot be noted as imported", "error", plain(err))
	}
	log.Info("dropped file imported", "rows", summary.Rows, "events", summary.Events, "accepted", summary.Totals.Accepted,
		"known", summary.Totals.Duplicates, "corrected", summary.Corrected, "refused", summary.RefusedTotal())
	return result(doneDir)
}

// rejects is where the refused rows of a file are collected: not in its folder, where others could lay something.
func (w *Watcher) rejects() string { return filepath.Join(w.cfg.State, "rejects.csv") }

// move moves a file to dir, with its report and its refused rows, if there are any, beside it.
func (w *Watcher) move(root *os.Root, name, dir, report string, log *slog.Logger) bool {
	to := free(root, dir, name)
	if err := writeNew(root, to+reportName, strings.NewReader(report)); err != nil {
		log.Warn("report of a dropped file cannot be written", "error", plain(err))
	}
	if rejects, err := os.Open(w.rejects()); err == nil {
		if err := writeNew(root, to+rejectsName, rejects); err != nil {
			log.Warn("rejects of a dropped file cannot be moved", "error", plain(err))
		}
		rejects.Close()
	}
	if err := root.Rename(name, to); err != nil {
		log.Error("dropped file cannot be moved", "error", plain(err))
		_, _ = root.Remove(to+reportName), root.Remove(to+rejectsName) // the next attempt writes others
		return false
	}
	return true
}

func writeNew(root *os.Root, name string, from io.Reader) error {
	out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, from)
	return errors.Join(err, out.Close())
}

// free returns a path in dir for name that neither a file nor its report or rejects has yet.
func free(root *os.Root, dir, name string) string {
	ext := filepath.Ext(name)
	path := filepath.Join(dir, name)
	for i := 2; slices.ContainsFunc([]string{"", reportName, rejectsName}, func(end string) bool {
		_, err := root.Lstat(path + end)
		return err == nil
	}); i++ {
		path = filepath.Join(dir, fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), i, ext))
	}
	return path
}

func contentHash(root *os.Root, name string) (string, error) {
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
