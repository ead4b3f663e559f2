package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// fields are the members of an event that a test sets; "data" is an object.
type fields map[string]any

// line is one event of a call, with some of its members replaced; a nil one is left out.
func line(id string, with fields) string {
	m := fields{
		"specversion": "1.0", "id": id, "source": "/e2e", "type": "monev112.call.received", "subject": "call/" + id,
		"time": time.Now().UTC().Format(time.RFC3339Nano),
	}
	for k, v := range with {
		if m[k] = v; v == nil {
			delete(m, k)
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// send posts a body as it is and returns what comes back.
func (s *service) send(contentType, encoding string, body []byte) (answer, int, string) {
	s.t.Helper()
	a, status, text, err := s.trySend(contentType, encoding, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return a, status, text
}

// trySend is send for a body that the service may cut off before its sender has seen why.
func (s *service) trySend(contentType, encoding string, body []byte) (answer, int, string, error) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+s.addr+"/v1/events", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, 0, "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return answer{}, 0, "", err
	}
	var a answer
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(text, &a); err != nil {
			s.t.Fatalf("%v in %s", err, text)
		}
	}
	return a, r.StatusCode, string(text), nil
}

const ndjson = "application/x-ndjson"

// badEvents are lines that the door refuses, each with the field and reason that it must name.
func badEvents() []struct{ name, line, id, field, reason string } {
	now := time.Now().UTC()
	deep := `{"specversion":"1.0","id":"deep","data":` + strings.Repeat(`{"a":`, 10_000) + "1" +
		strings.Repeat("}", 10_000) + "}"
	return []struct{ name, line, id, field, reason string }{
		{"malformed", `{"specversion":"1.0","id":"malformed",`, "malformed", "", "malformed_json"},
		{"no object", `[1,2]`, "", "", "wrong_type"},
		{"unknown type", line("b-type", fields{"type": "monev112.call.vanished"}), "b-type", "type", "unknown_type"},
		{"missing subject", line("b-subject", fields{"subject": nil}), "b-subject", "subject", "missing_field"},
		{"wrong subject", line("b-kind", fields{"subject": "ticket/1"}), "b-kind", "subject", "wrong_subject"},
		{"future", line("b-future", fields{"time": now.AddDate(0, 0, 9).Format(time.RFC3339)}), "b-future", "time",
			"time_in_future"},
		{"missing offset", line("b-offset", fields{"time": now.Format("2006-01-02T15:04:05")}), "b-offset", "time",
			"missing_offset"},
		{"no time", line("b-time", fields{"time": "yesterday"}), "b-time", "time", "bad_time"},
		{"oversized id", line("ok", fields{"id": strings.Repeat("x", 129)}), "", "id", "too_long"},
		{"phone as id", line("ok", fields{"id": "081234567801"}), "", "id", "phone_like"},
		{"caller by token", line("b-token", fields{"data": fields{"caller": "hmac:k1:" + strings.Repeat("0", 32) + ":123"}}),
			"b-token", "caller", "bad_caller"},
		{"too deep", deep, "", "", "too_deep"},
		{"invalid UTF-8", "{\"specversion\":\"1.0\",\"id\":\"b-\xff\"}", "", "", "invalid_utf8"},
		{"same key twice", `{"specversion":"1.0","specversion":"1.0"}`, "", "", "duplicate_key"},
		{"too large", line("b-large", fields{"data": fields{"note": strings.Repeat("x", 70_000)}}), "", "",
			"event_too_large"},
	}
}

// TestDoor sends everything that must not come in: it is refused with its place and reason, takes no neighbour with it,
// and stays in sight until it is given back.
func TestDoor(t *testing.T) {
	t.Parallel()
	s := newAging(t)
	if s.start(); !s.ready() {
		t.Fatal("the service ended")
	}
	bad := badEvents()

	t.Run("each alone", func(t *testing.T) {
		for _, b := range bad {
			a, status, text := s.send(ndjson, "", []byte(b.line))
			if status != http.StatusBadRequest || a.Accepted != 0 || len(a.Rejected) != 1 {
				t.Errorf("%s: status %d, %s", b.name, status, text)
				continue
			}
			r := a.Rejected[0]
			if r.Index != 0 || r.Field != b.field || r.Reason != b.reason || r.ID != "" && r.ID != b.id {
				t.Errorf("%s: %+v, want field %q and reason %q", b.name, r, b.field, b.reason)
			}
		}
	})

	t.Run("among good ones", func(t *testing.T) {
		var lines []string
		for i, b := range bad {
			lines = append(lines, line(fmt.Sprintf("good-%d", i), nil), b.line)
		}
		a, status, text := s.send(ndjson, "", []byte(strings.Join(lines, "\n")))
		if status != http.StatusOK || a.Accepted != len(bad) || len(a.Rejected) != len(bad) {
			t.Fatalf("status %d, accepted %d of %d: %s", status, a.Accepted, len(bad), text)
		}
		for i, r := range a.Rejected {
			if r.Index != 2*i+1 || r.Reason != bad[i].reason {
				t.Errorf("refusal %d: %+v, want index %d, %s", i, r, 2*i+1, bad[i].reason)
			}
		}
	})

	t.Run("duplicate and conflict", func(t *testing.T) {
		first := line("twice", fields{"data": fields{"agent": "a-1"}})
		other := strings.Replace(first, "a-1", "a-2", 1)
		if a, status, text := s.send(ndjson, "", []byte(first)); status != 200 || a.Accepted != 1 {
			t.Fatalf("%d: %s", status, text)
		}
		if a, status, text := s.send(ndjson, "", []byte(first+"\n"+first)); status != 200 || a.Duplicates != 2 ||
			a.Accepted != 0 {
			t.Errorf("duplicate: %d: %s", status, text)
		}
		a, status, text := s.send(ndjson, "", []byte(other))
		if status != http.StatusBadRequest || len(a.Rejected) != 1 || a.Rejected[0].ID != "twice" ||
			a.Rejected[0].Reason != "conflict" {
			t.Errorf("conflict: %d: %s", status, text)
		}
	})

	t.Run("whole requests", func(t *testing.T) {
		zeros := make([]byte, 1<<20)
		var gz bytes.Buffer
		zw := gzip.NewWriter(&gz)
		for range 64 {
			zw.Write(zeros)
		}
		zw.Close()
		var zs bytes.Buffer
		sw, _ := zstd.NewWriter(&zs)
		for range 64 {
			sw.Write(zeros)
		}
		sw.Close()
		tests := []struct {
			name, contentType, encoding string
			body                        []byte
			status                      int
		}{
			{"gzip bomb", ndjson, "gzip", gz.Bytes(), http.StatusRequestEntityTooLarge},
			{"zstd bomb", ndjson, "zstd", zs.Bytes(), http.StatusRequestEntityTooLarge},
			{"no gzip", ndjson, "gzip", []byte("no gzip"), http.StatusBadRequest},
			{"cut gzip", ndjson, "gzip", gz.Bytes()[:gz.Len()/2], 0}, // it is a bomb all the same, or no gzip
			{"foreign encoding", ndjson, "br", []byte("x"), http.StatusUnsupportedMediaType},
			{"wrong content type", "text/plain", "", []byte(line("ok", nil)), http.StatusUnsupportedMediaType},
			{"other charset", ndjson + "; charset=latin1", "", []byte(line("ok", nil)), http.StatusUnsupportedMediaType},
			{"oversize", ndjson, "", bytes.Repeat([]byte("x"), 9<<20), http.StatusRequestEntityTooLarge},
			{"too many", ndjson, "", bytes.Repeat([]byte("{}\n"), 10_001), http.StatusRequestEntityTooLarge},
		}
		for _, tt := range tests {
			var status int
			var text string
			s.until("an answer to "+tt.name, func() (answered bool) {
				var err error
				_, status, text, err = s.trySend(tt.contentType, tt.encoding, tt.body)
				return err == nil
			})
			if status != tt.status && (tt.status != 0 || status < 400 || status >= 500) {
				t.Errorf("%s: status %d, want %d: %s", tt.name, status, tt.status, text)
			}
			if !strings.Contains(text, `"detail":"`) {
				t.Errorf("%s is not explained: %s", tt.name, text)
			}
		}
		if a, status, text := s.send("application/cloudevents-batch+json; charset=UTF-8", "",
			[]byte("["+line("batch-1", nil)+","+line("batch-2", nil)+"]")); status != 200 || a.Accepted != 2 {
			t.Errorf("batch: %d: %s", status, text)
		}
		if a, status, text := s.send("application/cloudevents+json", "", []byte(line("single", nil))); status != 200 ||
			a.Accepted != 1 {
			t.Errorf("single: %d: %s", status, text)
		}
	})

	t.Run("refused and given back", func(t *testing.T) { givenBack(t, s) })

	s.shipped()
	if got := s.query("SELECT count() FROM events_now WHERE id LIKE 'good-%'"); got != fmt.Sprint(len(bad)) {
		t.Errorf("%s good events of %d are in ClickHouse", got, len(bad))
	}
}
