package rtl

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
)

// maxRecent bounds how many accepted changes are held until ClickHouse has them; beyond it the oldest go, and are seen
// again when they are shipped.
const maxRecent = 10_000

// Book reads the ledgers of all centres: from ClickHouse, and from what was accepted since and is still on its way
// there, so that who writes something reads it at once. It is safe for concurrent use.
type Book struct {
	Database // set before anything is read
	dir      Centers

	mu     sync.Mutex
	recent []*event.Event
}

// Centers is what a book knows of centres; *directory.Directory is one.
type Centers interface {
	DefaultCenter() string
	Location(center string) *time.Location
}

// NewBook returns a book without a database yet.
func NewBook(dir Centers) *Book { return &Book{dir: dir} }

// Watch returns a board that hands everything on to board and lets the book see the events of the office.
func (b *Book) Watch(board ingest.Board) ingest.Board { return watched{board, b} }

type watched struct {
	ingest.Board
	book *Book
}

// ApplyGroup implements ingest.Board.
func (w watched) ApplyGroup(events []*event.Event, payloads [][]byte, ends []uint64, live bool) {
	for _, e := range events {
		if e.Kind.OfOffice() {
			w.book.note(e)
		}
	}
	w.Board.ApplyGroup(events, payloads, ends, live)
}

func (b *Book) note(e *event.Event) {
	own := *e
	own.Detach()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.recent = append(b.recent, &own); len(b.recent) > maxRecent {
		b.recent = slices.Delete(b.recent, 0, maxRecent/10)
	}
}

// Today is the present day of a centre, YYYY-MM-DD in its time zone, and the centre: the directory's default where none
// is named.
func (b *Book) Today(center string, now time.Time) (of, today string) {
	of = cmp.Or(center, b.dir.DefaultCenter())
	return of, now.In(b.location(of)).Format(time.DateOnly)
}

// location is a centre's time zone; UTC where the directory does not know the centre.
func (b *Book) location(center string) *time.Location {
	if loc := b.dir.Location(center); loc != nil {
		return loc
	}
	return time.UTC
}

// Ledger returns the ledger of a centre.
func (b *Book) Ledger(ctx context.Context, center string) (Ledger, error) {
	return b.LedgerAsOf(ctx, center, time.Time{})
}

// LedgerAsOf returns the ledger of a centre as it stood at an instant; the zero time is now.
func (b *Book) LedgerAsOf(ctx context.Context, center string, asOf time.Time) (Ledger, error) {
	b.mu.Lock()
	recent := slices.Clone(b.recent)
	b.mu.Unlock()
	stored, err := b.OfficeEvents(ctx, center)
	if err != nil {
		return Ledger{}, err
	}
	type id struct{ source, id string }
	held := map[id]bool{}
	for _, e := range stored {
		held[id{e.Source, e.ID}] = true
	}
	arrived := func(e *event.Event) bool { return e.Center == center && held[id{e.Source, e.ID}] }
	b.mu.Lock()
	b.recent = slices.DeleteFunc(b.recent, arrived)
	b.mu.Unlock()
	for _, e := range recent {
		if e.Center == center && !arrived(e) {
			stored = append(stored, e)
		}
	}
	if !asOf.IsZero() {
		stored = casefile.AsOf(stored, asOf)
	}
	return Fold(stored, b.location(center)), nil
}

// Measure measures the effect of a recommendation with what happened before the day until (YYYY-MM-DD).
func (b *Book) Measure(ctx context.Context, r *Recommendation, until string, asOf time.Time) (Effect, error) {
	return Measure(ctx, b.Database, r, until, asOf)
}
