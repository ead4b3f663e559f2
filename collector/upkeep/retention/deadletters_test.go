package retention

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest/quarantine"
)

// TestOldDeadLettersAreShownAndAskedFor: a count names them, as what goes only when asked; what is personal in them is
// counted by when it happened, and is blanked.
func TestOldDeadLettersAreShownAndAskedFor(t *testing.T) {
	dir := t.TempDir()
	rejected, err := quarantine.OpenRejected(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer rejected.Close()
	dead, err := quarantine.OpenDeadLetters(dir, -1, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	e := &event.Event{
		Source: "/crm", ID: "e", Kind: event.KindCall, Type: event.CallReceived, Subject: "c", Center: "35.15",
		OccurredAt: now.AddDate(-2, 0, 0), ReceivedAt: now, Caller: event.Caller{KeyID: "k", Key: "ab", Last3: "789"},
	}
	payload := event.AppendBinary(nil, e)
	at := now.AddDate(0, 0, -100)
	err = errors.Join(
		dead.AddRows("events", [][]byte{payload}, []string{"/crm"}, []string{"bad"}, at),
		dead.AddConflicts([]*event.Event{e}, [][]byte{payload}, "other", at),
		rejected.Add(quarantine.Entry{At: at, Reason: "bad_time", Event: event.AppendPseudonymised(nil, e)}),
	)
	if err != nil {
		t.Fatal(err)
	}
	r := New(Config{Rejected: rejected, Dead: dead})
	report := func(redact bool) (string, Report) {
		t.Helper()
		items, err := r.countEntries(now, redact)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for i := range items {
			items[i].Left = items[i].Due
			out = append(out, fmt.Sprint(items[i].Where, " ", items[i].Kind, " ", items[i].Due, " ", items[i].Asks))
		}
		return strings.Join(out, ", "), Report{Items: items}
	}
	const entries = "refused entry 1 false, dead entry 1 true, conflicts entry 1 true"
	for _, redact := range []bool{false, true} {
		got, all := report(redact)
		want := "refused caller 0 false, dead caller 2 false, dead attributes 0 false, " + entries
		if got != want || all.Kept() != 2 {
			t.Errorf("%s, %d kept; want %s, 2 kept", got, all.Kept(), want)
		}
	}
	want := "refused caller 0 false, dead caller 0 false, dead attributes 0 false, " + entries
	if got, _ := report(false); got != want {
		t.Errorf("after that: %s, want %s", got, want)
	}
}
