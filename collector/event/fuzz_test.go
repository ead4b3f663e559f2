package event

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func FuzzDecode(f *testing.F) {
	f.Add(fullRawEvent().AppendCloudEvent(nil), byte(Structured))
	f.Add([]byte(`[`+edit("e1", "e1")+`,{"id":oops},7]`), byte(BatchArray))
	f.Add([]byte(edit("e1", "a")+"\n\n{\n"+edit("e1", "b")), byte(NDJSON))
	for _, s := range []string{
		data(`"caller":"0812-3456-7890","calls":["b","a"],"lat":-7.3,"lon":112.7,"ring_ms":4e3`),
		data(`"caller":"hmac:k00000000:00:1"`),
		strings.Repeat(`{"a":[`, 50), edit("e1", `\ud83d\ude00`), edit("e1", `\ud800`), `{"data":{"data":{"data":{}}}}`,
		"\xef\xbb\xbf{}",
		data(`"shift":12,"note.code":true,"x":null`), edit("T1", "0812 3456 7890"), edit(":00+07:00", ":00.9999999999-12:30"),
	} {
		f.Add([]byte(s), byte(Structured))
	}
	d := testDecoder(f)
	replay := testDecoder(f, func(c *Config) { c.AcceptTokens = true })
	f.Fuzz(func(t *testing.T, body []byte, form byte) { checkRequest(t, d, replay, body, Form(form%3+1)) })
}

// Values that a sender may put into any field, some of them right somewhere.
var mutations = []string{
	`null`, `""`, `true`, `0`, `-1`, `4000`, `12.0`, `1e400`, `9007199254740993`, `{}`, `[]`, `["c-1","c-1","c-0"]`,
	`[[["deep"]]]`, `"x"`, `"1"`, `" x"`,
	`"Dinas Perhubungan"`, `"a\u0000b"`, `"\ud800"`, `"\ud83d\ude00"`, `"é"`, "\"\xff\"", `"٠١٢"`, `"081234567890"`,
	`"+62 812-3456-7890"`, `6281234567890`,
	`"masked:phone"`, `"hmac:k4a7fdced:05ef7f2dfd9619f0c4815c8b8347e0f7:000"`, `"anonymous"`, `"110"`, `"normal"`,
	`"darurat"`, `"benar"`, `"available"`, `"phone"`,
	`"1.0"`, `"call/C-1"`, `"ticket/T-1"`, `"agent/a@1"`, `"feed/"`, `"monev112.call.classified"`,
	`"monev112.agent.state"`, `"application/json"`,
	`"2026-11-23T08:00:00Z"`, `"2026-11-23T08:00:00"`, `"2026-11-23T15:00:00.1239+07:00"`, `"1999-01-01T00:00:00Z"`,
	`"2099-12-31T23:59:59-14:00"`, `"2100-01-01T00:00:00Z"`,
	`"` + strings.Repeat("y", 64) + `"`, `"` + strings.Repeat("y", 65) + `"`, `"` + strings.Repeat("z", 128) + `"`,
	`"` + strings.Repeat("é", 65) + `"`, `oops`,
}

var members = []string{
	"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data_base64",
	"traceparent", "data",
	"caller", "agent", "queue", "position", "channel", "class", "category", "priority", "opd", "kecamatan", "reason",
	"result", "calls",
	"master", "due", "lat", "lon", "center", "ring_ms", "wait_ms", "replaces", "revision", "shift", "note.code", "nama",
}

// TestMutatedEvents puts wrong values into good events: what is then accepted keeps every limit, what is refused says
// why.
func TestMutatedEvents(t *testing.T) {
	d := testDecoder(t)
	replay := testDecoder(t, func(c *Config) { c.AcceptTokens = true })
	accepted, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var body []byte
		n := rapid.IntRange(1, 3).Draw(t, "events")
		for i := range n {
			top := map[string]string{
				"specversion": `"1.0"`, "id": `"e-1"`, "source": `"urn:x"`, "time": `"2026-11-23T08:00:00Z"`,
			}
			typ := rapid.SampledFrom(Types()).Draw(t, "type")
			top["type"], top["subject"] = `"`+TypePrefix+typ.String()+`"`, `"`+max(typ.Kind(), KindCall).String()+`/x-1"`
			values := map[string]string{"class": `"normal"`, "opd": `"dishub"`, "master": `"m"`, "replaces": `"e-0"`}
			if typ.Kind() == KindTicket {
				values["result"] = `"benar"`
			} else if typ.Kind() == KindAgent {
				values["result"] = `"busy"`
			}
			for range rapid.IntRange(0, 3).Draw(t, "mutations") {
				at := rapid.IntRange(0, len(members)-1).Draw(t, "member")
				value := rapid.SampledFrom(mutations).Draw(t, "value")
				if at < 11 {
					top[members[at]] = value
				} else {
					values[members[at]] = value
				}
			}
			if _, own := top["data"]; !own {
				top["data"] = object(values)
			}
			if i > 0 {
				body = append(body, '\n')
			}
			body = append(body, object(top)...)
		}
		a, r := checkRequest(t, d, replay, body, NDJSON)
		if a+r != n {
			t.Fatalf("%d events became %d and %d refusals", n, a, r)
		}
		accepted, refused = accepted+a, refused+r
	})
	if accepted == 0 || refused == 0 {
		t.Errorf("%d accepted, %d refused: the test shows nothing", accepted, refused)
	}
}

