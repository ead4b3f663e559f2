package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withdrawals is a service that holds so many events of a source, in portions of two.
type withdrawals struct {
	held    []string
	confirm map[string]int // answers, by ticket
	busy    int            // requests that are answered with 429 first
}

func (s *withdrawals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := map[string]any{"next": "", "events": []any{}, "withdrawn": 0, "already": 0, "rejected": []any{}}
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	portion := func() (events []any) {
		for _, id := range s.held[:min(2, len(s.held))] {
			events = append(events, map[string]any{
				"center": "35.15", "kind": "call", "subject": id, "id": "call/" + id + ".received", "type": "call.received",
				"time": "2026-10-01T00:00:00Z",
			})
		}
		return events
	}
	if s.busy > 0 {
		s.busy--
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	switch r.URL.Path {
	case "/v1/admin/events":
		if at := len(r.URL.Query().Get("cursor")); at < len(s.held) {
			whole := s.held
			s.held = whole[at:]
			if answer["events"] = portion(); len(s.held) > 2 {
				answer["next"] = strings.Repeat("x", at+2)
			}
			s.held = whole
		}
	case "/v1/admin/withdrawals":
		if len(s.held) > 0 {
			answer["events"], answer["withdrawn"] = portion(), min(2, len(s.held))
			if s.held = s.held[min(2, len(s.held)):]; len(s.held) > 0 {
				answer["next"] = "more"
			}
		}
	case "/v1/admin/confirmations":
		n, known := s.confirm[body["ticket"].(string)]
		if !known {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"detail":"There is no such ticket."}`))
			return
		}
		answer = map[string]any{"center": "35.15", "ticket": body["ticket"], "openings": n}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func TestWithdraw(t *testing.T) {
	s := &withdrawals{held: []string{"a", "b", "c"}, busy: 1}
	server := httptest.NewServer(s)
	defer server.Close()
	state := t.TempDir()
	run := func(in string, args ...string) (string, error) {
		t.Helper()
		var out bytes.Buffer
		cmd := withdrawCommand()
		cmd.SetArgs(append(args, "--server", server.URL))
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SetIn(strings.NewReader(in))
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	if _, err := run(""); err == nil || !strings.Contains(err.Error(), "--source") {
		t.Errorf("without a source: %v", err)
	}
	if _, err := run("", "--source", "s", "--since", "oktober"); err == nil || !strings.Contains(err.Error(), "--since") {
		t.Errorf("a month in words: %v", err)
	}
	if _, err := run("", "--source", "s", "--since", "2026-11", "--until", "2026-10"); err == nil {
		t.Error("an end before the beginning is taken")
	}
	out, err := run("", "--source", "s", "--state", state, "--dry-run")
	if err != nil || !strings.Contains(out, "3 events of 3 calls and tickets") || !strings.Contains(out, "call.received") ||
		len(s.held) != 3 || !strings.Contains(out, "waiting for "+server.URL+", for 5m0s at most: "+server.URL+" answers 429") {
		t.Errorf("dry run: %v\n%s", err, out)
	}
	if _, err = run("yes\n", "--source", "s", "--state", state); err == nil || !strings.Contains(err.Error(), "--yes") ||
		len(s.held) != 3 {
		t.Errorf("without a terminal: %v", err)
	}
	if out, err = run("", "--source", "s", "--state", state, "--yes"); err != nil || !strings.Contains(out, "taken back: 3 events") ||
		len(s.held) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
	files, _ := filepath.Glob(filepath.Join(state, "*.state"))
	if len(files) != 1 {
		t.Fatalf("the state folder holds %v", files)
	}
	if text, _ := os.ReadFile(files[0]); strings.Count(string(text), "call/") < 3 {
		t.Errorf("imports do not know of it:\n%s", text)
	}
	if out, err = run("", "--source", "s", "--state", state, "--yes"); err != nil || !strings.Contains(out, "nothing to take back") {
		t.Errorf("again: %v\n%s", err, out)
	}
	s.confirm = map[string]int{"T-1": 1, "T-2": 0}
	out, err = run("", "confirm", "T-1", "T-2", "T-3")
	if err == nil || !strings.Contains(out, "T-1: confirmed") || !strings.Contains(out, "T-2: nothing to confirm") ||
		!strings.Contains(out, "T-3: There is no such ticket") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err = run("T-1\n\nT-2\n", "confirm", "-"); err != nil || strings.Count(out, "\n") != 2 {
		t.Errorf("from standard input: %v\n%s", err, out)
	}
}
