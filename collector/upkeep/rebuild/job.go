package rebuild

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
)

// Spec says what to rebuild. Two requests of the same Spec are the same job while it is not done.
type Spec struct {
	// Centers are the codes of the centres, sorted; none is every centre that the directory or the database knows.
	Centers []string `json:"centers"`
	// Since and Until are days (2026-10-01) in each centre's own zone, Until not included; empty is open.
	Since  string `json:"since"`
	Until  string `json:"until"`
	DryRun bool   `json:"dry_run"` // count, write nothing
}

func (s Spec) equal(o Spec) bool {
	return slices.Equal(s.Centers, o.Centers) && s.Since == o.Since && s.Until == o.Until && s.DryRun == o.DryRun
}

// check says what is wrong with a Spec.
func (s Spec) check() error {
	for _, f := range []struct{ field, day string }{{"since", s.Since}, {"until", s.Until}} {
		if _, err := time.Parse(time.DateOnly, f.day); err != nil && f.day != "" {
			return &SpecError{f.field, "give a day such as 2026-10-01"}
		}
	}
	if s.Since != "" && s.Until != "" && s.Since >= s.Until { // days of this form are in the order of their texts
		return &SpecError{
			"until", fmt.Sprintf("the period is empty: %s is not before %s (the end is not included)", s.Since, s.Until),
		}
	}
	return nil
}

// SpecError is an invalid request.
type SpecError struct{ Field, Reason string }

func (e *SpecError) Error() string { return e.Field + ": " + e.Reason }

// Errors of a Runner.
var (
	ErrBusy    = errors.New("another rebuild is running; wait for it or stop it")
	ErrUnknown = errors.New("there is no such rebuild")
	ErrAway    = errors.New("clickhouse is not ready") // ask again later
)

// Status is the state of a job.
type Status string

// The states of a job.
const (
	Running Status = "running"
	Stopped Status = "stopped" // by request or with the service; a request for the same one continues it
	Done    Status = "done"
)

// Job is a rebuild and what it has found so far.
type Job struct {
	ID     string `json:"id"`
	Spec   Spec   `json:"spec"`
	Status Status `json:"status"`
	// Basis names what the rows are computed with: policies, calendars, directory and program. A job that goes on under
	// another basis starts from the beginning.
	Basis     string    `json:"basis"`
	StartedAt time.Time `json:"started_at"` // states are compared as they are at this instant
	UpdatedAt time.Time `json:"updated_at"`
	Resumed   int       `json:"resumed"`   // how often it went on after a stop
	Restarted int       `json:"restarted"` // how often it began again because the basis had changed
	Centers   []string  `json:"centers"`   // of Spec, or all; as found when the job began
	Center    string    `json:"center"`    // being worked on
	Done      int64     `json:"done"`      // cases folded
	Total     int64     `json:"total"`     // cases of the period, as counted at the start of each centre
	Findings
	Error string `json:"error,omitzero"` // the latest failure; it is tried again

	Position position `json:"position"`
	Pending  *portion `json:"pending,omitzero"`
}

// position is the last case that is done: everything of the centres before Center, and of Center up to Kind and ID.
type position struct {
	Center string `json:"center"`
	Kind   string `json:"kind"`
	ID     string `json:"id"`
}

func (p position) key() event.Key {
	k := event.Key{Center: p.Center, ID: p.ID}
	k.Kind, _ = event.ParseKind(p.Kind)
	return k
}

func positionOf(k event.Key) position { return position{k.Center, k.Kind.String(), k.ID} }

// portion is a stretch of cases whose rows may have been written: what it changed can be counted only once, before.
type portion struct {
	Through  position `json:"through"`
	Cases    int64    `json:"cases"`
	Findings Findings `json:"findings"`
}

// File is the name of the job's file in the data folder. It holds the latest job.
const File = "rebuild.json"

const maxFileBytes = 16 << 20

func load(fsys disk.FS, dir string) (*Job, error) {
	name := filepath.Join(dir, File)
	text, err := disk.ReadFile(fsys, name, maxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the rebuild: %w", err)
	}
	var j Job
	if err := json.Unmarshal(text, &j); err != nil {
		return nil, fmt.Errorf("%s: %w; delete it: it only says how far a rebuild had come", name, err)
	}
	return &j, nil
}

func (j *Job) save(fsys disk.FS, dir string) error {
	err := disk.Replace(fsys, filepath.Join(dir, File), 0o600, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(j)
	})
	if err != nil {
		return fmt.Errorf("save the rebuild: %w", err)
	}
	return nil
}

// clone is a copy that shares nothing that changes.
func (j *Job) clone() Job {
	c := *j
	c.Findings = j.Findings.clone()
	c.Spec.Centers, c.Centers = append([]string{}, j.Spec.Centers...), append([]string{}, j.Centers...)
	c.Pending = nil
	return c
}

// Period says in words which days the job covers.
func (s Spec) Period() string {
	var b strings.Builder
	switch {
	case s.Since == "" && s.Until == "":
		return "all days"
	case s.Since == "":
		b.WriteString("days")
	default:
		b.WriteString("days from " + s.Since)
	}
	if s.Until != "" {
		b.WriteString(" to before " + s.Until)
	}
	return b.String()
}
