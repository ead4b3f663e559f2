package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/engine/enginetest"
	"github.com/monev112/monev112/collector/event"
)

// open gives a migrated store on a database of the test's own.
func open(t testing.TB) *Store {
	t.Helper()
	s := openEmpty(t)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func openEmpty(t testing.TB) *Store {
	t.Helper()
	addr, key := enginetest.Start(t)
	s, err := Open(t.Context(), Config{Addr: addr, Password: key, Database: enginetest.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// lines runs a query and returns its rows, the values of each joined by spaces.
func lines(t testing.TB, s *Store, sql string) []string {
	t.Helper()
	rows, err := s.conn.Query(context.Background(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		dest := make([]any, len(rows.Columns()))
		for i, c := range rows.ColumnTypes() {
			dest[i] = newOf(c.ScanType())
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		out = append(out, join(dest))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func callKey(id string) event.Key { return event.Key{Center: "35.15", Kind: event.KindCall, ID: id} }
func ticketKey(id string) event.Key {
	return event.Key{Center: "35.15", Kind: event.KindTicket, ID: id}
}

// sample is a batch of n different events.
func sample(n int, from int) []*event.Event {
	out := make([]*event.Event, n)
	for i := range out {
		k := from + i
		e := &event.Event{
			Source: "pbx", ID: fmt.Sprintf("e-%08d", k), Type: event.CallReceived, Kind: event.KindCall,
			Subject: fmt.Sprintf("c-%08d", k/5), Center: "35.15",
			OccurredAt: at("2026-10-01 00:00:00").Add(time.Duration(k) * time.Second),
			ReceivedAt: at("2026-10-01 00:00:01").Add(time.Duration(k) * time.Second),
			Agent:      fmt.Sprintf("agent-%02d", k%30), Queue: "112", Channel: "phone", Kecamatan: "35.15.08", Class: "prank",
			Caller: event.Caller{KeyID: "k1", Key: fmt.Sprintf("%032x", k*2654435761), Last3: "123"},
		}
		e.Digest[0], e.Digest[1], e.Digest[2] = byte(k), byte(k>>8), byte(k>>16)
		out[i] = e
	}
	return out
}
