package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/shipper"
	"github.com/monev112/monev112/collector/tracker"
)

var _ shipper.Sink = (*Sink)(nil)

// storedHourly reads the hours, after a look whether their days are their sums.
func storedHourly(t *testing.T, s *Sink) []string {
	t.Helper()
	sums := func(table string) []string {
		return lines(t, s.Store, `SELECT center, day, sum(received), sum(offered), sum(answered), sum(stamped), sum(abandoned),
			sum(unserved), sum(blocked), sum(classified), sum(hoax), sum(ghost), sum(to_own), sum(to_unanswered),
			arraySort(groupArrayArray(answer_ms)), arraySort(groupArrayArray(abandon_ms))
			FROM `+table+` GROUP BY center, day ORDER BY ALL`)
	}
	if d := cmp.Diff(sums("calls_hourly_now"), sums("calls_daily_now")); d != "" {
		t.Errorf("days are not the sums of their hours: %s", d)
	}
	return lines(t, s.Store, "SELECT center, hour, day, received, hoax, answer_ms FROM calls_hourly_now ORDER BY ALL")
}

func TestHoursFollowTheirCalls(t *testing.T) {
	s := openSink(t)
	call := func(id, received, class string) tracker.Row {
		c := casefile.Call{Key: callKey(id), ReceivedAt: at(received), Class: class, Events: 1}
		c.AnsweredAt = c.ReceivedAt.Add(9 * time.Second)
		return callRow(c)
	}
	elsewhere := call("a", "2026-10-01 16:10:00", "normal")
	elsewhere.Call.Key.Center, elsewhere.Key.Center = "35.78", "35.78"
	for i, step := range []struct {
		rows []tracker.Row
		want []string
	}{
		{
			[]tracker.Row{
				call("a", "2026-10-01 16:10:00", "prank"), call("b", "2026-10-01 16:59:59", "normal"),
				call("c", "2026-10-01 17:00:00", "normal"), elsewhere,
			},
			[]string{
				"35.15 2026-10-01T16:00:00 2026-10-01 2 1 [9000 9000]", "35.15 2026-10-01T17:00:00 2026-10-02 1 0 [9000]",
				"35.78 2026-10-01T16:00:00 2026-10-01 1 0 [9000]",
			},
		},
		{ // reclassified
			[]tracker.Row{call("a", "2026-10-01 16:10:00", "normal")},
			[]string{
				"35.15 2026-10-01T16:00:00 2026-10-01 2 0 [9000 9000]", "35.15 2026-10-01T17:00:00 2026-10-02 1 0 [9000]",
				"35.78 2026-10-01T16:00:00 2026-10-01 1 0 [9000]",
			},
		},
		{ // a correction moves the only call of an hour by a month, and one out of an hour that keeps another
			[]tracker.Row{call("c", "2026-11-01 17:00:00", "normal"), call("b", "2026-11-01 17:30:00", "normal")},
			[]string{
				"35.15 2026-10-01T16:00:00 2026-10-01 1 0 [9000]", "35.15 2026-11-01T17:00:00 2026-11-02 2 0 [9000 9000]",
				"35.78 2026-10-01T16:00:00 2026-10-01 1 0 [9000]",
			},
		},
		{ // became a test
			[]tracker.Row{call("a", "2026-10-01 16:10:00", "uji")},
			[]string{"35.15 2026-11-01T17:00:00 2026-11-02 2 0 [9000 9000]", "35.78 2026-10-01T16:00:00 2026-10-01 1 0 [9000]"},
		},
	} {
		for range 2 { // a retry changes nothing
			if err := s.Upsert(t.Context(), step.rows, uint64(i+1)); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(step.want, storedHourly(t, s)); d != "" {
				t.Errorf("step %d: %s", i, d)
			}
		}
	}
}

