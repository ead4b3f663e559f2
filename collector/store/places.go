package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
)

// Exact places are taken out of ClickHouse where a case has become private (see tracker.Row.Private), also of rows that
// a later one has replaced. What has to be done is found in the tables, every time anew: a process that died in between
// has forgotten nothing. Links are followed as far as placeRounds steps.
const (
	hidePlacesPause = 30 * time.Second // between two looks
	hidePlacesEvery = time.Hour        // a look without a case that became private
	placeRounds     = 2
	sameDegrees     = "1e-9" // two places are one when they differ by less
)

// hidePlaces takes exact places away until ctx ends: at the start, after cases became private, and now and then.
func (s *Sink) hidePlaces(ctx context.Context) {
	for {
		wait := hidePlacesEvery
		if s.HidePlaces(ctx) != nil { // counted by Config.Failed
			wait = hidePlacesPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		case <-s.becamePrivate:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(hidePlacesPause):
		}
	}
}

// HidePlaces takes the exact places out of all private cases that have one, and returns when every part that held one
// is written anew. The files of the former parts go from the disk some minutes later.
func (s *Sink) HidePlaces(ctx context.Context) error {
	if s.Directory == nil {
		return nil
	}
	type named struct{ center, category string }
	all, err := queryAll(ctx, s.Store, "read the categories of places",
		"SELECT DISTINCT center::String, category::String FROM events WHERE category != '' AND center IN "+
			"(SELECT DISTINCT center FROM events WHERE lat IS NOT NULL)",
		func(n *named) []any { return []any{&n.center, &n.category} })
	if err != nil {
		return err
	}
	private := map[string][]string{} // by centre, quoted
	for _, n := range all {
		if s.Directory.Private(n.center, n.category) {
			private[n.center] = append(private[n.center], quote(n.category))
		}
	}
	for center, categories := range private {
		if err := s.hidePlacesOf(ctx, center, strings.Join(categories, ", ")); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sink) hidePlacesOf(ctx context.Context, center, categories string) error {
	exact, lat, lon := placeSQL(s.Directory.AllKecamatan(center))
	of := "center = " + quote(center)
	tickets, calls := privateSQL(of, categories)
	keys, err := queryAll(ctx, s.Store, "find exact places of private cases", fmt.Sprintf(
		"SELECT DISTINCT subject_kind::String, subject FROM events WHERE %[1]s AND %[2]s AND "+
			"(subject_kind = 'ticket' AND subject IN (%[3]s) OR subject_kind = 'call' AND subject IN (%[4]s)) "+
			"UNION DISTINCT SELECT 'ticket', id FROM tickets WHERE %[1]s AND %[2]s AND id IN (%[3]s)",
		of, exact, tickets, calls), func(k *[2]string) []any { return []any{&k[0], &k[1]} })
	if err != nil || len(keys) == 0 {
		return err
	}
	cases := make([]event.Key, len(keys))
	for i, k := range keys {
		kind, _ := event.ParseKind(k[0])
		cases[i] = event.Key{Center: center, Kind: kind, ID: k[1]}
	}
	// The rows of tickets before the events, which are what the cases are found by.
	for _, t := range [...]struct{ table, kind, id string }{
		{"tickets", "'ticket'", "id"}, {"events", "subject_kind", "subject"},
	} {
		for cond := range keyConditions(cases, "center", t.kind, t.id) {
			sql := fmt.Sprintf("ALTER TABLE %s UPDATE lat = %s, lon = %s WHERE %s AND (%s) SETTINGS mutations_sync = 0",
				t.table, lat, lon, exact, cond)
			if err := s.exec(ctx, "hide places in "+t.table, sql); err != nil {
				return err
			}
			if err := s.mutated(ctx, t.table); err != nil {
				return err
			}
		}
	}
	return nil
}

// placeSQL returns the condition that a place is exact, which means at no point of a kecamatan, and the point of a
// row's kecamatan, NULL where that is not known.
func placeSQL(kecamatan []directory.Kecamatan) (exact, lat, lon string) {
	const place = "lat IS NOT NULL"
	var codes, lats, lons []string
	for _, k := range kecamatan {
		if !k.Located { // it has no point: its places become NULL, as on the board
			continue
		}
		codes = append(codes, quote(k.Code))
		lats = append(lats, strconv.FormatFloat(k.Lat, 'f', -1, 64)+"::Float64")
		lons = append(lons, strconv.FormatFloat(k.Lon, 'f', -1, 64)+"::Float64")
	}
	if len(codes) == 0 {
		return place, "NULL", "NULL"
	}
	list := func(of []string) string { return "[" + strings.Join(of, ", ") + "]" }
	at := "indexOf(" + list(codes) + ", ifNull(toString(kecamatan), ''))"
	exact = place + " AND NOT arrayExists((a, b) -> abs(assumeNotNull(lat) - a) < " + sameDegrees +
		" AND abs(ifNull(lon, 0) - b) < " + sameDegrees + ", " + list(lats) + ", " + list(lons) + ")"
	point := func(of []string) string { return "if(" + at + " = 0, NULL, " + list(of) + "[" + at + "])" }
	return exact, point(lats), point(lons)
}

// privateSQL selects the ids of the private tickets and calls of a centre: those with an event of one of the
// categories, and those linked with them.
func privateSQL(of, categories string) (tickets, calls string) {
	with := " FROM events WHERE " + of + " AND subject_kind = "
	tickets = "SELECT subject" + with + "'ticket' AND category IN (" + categories + ")"
	calls = "SELECT subject" + with + "'call' AND category IN (" + categories + ")"
	for range placeRounds {
		tickets, calls = tickets+
			" UNION ALL SELECT subject FROM (SELECT subject, arrayJoin(calls) AS call"+with+"'ticket') WHERE call IN ("+calls+
			")"+
			" UNION ALL SELECT master"+with+"'ticket' AND type = 'ticket.merged' AND subject IN ("+tickets+")"+
			" UNION ALL SELECT subject"+with+"'ticket' AND type = 'ticket.merged' AND master IN ("+tickets+")",
			calls+" UNION ALL SELECT arrayJoin(calls)"+with+"'ticket' AND notEmpty(calls) AND subject IN ("+tickets+")"
	}
	return tickets, calls
}
