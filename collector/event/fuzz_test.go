package event

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func FuzzDecode(f *testing.F) {
	f.Add(fullDraft().AppendCloudEvent(nil), byte(Structured))
	f.Add([]byte(`[`+edit("e1", "e1")+`,{"id":oops},7]`), byte(BatchArray))
	f.Add([]byte(edit("e1", "a")+"\n\n{\n"+edit("e1", "b")), byte(NDJSON))
	for _, s := range []string{
		data(`"caller":"0812-3456-7890","calls":["b","a"],"lat":-7.3,"lon":112.7,"ring_ms":4e3`), data(`"caller":"hmac:k00000000:00:1"`),
		strings.Repeat(`{"a":[`, 50), edit("e1", `\ud83d\ude00`), edit("e1", `\ud800`), `{"data":{"data":{"data":{}}}}`, "\xef\xbb\xbf{}",
		data(`"shift":12,"note.code":true,"x":null`), edit("T1", "0812 3456 7890"), edit(":00+07:00", ":00.9999999999-12:30"),
	} {
		f.Add([]byte(s), byte(Structured))
	}
	d := testDecoder(f)
	replay := testDecoder(f, func(c *Config) { c.AcceptTokens = true })
	f.Fuzz(func(t *testing.T, body []byte, form byte) {
		var b, again Batch
		if err := d.Decode(&b, body, Form(form%3+1), testNow); err != nil {
			return
		}
		if len(b.Events) != len(b.Index) {
			t.Fatalf("%d events, %d positions", len(b.Events), len(b.Index))
		}
		for i := range b.Events {
			e := &b.Events[i]
			withinLimits(t, e)
			var back Event
			if err := DecodeBinary(AppendBinary(nil, e), &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(*e, back); diff != "" {
				t.Fatalf("binary round trip (-want +got):\n%s", diff)
			}
			// What is shown, without the caller, is read again as the same fact.
			shown := *e
			shown.Caller = Caller{}
			if err := d.Decode(&again, AppendJSON(nil, &shown), Structured, testNow); err != nil || len(again.Events) != 1 {
				t.Fatalf("%v %v of %s", err, again.Refusals, AppendJSON(nil, &shown))
			}
			if again.Events[0].Digest != e.Digest {
				t.Fatalf("another digest for %s", AppendJSON(nil, &shown))
			}
		}
		for i := range b.Refusals {
			r := &b.Refusals[i]
			if _, ok := listedReason(r.Reason); !ok || r.Detail == "" || len(r.ID) > MaxIDBytes || !fitsText(r.ID) || looksLikePhone(r.ID) || looksLikePhone(r.Source) {
				t.Fatalf("refusal %+v", r)
			}
			kept := d.Pseudonymised(r.Raw)
			if len(kept) > 8*MaxEventBytes || !utf8.Valid(kept) || bytes.ContainsAny(kept, "\n\r") {
				t.Fatalf("kept %q", kept)
			}
			if err := replay.Decode(&again, kept, Structured, testNow); err != nil {
				t.Fatal(err)
			}
			for _, r := range again.Refusals {
				if r.Reason == MalformedJSON || r.Reason == InvalidUTF8 || r.Reason == DuplicateKey {
					t.Fatalf("the quarantine holds %q: %v", kept, &r)
				}
			}
		}
	})
}

// withinLimits says again, in other words than the decoder's, what an accepted event is.
func withinLimits(t *testing.T, e *Event) {
	t.Helper()
	if !e.Type.Known() || e.Kind != e.Type.Kind() || e.ID == "" || e.Source == "" || e.Subject == "" {
		t.Fatalf("incomplete: %+v", e)
	}
	for _, s := range append([]string{e.ID, e.Source, e.Subject, e.OPD, e.Kecamatan, e.Category, e.Queue, e.Position, e.Master, e.Replaces}, e.Calls...) {
		if len(s) > 128 || !utf8.ValidString(s) || looksLikePhone(s) {
			t.Fatalf("text %q", s)
		}
	}
	for _, s := range []string{e.Agent, e.Channel, e.Class, e.Priority, e.Reason, e.Result, e.Center} {
		if len(s) > 64 || strings.ContainsAny(s, " \n\"") || looksLikePhone(s) {
			t.Fatalf("code %q", s)
		}
	}
	if e.OccurredAt.Year() < 2000 || e.OccurredAt.Sub(testNow).Minutes() > 5 || e.OccurredAt.Nanosecond()%1e6 != 0 || !e.ReceivedAt.Equal(testNow) {
		t.Fatalf("times %v, %v", e.OccurredAt, e.ReceivedAt)
	}
	if len(e.Calls) > 256 || len(e.Attributes) > 32 || (e.Lat == nil) != (e.Lon == nil) {
		t.Fatalf("%+v", e)
	}
	if c := e.Caller; c != (Caller{}) && (len(c.Key) != 32 || !isHex(c.Key) || c.KeyID == "" || len(c.Last3) != 3 && c.Last3 != "") {
		t.Fatalf("caller %+v", c)
	}
}

func FuzzLooksLikePhone(f *testing.F) {
	for _, s := range []string{"081234567890", "+62 812-3456", "0198f2a1-7c3e-7d10-9b1e-3f2a8c9d0e1f", "(031) 891–2345", "a08\xe2\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Count(s, "0") == len(s) && looksLikePhone(s) {
			t.Errorf("%q", s)
		}
		if !strings.ContainsAny(s, "0123456789") && looksLikePhone(s) {
			t.Errorf("%q", s)
		}
		looksLikePhone(s)
		normalizeCaller(nil, s)
	})
}
