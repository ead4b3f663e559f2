package e2e

import (
	"bufio"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// records are the real files of other cities, each with what its centre must show after the import. The figures are the
// cities' own, counted by other means.
var records = []struct {
	mapping, file string
	figures       map[string]string // SQL to answer
}{
	{"sf-fire-2009-2018", "sf-fire-2009-2018.csv.gz", map[string]string{
		"SELECT count() FROM tickets_now WHERE center = 'us-sf'":                                                     "901",
		"SELECT countIf(received_at IS NOT NULL AND arrived_at IS NOT NULL) FROM tickets_now WHERE center = 'us-sf'": "866",
		responseQuantile(0.5): "258",
		responseQuantile(0.9): "379",
		// Fire: 15 minutes from the report to the first unit on scene, by the policy of that centre.
		"SELECT countIf(state = 'met'), count() FROM clocks_now WHERE center = 'us-sf' AND clock = 'arrive' AND state IN " +
			"('met', 'breached') AND stopped_at IS NOT NULL": "865\t866",
	}},
	{"cdmx-c5-2020-jun-aug", "cdmx-c5-2020-jun-aug.csv.gz", map[string]string{
		"SELECT count() FROM calls_now WHERE center = 'mx-cdmx'":                                      "26078",
		"SELECT class, count() FROM calls_now WHERE center = 'mx-cdmx' GROUP BY class ORDER BY class": "duplikat\t12129\ninformasi\t15\nnormal\t13764\nprank_palsu\t170",
		"SELECT count() FROM tickets_now WHERE center = 'mx-cdmx' AND result = 'tidak_ditemukan'":     "4782",
	}},
	{"boston311-2015-h1", "boston311-2015-h1.csv.gz", map[string]string{
		"SELECT count() FROM tickets_now WHERE center = 'us-boston'": "58119",
		"SELECT countIf(state NOT IN ('resolved', 'confirmed', 'closed', 'merged')) FROM tickets_now WHERE center = " +
			"'us-boston'": "8993",
		"SELECT countIf(has(flags, 'closed_before_opened')) FROM tickets_now WHERE center = 'us-boston'": "84",
		// The city's due dates as the clock "given": due, closed late, on time, open.
		`SELECT count(), countIf(stopped_at IS NOT NULL AND state = 'breached'), countIf(state = 'met'), countIf(stopped_at IS
			NULL)
			FROM clocks_now WHERE center = 'us-boston' AND clock = 'given' AND NOT void`: "43552\t10025\t27255\t6272",
		`SELECT opd, countIf(state = 'breached'), count() FROM clocks_now WHERE center = 'us-boston' AND clock = 'given' AND
			NOT void
			AND stopped_at IS NOT NULL AND opd IN ('PWDx', 'ISD', 'BTDT') GROUP BY opd ORDER BY
			opd`: "BTDT\t1256\t7188\nISD\t3161\t7246\nPWDx\t4430\t16676",
		// As it stood at midnight of the first of April, whatever the city did afterwards: in time, closed late, open and
		// late, open and in time; and what was open.
		`SELECT countIf(state = 'met'), countIf(state = 'breached' AND stopped), countIf(state = 'breached' AND NOT stopped),
			countIf(state IN ('running', 'paused'))
			FROM clocks_at(at = '2015-04-01T00:00:00-04:00') WHERE center = 'us-boston' AND clock = 'given' AND NOT
			void`: "9085\t2915\t3084\t3059",
		`SELECT sum(c.met), sum(c.stopped_late), sum(c.open_late), sum(c.undecided) FROM clocks_counted(since = '2015-01-01',
			until = '2015-07-01', as_of = '2015-04-01T00:00:00-04:00') AS c WHERE center = 'us-boston' AND clock = 'given'`: "9085\t2915\t3084\t3059",
		"SELECT countIf(open) FROM tickets_at(at = '2015-04-01T00:00:00-04:00') WHERE center = 'us-boston'": "8353",
	}},
}

// responseQuantile is the nearest-rank quantile of the seconds from the report to the first unit on scene.
func responseQuantile(q float64) string {
	level := map[float64]string{0.5: "0.5", 0.9: "0.9"}[q]
	return `SELECT arraySort(groupArray(s))[toUInt32(ceil(` + level + ` * count()))] FROM (
		SELECT dateDiff('second', received_at, arrived_at) AS s FROM tickets_now
		WHERE center = 'us-sf' AND received_at IS NOT NULL AND arrived_at IS NOT NULL)`
}

// TestRealRecords imports the records of three cities, each twice and once with its rows shuffled: nothing is counted
// twice, the cities' figures come out, and nothing of the past moves a live counter.
func TestRealRecords(t *testing.T) {
	t.Parallel()
	shared := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(shared); err != nil {
		t.Skip("the records of other cities are not beside the project: ", err)
	}
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	rejects := filepath.Join(t.TempDir(), "rejects.csv")
	send := func(mapping, file string) {
		t.Helper()
		if _, errs, code := s.run("import", "--server", "http://"+s.addr, "--mapping", mapping, "--rejects", rejects,
			file); code != 0 {
			t.Fatalf("import of %s exits with %d:\n%s", file, code, tail(errs, 2000))
		}
	}
	check := func(when string) {
		t.Helper()
		s.shipped()
		for _, r := range records {
			for sql, want := range r.figures {
				if got := s.query(sql); got != want {
					t.Errorf("%s, %s: got %q, want %q\nof %s", r.mapping, when, got, want, sql)
				}
			}
		}
	}
	for _, r := range records {
		send(r.mapping, filepath.Join(shared, r.file))
	}
	check("imported")
	events := s.query("SELECT count() FROM events_now")
	for _, r := range records {
		send(r.mapping, filepath.Join(shared, r.file))
		send(r.mapping, shuffled(t, filepath.Join(shared, r.file)))
	}
	check("imported again and shuffled")
	if got := s.query("SELECT count() FROM events_now"); got != events {
		t.Errorf("%s events after importing again, %s before", got, events)
	}
	for _, counter := range []string{
		"monev112_calls_received_total", "monev112_tickets_opened_total", "monev112_clock_stopped_total",
		"monev112_tickets_open",
	} {
		if got := s.metric(counter); got != 0 {
			t.Errorf("%s moved to %v while the past was imported", counter, got)
		}
	}
	t.Logf("%s events of three cities, each row sent three times", events)
}

// shuffled writes a copy of a CSV file with its rows in another order. No field of the three files holds a line break.
func shuffled(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	rows := lines[1:]
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	out, err := os.Create(filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(name), ".gz")))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := bufio.NewWriter(out)
	for _, l := range lines {
		w.WriteString(l)
		w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Name()
}