// A process that dies after it moved a call and before it recomputed the hour leaves the hour to the next one.
func TestHoursLeftByAProcessThatDied(t *testing.T) {
	s := openSink(t)
	c := casefile.Call{Key: callKey("a"), ReceivedAt: at("2026-10-01 16:10:00"), Events: 1}
	if err := s.Upsert(t.Context(), []tracker.Row{callRow(c)}, 1); err != nil {
		t.Fatal(err)
	}
	c.ReceivedAt = at("2026-10-20 16:10:00")
	if err := s.markPeriods(t.Context(), hourly, []Period{{"35.15", at("2026-10-01 16:00:00")}}, 2, false); err != nil {
		t.Fatal(err)
	}
	if err := s.upsertCalls(t.Context(), []*casefile.Call{&c}, 2); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := storedHourly(t, s); len(got) != 0 {
			t.Errorf("the call still stands in %q", got)
		}
	}
	// The shipper sends the batch again.
	if err := s.Upsert(t.Context(), []tracker.Row{callRow(c)}, 3); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"35.15 2026-10-20T16:00:00 2026-10-20 1 0 []"}, storedHourly(t, s)); d != "" {
		t.Error(d)
	}
	if left, _, err := s.pendingPeriods(t.Context(), hourly); err != nil || len(left) != 0 {
		t.Errorf("pending %v, %v", left, err)
	}
}

// With Run the hours follow by themselves; what is left when it ends is marked and done by the next Prepare.
func TestRunRecomputesWhatUpsertsLeave(t *testing.T) {
	s := openSink(t)
	s.setRunning(true)
	c := casefile.Call{Key: callKey("a"), ReceivedAt: at("2026-10-01 16:10:00"), Events: 1}
	if err := s.Upsert(t.Context(), []tracker.Row{callRow(c)}, 1); err != nil {
		t.Fatal(err)
	}
	if got := storedHourly(t, s); len(got) != 0 {
		t.Errorf("recomputed at once: %q", got)
	}
	next := &Sink{Store: s.Store}
	if err := next.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := storedHourly(t, s); len(got) != 1 {
		t.Errorf("after the next start: %q", got)
	}
	c.ReceivedAt = at("2026-10-02 16:10:00")
	if err := next.Upsert(t.Context(), []tracker.Row{callRow(c)}, 2); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"35.15 2026-10-02T16:00:00 2026-10-02 1 0 []"}, storedHourly(t, s)); d != "" {
		t.Error(d)
	}
}

