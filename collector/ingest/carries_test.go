package ingest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/ingest"
)

func TestWhatTheConfigurationSaysOfASource(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	in.start()
	started := t0.Add(-48 * time.Hour)
	all := ingest.Statements{{
		Source: "/crm", Center: "35.15", Since: started.Format(time.RFC3339), Types: []string{"ticket.resolved", "ticket.opened"},
	}}
	if err := all.Check(); err != nil {
		t.Fatal(err)
	}
	for turn := range 2 { // the second start says the same
		if err := in.State(t.Context(), all); err != nil {
			t.Fatal(turn, err)
		}
	}
	for at, want := range map[time.Duration]string{-time.Second: "", 0: "ticket.opened ticket.resolved"} {
		got := slices.Sorted(slices.Values(in.board.Carries("35.15", "/crm", started.Add(at))))
		if strings.Join(got, " ") != want {
			t.Errorf("at %v: %v", at, got)
		}
	}
	// What is true later is said with a later time; what was said is not changed.
	later := ingest.Statements{all[0], {
		Source: "/crm", Center: "35.15", Since: started.Add(time.Hour).Format(time.RFC3339), Types: []string{"ticket.opened"},
	}}
	if err := in.State(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	all[0].Types = []string{"ticket.opened"}
	if err := in.State(t.Context(), all); err == nil || !strings.Contains(err.Error(), "later since") {
		t.Errorf("another statement of the same time: %v", err)
	}
	for want, s := range map[string]ingest.Statement{
		"no centre": {Source: "/crm", Center: "99.99", Since: "2026-01-01", Types: []string{"ticket.opened"}},
		"to come":   {Source: "/crm", Center: "35.15", Since: "2099-01-01", Types: []string{"ticket.opened"}},
	} {
		if err := in.State(t.Context(), ingest.Statements{s}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	good := ingest.Statement{Source: "s", Since: "2026-12-01", Types: []string{"ticket.opened"}}
	for want, change := range map[string]func(*ingest.Statement){
		"carries[1].source": func(s *ingest.Statement) { s.Source = "" },
		"carries[1].since":  func(s *ingest.Statement) { s.Since = "Desember" },
		"carries[1].types":  func(s *ingest.Statement) { s.Types = nil },
		"ticket.arrives":    func(s *ingest.Statement) { s.Types = []string{"ticket.arrives"} },
		"two things":        func(*ingest.Statement) {},
	} {
		bad := good
		change(&bad)
		if err := (ingest.Statements{good, bad}).Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
