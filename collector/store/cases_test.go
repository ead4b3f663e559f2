package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
)

// The view states in SQL what casefile states in Go; a thousand calls of every shape must not tell them apart.
func TestCallsNowSaysWhatCasefileSays(t *testing.T) {
	s := open(t)
	gen := rapid.Custom(drawCall)
	want := map[string]string{}
	var calls []*casefile.Call
	for i := range 1000 {
		c := gen.Example(i)
		c.Key = callKey(fmt.Sprint(i))
		calls = append(calls, &c)
		if c.Events > 0 && !c.Test() {
			want[c.Key.ID] = said(&c)
		}
	}
	if err := s.upsertCalls(t.Context(), calls, 1); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	const sql = `SELECT id, at, offered_at, classified, answered, hoax, answer_ms, abandon_ms FROM calls_now`
	err := s.query(t.Context(), "test", sql, func(scan func(...any) error) error {
		var id string
		var at, offered *time.Time
		var classified, answered, hoax bool
		var answer, abandon *int64
		if err := scan(&id, &at, &offered, &classified, &answered, &hoax, &answer, &abandon); err != nil {
			return err
		}
		got[id] = fmt.Sprint(when(at), when(offered), classified, answered, hoax, ms(answer), ms(abandon))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func said(c *casefile.Call) string {
	wait := func(d time.Duration, ok bool) string {
		if !ok {
			return "-"
		}
		return fmt.Sprint(d.Milliseconds())
	}
	at, offered := c.At(), c.OfferedAt()
	return fmt.Sprint(when(orNil(&at)), when(orNil(&offered)), c.Classified(), c.Answered(), c.Hoax(),
		wait(c.AnswerTime()), wait(c.AbandonTime()))
}

func when(t *time.Time) string {
	if t == nil {
		return " - "
	}
	return " " + t.UTC().Format("15:04:05.000") + " "
}

func ms(v *int64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprint(*v)
}

func drawCall(t *rapid.T) casefile.Call {
	stamp := func(label string) time.Time {
		if rapid.Bool().Draw(t, label+" absent") {
			return time.Time{}
		}
		return at("2026-10-01 00:00:00").Add(time.Duration(rapid.IntRange(0, 60_000).Draw(t, label)) * time.Millisecond)
	}
	c := casefile.Call{
		ReceivedAt: stamp("received"), QueuedAt: stamp("queued"), AnsweredAt: stamp("answered"),
		AbandonedAt: stamp("abandoned"),
		UnservedAt:  stamp("unserved"), EndedAt: stamp("ended"), FirstClassAt: stamp("classified"),
		CalledBackAt: stamp("called back"),
		Class:        rapid.SampledFrom(append(event.Classes(), "", "prank", "belum")).Draw(t, "class"),
		Events:       rapid.IntRange(0, 5).Draw(t, "events"),
	}
	c.ClassifiedAt = c.FirstClassAt
	if rapid.IntRange(0, 4).Draw(t, "blocked") == 0 {
		c.BlockedAt = stamp("blocked")
	}
	if rapid.IntRange(0, 3).Draw(t, "has wait") == 0 {
		w := rapid.Int64Range(0, 100_000).Draw(t, "wait")
		c.WaitMS = &w
	}
	return c
}

func TestTheHighestVersionOfACaseWins(t *testing.T) {
	s := open(t)
	call := func(class string) []*casefile.Call {
		return []*casefile.Call{{Key: callKey("a"), ReceivedAt: at("2026-10-01 00:00:00"), Class: class, Events: 1}}
	}
	for _, u := range []struct {
		class   string
		version uint64
	}{{"normal", 1}, {"prank", 3}, {"ghost", 2}} { // version 2 comes late: a retry of an old upsert
		if err := s.upsertCalls(t.Context(), call(u.class), u.version); err != nil {
			t.Fatal(err)
		}
	}
	if got := lines(t, s, "SELECT id, class FROM calls_now"); !slices.Equal(got, []string{"a prank"}) {
		t.Errorf("got %q", got)
	}
	if v, err := s.MaxVersion(t.Context()); err != nil || v != 3 {
		t.Errorf("highest version %d, %v; want 3", v, err)
	}
	events := sample(1, 0)
	if err := s.InsertEvents(t.Context(), events, ""); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Reached(t.Context()); err != nil || r.Version != 3 || !r.ReceivedAt.Equal(events[0].ReceivedAt) {
		t.Errorf("reached %+v, %v; want version 3, and %s", r, err, events[0].ReceivedAt)
	} else if again, err := s.Reached(t.Context()); again != r {
		t.Errorf("nothing moved, and %+v became %+v, %v", r, again, err)
	}
}

func TestTicketRow(t *testing.T) {
	s := open(t)
	lat, lon := -7.4476, 112.7183
	full := ticketRow{Scope: "own", Ticket: &casefile.Ticket{
		Key: ticketKey("SDA-1"), State: casefile.Resolved, OPD: "dishub", Category: "pju", Priority: "non_darurat",
		Kecamatan:  "35.15.18",
		ReceivedAt: at("2026-10-01 16:59:00"), AnsweredAt: at("2026-10-01 16:59:10"), OpenedAt: at("2026-10-01 17:00:00"),
		AssignedAt: at("2026-10-01 17:01:00"), AcknowledgedAt: at("2026-10-01 17:20:00"),
		DepartedAt: at("2026-10-01 17:25:00"),
		ArrivedAt:  at("2026-10-01 17:40:00"), ResolvedAt: at("2026-10-01 18:00:00"),
		LastResolvedAt: at("2026-10-01 18:30:00"),
		ConfirmedAt:    at("2026-10-01 18:40:00"), Result: "benar", Bounces: 1, Lat: &lat, Lon: &lon,
		Calls: []string{"c1", "c2"},
		Assignments: []casefile.Assignment{
			{OPD: "dlhk", At: at("2026-10-01 17:01:00"), EndedAt: at("2026-10-01 17:10:00")},
			{OPD: "dishub", At: at("2026-10-01 17:10:00"), AcknowledgedAt: at("2026-10-01 17:20:00")},
		},
		Pauses: []casefile.Pause{
			{From: at("2026-10-01 16:50:00"), To: at("2026-10-01 17:10:00"), Reason: "cuaca"}, // ten minutes of it after opening
			{From: at("2026-10-01 17:30:00"), To: at("2026-10-01 17:35:00"), Reason: "cuaca"}, // five minutes
			// ten minutes to resolution, and runs on
			{From: at("2026-10-01 17:50:00"), Reason: "menunggu_material"},
		},
		Events: 9, LastEventAt: at("2026-10-01 18:40:00"),
	}}
	bare := ticketRow{Ticket: &casefile.Ticket{
		Key: ticketKey("SDA-2"), State: casefile.Opened, OpenedAt: at("2026-10-01 16:59:59"), Events: 1,
	}}
	gone := ticketRow{Ticket: &casefile.Ticket{Key: ticketKey("SDA-3"), State: casefile.Opened}}
	if err := s.upsertTickets(t.Context(), []ticketRow{full, bare, gone}, 1); err != nil {
		t.Fatal(err)
	}
	got := lines(
		t, s, `SELECT id, opd, scope, state, day, open, paused, paused_s, lat, lon, bounces, calls, dispatch_seconds,
			acknowledge_seconds,
		turnout_seconds, travel_seconds, respond_seconds, own_seconds, resolve_seconds, resolve_net_seconds, confirm_seconds
		FROM tickets_now ORDER BY id`)
	want := []string{
		// 17:00 UTC is the next day in Sidoarjo.
		"SDA-1 dishub own resolved 2026-10-02 false true 1500 -7.4476 112.7183 1 [c1 c2] 110 600 300 900 2460 2340 3600 " +
			"2100 600",
		"SDA-2 - - opened 2026-10-01 true false 0 - - 0 [] - - - - - - - - -",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
