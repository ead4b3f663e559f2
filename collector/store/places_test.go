package store

import (
	"testing"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/deploy"
)

// TestPlacesOfPrivateCasesAreTakenOut stores exact places of tickets and calls, in several versions of their rows,
// before it is known that one was violence at home. In the end no row of it or of what is linked with it has one, also
// not those that a later row has replaced; the place of another ticket stays.
func TestPlacesOfPrivateCasesAreTakenOut(t *testing.T) {
	s := &Sink{Store: open(t), Directory: directory.MustLoad("directory.yaml", deploy.Directory)}
	lat, lon := -7.35113377, 112.77013377
	n := byte(0)
	stored := func(typ event.Type, subject, category string, change func(*event.Event)) {
		n++
		e := event.Event{
			Source: "s", ID: string('a' + rune(n)), Type: typ, Kind: typ.Kind(), Subject: subject, Center: "35.15",
			OccurredAt: at("2026-11-01 08:00:00"), ReceivedAt: at("2026-11-01 08:00:00"), Category: category,
			Kecamatan: "35.15.18", Lat: &lat, Lon: &lon, Digest: event.Digest{n},
		}
		if change != nil {
			change(&e)
		}
		if err := s.InsertEvents(t.Context(), []*event.Event{&e}, e.ID); err != nil {
			t.Fatal(err)
		}
		if typ.Kind() == event.KindTicket {
			folded := casefile.FoldTicket(e.Key(), []*event.Event{&e}, casefile.CallFacts{})
			if err := s.upsertTickets(t.Context(), []ticketRow{{Ticket: &folded}}, uint64(n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	stored(event.TicketOpened, "T", "kecelakaan", nil)
	stored(event.TicketAssigned, "T", "KDRT", func(e *event.Event) { e.Lat, e.Lon, e.OPD = nil, nil, "dinsos" })
	stored(event.TicketOpened, "merged", "kecelakaan", nil)
	stored(event.TicketMerged, "merged", "", func(e *event.Event) { e.Master = "T" })
	stored(event.TicketOpened, "called", "kecelakaan", func(e *event.Event) { e.Calls = []string{"C"} })
	stored(event.CallReceived, "C", "kecelakaan", nil)
	stored(event.CallClassified, "C", "kdrt", func(e *event.Event) { e.Kecamatan, e.Class = "", "normal" })
	stored(event.TicketOpened, "other", "kecelakaan", nil)
	exact := func() []string {
		return lines(t, s.Store, "SELECT DISTINCT subject FROM (SELECT subject, lat FROM events UNION ALL "+
			"SELECT id, lat FROM tickets) WHERE lat = -7.35113377 ORDER BY subject")
	}
	if got := exact(); len(got) != 5 {
		t.Fatalf("exact places before: %v", got)
	}
	for range 2 {
		if err := s.HidePlaces(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := exact(); len(got) != 1 || got[0] != "other" {
			t.Fatalf("exact places of %v", got)
		}
	}
	got := lines(t, s.Store, "SELECT subject, toString(lat), toString(lon) FROM events WHERE subject != 'other' AND "+
		"ifNull(lat, 0) != -7.3544 ORDER BY ALL")
	if len(got) != 2 { // T's assignment, which had none, and C's classification, which names no kecamatan
		t.Errorf("places that are no point of their kecamatan: %v", got)
	}
	if got := lines(t, s.Store, "SELECT count() FROM tickets FINAL WHERE id = 'called' AND lat = -7.3544 AND lon = "+
		"112.7665"); got[0] != "1" {
		t.Errorf("the row has not the point of its kecamatan: %v", got)
	}
}

// TestAKecamatanWithoutAPointGetsNone: its places become NULL, not the point 0, 0.
func TestAKecamatanWithoutAPointGetsNone(t *testing.T) {
	unknown := directory.Kecamatan{Code: "35.29.01"}
	if exact, lat, lon := placeSQL([]directory.Kecamatan{unknown}); exact != "lat IS NOT NULL" || lat != "NULL" ||
		lon != "NULL" {
		t.Errorf("%s, %s, %s", exact, lat, lon)
	}
	known := directory.Kecamatan{Code: "35.29.02", Located: true, Lat: -6.95, Lon: 114.5}
	exact, lat, lon := placeSQL([]directory.Kecamatan{unknown, known})
	wantExact, wantLat, wantLon := placeSQL([]directory.Kecamatan{known})
	if exact != wantExact || lat != wantLat || lon != wantLon {
		t.Errorf("%s, %s, %s", exact, lat, lon)
	}
}