func object(members map[string]string) string {
	var b strings.Builder
	for i, k := range slices.Sorted(maps.Keys(members)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + k + `":` + members[k])
	}
	return "{" + b.String() + "}"
}

type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// checkRequest decodes one body and checks all that must hold of every answer.
func checkRequest(t failer, d, replay *Decoder, body []byte, form Form) (accepted, refused int) {
	t.Helper()
	var b, again Batch
	if err := d.Decode(&b, body, form, testNow); err != nil {
		return 0, 0
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
		if again.Events[0].Digest != e.Digest && e.Blanked == nil {
			t.Fatalf("another digest for %s", AppendJSON(nil, &shown))
		}
	}
	for i := range b.Refusals {
		r := &b.Refusals[i]
		if _, ok := listedReason(r.Reason); !ok || r.Detail == "" || len(r.ID) > MaxIDBytes || !fitsText(r.ID) ||
			looksLikePhone(r.ID) || looksLikePhone(r.Source) {
			t.Fatalf("refusal %+v", r)
		}
		kept := d.Pseudonymise(r.Raw)
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
	return len(b.Events), len(b.Refusals)
}

// withinLimits says again, in other words than the decoder's, what an accepted event is.
func withinLimits(t failer, e *Event) {
	t.Helper()
	if !e.Type.Known() || e.Type.Kind() != 0 && e.Kind != e.Type.Kind() || e.ID == "" || e.Source == "" ||
		e.Subject == "" {
		t.Fatalf("incomplete: %+v", e)
	}
	for _, s := range append([]string{
		e.ID, e.Source, e.Subject, e.OPD, e.Kecamatan, e.Category, e.Queue, e.Position, e.Master, e.Replaces,
	}, e.Calls...) {
		if len(s) > 128 || !utf8.ValidString(s) || looksLikePhone(s) {
			t.Fatalf("text %q", s)
		}
	}
	for _, s := range []string{e.Agent, e.Channel, e.Class, e.Priority, e.Reason, e.Result, e.Center} {
		if len(s) > 64 || strings.ContainsAny(s, " \n\"") || looksLikePhone(s) {
			t.Fatalf("code %q", s)
		}
	}
	for f, s := range kept(e) {
		if digitsOf(s) > 6 && f != FieldKecamatan && !isChannel(s) && !isDate(s) {
			t.Fatalf("%s is %q", f, s)
		}
	}
	if e.OccurredAt.Year() < 2000 || e.OccurredAt.Sub(testNow).Minutes() > 5 || e.OccurredAt.Nanosecond()%1e6 != 0 ||
		!e.ReceivedAt.Equal(testNow) {
		t.Fatalf("times %v, %v", e.OccurredAt, e.ReceivedAt)
	}
	if len(e.Calls) > 256 || len(e.Attributes) > 32 || (e.Lat == nil) != (e.Lon == nil) {
		t.Fatalf("%+v", e)
	}
	if c := e.Caller; c != (Caller{}) &&
		(len(c.Key) != 32 || !isHex(c.Key) || c.KeyID == "" || len(c.Last3) != 3 && c.Last3 != "") {
		t.Fatalf("caller %+v", c)
	}
}

func FuzzLooksLikePhone(f *testing.F) {
	for _, s := range []string{
		"081234567890", "+62 812-3456", "0198f2a1-7c3e-7d10-9b1e-3f2a8c9d0e1f", "(031) 891–2345", "a08\xe2\x80",
	} {
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
