package notifications

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/store"
)

var testNow = time.Date(2026, 11, 2, 3, 0, 0, 0, time.UTC)

func fingerprintOf(id string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return fmt.Sprintf("%016x", h.Sum64())
}

// body is a notification as Alertmanager sends it: an alert a ticket.
func body(receiver string, edit func(map[string]any), tickets ...string) []byte {
	var alerts []map[string]any
	for _, id := range tickets {
		alerts = append(alerts, map[string]any{
			"status": "firing",
			"labels": map[string]string{
				"alertname": "Monev112Ticket", "kind": "ticket", "center": "35.15", "opd": "dishub", "level": "overdue",
				"ticket": id, "priority": "non_darurat",
			},
			"annotations": map[string]string{"category": "PJU", "kecamatan": "Waru", "late_by": fmt.Sprint(time.Now())},
			"startsAt":    testNow.Add(-time.Hour).Format(time.RFC3339Nano), "endsAt": "0001-01-01T00:00:00Z",
			"generatorURL": "", "fingerprint": fingerprintOf(id),
		})
	}
	p := map[string]any{
		"version": "4", "groupKey": `{}/{kind="ticket"}:{center="35.15", opd="dishub"}`, "truncatedAlerts": 0,
		"status": "firing", "receiver": receiver,
		"groupLabels": map[string]string{}, "commonLabels": map[string]string{}, "commonAnnotations": map[string]string{},
		"externalURL": "http://am", "alerts": alerts,
		"notificationReason": "a field that came later",
	}
	if edit != nil {
		edit(p)
	}
	text, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return text
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func open(t *testing.T, dir string, c *clock) *Log {
	t.Helper()
	l, err := Open(Config{Dir: dir, MinFreeBytes: -1, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// waitingBytes are those that ClickHouse does not have yet.
func waitingBytes(l *Log) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(l.journal.End() - l.shipped)
}

func add(t *testing.T, l *Log, body []byte) (Notification, bool) {
	t.Helper()
	m, duplicate, err := l.Add(body)
	if err != nil {
		t.Fatal(err)
	}
	return m, duplicate
}

func TestARepetitionIsTheDuplicateWindowAndALaterOneIsNot(t *testing.T) {
	dir, c := t.TempDir(), &clock{at: testNow}
	l := open(t, dir, c)
	first, duplicate := add(t, l, body("opd", nil, "T-1", "T-2"))
	if duplicate || first.Alerts != 2 || len(first.Rows) != 2 {
		t.Errorf("%v %+v", duplicate, first)
	}
	c.add(duplicateWindow - time.Second)
	if m, duplicate := add(t, l, body("opd", nil, "T-1", "T-2")); !duplicate || m.ID != first.ID ||
		!m.ToldAt.Equal(first.ToldAt) {
		t.Errorf("a repetition: %v %+v", duplicate, m)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir, c)
	if m, duplicate := add(t, l, body("opd", nil, "T-1", "T-2")); !duplicate || m.ID != first.ID {
		t.Errorf("a repetition after a restart: %v %+v", duplicate, m)
	}
	ids := []string{first.ID}
	for name, b := range map[string][]byte{
		"one more":      body("opd", nil, "T-1", "T-2", "T-3"),
		"to another":    body("diskominfo", nil, "T-1", "T-2"),
		"another group": body("opd", func(p map[string]any) { p["groupKey"] = "x" }, "T-1", "T-2"),
		"truncated":     body("opd", func(p map[string]any) { p["truncatedAlerts"] = 3 }, "T-1", "T-2"),
		"one of them closed": body("opd", func(p map[string]any) {
			p["alerts"].([]map[string]any)[0]["status"] = "resolved"
		}, "T-1", "T-2"),
	} {
		m, duplicate := add(t, l, b)
		if duplicate || slices.Contains(ids, m.ID) {
			t.Errorf("%s is taken for the first", name)
		}
		ids = append(ids, m.ID)
	}
	c.add(time.Second)
	if m, duplicate := add(t, l, body("opd", nil, "T-1", "T-2")); duplicate || slices.Contains(ids, m.ID) {
		t.Error("what is told again hours later is lost")
	}
	c.add(-7 * time.Hour) // the clock was ahead
	if _, duplicate := add(t, l, body("opd", nil, "T-1", "T-2")); duplicate {
		t.Error("what is told once the clock is set back is lost")
	}
}

func TestARowSaysWhatAndNoMore(t *testing.T) {
	l := open(t, t.TempDir(), &clock{at: testNow})
	m, _ := add(t, l, body("opd-35-15-dishub", func(p map[string]any) {
		alerts := p["alerts"].([]map[string]any)
		alerts[1]["labels"] = map[string]string{
			"alertname": "Monev112FeedSilent", "severity": "critical", "source": "0812 3456 7890", "opd": "Bapak Budi",
			"kind": "other",
		}
		alerts[1]["status"], alerts[1]["endsAt"] = "resolved", testNow.Format(time.RFC3339Nano)
		alerts[2]["labels"] = map[string]string{
			"alertname": "Monev112Digest", "kind": "digest", "center": "35.15", "opd": "dishub", "date": "2026-11-02",
		}
	}, "T-1", "x", "y"))
	want := []Row{
		{Center: "35.15", Kind: kindTicket, Subject: "T-1", Alertname: "Monev112Ticket", Level: "overdue", Status: "firing",
			OPD: "dishub", Priority: "non_darurat", Fingerprint: fingerprintOf("T-1"), StartsAt: testNow.Add(-time.Hour)},
		{Kind: kindCondition, Alertname: "Monev112FeedSilent", Level: "critical", Status: "resolved",
			Fingerprint: fingerprintOf("x"), StartsAt: testNow.Add(-time.Hour), EndsAt: testNow},
		{Center: "35.15", Kind: kindDigest, Alertname: "Monev112Digest", Status: "firing", OPD: "dishub",
			Fingerprint: fingerprintOf("y"), StartsAt: testNow.Add(-time.Hour)},
	}
	for _, rows := range [][]Row{m.Rows, want} {
		slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	}
	if !slices.Equal(m.Rows, want) || m.Receiver != "opd-35-15-dishub" || !m.ToldAt.Equal(testNow) {
		t.Errorf("%+v\nwant %+v", m, want)
	}
}

func TestWhatIsNoNotificationIsRefused(t *testing.T) {
	l := open(t, t.TempDir(), &clock{at: testNow})
	set := func(key string, value any) []byte {
		return body("opd", func(p map[string]any) { p[key] = value }, "T-1")
	}
	inAlert := func(key string, value any) []byte {
		return body("opd", func(p map[string]any) { p["alerts"].([]map[string]any)[0][key] = value }, "T-1")
	}
	for name, b := range map[string][]byte{
		"empty": nil, "no JSON": []byte("0812345678"), "a list": []byte("[]"), "version 3": set("version", "3"),
		"no group":    set("groupKey", ""),
		"no receiver": set("receiver", ""), "a receiver of words": set("receiver", "Bapak Budi"),
		"no alerts": set("alerts", []any{}), "less than none": set("truncatedAlerts", -1),
		"no status": inAlert("status", ""), "no start": inAlert("startsAt", "0001-01-01T00:00:00Z"),
		"no time": inAlert("startsAt", "today"), "no fingerprint": inAlert("fingerprint", "x"),
	} {
		_, _, err := l.Add(b)
		if !errors.Is(err, ErrPayload) || strings.Contains(err.Error(), "0812") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if waitingBytes(l) != 0 {
		t.Error("something was kept")
	}
}

func TestAVeryLongNotificationIsCountedWholeAndListedInPart(t *testing.T) {
	l := open(t, t.TempDir(), &clock{at: testNow})
	tickets := make([]string, maxAlerts+10)
	for i := range tickets {
		tickets[i] = fmt.Sprint("T-", i)
	}
	m, _ := add(t, l, body("opd", nil, tickets...))
	if m.Alerts != maxAlerts+10 || len(m.Rows) != maxAlerts {
		t.Errorf("%d alerts, %d rows", m.Alerts, len(m.Rows))
	}
}

// clickhouse is ClickHouse: rows by key, away for a while.
type clickhouse struct {
	mu       sync.Mutex
	away     int
	rows     map[string]int
	inserted chan struct{}
}

func (s *clickhouse) insert(_ context.Context, rows []store.Notification) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away > 0 {
		s.away--
		return errors.New("away")
	}
	for _, r := range rows {
		s.rows[r.Message+" "+r.Fingerprint]++
	}
	select {
	case s.inserted <- struct{}{}:
	default:
	}
	return nil
}

func (s *clickhouse) waitFor(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for {
		s.mu.Lock()
		have := len(s.rows)
		s.mu.Unlock()
		if have == n {
			return
		}
		select {
		case <-s.inserted:
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatalf("%d rows, want %d", have, n)
		}
	}
}

func run(t *testing.T, l *Log, s *clickhouse) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx, s.insert) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestWhatWasTakenReachesClickHouseWhateverHappens(t *testing.T) {
	dir, c := t.TempDir(), &clock{at: testNow}
	s := &clickhouse{away: 1, rows: map[string]int{}, inserted: make(chan struct{}, 1)}
	l := open(t, dir, c)
	add(t, l, body("opd", nil, "T-1", "T-2")) // before anybody ships
	stop := run(t, l, s)
	add(t, l, body("opd", nil, "T-1"))
	s.waitFor(t, 3)
	stop()
	add(t, l, body("opd", nil, "T-9"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	l = open(t, dir, c) // what was shipped is not shipped again, what was not is
	stop = run(t, l, s)
	s.waitFor(t, 4)
	stop()
	for key, n := range s.rows {
		if n != 1 {
			t.Errorf("%s was inserted %d times", key, n)
		}
	}
	if waitingBytes(l) != 0 {
		t.Errorf("%d bytes wait", waitingBytes(l))
	}
	if err := l.Close(); err != nil {
		t.Error("a second Close fails:", err)
	}
	if _, _, err := l.Add(body("opd", nil, "T-10")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a closed record takes: %v", err)
	}
}

func TestALostCursorRepeatsOnlyWhatChangesNothing(t *testing.T) {
	dir, c := t.TempDir(), &clock{at: testNow}
	s := &clickhouse{rows: map[string]int{}, inserted: make(chan struct{}, 1)}
	l := open(t, dir, c)
	stop := run(t, l, s)
	add(t, l, body("opd", nil, "T-1", "T-2"))
	s.waitFor(t, 2)
	stop()
	l.shipped = l.journal.Stats().First // as after a crash before the cursor was written
	stop = run(t, l, s)
	add(t, l, body("opd", nil, "T-3"))
	s.waitFor(t, 3) // the same keys again, and the new one
	stop()
}

func FuzzDecode(f *testing.F) {
	f.Add(body("opd", nil, "T-1", "T-2"))
	f.Add([]byte(
		`{"version":"4","groupKey":"x","receiver":"r","alerts":[{"status":"firing","startsAt":"2026-01-01T00:00:00Z","fingerprint":"0000000000000000"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, content, err := decode(text)
		if err != nil {
			if !errors.Is(err, ErrPayload) {
				t.Error(err)
			}
			return
		}
		if len(m.Rows) == 0 || m.Alerts < len(m.Rows) || m.Receiver == "" {
			t.Errorf("%+v", m)
		}
		if _, again, err := decode(text); err != nil || again != content {
			t.Error("the same body has two contents")
		}
		for _, r := range m.Rows {
			if strings.ContainsAny(r.Subject+r.OPD+r.Level+r.Center+r.Alertname+r.Priority+m.Receiver, " \n\t<>\"'") {
				t.Errorf("text in %+v", r)
			}
		}
	})
}
