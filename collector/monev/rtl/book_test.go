package rtl

import (
	"context"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
)

// late is a database that the shipper has not reached yet.
type late struct {
	Database
	stored []*event.Event
}

func (l *late) OfficeEvents(context.Context, string) ([]*event.Event, error) { return l.stored, nil }

type oneCenter struct{}

func (oneCenter) DefaultCenter() string { return "35.15" }
func (oneCenter) Location(center string) *time.Location {
	if center != "35.15" {
		return nil
	}
	return wib
}

type noBoard struct {
	ingest.Board
	applied int
}

func (b *noBoard) ApplyGroup(events []*event.Event, _ [][]byte, _ []uint64, _ bool) {
	b.applied += len(events)
}

func TestWhatIsWrittenIsReadBeforeItIsShipped(t *testing.T) {
	if of, today := NewBook(oneCenter{}).Today("x", time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)); of != "x" || today != "2026-11-01" {
		t.Errorf("%s %s", of, today)
	}
	db, board := &late{}, &noBoard{}
	b := NewBook(oneCenter{})
	b.Database = db
	e := change("1", "R1", 1, "a", map[string]string{"text": "Tambah petugas"})
	other := change("2", "R2", 1, "a", map[string]string{"text": "di pusat lain"})
	other.Center = "35.78"
	call := &event.Event{Type: event.CallReceived, Kind: event.KindCall, Center: "35.15", ID: "c"}
	given := *e
	b.Watch(board).ApplyGroup([]*event.Event{&given, other, call}, nil, nil, true)
	given.Subject = "used again" // events are valid during the call only
	if board.applied != 3 {
		t.Errorf("the board got %d events", board.applied)
	}
	for range 2 {
		l, err := b.Ledger(t.Context(), "35.15")
		if err != nil || len(l.Recommendations) != 1 || l.Recommendations[0].ID != "R1" || len(l.Recommendations[0].Changes) != 1 {
			t.Fatalf("%+v %v", l, err)
		}
		db.stored = []*event.Event{e}
	}
	if len(b.recent) != 1 {
		t.Errorf("%d changes are held on", len(b.recent))
	}
}
