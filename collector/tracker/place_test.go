package tracker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/deploy"
)

// privateBoard is a board that hides places as the directory of Sidoarjo says.
func privateBoard() *Board {
	var outcomes []Outcome
	b, dir := newBoard(&outcomes), directory.MustLoad("directory.yaml", deploy.Directory)
	b.cfg.Private, b.cfg.SnapPlace = dir.Private, dir.SnapPlace
	return b
}

var exactLat, exactLon = -7.35113377, 112.77013377

// placed is an event of a case in Waru with an exact place, as the door lets it in beside a category that allows it.
func placed(n int, typ event.Type, subject, category string) event.Event {
	lat, lon := exactLat, exactLon
	return event.Event{
		Source: "s", ID: fmt.Sprint("e", n), Type: typ, Kind: typ.Kind(), Subject: subject, Center: "35.15",
		OccurredAt: noon, ReceivedAt: noon, Category: category, Kecamatan: "35.15.18", Lat: &lat, Lon: &lon,
	}
}

func said(n int, typ event.Type, subject, category string) event.Event {
	e := placed(n, typ, subject, category)
	e.Lat, e.Lon = nil, nil
	return e
}

// holdsPlace reports whether a board still has the exact place: in a row, an event or its checkpoint.
func holdsPlace(t interface{ Fatal(...any) }, b *Board) bool {
	var checkpoint bytes.Buffer
	if err := b.Checkpoint()(&checkpoint); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(checkpoint.Bytes(), binary.LittleEndian.AppendUint64(nil, math.Float64bits(exactLat))) {
		return true
	}
	for key := range b.cases {
		row, events, _ := b.Case(key)
		if row.Ticket != nil && row.Ticket.Lat != nil && *row.Ticket.Lat == exactLat ||
			slices.ContainsFunc(events, func(e *event.Event) bool { return e.Lat != nil && *e.Lat == exactLat }) {
			return true
		}
	}
	return false
}

// TestAnExactPlaceGoesWhenACaseBecomesPrivate tells stories in every order of arrival.
func TestAnExactPlaceGoesWhenACaseBecomesPrivate(t *testing.T) {
	withCalls := func(e event.Event, calls ...string) event.Event { e.Calls = calls; return e }
	merged := func(n int, from, into string) event.Event {
		e := said(n, event.TicketMerged, from, "")
		e.Master = into
		return e
	}
	corrected := said(3, event.TicketOpened, "T", "kecelakaan")
	corrected.Replaces = "e2"
	for name, story := range map[string]struct {
		events []event.Event
		kept   bool
	}{
		"an accident stays where it was": {[]event.Event{
			placed(1, event.TicketOpened, "T", "kecelakaan"), said(2, event.TicketAssigned, "T", ""),
		}, true},
		"a category that the directory does not know": {[]event.Event{
			placed(1, event.TicketOpened, "T", "kecelakaan"), said(2, event.TicketAssigned, "T", "UFO"),
		}, true},
		"an accident that was violence": {[]event.Event{
			placed(1, event.TicketOpened, "T", "kecelakaan"), said(2, event.TicketAssigned, "T", "kdrt"),
		}, false},
		"under another of its names": {[]event.Event{
			placed(1, event.TicketOpened, "T", "kecelakaan"), said(2, event.TicketAssigned, "T", "KDRT"),
		}, false},
		"and was corrected to an accident again": {[]event.Event{
			placed(1, event.TicketOpened, "T", "kecelakaan"), said(2, event.TicketOpened, "T", "kdrt"), corrected,
		}, false},
		"its call says so": {[]event.Event{
			withCalls(placed(1, event.TicketOpened, "T", "kecelakaan"), "C"), said(2, event.CallClassified, "C", "kdrt"),
		}, false},
		"the ticket says so of its call": {[]event.Event{
			placed(1, event.CallReceived, "C", "kecelakaan"), withCalls(said(2, event.TicketOpened, "T", "kdrt"), "C"),
		}, false},
		"two tickets of one call": {[]event.Event{
			withCalls(placed(1, event.TicketOpened, "T", "kecelakaan"), "C"),
			withCalls(said(2, event.TicketOpened, "U", "kdrt"), "C"),
		}, false},
		"merged into a private one": {[]event.Event{
			placed(1, event.TicketOpened, "T", "kecelakaan"), said(2, event.TicketOpened, "U", "kdrt"), merged(3, "T", "U"),
		}, false},
		"a private one merged into it": {[]event.Event{
			placed(1, event.TicketOpened, "T", "kecelakaan"), said(2, event.TicketOpened, "U", "odgj"), merged(3, "U", "T"),
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for order := range orders(story.events) {
				for _, live := range []bool{true, false} {
					b := privateBoard()
					for i := range order {
						b.Apply(&order[i], event.AppendBinary(nil, &order[i]), uint64(i+1), live)
					}
					if got := holdsPlace(t, b); got != story.kept {
						t.Fatalf("the exact place is kept: %v, want %v", got, story.kept)
					}
				}
			}
		})
	}
}

// orders yields every order of two or three events.
func orders(events []event.Event) iter.Seq[[]event.Event] {
	return func(yield func([]event.Event) bool) {
		for first := range events {
			rest := slices.Delete(slices.Clone(events), first, first+1)
			for range rest {
				if !yield(append([]event.Event{events[first]}, rest...)) {
					return
				}
				rest = append(slices.Clone(rest[1:]), rest[0])
			}
		}
	}
}

// A directory that comes to know a category as one without places is applied to what the checkpoint holds.
func TestANewDirectoryHidesPlacesOfACheckpoint(t *testing.T) {
	var outcomes []Outcome
	b := newBoard(&outcomes)
	for i, e := range []event.Event{
		placed(1, event.TicketOpened, "T", "kecelakaan"), said(2, event.TicketAssigned, "T", "kdrt"),
	} {
		b.Apply(&e, event.AppendBinary(nil, &e), uint64(i+1), true)
	}
	if !holdsPlace(t, b) {
		t.Fatal("there is nothing to hide")
	}
	var checkpoint bytes.Buffer
	if err := b.Checkpoint()(&checkpoint); err != nil {
		t.Fatal(err)
	}
	b = privateBoard()
	if err := b.ReadCheckpoint(&checkpoint); err != nil || holdsPlace(t, b) {
		t.Errorf("the place is kept: %v", err)
	}
}

// A rebuild makes the row that the board has.
func TestARebuiltPrivateCaseIsTheBoards(t *testing.T) {
	events := []event.Event{
		placed(1, event.TicketOpened, "T", "kecelakaan"), said(2, event.TicketAssigned, "T", "kdrt"),
	}
	b := privateBoard()
	l := Loaded{Key: events[0].Key()}
	for i := range events {
		e := events[i]
		b.Apply(&e, event.AppendBinary(nil, &e), uint64(i+1), true)
		l.Events = append(l.Events, &e)
	}
	want, _, _ := b.Case(l.Key)
	got, shown := privateBoard().Fold(l, nil)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Row{})); diff != "" || !got.Private ||
		*got.Ticket.Lat != -7.3544 {
		t.Errorf("row (-board +rebuild):\n%s", diff)
	}
	for _, e := range shown {
		if e.Lat != nil && *e.Lat == exactLat {
			t.Error("an event is shown with its exact place")
		}
	}
}
