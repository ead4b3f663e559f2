package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/internal/disk"
)

// FolderName is where, in the data folder, handed-out reports are kept:
//
//	reports/<centre>/<month>/<edition>/edition.json   the model, and who had it made
//	                                   summary.json   what a list says of it
//	                                   <part>.<format> what was handed out, written once: part is "all" or an OPD's slug
//
// An edition exists once its edition.json does. Files are never changed and never deleted.
const FolderName = "reports"

// Edition is a report that was handed out.
type Edition struct {
	Number int       `json:"number"` // 1 for the first of its month
	MadeAt time.Time `json:"made_at"`
	By     string    `json:"by"`   // the key's name; Automatic
	Auto   bool      `json:"auto"` // made by the service itself: leadership is told
	Report *Report   `json:"report"`
}

// Automatic is who has a report made that nobody asked for.
const Automatic = "monev112"

// Limits of an Archive.
const (
	maxEditions     = 100 // of one month
	maxEditionBytes = 32 << 20
	maxFileBytes    = 64 << 20
)

// Archive keeps what was handed out. It is safe for concurrent use.
type Archive struct {
	dir string
	fs  disk.FS
	mu  sync.Mutex
}

// NewArchive keeps reports in the data folder. It makes its folder when there is something to keep.
func NewArchive(dataDir string) *Archive {
	return &Archive{dir: filepath.Join(dataDir, FolderName), fs: disk.OS{}}
}

func (s *Archive) month(center, month string) string {
	return filepath.Join(s.dir, folderName(center), month)
}

// folderName is a centre's code as a name of a folder; other letters than those of codes are written as their bytes.
func folderName(center string) string {
	var b strings.Builder
	for i := range len(center) {
		if c := center[i]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' && i > 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

// Editions returns the numbers of the editions of a month, ascending.
func (s *Archive) Editions(center, month string) ([]int, error) {
	return s.numbers(s.month(center, month))
}

func (s *Archive) numbers(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("handed-out reports: %w", err)
	}
	var out []int
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil || n < 1 || strconv.Itoa(n) != e.Name() {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, e.Name(), editionFile)); err == nil {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out, nil
}

const (
	editionFile = "edition.json"
	summaryFile = "summary.json"
)

// Summaries tells of the editions of a month, ascending.
func (s *Archive) Summaries(center, month string) ([]Summary, error) {
	numbers, err := s.Editions(center, month)
	if err != nil {
		return nil, err
	}
	out := make([]Summary, 0, len(numbers))
	for _, n := range numbers {
		var one Summary
		text, err := disk.ReadFile(s.fs, filepath.Join(s.month(center, month), strconv.Itoa(n), summaryFile), maxFileBytes)
		if err == nil {
			err = json.Unmarshal(text, &one)
		}
		if err != nil { // the edition itself says the same
			e, err := s.Edition(center, month, n)
			if err != nil {
				return nil, err
			}
			one = e.Summary()
		}
		out = append(out, one)
	}
	return out, nil
}

// Months returns the months of a centre of which an edition exists, ascending.
func (s *Archive) Months(center string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, folderName(center)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("handed-out reports: %w", err)
	}
	var out []string
	for _, e := range entries {
		if _, err := time.Parse(monthLayout, e.Name()); err != nil {
			continue
		}
		if n, err := s.Editions(center, e.Name()); err == nil && len(n) > 0 {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// Edition reads an edition, the latest when number is 0; nil when there is none.
func (s *Archive) Edition(center, month string, number int) (*Edition, error) {
	if number == 0 {
		list, err := s.Editions(center, month)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		number = list[len(list)-1]
	}
	text, err := disk.ReadFile(s.fs, filepath.Join(s.month(center, month), strconv.Itoa(number), editionFile),
		maxEditionBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("handed-out report: %w", err)
	}
	e := &Edition{}
	if err := json.Unmarshal(text, e); err != nil || e.Report == nil {
		return nil, fmt.Errorf("edition %d of %s of centre %s cannot be read: %w; restore the folder %s from a backup",
			number, month, center, err, FolderName)
	}
	return e, nil
}

// Keep keeps a report as the next edition of its month.
func (s *Archive) Keep(r *Report, by string, auto bool) (*Edition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, err := s.Editions(r.Center, r.Month)
	if err != nil {
		return nil, err
	}
	e := &Edition{Number: 1, MadeAt: r.MadeAt, By: by, Auto: auto, Report: r}
	if n := len(list); n > 0 {
		e.Number = list[n-1] + 1
	}
	if len(list) >= maxEditions {
		return nil, &RefusedError{fmt.Sprintf("%s of centre %s has %d editions, which is as many as are kept; hand out one "+
			"of them, or add what is new to the next month's", r.Month, r.Center, len(list)), true,
			fmt.Sprintf("Laporan bulan ini sudah mempunyai %d edisi, sebanyak yang disimpan. Yang baru dimuat dalam laporan "+
				"bulan berikutnya.", len(list))}
	}
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	summary, err := json.Marshal(e.Summary())
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.month(r.Center, r.Month), strconv.Itoa(e.Number))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keep a report: %w", err)
	}
	if err := s.write(filepath.Join(dir, summaryFile), summary); err != nil {
		return nil, err
	}
	if err := s.write(filepath.Join(dir, editionFile), text); err != nil {
		return nil, err
	}
	// As whoever reads it later: what JSON does not keep is not in the first file either.
	return s.Edition(r.Center, r.Month, e.Number)
}

func (s *Archive) write(name string, text []byte) error {
	err := disk.Replace(s.fs, name, 0o600, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a report: %w", err)
	}
	return nil
}

// File returns one file of an edition; make makes it when it is asked for the first time.
func (s *Archive) File(e *Edition, part, format string, make func() ([]byte, error)) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := filepath.Join(s.month(e.Report.Center, e.Report.Month), strconv.Itoa(e.Number), part+"."+format)
	text, err := disk.ReadFile(s.fs, name, maxFileBytes)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if text, err = make(); err != nil {
		return nil, err
	}
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("the report in the format %s has %d bytes, at most %d", format, len(text), maxFileBytes)
	}
	return text, s.write(name, text)
}

// WriteFile writes a finished file: the old one or the new one whole, never a part.
func WriteFile(name string, text []byte) error {
	return disk.Replace(disk.OS{}, name, 0o644, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// ReadFile reads a finished file of bounded size.
func ReadFile(name string) ([]byte, error) { return disk.ReadFile(disk.OS{}, name, maxFileBytes) }
