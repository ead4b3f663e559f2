package importer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/event"
)

const ticketExport = head + `fields:
  id: {column: No, required: true}
  at: {column: Masuk, type: time, formats: ["yyyy-MM-dd HH:mm:ss"], required: true}
  done: {column: Selesai, type: time, formats: ["yyyy-MM-dd HH:mm:ss"], optional: true}
events:
  - {type: ticket.opened, subject: "ticket/{id}", time: at}
  - {type: ticket.resolved, subject: "ticket/{id}", time: done}
`

// TestWhatAFileNoLongerSaysIsWithdrawn sends an export three times: a cell is emptied, a row vanishes, the cell is
// filled again.
func TestWhatAFileNoLongerSaysIsWithdrawn(t *testing.T) {
	d, state := newFakeCollector(t), t.TempDir()
	send := func(withdraw bool, rows ...string) Summary {
		t.Helper()
		o := options(t, d, ticketExport, write(t, "a.csv", []byte("No,Masuk,Selesai\n"+strings.Join(rows, "\n")+"\n")))
		o.State, o.Withdraw = state, withdraw
		sum, err := Import(context.Background(), o)
		if err != nil {
			t.Fatalf("%v: %v", rows, err)
		}
		return sum
	}
	stands := func(want ...string) {
		t.Helper()
		got := map[string]bool{}
		for id, e := range standingEvents(d) {
			if e.Type != event.EventWithdrawn && e.Type != event.FeedHeartbeat {
				got[strings.SplitN(id, "~", 2)[0]] = true
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%v stand, want %v", got, want)
		}
		for _, w := range want {
			if !got[w] {
				t.Fatalf("%v stand, want %v", got, want)
			}
		}
	}
	a, b := "A,2026-01-01 08:00:00,", "B,2026-01-01 08:05:00,"
	c := "C,2026-01-01 08:09:00,"
	send(false, a+"2026-01-01 09:00:00", b, c)
	sum := send(false, a, c) // B is not in the file, but lies within its time
	if sum.Emptied != 1 || sum.Withdrawn != 1 || sum.Vanished != 1 || sum.FirstVanished[0] != "ticket/B.opened" {
		t.Fatalf("%+v", sum)
	}
	stands("ticket/A.opened", "ticket/B.opened", "ticket/C.opened")
	if sum = send(false, a, c); sum.Withdrawn != 0 || sum.Totals.Accepted != 0 {
		t.Fatalf("the same file again: %+v", sum)
	}
	if sum = send(true, a, c); sum.Withdrawn != 1 || sum.Vanished != 1 {
		t.Fatalf("with --withdraw: %+v", sum)
	}
	stands("ticket/A.opened", "ticket/C.opened")
	if sum = send(true, a+"2026-01-01 09:30:00", b, c); sum.Withdrawn != 0 || sum.Corrected != 2 {
		t.Fatalf("filled again: %+v", sum)
	}
	stands("ticket/A.opened", "ticket/A.resolved", "ticket/B.opened", "ticket/C.opened")
	// The last row of a day vanishes too; another day is no business of the file.
	send(false, "D,2026-01-03 08:00:00,")
	if sum = send(true, a+"2026-01-01 09:30:00", b); sum.Withdrawn != 1 || sum.FirstVanished[0] != "ticket/C.opened" {
		t.Fatalf("the last row is gone: %+v", sum)
	}
	stands("ticket/A.opened", "ticket/A.resolved", "ticket/B.opened", "ticket/D.opened")
	var said []string
	for _, e := range d.events {
		if e.Type == event.FeedHeartbeat {
			said = append(said, strings.Join(e.Carries, " "))
		}
	}
	slices.Sort(said)
	said = slices.Compact(said)
	if strings.Join(said, "|") != "ticket.opened ticket.resolved" {
		t.Errorf("the files carry %v", said)
	}
}

// standingEvents are the events that no other voids, by id.
func standingEvents(d *fakeCollector) map[string]event.Event {
	out := map[string]event.Event{}
	for _, e := range d.events {
		out[e.ID] = e
	}
	for _, e := range d.events {
		delete(out, e.Replaces)
	}
	return out
}

// day imports rows below a header, with --withdraw or without, and returns the ids that stand afterwards.
func day(t *testing.T, d *fakeCollector, state, mapping string, withdraw bool, text string) (Summary, []string) {
	t.Helper()
	o := options(t, d, mapping, write(t, "a.csv", []byte(text)))
	o.State, o.Withdraw = state, withdraw
	sum, err := Import(context.Background(), o)
	if err != nil && !errors.Is(err, ErrRefused) {
		t.Fatalf("%v: %v", text, err)
	}
	var ids []string
	for id, e := range standingEvents(d) {
		if e.Type != event.EventWithdrawn && e.Type != event.FeedHeartbeat {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return sum, ids
}

// In a log of states a row of another state is not an empty cell: each day adds to what the days before have said.
func TestAConditionThatFailsWithdrawsNothing(t *testing.T) {
	for _, several := range []bool{true, false} {
		log, pick := head, ""
		if several {
			log, pick = log+"table: {rows_per_case: several}\n", ", pick: earliest"
		}
		log += `fields:
  id: {column: No, required: true}
  at: {column: Waktu, type: time, formats: ["yyyy-MM-dd HH:mm:ss"], required: true}
  state: {column: Status}
events:
`
		for _, e := range [][2]string{{"opened", "Baru"}, {"arrived", "Tiba"}, {"resolved", "Selesai"}} {
			log += `  - {type: ticket.` + e[0] + `, subject: "ticket/{id}", time: at, when: [{field: state, equals: ` + e[1] +
				`}]` + pick + "}\n"
		}
		d, state := newFakeCollector(t), t.TempDir()
		day(t, d, state, log, false, "No,Waktu,Status\nT1,2026-01-01 08:00:00,Baru\nT1,2026-01-01 08:10:00,Tiba\n")
		sum, ids := day(t, d, state, log, false, "No,Waktu,Status\nT1,2026-01-02 09:00:00,Selesai\n")
		if sum.Withdrawn != 0 || len(ids) != 3 {
			t.Errorf("several %v: %d withdrawn, %v stand", several, sum.Withdrawn, ids)
		}
	}
}

// A file without the column says nothing about it.
func TestAColumnThatIsMissingWithdrawsNothing(t *testing.T) {
	d, state := newFakeCollector(t), t.TempDir()
	day(t, d, state, ticketExport, false, "No,Masuk,Selesai\nA,2026-01-01 08:00:00,2026-01-01 09:00:00\n")
	if sum, ids := day(t, d, state, ticketExport, false, "No,Masuk\nA,2026-01-01 08:00:00\n"); sum.Withdrawn != 0 ||
		len(ids) != 2 {
		t.Errorf("%d withdrawn, %v stand", sum.Withdrawn, ids)
	}
}

// The events of a row that is refused now look as if they had vanished.
func TestARefusedRowIsNotWithdrawn(t *testing.T) {
	d, state := newFakeCollector(t), t.TempDir()
	first, last := "A,2026-01-01 08:00:00,\n", "C,2026-01-01 08:09:00,\n"
	good := "No,Masuk,Selesai\n" + first + "B,2026-01-01 08:05:00,2026-01-01 08:30:00\n" + last
	day(t, d, state, ticketExport, false, good)
	sum, ids := day(t, d, state, ticketExport, true, strings.Replace(good, "08:30:00", "8.30", 1))
	if len(ids) != 4 || sum.Withdrawn != 0 || sum.Vanished != 2 || !strings.Contains(sum.Text(""), "were not withdrawn") {
		t.Errorf("%v stand, %+v\n%s", ids, sum, sum.Text(""))
	}
	if _, ids = day(t, d, state, ticketExport, true, "No,Masuk,Selesai\n"+first+last); len(ids) != 2 {
		t.Errorf("without the row %v stand", ids)
	}
}

// A day without a filled cell carries what days before it had; not days before those, and not once the mapping changes.
func TestAQuietDayCarriesWhatItsSourceCarries(t *testing.T) {
	d, state := newFakeCollector(t), t.TempDir()
	head := "No,Masuk,Selesai\n"
	day(t, d, state, ticketExport, false, head+"A,,\n") // nothing at all is remembered well, too
	for _, step := range []struct{ mapping, row, want string }{
		{ticketExport, "A,2026-01-03 08:00:00,\n", "ticket.opened"},
		{ticketExport, "B,2026-01-05 08:00:00,2026-01-05 09:00:00\n", "ticket.opened ticket.resolved"},
		{ticketExport, "C,2026-01-06 08:00:00,\n", "ticket.opened ticket.resolved"},
		{ticketExport, "D,2026-01-04 08:00:00,\n", "ticket.opened"},
		{ticketExport + "nulls: [x]\n", "E,2026-01-07 08:00:00,\n", "ticket.opened"},
	} {
		known := map[string]bool{}
		for id := range d.events {
			known[id] = true
		}
		day(t, d, state, step.mapping, false, head+step.row)
		got := ""
		for id, e := range d.events {
			if e.Type == event.FeedHeartbeat && !known[id] {
				got += strings.Join(e.Carries, " ")
			}
		}
		if got != step.want {
			t.Errorf("%s carries %q, want %q", step.row, got, step.want)
		}
	}
}

// A file of a part of a day takes nothing back of the rest of it, unless an earlier edition of the same file had it.
func TestAPartOfADayTakesNothingBackOfTheRest(t *testing.T) {
	d, state := newFakeCollector(t), t.TempDir()
	const top = "No,Masuk,Selesai\n"
	morning := "M1,2026-01-01 07:00:00,\nM2,2026-01-01 09:00:00,\n"
	afternoon := "A1,2026-01-01 13:00:00,\nA2,2026-01-01 14:00:00,\nA3,2026-01-01 15:00:00,\n"
	day(t, d, state, ticketExport, true, top+morning)
	if sum, ids := day(t, d, state, ticketExport, true, top+afternoon); sum.Vanished != 0 || len(ids) != 5 {
		t.Errorf("the afternoon: %+v, %v", sum, ids)
	}
	// The morning again, cut at nine; then the whole day; then the morning once more.
	if sum, ids := day(t, d, state, ticketExport, true, top+morning); sum.Vanished != 0 || len(ids) != 5 {
		t.Errorf("the morning again: %+v, %v", sum, ids)
	}
	if sum, ids := day(t, d, state, ticketExport, true, top+morning+afternoon); sum.Vanished != 0 || len(ids) != 5 {
		t.Errorf("the whole day: %+v, %v", sum, ids)
	}
	if sum, ids := day(t, d, state, ticketExport, true, top+morning); sum.Vanished != 0 || len(ids) != 5 {
		t.Errorf("the morning once more: %+v, %v", sum, ids)
	}
	// An edition of the afternoon without its last row, and one without a row in its midst.
	if sum, ids := day(t, d, state, ticketExport, true,
		top+"A1,2026-01-01 13:00:00,\nA2,2026-01-01 14:00:00,\n"); sum.Vanished !=
		1 || len(ids) != 4 {
		t.Errorf("the afternoon less its last row: %+v, %v", sum, ids)
	}
	if sum, ids := day(t, d, state, ticketExport, true,
		top+"M1,2026-01-01 07:00:00,\nA2,2026-01-01 14:00:00,\n"); sum.Vanished !=
		2 || len(ids) != 2 {
		t.Errorf("a day with two rows less: %+v, %v", sum, ids)
	}
}
