package event

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	_ "github.com/monev112/monev112/collector/internal/rapidseed"
)

// anyEvent draws an event that the codec must carry, well beyond what the decoder lets in.
func anyEvent(t *rapid.T) *Event {
	e := new(Event)
	text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringMatching(`[a-z0-9_]{0,200}`))
	for _, s := range e.texts() {
		*s = text.Draw(t, "text")
	}
	at := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(-1<<40, 1<<42).Draw(t, "ms")).UTC()
	})
	e.Type = Type(rapid.Byte().Draw(t, "type"))
	e.Kind = Kind(rapid.Byte().Draw(t, "kind"))
	for _, field := range []*time.Time{&e.OccurredAt, &e.ReceivedAt, &e.Due} {
		if rapid.Bool().Draw(t, "has time") {
			*field = at.Draw(t, "time")
		}
	}
	copy(e.Digest[:], rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "digest"))
	e.Calls = rapid.SliceOfN(text, 0, 5).Draw(t, "calls")
	if len(e.Calls) == 0 {
		e.Calls = nil
	}
	for _, f := range []**float64{&e.Lat, &e.Lon} {
		if rapid.Bool().Draw(t, "has degrees") {
			*f = ptr(rapid.Float64().Draw(t, "degrees"))
		}
	}
	for _, f := range []**int64{&e.RingMS, &e.WaitMS} {
		if rapid.Bool().Draw(t, "has ms") {
			*f = ptr(rapid.Int64().Draw(t, "ms"))
		}
	}
	e.Revision = rapid.Uint32().Draw(t, "revision")
	e.Attributes = rapid.MapOfN(text, text, 0, 5).Draw(t, "attributes")
	if len(e.Attributes) == 0 {
		e.Attributes = nil
	}
	return e
}

func dirty() Event {
	e := Event{
		Calls: []string{"x"}, Attributes: map[string]string{"x": "y"}, Lat: ptr(1.0), RingMS: ptr[int64](1), Revision: 9,
		Due: testNow, Digest: Digest{1},
	}
	for _, s := range e.texts() {
		*s = "dirt"
	}
	return e
}

func TestBinaryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyEvent(t)
		payload := AppendBinary(nil, want)
		got := dirty()
		if err := DecodeBinary(payload, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, &got); diff != "" {
			t.Fatalf("event (-want +got):\n%s", diff)
		}
		if again := AppendBinary([]byte("x"), &got); !bytes.Equal(again[1:], payload) {
			t.Fatal("the same event has other bytes")
		}
		clone := got
		clone.Calls = append([]string(nil), got.Calls...)
		clone.Detach()
		clear(payload)
		if diff := cmp.Diff(want, &clone); diff != "" {
			t.Fatalf("detached event (-want +got):\n%s", diff)
		}
	})
}

func TestDecodeBinaryOverwritesEverything(t *testing.T) {
	got := dirty()
	if err := DecodeBinary([]byte{binaryVersion}, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, Event{}) {
		t.Errorf("left over: %+v", got)
	}
}

func TestDecodeBinaryMakesFreshPointers(t *testing.T) {
	payload := AppendBinary(nil,
		&Event{Lat: ptr(1.0), WaitMS: ptr[int64](2), Calls: []string{"a"}, Attributes: map[string]string{"k": "v"}})
	var e Event
	if err := DecodeBinary(payload, &e); err != nil {
		t.Fatal(err)
	}
	kept := e
	if err := DecodeBinary(AppendBinary(nil,
		&Event{Lat: ptr(9.0), WaitMS: ptr[int64](9), Calls: []string{"b"}, Attributes: map[string]string{"k": "w"}}),
		&e); err != nil {
		t.Fatal(err)
	}
	if *kept.Lat != 1 || *kept.WaitMS != 2 || kept.Calls[0] != "a" || kept.Attributes["k"] != "v" {
		t.Errorf("a copy changed with the next decode: %+v", kept)
	}
}

