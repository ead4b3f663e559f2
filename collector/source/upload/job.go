package upload

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/source/importer"
	"github.com/monev112/monev112/collector/source/mapping"
)

// job is one import. Its fields below the mapping are guarded by Desk.mu.
type job struct {
	file    *File
	by      string
	center  string
	source  string
	mapping *mapping.Mapping // nil: it was interrupted by the end of the service

	started time.Time
	rows    int
	share   float64
	done    bool
	summary importer.Summary
	text    string // the summary as the command shows it
	err     error
}

// Job is how an import stands.
type Job struct {
	File    *File
	By      string
	Center  string
	Source  string
	Started time.Time
	Rows    int
	Share   float64 // of the work, 0 to 1
	Done    bool
	Summary importer.Summary // once it is done
	Text    string           // the summary as the command import shows it
	Err     error            // what ended it early; nil also when rows were refused
	Rejects bool             // refused rows can be fetched
	// Interrupted says that the service ended before the import, which does not go on: of it, only the above up to
	// Started, and of the file its name, are known.
	Interrupted bool
}

// begunName is the file that says which import has begun; one that comes to its end removes it.
const begunName = "upload.json"

type begun struct {
	File    string    `json:"file"`
	By      string    `json:"by"`
	Center  string    `json:"center"`
	Source  string    `json:"source"`
	Started time.Time `json:"started"`
}

func (d *Desk) begunPath() string { return filepath.Join(d.cfg.State, begunName) }

func (d *Desk) begin(j *job) error {
	text, err := json.Marshal(begun{j.file.Name, j.by, j.center, j.source, j.started})
	if err != nil {
		return err
	}
	return disk.WriteFile(disk.OS{}, d.begunPath(), 0o600, text)
}

// interrupted returns the import that had begun when the service ended; nil for none.
func (d *Desk) interrupted() *job {
	text, err := disk.ReadFile(disk.OS{}, d.begunPath(), maxKeptBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var b begun
	if err = cmp.Or(err, json.Unmarshal(text, &b)); err != nil {
		d.cfg.Log.Warn("what an import left when the service ended cannot be read", "error", err)
		return nil
	}
	return &job{file: &File{Name: b.File}, by: b.By, center: b.Center, source: b.Source, started: b.Started, done: true}
}

// rejectsFile is the name, beside the file, of its refused rows.
const rejectsFile = ".rejects.csv" // no uploaded file has such a name

// Start begins the import of a file by a choice, and keeps the mapping under the choice's name. It returns ErrBusy
// while another import runs.
func (d *Desk) Start(ctx context.Context, f *File, c Choice, by string) error {
	p, m, err := d.propose(ctx, f, &c)
	if err != nil {
		return &fault{d.shown(f, err.Error()), err}
	}
	j := &job{file: f, by: by, center: c.Center, source: m.Source, mapping: m, started: d.cfg.Now()}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last != nil && !d.last.done {
		return ErrBusy
	}
	if d.files[f.ID] == nil {
		return ErrNoFile
	}
	if c.Kept == "" {
		if err := d.keep(Kept{Choice: c, YAML: p.YAML, Header: header(p.Proposal), By: by, At: j.started}); err != nil {
			return err
		}
	}
	if err := d.begin(j); err != nil {
		return err
	}
	d.last = j
	d.start <- j // there is room: the one before is done
	return nil
}

// Job returns the import that runs, else the latest; ok is false before the first.
func (d *Desk) Job() (out Job, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	j := d.last
	if j == nil {
		return out, false
	}
	return Job{
		File: j.file, By: j.by, Center: j.center, Source: j.source, Interrupted: j.mapping == nil, Started: j.started,
		Rows: j.rows, Share: j.share, Done: j.done, Summary: j.summary,
		Text: j.text, Err: j.err, Rejects: j.done && d.files[j.file.ID] != nil && j.summary.RefusedTotal() > 0,
	}, true
}

// Rejects writes the refused rows of the latest import, masked, to w.
func (d *Desk) Rejects(w io.Writer) error {
	j, ok := d.Job()
	if !ok || !j.Rejects {
		return ErrNoFile
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(j.File.path), rejectsFile))
	if err != nil {
		return fmt.Errorf("rejects: %w", err)
	}
	_, err = io.WriteString(w, d.shown(j.File, string(text)))
	return err
}

// Run does the imports that are started, and removes old files, until ctx ends. An import that is running then stops;
// begun again it sends nothing twice.
func (d *Desk) Run(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.empty(d.cfg.Limits.Files)
		case j := <-d.start:
			d.run(ctx, j)
		}
	}
}

func (d *Desk) run(ctx context.Context, j *job) {
	log := d.cfg.Log.With("file", j.file.SHA256[:12], "source", j.mapping.Source, "key", j.by)
	log.Info("uploaded file is imported", "bytes", j.file.Bytes)
	var text strings.Builder
	sum, err := importer.Import(ctx, importer.Options{
		Mapping: j.mapping, Files: []string{j.file.path}, State: d.cfg.State, Name: d.cfg.Name, Collector: d.cfg.Collector,
		Rejects: filepath.Join(filepath.Dir(j.file.path), rejectsFile), Limits: rowLimits, Directory: d.cfg.Directory,
		Out: &text,
		Progress: func(rows int, share float64) {
			d.mu.Lock()
			j.rows, j.share = rows, share
			d.mu.Unlock()
		},
	})
	if errors.Is(err, importer.ErrRefused) {
		err = nil
	}
	if err != nil {
		err = &fault{d.shown(j.file, err.Error()), err}
		log.Warn("uploaded file was not imported to its end", "rows", sum.Rows, "events", sum.Events)
	} else {
		log.Info("uploaded file imported", "rows", sum.Rows, "events", sum.Events, "accepted", sum.Totals.Accepted,
			"known", sum.Totals.Duplicates, "corrected", sum.Corrected, "refused", sum.RefusedTotal())
	}
	if err == nil {
		if gone := os.Remove(d.begunPath()); gone != nil {
			log.Warn("the record of an import cannot be removed", "error", gone)
		}
	}
	for i := range sum.Refusals {
		sum.Refusals[i].File = d.shown(j.file, sum.Refusals[i].File)
	}
	d.mu.Lock()
	j.done, j.rows, j.share, j.summary, j.err = true, sum.Rows, 1, sum, err
	j.text = d.shown(j.file, sum.Text(""))
	d.mu.Unlock()
	if err == nil && sum.RefusedTotal() == 0 {
		d.Remove(j.file.ID)
	}
}
