package event

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/golden.txt anew")

// allData holds every field of data, each as it is sent, in another order than the encoders write.
var allData = []string{
	`"revision":4294967295`, `"replaces":"evt-0000"`, `"wait_ms":0`, `"ring_ms":86400000`, `"center":"35.15"`,
	`"lon":112.7665,"lat":-7.3544`, `"due":"2026-11-27T16:30:00.5+07:00"`, `"master":"SDA-2026-00100"`,
	`"calls":["c-2","c-1","c-2"]`, `"result":"palsu"`, `"reason":"menunggu_material"`, `"kecamatan":"Waru"`,
	`"opd":"Dinas Perhubungan"`, `"priority":"non_darurat"`, `"category":"pju"`, `"class":"normal"`,
	`"channel":"phone"`, `"position":"meja-3"`, `"queue":"antrean-112"`, `"agent":"SIP/201"`,
	`"caller":"0812-3456-7890"`, `"shift":"pagi","note.code":7`,
}

// TestGolden holds what is stored or sent: the records of the journal with their digests, the lines of the
// quarantine, and the JSON of events. Commit 8bee9c5, which had no declaration of the fields, wrote the same, but for
// revisions above 86,400,000, which its quarantine lost. It must stay byte for byte: journals, digests and quarantines
// outlive every version.
func TestGolden(t *testing.T) {
	const path = "testdata/golden.txt"
	var out strings.Builder
	d := testDecoder(t)
	decoded := func(name, raw string) {
		fmt.Fprintf(&out, "\n== %s\nsent        %s\n", name, raw)
		fmt.Fprintf(&out, "quarantine  %s\n", d.Pseudonymise([]byte(raw)))
		e, bad := decodeOne(t, d, raw)
		if bad != nil {
			fmt.Fprintf(&out, "refused     %s %s\n", bad.Reason, bad.Field)
			return
		}
		goldenEvent(t, &out, &e)
	}
	decoded("every field", strings.Replace(data(strings.Join(allData, ",")), "opened", "confirmed", 1))
	for _, member := range allData {
		decoded("only "+strings.ReplaceAll(member, `"`, ""), data(member))
	}
	for _, typ := range Types()[:FeedHeartbeat] { // those of commit 8bee9c5
		needs := map[Type]string{CallClassified: `"class":"uji"`, TicketAssigned: `"opd":"x"`,
			TicketConfirmed: `"result":"benar"`, TicketMerged: `"master":"m"`, AgentState: `"result":"busy"`}[typ]
		raw := strings.Replace(data(needs), "ticket.opened", typ.String(), 1)
		decoded("no field of "+typ.String(), strings.Replace(raw, "ticket/", typ.Kind().String()+"/", 1))
	}
	decoded("unicode", strings.Replace(data(`"opd":"Dinas Perhubungan – Çëñ 漢字 \"A\\B\"","kecamatan":"Cuauhtémoc",`+
		`"category":"\u00e9\ud83d\ude00","calls":["é","漢"],"shift":"é \u0022"`), `"e1"`, `"é-1"`, 1))
	decoded("caller without a number", data(`"caller":"anonymous"`))
	decoded("caller of three digits", data(`"caller":"110"`))
	decoded("long fields", data(`"opd":"`+strings.Repeat("x", 128)+`","shift":"`+strings.Repeat("y", 256)+`"`))
	decoded("wrong fields", data(`"agent":"Budi Santoso","channel":"Telepon","class":"Prank","priority":"tinggi",`+
		`"queue":" x","reason":"a b","result":"Ok","center":"Kab. X","master":"`+strings.Repeat("m", 129)+`",`+
		`"due":"27/11/2026","ring_ms":-1,"wait_ms":1.5,"revision":86400001,"calls":"c","lat":"x","shift":[1],"nama":"B"`))
	decoded("upper case codes", data(`"channel":"Phone","reason":"Hujan","result":"Benar","class":"a-b","center":"35-15"`))
	decoded("phones", data(
		`"opd":"hp 081234567890","agent":"081234567890","master":"081234567890","calls":["081234567890","b"],`+
			`"replaces":"081234567890","shift":"081234567890","class":"081234567890","due":"081234567890"`))
	decoded("no data", edit(`,"data":{"opd":"dishub"}`, ``))
	decoded("null data", edit(`{"opd":"dishub"}`, `null`))
	decoded("broken", `{"id":`)

	bare := Event{}
	negative := Event{OccurredAt: time.UnixMilli(-1).UTC(), RingMS: ptr[int64](-1), WaitMS: ptr[int64](1 << 62),
		Lat: ptr(0.0), Lon: ptr(-180.0), Calls: []string{"", "x"}, Attributes: map[string]string{"": "", "k": ""},
		Type: 200, Kind: 9, Revision: 1, Subject: "\xff", Digest: Digest{15: 1}}
	fmt.Fprintf(&out, "\n== the zero event\n")
	goldenEvent(t, &out, &bare)
	fmt.Fprintf(&out, "\n== what no decoder lets in\n")
	goldenEvent(t, &out, &negative)
	fmt.Fprintf(&out, "\n== drafts\n%s\n%s\n", fullRawEvent().AppendCloudEvent(nil), (&RawEvent{}).AppendCloudEvent(nil))

	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("what is stored or sent changed (-want +got):\n%s", diff)
	}
}

// goldenEvent writes every form of e, and checks that the journal's form is read as it was written.
func goldenEvent(t *testing.T, out *strings.Builder, e *Event) {
	t.Helper()
	record := AppendBinary(nil, e)
	fmt.Fprintf(out, "record      %s\n", hex.EncodeToString(record))
	fmt.Fprintf(out, "digest      %x\n", e.Digest)
	fmt.Fprintf(out, "canonical   %s\n", hex.EncodeToString(appendCanonical(nil, e)))
	fmt.Fprintf(out, "json        %q\n", AppendJSON(nil, e))
	fmt.Fprintf(out, "replayable  %q\n", AppendPseudonymised(nil, e))
	var back Event
	if err := DecodeBinary(record, &back); err != nil {
		t.Error(err)
	} else if diff := cmp.Diff(e, &back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}