// The journal's bytes must mean the same for ever: a change here is a new version of the format.
func TestBinaryFormIsFrozen(t *testing.T) {
	e := Event{
		Source: "s", ID: "i", Type: TicketConfirmed, Kind: KindTicket, Subject: "T", Center: "c",
		OccurredAt: time.UnixMilli(1_700_000_000_123).UTC(), ReceivedAt: time.UnixMilli(1_700_000_001_000).UTC(),
		Digest: Digest{0xd1},
		Caller: Caller{"k", "h", "890"}, Agent: "ag", Queue: "qu", Position: "po", Channel: "ch", Class: "cl", Category: "ca",
		Priority: "pr",
		OPD:      "op", Kecamatan: "ke", Reason: "re", Result: "rs", Calls: []string{"c1", "c2"}, Master: "m",
		Due: time.UnixMilli(1_700_000_002_000).UTC(),
		Lat: ptr(-7.5), Lon: ptr(112.5), RingMS: ptr[int64](300), WaitMS: ptr[int64](0), Replaces: "rp", Revision: 3,
		Attributes: map[string]string{"b": "2", "a": "1"}, Carries: []string{"call.received"}, Blanked: []string{"x", "y"},
		Record: map[string]string{"text": "t", "due": ""}, ChangedBy: "by", Outcome: "oc",
	}
	const want = "01" + "010173" + "020169" + "030114" + "040102" + "050154" + "060163" + "07087b68e5cf8b010000" +
		"0808e86be5cf8b010000" +
		"0910d1000000000000000000000000000000" + "0a016b" + "0b0168" + "0c03383930" + "0d026167" + "0e027175" + "0f02706f" +
		"10026368" +
		"1102636c" + "12026361" + "13027072" + "14026f70" + "15026b65" + "16027265" + "17027273" + "18026331" + "18026332" +
		"19016d" +
		"1a08d06fe5cf8b010000" + "1b080000000000001ec0" + "1c080000000000205c40" + "1d02ac02" + "1e0100" + "1f027270" +
		"200103" + "2103016131" + "2103016232" + "220d63616c6c2e7265636569766564" + "280178" + "280179" +
		"290403647565" + "29060474657874" + "74" + "2a026279" + "2b026f63"
	if got := hex.EncodeToString(AppendBinary(nil, &e)); got != want {
		t.Errorf("binary form\n got %s\nwant %s", got, want)
	}
	text := reflect.ValueOf(e)
	for i := range text.NumField() {
		if text.Field(i).IsZero() {
			t.Errorf("the test leaves out %s", text.Type().Field(i).Name)
		}
	}
}

func TestDecodeBinarySkipsUnknownTagsAndRefusesGarbage(t *testing.T) {
	var e Event
	newer := append(AppendBinary(nil, &Event{ID: "x"}), 200, 3, 'n', 'e', 'w')
	newer = append(newer, AppendBinary(nil, &Event{Agent: "a"})[1:]...)
	if err := DecodeBinary(newer, &e); err != nil || e.ID != "x" || e.Agent != "a" {
		t.Errorf("%v, %+v", err, e)
	}
	for name, payload := range map[string]string{
		"empty": "", "version 0": "\x00", "version 2": "\x02", "tag alone": "\x01\x02", "short value": "\x01\x02\x05ab",
		"long length":       "\x01\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"length that wraps": "\x01\x02\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02",
		"unfinished length": "\x01\x02\x80", "type of two bytes": "\x01\x03\x02ab", "time of 7 bytes": "\x01\x07\x07abcdefg",
		"short digest": "\x01\x09\x01a", "short float": "\x01\x1b\x01a", "empty revision": "\x01\x20\x00",
		"revision beyond 32 bits": "\x01\x20\x05\xff\xff\xff\xff\x1f", "int with a tail": "\x01\x1d\x02\x01\x01",
		"attribute without key length": "\x01\x21\x00", "attribute key too long": "\x01\x21\x02\x05a",
	} {
		if err := DecodeBinary([]byte(payload), &e); !errors.Is(err, ErrBinary) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecodeBinary(f *testing.F) {
	full, _ := hex.DecodeString("01010173020169030114040102050154060163")
	f.Add(full)
	f.Add(AppendBinary(nil, ptr(dirty())))
	f.Add([]byte{1, 33, 3, 1, 'a', '1'})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var a, b Event
		if DecodeBinary(payload, &a) != nil {
			return
		}
		once := AppendBinary(nil, &a)
		if err := DecodeBinary(once, &b); err != nil {
			t.Fatal(err)
		}
		if twice := AppendBinary(nil, &b); !bytes.Equal(once, twice) {
			t.Fatalf("%x\n%x", once, twice)
		}
		AppendJSON(nil, &a)
	})
}

