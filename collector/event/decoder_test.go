package event

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// entropy is a reader of repeatable bytes: tests need keys, not secrets.
type entropy byte

func (e *entropy) Read(p []byte) (int, error) {
	for i := range p {
		*e++
		p[i] = byte(*e) * 7
	}
	return len(p), nil
}

var testNow = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func testKeys(t testing.TB) *Keys {
	t.Helper()
	k, err := NewKeys(new(entropy), testNow)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func testDecoder(t testing.TB, change ...func(*Config)) *Decoder {
	t.Helper()
	c := Config{Keys: testKeys(t), Attributes: []string{"shift", "note.code"}}
	for _, f := range change {
		f(&c)
	}
	d, err := NewDecoder(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func decodeOne(t testing.TB, d *Decoder, body string) (Event, *Refusal) {
	t.Helper()
	var b Batch
	if err := d.Decode(&b, []byte(body), Structured, testNow); err != nil {
		t.Fatal(err)
	}
	if len(b.Events)+len(b.Refusals) != 1 {
		t.Fatalf("%d events and %d refusals of one event", len(b.Events), len(b.Refusals))
	}
	if len(b.Refusals) == 1 {
		return Event{}, &b.Refusals[0]
	}
	return b.Events[0], nil
}

func ptr[T any](v T) *T { return &v }

func fullRawEvent() *RawEvent {
	return &RawEvent{
		Source: "urn:jasnita:sidoarjo", ID: "evt-0001", Type: TicketConfirmed, Subject: "SDA-2026-00123",
		Time:   time.Date(2026, 11, 23, 14, 30, 0, 123_000_000, time.FixedZone("WIB", 7*3600)),
		Caller: "0812-3456-7890", Agent: "SIP/201", Queue: "antrean-112", Position: "meja-3", Channel: "phone",
		Class: ClassNormal, Category: "pju", Priority: PriorityNonDarurat, OPD: "Dinas Perhubungan", Kecamatan: "Waru",
		Reason: "menunggu_material", Result: ResultBenar, Calls: []string{"c-1", "c-2"}, Master: "SDA-2026-00100",
		Due: time.Date(2026, 11, 27, 16, 30, 0, 0, time.FixedZone("WIB", 7*3600)), Lat: ptr(-7.3544), Lon: ptr(112.7665),
		Center: "35.15", RingMS: ptr[int64](4000), WaitMS: ptr[int64](0), Replaces: "evt-0000", Revision: 3,
		Attributes: map[string]string{"shift": "pagi"},
	}
}

// RFC 3339 allows small letters, and some libraries write them: the same event, however it is spelled.
func TestTimesInSmallLetters(t *testing.T) {
	d := testDecoder(t)
	at := func(text string) Event {
		t.Helper()
		got, bad := decodeOne(t, d, `{"specversion":"1.0","id":"1","source":"x","type":"monev112.ticket.opened",`+
			`"subject":"ticket/T","time":"`+text+`"}`)
		if bad != nil {
			t.Fatal(bad)
		}
		return got
	}
	want := at("2026-11-23T07:30:00.5Z")
	for _, text := range []string{"2026-11-23t07:30:00.5z", "2026-11-23T07:30:00.5z", "2026-11-23t14:30:00.5+07:00"} {
		if got := at(text); !got.OccurredAt.Equal(want.OccurredAt) || got.Digest != want.Digest {
			t.Errorf("%s: %v, digest %x, want %v, %x", text, got.OccurredAt, got.Digest, want.OccurredAt, want.Digest)
		}
	}
}

func TestDecodeKeepsEveryField(t *testing.T) {
	d := testDecoder(t)
	got, bad := decodeOne(t, d, string(fullRawEvent().AppendCloudEvent(nil)))
	if bad != nil {
		t.Fatal(bad)
	}
	want := Event{
		Source: "urn:jasnita:sidoarjo", ID: "evt-0001", Type: TicketConfirmed, Kind: KindTicket, Subject: "SDA-2026-00123",
		Center: "35.15", OccurredAt: time.Date(2026, 11, 23, 7, 30, 0, 123_000_000, time.UTC), ReceivedAt: testNow,
		Digest: got.Digest,
		Caller: Caller{KeyID: d.keys.CurrentID(), Key: got.Caller.Key, Last3: "890"},
		Agent:  "SIP/201", Queue: "antrean-112", Position: "meja-3", Channel: "phone", Class: "normal", Category: "pju",
		Priority: "non_darurat", OPD: "Dinas Perhubungan", Kecamatan: "Waru", Reason: "menunggu_material", Result: "benar",
		Calls: []string{"c-1", "c-2"}, Master: "SDA-2026-00100", Due: time.Date(2026, 11, 27, 9, 30, 0, 0, time.UTC),
		Lat: ptr(-7.3544), Lon: ptr(112.7665), RingMS: ptr[int64](4000), WaitMS: ptr[int64](0), Replaces: "evt-0000",
		Revision: 3, Attributes: map[string]string{"shift": "pagi"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decoded event (-want +got):\n%s", diff)
	}
	if len(got.Caller.Key) != 32 || got.Digest == (Digest{}) {
		t.Errorf("caller key %q, digest %x", got.Caller.Key, got.Digest)
	}
	var again Event
	if err := DecodeBinary(AppendBinary(nil, &got), &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("binary round trip (-want +got):\n%s", diff)
	}
}

// edit returns a good event with one piece of its text replaced.
func edit(old, new string) string {
	const good = `{"specversion":"1.0","id":"e1","source":"s1","type":"monev112.ticket.opened","subject":"ticket/T1",` +
		`"time":"2026-11-23T14:30:00+07:00","data":{"opd":"dishub"}}`
	if !strings.Contains(good, old) {
		panic("no " + old)
	}
	return strings.Replace(good, old, new, 1)
}

// office is an event of the office with a record of those members.
func office(typ, subject, members string) string {
	return `{"specversion":"1.0","id":"o1","source":"s1","type":"monev112.` + typ + `","subject":"` + subject +
		`","time":"2026-11-23T07:30:00+07:00","data":{"record":{` + members + `}}}`
}

func data(members string) string { return edit(`"opd":"dishub"`, members) }

func TestRefusals(t *testing.T) {
	covered := map[Reason]bool{
		UnknownCallerKey: true, // TestReplayFromTheQuarantineKeepsTheCaller
		Conflict:         true, // given by ingest
		SourceNotAllowed: true, // given by api
		TypeNotAllowed:   true,
		CaseFull:         true, // given by ingest
	}
	long := strings.Repeat("x", 129)
	for _, tc := range []struct {
		name, body string
		field      Field
		reason     Reason
	}{
		{"nothing", ``, "", MalformedJSON},
		{"half an object", `{"specversion":"1.0"`, "", MalformedJSON},
		{"trailing comma", edit(`"dishub"}`, `"dishub",}`), "", MalformedJSON},
		{"two objects", edit(`}}`, `}} {}`), "", MalformedJSON},
		{"single quotes", `{'id':'x'}`, "", MalformedJSON},
		{"lone surrogate", edit(`"e1"`, `"\ud800"`), "", MalformedJSON},
		{"raw newline in a string", edit(`"e1"`, "\"e\n1\""), "", MalformedJSON},
		{"array", `[]`, "", WrongType},
		{"number", `7`, "", WrongType},
		{"invalid UTF-8", edit(`"e1"`, "\"e\xff\""), "", InvalidUTF8},
		{"key twice", edit(`"id":"e1"`, `"id":"e1","id":"e2"`), "", DuplicateKey},
		{"key twice, escaped", edit(`"id":"e1"`, `"id":"e1","\u0069d":"e2"`), "", DuplicateKey},
		{"key twice in data", data(`"opd":"a","opd":"b"`), "", DuplicateKey},
		{"key twice in an unknown object", data(`"x":{"a":1,"a":2}`), "", DuplicateKey},
		{"deep", data(`"x":` + strings.Repeat("[", 7) + strings.Repeat("]", 7)), "", TooDeep},
		{"10,000 deep", strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000), "", TooDeep},
		{"100,000 deep, unclosed", strings.Repeat(`[`, 60_000), "", TooDeep},
		{"large", data(`"x":"` + strings.Repeat("x", MaxEventBytes) + `"`), "", EventTooLarge},

		{"no specversion", edit(`"specversion":"1.0",`, ``), FieldSpecVersion, MissingField},
		{"old specversion", edit(`"1.0"`, `"0.3"`), FieldSpecVersion, Unsupported},
		{"no id", edit(`"id":"e1",`, ``), FieldID, MissingField},
		{"null id", edit(`"e1"`, `null`), FieldID, MissingField},
		{"empty id", edit(`"e1"`, `""`), FieldID, MissingField},
		{"number id", edit(`"e1"`, `17`), FieldID, WrongType},
		{"long id", edit(`"e1"`, `"`+long+`"`), FieldID, TooLong},
		{"long id by escapes", edit(`"e1"`, `"`+strings.Repeat(`\u0061`, 129)+`"`), FieldID, TooLong},
		{"control character", edit(`"e1"`, `"e\u0000"`), FieldID, BadCharacters},
		{"bidirectional override", edit(`"e1"`, `"e\u202e1"`), FieldID, BadCharacters},
		{"Arabic digits", edit(`"e1"`, `"٠٨١٢"`), FieldID, BadCharacters},
		{"id with space at the end", edit(`"e1"`, `"e1 "`), FieldID, BadCharacters},
		{"phone as id", edit(`"e1"`, `"081234567890"`), FieldID, PhoneLike},
		{"phone in id", edit(`"e1"`, `"call-+6281234567890-1"`), FieldID, PhoneLike},
		{"masked id", edit(`"e1"`, `"masked:id"`), FieldID, Masked},
		{"no source", edit(`"source":"s1",`, ``), FieldSource, MissingField},
		{"source with space", edit(`"s1"`, `"s 1"`), FieldSource, BadCharacters},
		{"long source", edit(`"s1"`, `"`+long+`"`), FieldSource, TooLong},
		{"phone as source", edit(`"s1"`, `"tel:+628123456789"`), FieldSource, PhoneLike},
		{"telephone number in a text", office("rtl.set", "rtl/R1", `"text":"hubungi 0812-3456-7890"`), "record.text", PhoneLike},
		{"NIK in a text", office("remark.set", "remark/2026-10/kendala", `"text":"NIK 3515081203900001"`), "record.text",
			IdentityLike},
		{"NIK in a form", office("form.set", "form/2026-10/sdm", `"data":"{\"a\":[{\"b\":\"3515081203900001\"}]}"`),
			"record.data", IdentityLike},
		{"long text", office("rtl.set", "rtl/R1", `"text":"`+strings.Repeat("x", 2001)+`"`), "record.text", TooLong},
		{"person as owner", office("rtl.set", "rtl/R1", `"owner":"Budi Santoso"`), "record.owner", BadCharacters},
		{"unknown status", office("rtl.set", "rtl/R1", `"status":"beres"`), "record.status", UnknownCode},
		{"unknown member", office("rtl.set", "rtl/R1", `"name":"x"`), FieldRecord, UnknownCode},
		{"day that is none", office("rtl.set", "rtl/R1", `"due":"2026-02-30"`), "record.due", BadTime},
		{"month as baseline", office("rtl.set", "rtl/R1", `"baseline":"Oktober"`), "record.baseline", BadTime},
		{"no record", office("rtl.set", "rtl/R1", ``), FieldRecord, MissingField},
		{"record as text", strings.Replace(office("rtl.set", "rtl/R1", `"text":"x"`), `{"text":"x"}`, `"x"`, 1), FieldRecord,
			WrongType},
		{"remark to no month", office("remark.set", "remark/kendala", `"text":"x"`), FieldSubject, WrongSubject},
		{"remark to no section", office("remark.set", "remark/2026-10/", `"text":"x"`), FieldSubject, WrongSubject},
		{"remark to a part of a part", office("remark.set", "remark/2026-10/kendala/tempuh/a", `"text":"x"`), FieldSubject,
			WrongSubject},
		{"unknown form", office("form.set", "form/2026-10/gaji", `"data":"{}"`), FieldSubject, WrongSubject},
		{"form that is no object", office("form.set", "form/2026-10/sdm", `"data":"[]"`), "record.data", WrongType},
		{"recommendation of a ticket", office("rtl.set", "ticket/T1", `"text":"x"`), FieldSubject, WrongSubject},
		{"no type", edit(`"type":"monev112.ticket.opened",`, ``), FieldType, MissingField},
		{"unknown type", edit(`ticket.opened`, `ticket.open`), FieldType, UnknownType},
		{"foreign type", edit(`monev112.ticket.opened`, `com.example`), FieldType, UnknownType},
		{"no subject", edit(`"subject":"ticket/T1",`, ``), FieldSubject, MissingField},
		{"subject without kind", edit(`ticket/T1`, `T1`), FieldSubject, WrongSubject},
		{"subject without id", edit(`ticket/T1`, `ticket/`), FieldSubject, WrongSubject},
		{"unknown kind", edit(`ticket/T1`, `tiket/T1`), FieldSubject, WrongSubject},
		{"other kind", edit(`ticket/T1`, `call/T1`), FieldSubject, WrongSubject},
		{"long subject", edit(`T1`, long), FieldSubject, TooLong},
		{"very long subject", edit(`T1`, long+long), FieldSubject, TooLong},
		{"phone as subject", edit(`T1`, `0812 3456 7890`), FieldSubject, PhoneLike},
		{"masked subject", edit(`T1`, `masked:subject`), FieldSubject, Masked},
		{"no time", edit(`"time":"2026-11-23T14:30:00+07:00",`, ``), FieldTime, MissingField},
		{"number time", edit(`"2026-11-23T14:30:00+07:00"`, `1700000000`), FieldTime, WrongType},
		{"no offset", edit(`+07:00`, ``), FieldTime, MissingOffset},
		{"wrong offset", edit(`+07:00`, `+25:00`), FieldTime, BadTime},
		{"offset of hours alone", edit(`+07:00`, `+07`), FieldTime, BadTime},
		{"offset of 60 minutes", edit(`+07:00`, `+07:60`), FieldTime, BadTime},
		{"offset of 15 hours", edit(`+07:00`, `-15:00`), FieldTime, BadTime},
		{"comma in time", edit(`:00+07`, `:00,5+07`), FieldTime, BadTime},
		{"hour of one digit", edit(`T14:30`, `T7:30`), FieldTime, BadTime},
		{"fraction of 19 digits", edit(`:00+07`, `:00.1234567890123456789+07`), FieldTime, BadTime},
		{"point without a fraction", edit(`:00+07`, `:00.+07`), FieldTime, BadTime},
		{"space in time", edit(`23T14`, `23 14`), FieldTime, BadTime},
		{"Indonesian date", edit(`2026-11-23T14:30:00+07:00`, `23/11/2026 14.30`), FieldTime, BadTime},
		{"31 November", edit(`2026-11-23`, `2026-11-31`), FieldTime, BadTime},
		{"29 February of no leap year", edit(`2026-11-23`, `2026-02-29`), FieldTime, BadTime},
		{"24:00", edit(`T14:30`, `T24:00`), FieldTime, BadTime},
		{"future", edit(`T14:30:00`, `T15:05:01`), FieldTime, TimeInFuture},
		{"1999", edit(`2026-11`, `1999-11`), FieldTime, TimeTooOld},
		{"other content type", edit(`"data":`, `"datacontenttype":"text/xml","data":`), FieldDataContentType, Unsupported},
		{"base64", edit(`"data":`, `"data_base64":"e30=","data":`), FieldDataBase64, Unsupported},
		{"data as string", edit(`{"opd":"dishub"}`, `"{}"`), FieldData, WrongType},
		{"data as array", edit(`{"opd":"dishub"}`, `[]`), FieldData, WrongType},

		{"letters as caller", data(`"caller":"Budi"`), FieldCaller, BadCaller},
		{"spreadsheet caller", data(`"caller":"8,12E+10"`), FieldCaller, BadCaller},
		{"short caller", data(`"caller":"12"`), FieldCaller, BadCaller},
		{"long caller", data(`"caller":"0812345678901234567"`), FieldCaller, BadCaller},
		{"very long caller", data(`"caller":"` + long + `"`), FieldCaller, TooLong},
		{"number caller", data(`"caller":81234567890`), FieldCaller, WrongType},
		{"token from a sender", data(`"caller":"hmac:k00000000:00000000000000000000000000000000:890"`), FieldCaller,
			BadCaller},
		{"object as queue", data(`"queue":{}`), FieldQueue, WrongType},
		{"unknown class", data(`"class":"Prank"`), FieldClass, UnknownCode},
		{"unknown priority", data(`"priority":"tinggi"`), FieldPriority, UnknownCode},
		{"true as opd", data(`"opd":true`), FieldOPD, WrongType},
		{"unknown result", data(`"result":"ok"`), FieldResult, UnknownCode},
		{"agent state as a ticket's result", data(`"result":"available"`), FieldResult, UnknownCode},
		{"result of a call", strings.NewReplacer("ticket.opened", "call.ended", "ticket/T1",
			"call/C1").Replace(data(`"result":"benar"`)), FieldResult, UnknownCode},
		{"calls as string", data(`"calls":"c1"`), FieldCalls, WrongType},
		{"number in calls", data(`"calls":["c1",2]`), FieldCalls, WrongType},
		{"empty call", data(`"calls":[""]`), FieldCalls, MissingField},
		{"null in calls", data(`"calls":[null]`), FieldCalls, WrongType},
		{"phone in calls", data(`"calls":["c1","628123456789"]`), FieldCalls, PhoneLike},
		{"many calls", data(`"calls":[` + strings.Repeat(`"c",`, 256) + `"c"]`), FieldCalls, TooMany},
		{"long master", data(`"master":"` + long + `"`), FieldMaster, TooLong},
		{"due without offset", data(`"due":"2026-11-27T16:30:00"`), FieldDue, MissingOffset},
		{"due in 1999", data(`"due":"1999-11-27T16:30:00Z"`), FieldDue, TimeTooOld},
		{"due in 2100", data(`"due":"2100-01-01T00:00:00Z"`), FieldDue, OutOfRange},
		{"lat as string", data(`"lat":"-7.3","lon":112.7`), FieldLat, WrongType},
		{"lat beyond the pole", data(`"lat":-97.3,"lon":112.7`), FieldLat, OutOfRange},
		{"infinite lon", data(`"lat":-7.3,"lon":1e999`), FieldLon, OutOfRange},
		{"lat alone", data(`"lat":-7.3`), FieldLon, MissingField},
		{"lon alone", data(`"lon":112`), FieldLat, MissingField},
		{"phone as center", data(`"center":"081234567890"`), FieldCenter, PhoneLike},
		{"center in words", data(`"center":"Kab. Sidoarjo"`), FieldCenter, BadCharacters},
		{"negative ring", data(`"ring_ms":-1`), FieldRingMS, OutOfRange},
		{"half a millisecond", data(`"ring_ms":0.5`), FieldRingMS, OutOfRange},
		{"wait of two days", data(`"wait_ms":172800000`), FieldWaitMS, OutOfRange},
		{"wait as string", data(`"wait_ms":"12"`), FieldWaitMS, WrongType},
		{"replaces itself", data(`"replaces":"e1"`), FieldReplaces, OutOfRange},
		{"large revision", data(`"revision":4294967296`), FieldRevision, OutOfRange},

		{"classified without class",
			strings.NewReplacer("ticket.opened", "call.classified", "ticket/T1", "call/C1").Replace(data(``)), FieldClass,
			MissingField},
		{"assigned without opd", strings.Replace(data(``), "ticket.opened", "ticket.assigned", 1), FieldOPD, MissingField},
		{"confirmed without result", strings.Replace(data(``), "ticket.opened", "ticket.confirmed", 1), FieldResult,
			MissingField},
		{"merged without master", strings.Replace(data(``), "ticket.opened", "ticket.merged", 1), FieldMaster, MissingField},
		{"agent state without state",
			strings.NewReplacer("ticket.opened", "agent.state", "ticket/T1", "agent/A1").Replace(data(``)), FieldResult,
			MissingField},
		{"agent by name", strings.NewReplacer("ticket.opened", "agent.state", "ticket/T1",
			"agent/Budi Santoso").Replace(data(`"result":"available"`)), FieldSubject, BadCharacters},
	} {
		covered[tc.reason] = true
		t.Run(tc.name, func(t *testing.T) {
			d := testDecoder(t)
			_, bad := decodeOne(t, d, tc.body)
			if bad == nil {
				t.Fatal("accepted")
			}
			if bad.Field != tc.field || bad.Reason != tc.reason {
				t.Errorf("refused for field %q, reason %q; want %q, %q (%v)", bad.Field, bad.Reason, tc.field, tc.reason, bad)
			}
			if bad.Detail == "" {
				t.Error("no sentence for people")
			}
			if strings.Contains(bad.Error(), "1234") || looksLikePhone(bad.ID) || looksLikePhone(bad.Source) {
				t.Errorf("the refusal repeats digits: %v, id %q", bad, bad.ID)
			}
			if _, ok := listedReason(bad.Reason); !ok {
				t.Errorf("reason %q is not in Reasons", bad.Reason)
			}
		})
	}
	for _, r := range Reasons() {
		if !covered[r] {
			t.Errorf("no event is refused with %s", r)
		}
	}
}

func listedReason(r Reason) (Reason, bool) {
	for _, x := range Reasons() {
		if x == r {
			return x, true
		}
	}
	return "", false
}

func TestAcceptedVariants(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		check      func(e *Event) bool
	}{
		{"no data", edit(`,"data":{"opd":"dishub"}`, ``), func(e *Event) bool { return e.OPD == "" }},
		{"null data", edit(`{"opd":"dishub"}`, `null`), func(e *Event) bool { return e.OPD == "" }},
		{"null and empty fields", data(`"opd":null,"agent":"","lat":null,"lon":null,"calls":null,"shift":null,"due":null`),
			func(e *Event) bool { return e.OPD == "" && e.Lat == nil && e.Calls == nil && e.Attributes == nil }},
		{"5 minutes ahead", edit(`T14:30:00`, `T15:05:00`),
			func(e *Event) bool { return e.OccurredAt.Sub(testNow) == 5*time.Minute }},
		{"nanoseconds are cut", edit(`:00+07`, `:00.123999999+07`),
			func(e *Event) bool { return e.OccurredAt.Nanosecond() == 123_000_000 }},
		{"UTC", edit(`T14:30:00+07:00`, `T07:30:00Z`),
			func(e *Event) bool { return e.OccurredAt.Equal(time.Date(2026, 11, 23, 7, 30, 0, 0, time.UTC)) }},
		{"escapes", edit(`"e1"`, `"\u0065\/1"`), func(e *Event) bool { return e.ID == "e/1" }},
		{"escaped key", edit(`"opd":`, `"\u006fpd":`), func(e *Event) bool { return e.OPD == "dishub" }},
		{"slash in subject", edit(`T1`, `C5/200207/09738`), func(e *Event) bool { return e.Subject == "C5/200207/09738" }},
		{"content type", edit(`"data":`, `"datacontenttype":"application/json; charset=utf-8","data":`),
			func(e *Event) bool { return e.OPD == "dishub" }},
		{"calls are a set", data(`"calls":["b","a","b"]`),
			func(e *Event) bool { return cmp.Equal(e.Calls, []string{"a", "b"}) }},
		{"float that is whole", data(`"wait_ms":12.0,"ring_ms":1e3`),
			func(e *Event) bool { return *e.WaitMS == 12 && *e.RingMS == 1000 }},
		{"number as attribute", data(`"shift":2`), func(e *Event) bool { return e.Attributes["shift"] == "2" }},
		{"anonymous", data(`"caller":"Anonymous"`), func(e *Event) bool { return e.Caller == Caller{} }},
		{"service number", data(`"caller":"110"`), func(e *Event) bool { return e.Caller.Key != "" && e.Caller.Last3 == "" }},
		{"Latin letters", data(`"kecamatan":"Cuauhtémoc"`), func(e *Event) bool { return e.Kecamatan == "Cuauhtémoc" }},
		{"spaces in a name", data(`"category":"Kebakaran\u00a0Rumah \n","opd":" dishub"`),
			func(e *Event) bool { return e.Category == "Kebakaran Rumah" && e.OPD == "dishub" && e.Blanked == nil }},
		{"spaces around", " \n" + edit("e1", "e1") + "\n", func(e *Event) bool { return e.ID == "e1" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, bad := decodeOne(t, testDecoder(t), tc.body)
			if bad != nil {
				t.Fatal(bad)
			}
			if !tc.check(&e) {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestBatchKeepsTheGood(t *testing.T) {
	good := func(id string) string { return edit(`"e1"`, `"`+id+`"`) }
	for _, tc := range []struct {
		name    string
		form    Form
		body    string
		ids     []string
		refused []string // index:reason, with ! for Rest
	}{
		{"empty array", BatchArray, `[]`, nil, nil},
		{"array", BatchArray, ` [ ` + good("a") + ` , ` + good("b") + `]` + "\n", []string{"a", "b"}, nil},
		{"one bad", BatchArray, `[` + good("a") + `,7,` + good("b") + `]`, []string{"a", "b"}, []string{"1:wrong_type"}},
		{"broken inside its braces", BatchArray, `[` + good("a") + `,{"id":oops},` + good("b") + `]`, []string{"a", "b"},
			[]string{"1:malformed_json"}},
		{"deep inside", BatchArray,
			`[` + good("a") + `,` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `,` + good("b") + `]`,
			[]string{"a", "b"}, []string{"1:too_deep"}},
		{"unclosed string", BatchArray, `[` + good("a") + `,{"id":"x},` + good("b") + `]`, []string{"a"},
			[]string{"1:malformed_json!"}},
		{"unclosed array", BatchArray, `[` + good("a"), []string{"a"}, []string{"1:malformed_json!"}},
		{"missing comma", BatchArray, `[` + good("a") + good("b") + `]`, []string{"a"}, []string{"1:malformed_json!"}},
		{"trailing comma", BatchArray, `[` + good("a") + `,]`, []string{"a"}, []string{"1:malformed_json!"}},
		{"after the array", BatchArray, `[` + good("a") + `] x`, []string{"a"}, []string{"1:malformed_json!"}},
		{"no array", BatchArray, good("a"), nil, []string{"0:malformed_json!"}},
		{"nothing", BatchArray, ``, nil, []string{"0:malformed_json!"}},
		{"lines", NDJSON, good("a") + "\r\n\n" + good("b"), []string{"a", "b"}, nil},
		{"no lines", NDJSON, "\n \n", nil, nil},
		{"broken line", NDJSON, good("a") + "\n{\"id\":\"x\n" + good("b") + "\n", []string{"a", "b"},
			[]string{"1:malformed_json"}},
		{"deep line", NDJSON, good("a") + "\n" + strings.Repeat("[", 10_000) + "\n" + good("b"), []string{"a", "b"},
			[]string{"1:too_deep"}},
		{"two on a line", NDJSON, good("a") + good("b") + "\n" + good("c"), []string{"c"}, []string{"0:malformed_json"}},
		{"invalid UTF-8 line", NDJSON, good("a") + "\n\xff\xfe\n" + good("b"), []string{"a", "b"},
			[]string{"1:invalid_utf8"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var b Batch
			if err := testDecoder(t).Decode(&b, []byte(tc.body), tc.form, testNow); err != nil {
				t.Fatal(err)
			}
			var ids, refused []string
			for _, e := range b.Events {
				ids = append(ids, e.ID)
			}
			for _, r := range b.Refusals {
				s := fmt.Sprintf("%d:%s", r.Index, r.Reason)
				if r.Rest {
					s += "!"
				}
				refused = append(refused, s)
			}
			if diff := cmp.Diff(tc.ids, ids); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.refused, refused); diff != "" {
				t.Errorf("refusals (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTooManyEventsAreRefusedWhole(t *testing.T) {
	d := testDecoder(t)
	for form, body := range map[Form]string{
		BatchArray: "[" + strings.Repeat("1,", MaxBatchEvents) + "1]",
		NDJSON:     strings.Repeat("1\n", MaxBatchEvents+1),
	} {
		b := Batch{Events: make([]Event, 3), Refusals: make([]Refusal, 2)}
		if err := d.Decode(&b, []byte(body), form, testNow); !errors.Is(err, ErrTooManyEvents) {
			t.Errorf("form %d: %v", form, err)
		}
		if len(b.Events)+len(b.Refusals) != 0 {
			t.Errorf("form %d: %d events, %d refusals", form, len(b.Events), len(b.Refusals))
		}
	}
}

func TestDroppedKeysAreCountedAndBounded(t *testing.T) {
	d := testDecoder(t)
	var body bytes.Buffer
	body.WriteString(`{"specversion":"1.0","id":"e1","source":"s1","type":"monev112.feed.heartbeat","subject":"feed/f",` +
		`"time":"2026-11-23T07:30:00Z","traceparent":"00-1","data":{"nama":"Budi","alamat":{"jl":[1,2]},"shift":{"a":1},"081234567890":1,"` +
		strings.Repeat("k", 65) + `":1`)
	for i := range 100 {
		fmt.Fprintf(&body, `,"x%d":1`, i)
	}
	body.WriteString("}}")
	var b Batch
	if err := d.Decode(&b, body.Bytes(), Structured, testNow); err != nil || len(b.Refusals) != 0 {
		t.Fatal(err, b.Refusals)
	}
	total := 0
	for k, n := range b.Dropped {
		total += n
		if strings.ContainsAny(k, " ") || len(k) > MaxKeyBytes || looksLikePhone(k) {
			t.Errorf("key %q is reported", k)
		}
	}
	if total != 106 || len(b.Dropped) > MaxDropped+1 {
		t.Errorf("%d dropped under %d names", total, len(b.Dropped))
	}
	for _, k := range []string{"nama", "alamat", "traceparent", "shift", OtherKey} {
		if b.Dropped[k] == 0 {
			t.Errorf("%q was not counted", k)
		}
	}
	if b.Events[0].Attributes != nil {
		t.Errorf("attributes %v", b.Events[0].Attributes)
	}
}

func TestEventsDoNotAliasTheBody(t *testing.T) {
	d := testDecoder(t)
	body := fullRawEvent().AppendCloudEvent(nil)
	var b Batch
	if err := d.Decode(&b, body, Structured, testNow); err != nil || len(b.Events) != 1 {
		t.Fatal(err, b.Refusals)
	}
	before := AppendBinary(nil, &b.Events[0])
	clear(body)
	var other Batch
	if err := d.Decode(&other, []byte(data(`"caller":"08111111111"`)), Structured, testNow); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, AppendBinary(nil, &b.Events[0])) {
		t.Error("the event changed with the body")
	}
}

func TestDigest(t *testing.T) {
	d := testDecoder(t)
	base, _ := decodeOne(t, d, data(`"caller":"081234567890","opd":"dishub","calls":["a","b"]`))
	same := []string{
		data(`"calls":["b","a"],"opd":"dishub","caller":"+62 812 9999 8888","unknown":1`),
		strings.Replace(data(`"opd":"dishub","calls":["a","b"]`), "14:30:00+07:00", "07:30:00.000Z", 1),
	}
	for _, body := range same {
		e, bad := decodeOne(t, d, body)
		if bad != nil || e.Digest != base.Digest {
			t.Errorf("%v: another digest for %s", bad, body)
		}
	}
	for _, body := range []string{
		data(`"opd":"dinkes","calls":["a","b"]`),
		data(`"opd":"dishub","calls":["a"]`),
		data(`"category":"dishub","calls":["a","b"]`),
		strings.Replace(data(`"opd":"dishub","calls":["a","b"]`), "14:30:00", "14:30:01", 1),
	} {
		if e, bad := decodeOne(t, d, body); bad != nil || e.Digest == base.Digest {
			t.Errorf("%v: the same digest for %s", bad, body)
		}
	}
	random := entropy(100)
	rotated, err := d.keys.Rotate(&random, testNow)
	if err != nil {
		t.Fatal(err)
	}
	after := testDecoder(t, func(c *Config) { c.Keys = rotated })
	e, bad := decodeOne(t, after, data(`"caller":"081234567890","opd":"dishub","calls":["a","b"]`))
	if bad != nil || e.Digest != base.Digest {
		t.Error("a rotation of the caller key makes old events look like conflicts")
	}
	if e.Caller.Key == base.Caller.Key || e.Caller.KeyID == base.Caller.KeyID {
		t.Error("the rotation changed no caller")
	}
}

func TestWithdrawalIsOfAnyKindAndNamesWhatItTakesBack(t *testing.T) {
	d := testDecoder(t)
	withdrawn := func(subject, members string) string {
		s := strings.Replace(data(members), "ticket.opened", "event.withdrawn", 1)
		return strings.Replace(s, "ticket/T1", subject, 1)
	}
	for subject, kind := range map[string]Kind{
		"call/C1": KindCall, "ticket/T1": KindTicket, "agent/a1": KindAgent, "feed/f": KindFeed,
	} {
		e, bad := decodeOne(t, d, withdrawn(subject, `"replaces":"e0"`))
		if bad != nil || e.Type != EventWithdrawn || e.Kind != kind || e.Replaces != "e0" {
			t.Errorf("%s: %v, %+v", subject, bad, e)
		}
	}
	for _, c := range []struct {
		subject, members string
		reason           Reason
	}{
		{"ticket/T1", `"opd":"dishub"`, MissingField},
		{"ticket/T1", `"replaces":"e1"`, OutOfRange}, // itself
		{"event/T1", `"replaces":"e0"`, WrongSubject},
		{"T1", `"replaces":"e0"`, WrongSubject},
	} {
		if _, bad := decodeOne(t, d, withdrawn(c.subject, c.members)); bad == nil || bad.Reason != c.reason {
			t.Errorf("%s with %s: %v, want %s", c.subject, c.members, bad, c.reason)
		}
	}
}

func TestCarriesNamesTypes(t *testing.T) {
	d := testDecoder(t)
	e, bad := decodeOne(t, d, data(`"carries":["ticket.opened","call.received","ticket.opened"]`))
	if bad != nil || strings.Join(e.Carries, " ") != "call.received ticket.opened" ||
		!e.Carried().Has(TicketOpened) || e.Carried().Has(TicketArrived) {
		t.Errorf("%v, %v", bad, e.Carries)
	}
	if strings.Join(e.Carried().Names(), " ") != "call.received ticket.opened" {
		t.Errorf("names: %v", e.Carried().Names())
	}
	if e, _ = decodeOne(t, d, data(`"opd":"x"`)); e.Carried() != AllTypes {
		t.Error("a source that says nothing carries everything")
	}
	if _, bad = decodeOne(t, d, data(`"carries":["ticket.arrives"]`)); bad == nil || bad.Reason != UnknownCode ||
		bad.Field != FieldCarries {
		t.Errorf("an unknown type: %v", bad)
	}
}
