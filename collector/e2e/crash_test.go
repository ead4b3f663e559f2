package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/source/simulate"
)

// killPoints are the places between socket and ClickHouse at which the process is killed, each in one run.
var killPoints = []string{
	"journal.write", "journal.fsync", "ingest.apply", "ingest.ack",
	"shipper.insert", "shipper.upsert", "shipper.cursor",
	"checkpoint.write", "checkpoint.rename", "checkpoint.done",
}

// cases are the tables that an undisturbed run and a killed one must agree on, without what names the run.
var cases = map[string]string{
	"events":  "SELECT * EXCEPT (received_at) FROM events_now ORDER BY ALL",
	"calls":   "SELECT * EXCEPT (version, written_at) FROM calls FINAL ORDER BY ALL",
	"tickets": "SELECT * EXCEPT (version) FROM tickets FINAL ORDER BY ALL",
	"clocks":  "SELECT * EXCEPT (version) FROM clocks FINAL WHERE NOT void ORDER BY ALL",
	"hours":   "SELECT * EXCEPT (version) FROM calls_hourly_now ORDER BY ALL",
	"daily":   "SELECT * EXCEPT (version) FROM calls_daily_now ORDER BY ALL",
	// Of the day's roll-ups what does not depend on when they are read; the order within a group is ClickHouse's.
	"days": "SELECT center, clock, day, opds, scopes, met_counts, late_counts, arrayMap(b -> arraySort(b), " +
		"open_breach_at) FROM clocks_daily FINAL WHERE notEmpty(opds) ORDER BY ALL",
	"intervals": "SELECT center, day, scope, opds, arraySort(respond_ms), arraySort(resolve_net_ms) FROM tickets_daily " +
		"FINAL WHERE notEmpty(opds) ORDER BY ALL",
}

// TestKilledAtEveryPoint sends a simulated day, with its late, repeated and corrected events, to a service that is
// killed at every named point and started again. A client sends each batch again until it is answered. In the end every
// acknowledged event stands in ClickHouse once, and the cases equal those of a service that nobody disturbed.
func TestKilledAtEveryPoint(t *testing.T) {
	t.Parallel()
	batches, events := simulatedDay(t)

	calm := newService(t).start()
	for _, b := range batches {
		calm.deliver(b)
	}
	calm.shipped()
	want := map[string]string{}
	for name, sql := range cases {
		want[name] = calm.query(sql)
	}
	if code := calm.stop(); code != 0 {
		t.Errorf("a clean stop exits with %d", code)
	}

	s := newService(t)
	copyKeys(t, calm.dir, s.dir)
	killed := map[string]bool{}
	next := 0
	for i, point := range killPoints {
		s.start("MONEV112_KILL_AT=" + point + ":1")
		share := len(batches) * (i + 1) / (len(killPoints) + 1)
		alive := s.ready()
		for ; alive && next < share; next++ {
			if alive = s.tryDeliver(batches[next]); !alive {
				break // it was not answered: the client sends it again
			}
		}
		if alive && strings.HasPrefix(point, "checkpoint") {
			s.stop() // the last checkpoint is written at a clean stop
		} else { // the place lies behind the door: it is met when ClickHouse gets what was sent
			s.ended("killed at " + point)
		}
		killed[point] = s.waitErr != nil && strings.Contains(s.waitErr.Error(), "killed")
	}
	for point, hit := range killed {
		if !hit {
			t.Errorf("the service was not killed at %s", point)
		}
	}

	s.start()
	for ; next < len(batches); next++ {
		s.deliver(batches[next])
	}
	s.shipped()
	for name, sql := range cases {
		if got := s.query(sql); got != want[name] {
			t.Errorf("%s differ from those of an undisturbed run:\n%s", name, firstDifference(want[name], got))
		}
	}
	if got := s.query("SELECT count() FROM events FINAL"); got != fmt.Sprint(events) {
		t.Errorf("events with FINAL: %s, want %d", got, events)
	}
	s.merge("events")
	if got := s.query("SELECT count() FROM events"); got != fmt.Sprint(events) {
		t.Errorf("events without FINAL, once merged: %s, want %d", got, events)
	}
	t.Logf("killed at %d points; %d events, losses 0, doubles 0", len(killPoints), events)
}

// simulatedDay returns a day of events in batches, and how many different ones there are.
func simulatedDay(t *testing.T) (batches [][]byte, events int64) {
	t.Helper()
	from := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	g, err := simulate.New(simulate.Live,
		simulate.Options{Seed: 7, From: from, To: from.Add(24 * time.Hour), Rate: 4, TimeScale: 8})
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	n := 0
	for m := range g.All() {
		b = append(m.Draft.AppendCloudEvent(b), '\n')
		if n++; n%100 == 0 {
			batches = append(batches, bytes.Clone(b))
			b = b[:0]
		}
	}
	if len(b) > 0 {
		batches = append(batches, bytes.Clone(b))
	}
	return batches, g.Totals().Messages.Events
}

// deliver sends a batch until it is answered.
func (s *service) deliver(batch []byte) {
	s.t.Helper()
	if !s.ready() || !s.tryDeliver(batch) {
		s.t.Fatal("the service ended")
	}
}

// tryDeliver sends a batch until it is answered; it returns false when the process ends first.
func (s *service) tryDeliver(batch []byte) bool {
	s.t.Helper()
	return s.until("a batch is answered", func() bool {
		a, status, err := s.post(batch)
		if err == nil && status == http.StatusOK && len(a.Rejected) > 0 {
			s.t.Fatalf("refused: %+v", a.Rejected[0])
		}
		return err == nil && status == http.StatusOK
	})
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return fmt.Sprintf("row %d of %d and %d\nwant %s\ngot  %s", i, len(a), len(b), x, y)
		}
	}
	return "no row"
}