func TestAppendJSONShowsNoKey(t *testing.T) {
	e := Event{Source: "s\"", ID: "i\\\n", Type: CallReceived, Kind: KindCall, Subject: "a/b", OccurredAt: testNow,
		ReceivedAt: testNow,
		Caller:     Caller{"kid", "secret", "890"}, Lat: ptr(-7.0), Lon: ptr(1e-7),
		Attributes: map[string]string{"z": "é", "a": "\xff"}}
	const want = `{"specversion":"1.0","id":"i\\\u000a","source":"s\"","type":"monev112.call.received","subject":"call/a/b",` +
		`"time":"2026-11-23T08:00:00.000Z","receivedtime":"2026-11-23T08:00:00.000Z",` +
		`"data":{"caller":{"last3":"890"},"lat":-7,"lon":0.0000001,"a":"` + "\ufffd" + `","z":"é"}}`
	if got := string(AppendJSON(nil, &e)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(AppendJSON(nil, &Event{Type: FeedHeartbeat, Kind: KindFeed, Subject: "f"})); !strings.HasSuffix(got,
		`"subject":"feed/f","data":{}}`) {
		t.Error(got)
	}
}

// What AppendJSON shows is what the decoder would read again, the caller and the time of receipt apart.
func TestJSONRoundTrip(t *testing.T) {
	d := testDecoder(t)
	first, bad := decodeOne(t, d, string(fullRawEvent().AppendCloudEvent(nil)))
	if bad != nil {
		t.Fatal(bad)
	}
	first.Caller = Caller{}
	second, bad := decodeOne(t, d, string(AppendJSON(nil, &first)))
	if bad != nil {
		t.Fatal(bad)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestVocabulary(t *testing.T) {
	if len(Types()) != 31 {
		t.Errorf("%d types", len(Types()))
	}
	for _, typ := range Types() {
		got, ok := ParseType(TypePrefix + typ.String())
		if !ok || got != typ {
			t.Errorf("%v is read as %v", typ, got)
		}
		if typ == EventWithdrawn {
			continue // of any kind
		}
		if !strings.HasPrefix(typ.String(), typ.Kind().String()+".") {
			t.Errorf("%v is of %v", typ, typ.Kind())
		}
		if k, ok := ParseKind(typ.Kind().String()); !ok || k != typ.Kind() {
			t.Errorf("kind of %v", typ)
		}
	}
	for _, s := range []string{"", "monev112.", "call.received", "monev112.call.Received", "monev112.unknown"} {
		if typ, ok := ParseType(s); ok {
			t.Errorf("%q is read as %v", s, typ)
		}
	}
	if Type(0).Known() || Type(200).Known() || Type(200).String() != "unknown" || Kind(9).String() != "unknown" ||
		Type(200).Kind() != 0 {
		t.Error("a number beyond the vocabulary is known")
	}
	if _, ok := ParseKind("unknown"); ok {
		t.Error("unknown is a kind")
	}
	for code, want := range map[string]string{"": "phone", "radio": "radio", "merpati": "other"} {
		if got := ChannelLabel(code); got != want {
			t.Errorf("channel %q has the label %q", code, got)
		}
	}
	if !Hoax(ClassPrank) || !Hoax(ClassPrankPalsu) || Hoax(ClassGhost) || Hoax(ClassDuplikat) {
		t.Error("hoax is prank and prank_palsu alone")
	}
}

func TestParseTimeAgreesWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(
			`(19|20|21)[0-9]{2}-[01][0-9]-[0-3][0-9]T[012][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])`).Draw(t, "time")
		want, err := time.Parse(time.RFC3339Nano, s)
		got, reason := parseTime(s)
		if (err == nil) != (reason == "") {
			t.Fatalf("%s: %v, %q", s, err, reason)
		}
		if err == nil && !got.Equal(want.Truncate(time.Millisecond)) {
			t.Fatalf("%s is %s, want %s", s, got, want)
		}
	})
}

func TestHasID(t *testing.T) {
	long := strings.Repeat("x", 200) // its length takes two bytes
	for _, e := range []Event{
		{Source: "urn:a", ID: "1"}, {Source: "urn:a", ID: "12"}, {Source: "urn:a1", ID: "2"}, {Source: "urn:b", ID: "1"},
		{Source: "urn:a", ID: long}, {Source: long, ID: "1"}, {Source: "urn:a"}, {ID: "1"}, {},
	} {
		payload := AppendBinary(nil, &e)
		for _, o := range []Event{e, {Source: "urn:a", ID: "1"}, {Source: "urn:a", ID: "2"}, {ID: "1"}, {Source: "urn:a"}, {}} {
			want := o.Source == e.Source && o.ID == e.ID
			if got := HasID(payload, o.Source, o.ID); got != want {
				t.Errorf("HasID of an event %q %q for %q %q: %v", e.Source, e.ID, o.Source, o.ID, got)
			}
		}
		for n := range appendText(appendText([]byte{binaryVersion}, 1, e.Source), 2, e.ID) { // cut within source or id
			if e.ID != "" && HasID(payload[:n], e.Source, e.ID) {
				t.Errorf("HasID of %d bytes of an event %q %q", n, e.Source, e.ID)
			}
		}
	}
}
