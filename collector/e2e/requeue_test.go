package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// kept is an entry as `journal list` prints it.
type kept struct {
	ID     string          `json:"id"`
	Source string          `json:"source"`
	Field  string          `json:"field"`
	Reason string          `json:"reason"`
	Event  json.RawMessage `json:"event"`
}

func (s *service) refused() []kept {
	s.t.Helper()
	out, errs, code := s.run("journal", "list", "refused", "--data", s.dir)
	if code != 0 {
		s.t.Fatalf("journal list exits with %d: %s", code, errs)
	}
	var list []kept
	for l := range strings.Lines(out) {
		var k kept
		if err := json.Unmarshal([]byte(l), &k); err != nil {
			s.t.Fatalf("%v in %s", err, l)
		}
		list = append(list, k)
	}
	return list
}

// givenBack refuses an event for a time in the future, lets that time come, and gives it back: it is accepted as if it
// had come then, its caller still comparable with that of other calls. What is wrong for ever stays.
func givenBack(t *testing.T, s *aging) {
	before := s.refused()
	reasons := map[string]int{}
	for _, k := range before {
		reasons[k.Reason]++
		if len(k.Event) == 0 {
			t.Errorf("nothing is kept of %+v", k)
		}
	}
	for _, b := range badEvents() {
		if reasons[b.reason] < 2 {
			t.Errorf("%s: %d entries with the reason %s, it was sent twice", b.name, reasons[b.reason], b.reason)
		}
	}
	if reasons["conflict"] != 1 {
		t.Errorf("%d conflicts are kept, want 1", reasons["conflict"])
	}

	soon := s.now().Add(time.Hour).UTC().Format(time.RFC3339Nano)
	const number = "0812-3456-7803"
	late := line("later", fields{"time": soon, "data": fields{"caller": number, "agent": "a-1"}})
	if _, status, text := s.send(ndjson, "",
		[]byte(late+"\n"+line("same-caller",
			fields{"data": fields{"caller": "+62 812 3456 7803"}}))); status != http.StatusOK {
		t.Fatalf("%d: %s", status, text)
	}
	list := s.refused()
	last := list[len(list)-1]
	if len(list) != len(before)+1 || last.Reason != "time_in_future" || last.Source != "/e2e" ||
		!strings.Contains(string(last.Event), `"id":"later"`) {
		t.Fatalf("%d entries, the last %+v", len(list), last)
	}
	if text := string(last.Event); strings.Contains(text, "34567803") || !strings.Contains(text, `"caller":"hmac:`) {
		t.Errorf("kept as %s", text)
	}

	s.age(1) // its time has come
	// Of the event whose caller was no number, sent twice, the rest is good: it comes in without a caller.
	left := len(before) - reasons["bad_caller"]
	s.until("the event is accepted", func() bool {
		if out, errs, code := s.run("journal", "requeue", "refused", "--data", s.dir); code != 0 ||
			!strings.Contains(out, "marked") {
			t.Fatalf("journal requeue exits with %d: %s%s", code, out, errs)
		}
		s.until("the mark is spent", func() bool { return !s.marked() })
		return len(s.refused()) == left
	})
	for _, k := range s.refused() {
		if strings.Contains(string(k.Event), `"later"`) {
			t.Error("the event that was accepted is still listed")
		}
	}
	s.shipped()
	if got := s.query("SELECT agent, caller_last3 FROM events_now WHERE id = 'later'"); got != "a-1\t803" {
		t.Errorf("given back as %q", got)
	}
	if got := s.query(
		"SELECT uniqExact(caller_key_id, caller_key), count() FROM events_now WHERE id IN ('later', 'same-caller')"); got != "1\t2" {
		t.Errorf("different callers, events: %s; want one caller of two events", got)
	}

	if got := s.query("SELECT countIf(caller_key != ''), count() FROM events_now WHERE id = 'b-token'"); got != "0\t1" {
		t.Errorf("with a caller, and all, of the one whose caller was no number: %s", got)
	}

	// One by its number only; an unknown one is no error.
	if _, errs, code := s.run("journal", "requeue", "refused", before[0].ID, "999999", "--data", s.dir); code != 0 {
		t.Errorf("requeue of one exits with %d: %s", code, errs)
	}
	s.until("the mark is spent", func() bool { return !s.marked() })
	if got := s.refused(); len(got) != left {
		t.Errorf("%d entries, want %d", len(got), left)
	}
	if _, errs, code := s.run("journal", "requeue", "everything", "--data", s.dir); code != 2 ||
		!strings.Contains(errs, "refused") {
		t.Errorf("an unknown list: exit code %d, %s", code, errs)
	}
	if got := s.metric("monev112_quarantine_events"); fmt.Sprint(got) != fmt.Sprint(left) {
		t.Errorf("monev112_quarantine_events is %v, want %d", got, left)
	}
}

// marked reports whether a mark of `journal requeue` still waits.
func (s *service) marked() bool {
	s.t.Helper()
	files, err := os.ReadDir(s.dir + "/quarantine")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range files {
		if strings.Contains(f.Name(), "-requeue-") {
			return true
		}
	}
	return false
}
