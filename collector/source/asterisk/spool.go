package asterisk

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/source/send"
)

// Spool keeps events in a journal until the collector has taken them. After a restart, events whose segment is still
// there are given again: the collector knows them. A segment is deleted once all of it is taken, the last one about a
// minute later, so that callers' numbers stay no longer than they must; files have mode 0600.
//
// Submit is for one goroutine; Next, Take and Prune are for one other.
type Spool struct {
	opts     journal.Options
	maxBytes int64
	log      *slog.Logger
	more     chan struct{}

	mu      sync.Mutex // guards what follows
	journal *journal.Journal
	reader  *journal.Reader // nil when the journal could not be opened again behind damage
	taken   journal.Position
	portion Portion   // that Next returned and Take has not taken
	since   time.Time // of the latest event in the last segment; zero: there is none in it
	damaged int
}

// Portion is the earliest events of a Spool, one a line.
type Portion struct {
	Body  []byte
	Count int
	end   journal.Position
}

// SpoolOptions say where a Spool lies. Only Dir must be set.
type SpoolOptions struct {
	Dir      string
	MaxBytes int64 // of events that wait; a segment of 4 MiB may stand beside them; default DefaultSpoolBytes
	FS       disk.FS
	Now      func() time.Time
	Log      *slog.Logger
}

// ErrSpoolFull says that the collector has been away for so long that the spool has no room. The log is read on when it
// has.
var ErrSpoolFull = errors.New("the spool is full; the log is read on when the collector is back")

// Limits of a Spool.
const (
	DefaultSpoolBytes = 256 << 20 // half a million events: four months of 140 calls a day
	spoolSegmentBytes = 4 << 20
	spoolSegmentAge   = time.Minute
	spoolJournal      = "journal"
)

// OpenSpool opens the spool in a folder, with what an earlier run left in it.
func OpenSpool(o SpoolOptions) (*Spool, error) {
	fsys := cmp.Or[disk.FS](o.FS, disk.OS{})
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if err := fsys.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	names, err := fsys.ReadDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "spool-") && strings.HasSuffix(name, ".ndjson") {
			return nil, fmt.Errorf("spool folder %s holds events that an earlier version has not sent (%s): start that version "+
				"until it has sent them; or send the logs whole with --once, and then remove spool-*.ndjson", o.Dir, name)
		}
	}
	s := &Spool{
		opts: journal.Options{
			Dir: filepath.Join(o.Dir, spoolJournal), SegmentBytes: spoolSegmentBytes, SegmentAge: spoolSegmentAge,
			MinFreeBytes: -1, FS: fsys, Now: o.Now, Logger: o.Log,
		},
		maxBytes: cmp.Or(o.MaxBytes, DefaultSpoolBytes), log: o.Log, more: make(chan struct{}, 1),
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

// open opens the journal and a reader behind what was taken.
func (s *Spool) open() error {
	j, err := journal.Open(s.opts)
	if damage := (*journal.CorruptError)(nil); errors.As(err, &damage) { // the header of a segment
		if err = s.skip(damage); err == nil {
			j, err = journal.Open(s.opts)
		}
	}
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	s.taken = max(s.taken, j.Stats().First)
	r, err := j.NewReader(s.taken)
	if err != nil {
		return errors.Join(fmt.Errorf("spool: %w", err), j.Close())
	}
	s.journal, s.reader, s.since = j, r, s.opts.Now()
	return nil
}

// Submit implements send.Submitter: events that are on disk count as accepted. After an error none does.
func (s *Spool) Submit(_ context.Context, body []byte, count int) (send.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.waiting(); n > 0 && n+int64(len(body)) > s.maxBytes {
		return send.Answer{}, ErrSpoolFull
	}
	if _, _, err := s.journal.Append(bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))); err != nil {
		return send.Answer{}, fmt.Errorf("spool: %w", err)
	}
	s.since = s.opts.Now()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return send.Answer{Receipt: event.Receipt{Accepted: count}, Tries: 1}, nil
}

// More is signalled when events were added.
func (s *Spool) More() <-chan struct{} { return s.more }

// Waiting is how many bytes of events were not taken yet.
func (s *Spool) Waiting() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting()
}

func (s *Spool) waiting() int64 { return int64(s.journal.End() - s.taken) }

// Damaged is how often a part of the spool could not be read and was left out.
func (s *Spool) Damaged() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.damaged
}

// Next returns the earliest events that were not taken, at most so many and about so many bytes; Count is 0 when there
// are none. It returns the same until Take.
func (s *Spool) Next(maxEvents, maxBytes int) (Portion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reader == nil {
		if err := s.open(); err != nil {
			return Portion{}, err
		}
	}
	for p := &s.portion; p.Count < maxEvents && len(p.Body) < maxBytes; {
		record, ok, err := s.reader.TryNext()
		var damage *journal.CorruptError
		switch {
		case p.Count > 0 && (err != nil || !ok):
			return *p, nil
		case errors.As(err, &damage):
			if err := s.stepOver(damage); err != nil {
				return Portion{}, err
			}
			continue
		case err != nil:
			return Portion{}, fmt.Errorf("spool: %w", err)
		case !ok:
			s.taken = s.reader.Position()
			return Portion{}, nil
		}
		p.Body = append(append(p.Body, record.Payload...), '\n')
		p.Count, p.end = p.Count+1, record.End
	}
	return s.portion, nil
}

// stepOver closes the journal, skips the damage and opens it again.
func (s *Spool) stepOver(damage *journal.CorruptError) error {
	s.taken = s.reader.Position()
	if err := errors.Join(s.close(), s.skip(damage)); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return s.open()
}

// skip gives up what cannot be read, with the copy that the journal keeps of it: the log has it still, and nobody is
// here to decide otherwise.
func (s *Spool) skip(damage *journal.CorruptError) error {
	s.log.Error("damaged part of the spool skipped: send the log of that time again with --once", "error", damage)
	s.damaged++
	report, err := journal.SkipDamage(journal.Repair{FS: s.opts.FS, Dir: s.opts.Dir, Now: s.opts.Now()}, damage.Position)
	if err != nil || report.Aside == "" {
		return err
	}
	return s.opts.FS.Remove(filepath.Join(s.opts.Dir, report.Aside))
}

// Take says that the collector has taken the Portion that Next returned last.
func (s *Spool) Take() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken, s.portion = s.portion.end, Portion{}
	s.prune()
}

// Prune deletes what was taken, as far as its segments are old enough.
func (s *Spool) Prune() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prune()
}

func (s *Spool) prune() {
	now := s.opts.Now()
	if s.waiting() == 0 && !s.since.IsZero() && now.Sub(s.since) >= spoolSegmentAge {
		if err := s.journal.Probe(); err == nil { // begins a new segment, so that the one before can go
			s.taken, s.since = s.journal.End(), time.Time{}
		}
	}
	if _, err := s.journal.Retain(s.taken, now.Add(time.Hour)); err != nil {
		s.log.Warn("spool segment cannot be deleted", "error", err) // given again after a restart, and known then
	}
}

// Close closes the journal.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.close()
}

func (s *Spool) close() error {
	if s.reader == nil {
		return nil
	}
	err := errors.Join(s.reader.Close(), s.journal.Close())
	s.reader = nil
	return err
}