func TestReadCasesFindsTheTicketsOfACall(t *testing.T) {
	s := openSink(t)
	ticketEvent := func(id, ticket string, calls ...string) *event.Event {
		return &event.Event{Source: "s", ID: id, Type: event.TicketOpened, Kind: event.KindTicket, Subject: ticket,
			Center:     "35.15",
			OccurredAt: clockStart, ReceivedAt: clockStart, Calls: calls}
	}
	callEvent := &event.Event{
		Source: "s", ID: "1", Type: event.CallReceived, Kind: event.KindCall, Subject: "c1", Center: "35.15",
		OccurredAt: clockStart, ReceivedAt: clockStart,
	}
	elsewhere := ticketEvent("9", "t9", "c1")
	elsewhere.Center = "35.78"
	err := s.InsertEvents(t.Context(),
		[]*event.Event{callEvent, ticketEvent("2", "t2", "c1", "c2"), ticketEvent("3", "t3", "c'3"), elsewhere}, "")
	if err != nil {
		t.Fatal(err)
	}
	// t1 is named by the row of the call alone.
	if err := s.upsertCalls(t.Context(), []*casefile.Call{{Key: callKey("c1"), Tickets: []string{"t1", "t2"}, Events: 1}},
		1); err != nil {
		t.Fatal(err)
	}
	loaded, err := s.ReadCases(t.Context(),
		[]event.Key{
			callKey("c1"), callKey("c2"), callKey("c'3"), callKey("c4"), ticketKey("t2"), ticketKey("none"), callKey("c1"),
		})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range loaded {
		got = append(got, fmt.Sprint(l.Key.Kind, " ", l.Key.ID, " ", len(l.Events), l.Tickets))
	}
	slices.Sort(got)
	want := []string{"call c'3 0 [t3]", "call c1 1 [t1 t2]", "call c2 0 [t2]", "ticket t2 1 []"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestStoredDigestsOfManyEvents(t *testing.T) {
	s := openSink(t)
	events := sample(9_000, 0)
	events[0].ID, events[0].Source = `it's "e"`, `s\1`
	if err := s.InsertEvents(t.Context(), events[:8_000], ""); err != nil {
		t.Fatal(err)
	}
	twice := *events[5]
	twice.Digest[0] ^= 1
	ask := append(slices.Clone(events), &twice)
	got, err := s.StoredDigests(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range ask {
		want := e.Digest
		switch {
		case i >= 8_000 && i < 9_000:
			want = event.Digest{}
		case i == 9_000:
			want = events[5].Digest
		}
		if got[i] != want {
			t.Fatalf("%d, %s: %x, want %x", i, e.ID, got[i], want)
		}
	}
	if none, err := s.StoredDigests(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
}

// Lists of columns find more than was asked: an id is another event's under another subject, source, kind or centre.
func TestStoredDigestsAreThoseOfTheWholeKey(t *testing.T) {
	s := openSink(t)
	var all []*event.Event
	for _, center := range []string{"35.15", "35.78"} {
		for _, kind := range []event.Kind{event.KindCall, event.KindTicket} {
			for _, subject := range []string{"a", "A", "b'\\"} {
				for _, source := range []string{"pbx", "crm"} {
					for _, id := range []string{"1", "2"} {
						e := *sample(1, len(all))[0]
						e.Center, e.Kind, e.Subject, e.Source, e.ID = center, kind, subject, source, id
						all = append(all, &e)
					}
				}
			}
		}
	}
	var stored []*event.Event
	for i, e := range all {
		if i%3 != 0 {
			stored = append(stored, e)
		}
	}
	if err := s.InsertEvents(t.Context(), stored, ""); err != nil {
		t.Fatal(err)
	}
	var asked []*event.Event
	for i, e := range all {
		if i%5 != 0 {
			asked = append(asked, e)
		}
	}
	got, err := s.StoredDigests(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range asked {
		want := event.Digest{}
		if slices.Contains(stored, e) {
			want = e.Digest
		}
		if got[i] != want {
			t.Errorf("%s %s %q %s %s: %x, want %x", e.Center, e.Kind, e.Subject, e.Source, e.ID, got[i], want)
		}
	}
}

func TestReadCasesOfManyKeys(t *testing.T) {
	s := openSink(t)
	events := sample(40_000, 0)
	if err := s.InsertEvents(t.Context(), events, ""); err != nil {
		t.Fatal(err)
	}
	var keys []event.Key
	for i := range 16_000 { // half of them unknown; more than one query holds
		keys = append(keys, callKey(fmt.Sprintf("c-%08d", i)))
	}
	loaded, err := s.ReadCases(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, l := range loaded {
		n += len(l.Events)
	}
	if len(loaded) != 8000 || n != len(events) {
		t.Errorf("%d cases, %d events; want 8000 and %d", len(loaded), n, len(events))
	}
}

func TestOpenCasesAndSubjects(t *testing.T) {
	s := openSink(t)
	since := at("2026-10-01 00:00:00")
	ticket := func(id string, state casefile.State, last time.Time) tracker.Row {
		return ticketOf(casefile.Ticket{Key: ticketKey(id), State: state, OpenedAt: last, LastEventAt: last, Events: 1})
	}
	call := func(id string, received time.Time) tracker.Row {
		return callRow(casefile.Call{Key: callKey(id), ReceivedAt: received, Events: 1})
	}
	foreign := ticket("foreign", casefile.Opened, since)
	foreign.Ticket.Key.Center, foreign.Key.Center = "historical", "historical"
	old := since.Add(-time.Hour)
	err := s.Upsert(t.Context(), []tracker.Row{
		ticket("old open", casefile.Assigned, old), ticket("old rejected", casefile.Rejected, old),
		ticket("old closed", casefile.Closed, old),
		ticket("new closed", casefile.Closed, since), call("old", old), call("new", since), foreign,
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := s.OpenCases(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	want := []event.Key{callKey("new"), ticketKey("new closed"), ticketKey("old open"), ticketKey("old rejected")}
	if d := cmp.Diff(want, sorted(keys)); d != "" {
		t.Error(d)
	}

	events := sample(50_000, 0)
	events = append(events, &event.Event{
		Source: "s", ID: "t", Type: event.TicketOpened, Kind: event.KindTicket, Subject: "t", Center: "35.15",
		OccurredAt: since, ReceivedAt: since, Calls: []string{"only named"},
	})
	if err := s.InsertEvents(t.Context(), events, ""); err != nil {
		t.Fatal(err)
	}
	seen := map[event.Key]bool{}
	if err := s.Subjects(t.Context(), func(keys []event.Key) error {
		for _, k := range keys {
			seen[k] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 10_002 || !seen[callKey("only named")] || !seen[ticketKey("t")] {
		t.Errorf("%d subjects", len(seen))
	}
	stop := errors.New("stop")
	if err := s.Subjects(t.Context(), func([]event.Key) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the callback's error", err)
	}
}

func sorted(keys []event.Key) []event.Key {
	slices.SortFunc(keys, func(a, b event.Key) int { return int(a.Kind)*1000 - int(b.Kind)*1000 + cmpText(a.ID, b.ID) })
	return keys
}

func cmpText(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

func TestCallsExpected(t *testing.T) {
	s := openSink(t)
	now := at("2026-10-29 03:20:00") // Thursday, ten in the morning in Sidoarjo
	var rows []tracker.Row
	add := func(week, n int) {
		for range n {
			rows = append(rows, callRow(casefile.Call{
				Key:        callKey(fmt.Sprint(len(rows))),
				ReceivedAt: now.AddDate(0, 0, -7*week).Add(time.Duration(len(rows)) * time.Second), Events: 1,
			}))
		}
	}
	add(1, 4)
	add(2, 6)
	rows = append(rows, callRow(casefile.Call{
		Key: callKey("test"), ReceivedAt: now.AddDate(0, 0, -7), Class: "uji", Events: 1,
	}),
		callRow(casefile.Call{Key: callKey("other hour"), ReceivedAt: now.AddDate(0, 0, -7).Add(time.Hour), Events: 1}))
	if err := s.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	if _, _, ok, err := s.CallsExpected(t.Context(), "35.15", now); ok || err != nil {
		t.Errorf("two weeks are enough: %v, %v", ok, err)
	}
	if _, _, ok, err := s.CallsExpected(t.Context(), "nowhere", now); ok || err != nil {
		t.Errorf("a centre without calls: %v, %v", ok, err)
	}
	add(5, 2)
	if err := s.Upsert(t.Context(), rows, 2); err != nil {
		t.Fatal(err)
	}
	if _, _, ok, err := s.CallsExpected(t.Context(), "35.15", now); ok || err != nil {
		t.Errorf("two weeks without any data were counted as weeks without calls: %v, %v", ok, err)
	}
	for _, week := range []int{3, 4} { // calls on that day, none in that hour
		rows = append(rows, callRow(casefile.Call{
			Key: callKey(fmt.Sprint("week ", week)), ReceivedAt: now.AddDate(0, 0, -7*week).Add(11 * time.Hour), Events: 1,
		}))
	}
	if err := s.Upsert(t.Context(), rows, 3); err != nil {
		t.Fatal(err)
	}
	// 4 6 0 0 2: median 2; distances 2 4 2 2 0: median 2.
	if median, mad, ok, err := s.CallsExpected(t.Context(), "35.15", now); !ok || err != nil || median != 2 || mad != 2 {
		t.Errorf("median %g, deviation %g, %v, %v", median, mad, ok, err)
	}
}

// TestHoursFollowTheTicketsOfTheirCalls assigns a ticket after its call's hour was computed: where the call stands in
// the funnel follows.
func TestHoursFollowTheTicketsOfTheirCalls(t *testing.T) {
	s := openSink(t)
	call := casefile.Call{
		Key: callKey("a"), ReceivedAt: at("2026-10-01 16:10:00"), AnsweredAt: at("2026-10-01 16:10:09"), Class: "normal",
		Tickets: []string{"t"}, Events: 1,
	}
	ticket := casefile.Ticket{
		Key: event.Key{Center: "35.15", Kind: event.KindTicket, ID: "t"}, OpenedAt: at("2026-10-01 16:12:00"),
		State: casefile.Opened, Calls: []string{"a"}, Events: 1,
	}
	stands := func() (out string) {
		err := s.query(t.Context(), "test", "SELECT concat(toString(to_centre), ' ', toString(to_own)) FROM calls_hourly_now",
			func(scan func(...any) error) error { return scan(&out) })
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if err := s.Upsert(t.Context(), []tracker.Row{callRow(call), {Key: ticket.Key, Ticket: &ticket}}, 1); err != nil {
		t.Fatal(err)
	}
	if got := stands(); got != "1 0" {
		t.Fatalf("opened: at the centre and at an OPD %q", got)
	}
	assigned := ticket
	assigned.OPD, assigned.State, assigned.AssignedAt = "dishub", casefile.Assigned, at("2026-10-01 16:20:00")
	if err := s.Upsert(t.Context(), []tracker.Row{{Key: ticket.Key, Ticket: &assigned}}, 2); err != nil {
		t.Fatal(err)
	}
	if got := stands(); got != "0 1" {
		t.Errorf("assigned: at the centre and at an OPD %q", got)
	}
}

// A restore that was interrupted has brought marks and a part of the rows: the marks must outlive a start in between.
func TestPrepareLeavesAHalfRestoredDatabaseAlone(t *testing.T) {
	s := openSink(t)
	if err := s.markPeriods(t.Context(), daily, []Period{{"35.15", at("2026-10-01 00:00:00")}}, 1, false); err != nil {
		t.Fatal(err)
	}
	half := Restore{
		Backup: uuid.MustParse("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), TakenAt: at("2026-10-02 00:00:00"), Journal: "j",
		BeganAt: at("2026-10-02 01:00:00"),
	}
	for _, c := range []struct {
		ended time.Time
		want  string
	}{{time.Time{}, "1"}, {at("2026-10-02 02:00:00"), "0"}} {
		half.EndedAt = c.ended
		if err := s.RecordRestore(t.Context(), half); err != nil {
			t.Fatal(err)
		}
		if err := s.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, known := s.RollupLag(); known == c.ended.IsZero() {
			t.Errorf("restore ended %v: that the lag is known is %v", c.ended, known)
		}
		if got := lines(t, s.Store, "SELECT count() FROM days_pending FINAL WHERE NOT done")[0]; got != c.want {
			t.Errorf("restore ended %v: %s days are marked, want %s", c.ended, got, c.want)
		}
	}
}

// Hours that cannot be computed keep no day from being computed: it shows which tickets are late.
func TestDaysDoNotWaitForHoursThatFail(t *testing.T) {
	s := openSink(t)
	start := Period{"35.15", at("2026-10-01 00:00:00")}
	if err := s.mark(t.Context(), []Period{start}, []Period{start}); err != nil {
		t.Fatal(err)
	}
	if err := s.exec(t.Context(), "break", "RENAME TABLE calls_rollup TO away"); err != nil {
		t.Fatal(err)
	}
	if err := s.FlushRollups(t.Context()); err == nil {
		t.Error("nothing failed")
	}
	got := lines(t, s.Store, "SELECT (SELECT count() FROM hours_pending FINAL WHERE NOT done), "+
		"(SELECT count() FROM days_pending FINAL WHERE NOT done)")[0]
	if got != "1 0" {
		t.Errorf("hours and days that are left: %s, want 1 0", got)
	}
}

// A roll-up that cannot be computed must not keep the events out of ClickHouse: Run tries it again.
func TestPrepareDoesNotWaitForRollUpsThatFail(t *testing.T) {
	s := openSink(t)
	if err := s.markPeriods(t.Context(), daily, []Period{{"35.15", at("2026-10-01 00:00:00")}}, 1, false); err != nil {
		t.Fatal(err)
	}
	if err := s.exec(t.Context(), "break", "RENAME TABLE clocks_rollup TO away"); err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(t.Context()); err == nil {
		t.Error("without a Run nobody would try again")
	}
	s.setRunning(true)
	if err := s.Prepare(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.exec(t.Context(), "repair", "RENAME TABLE away TO clocks_rollup"); err != nil {
		t.Fatal(err)
	}
	if err := s.FlushRollups(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, _, err := s.pendingPeriods(t.Context(), daily); err != nil || len(left) != 0 {
		t.Errorf("pending %v, %v", left, err)
	}
}
