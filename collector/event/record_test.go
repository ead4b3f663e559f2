package event

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyEventsOfTheOfficeKeepARecord(t *testing.T) {
	d := testDecoder(t)
	e, bad := decodeOne(t, d, office("rtl.set", "rtl/2026-10.1",
		`"text":" Tambah petugas\u202e\r\nsif malam, Rp 1.250.000.000 ","owner":"Kepala  Bidang TIK","due":"2026-12-31",`+
			`"status":"berjalan","opd":"","month":null`))
	if bad != nil {
		t.Fatal(bad)
	}
	want := map[string]string{
		"text": "Tambah petugas\nsif malam, Rp 1.250.000.000", "owner": "Kepala Bidang TIK", "due": "2026-12-31",
		"status": "berjalan", "opd": "",
	}
	if diff := cmp.Diff(want, e.Record); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if e.Kind != KindRTL || e.Subject != "2026-10.1" || e.ChangedBy != "" {
		t.Errorf("%v %q %q", e.Kind, e.Subject, e.ChangedBy)
	}
	again, bad := decodeOne(t, d, string(AppendJSON(nil, &e)))
	if bad != nil || again.Digest != e.Digest {
		t.Errorf("sent again as it is shown, it is another event: %v", bad)
	}

	if e, bad := decodeOne(t, d, office("remark.set", "remark/2026-10/kendala/tempuh", `"text":"x"`)); bad != nil ||
		e.Subject != "2026-10/kendala/tempuh" {
		t.Errorf("%v %q", bad, e.Subject)
	}
	var b Batch
	if err := d.Decode(&b, []byte(data(`"opd":"dishub","record":{"text":"hubungi 081234567890"}`)), Structured,
		testNow); err != nil {
		t.Fatal(err)
	}
	if len(b.Refusals) > 0 || b.Events[0].Record != nil || b.Dropped["record"] != 1 {
		t.Errorf("%v, %v, %v", b.Refusals, b.Events[0].Record, b.Dropped)
	}
	if kept := string(d.Pseudonymise([]byte(office("rtl.set", "rtl/R1", `"text":"hubungi 081234567890"`)))); kept !=
		`{"specversion":"1.0","id":"o1","source":"s1","type":"monev112.rtl.set","subject":"rtl/R1",`+
			`"time":"2026-11-23T07:30:00+07:00","data":{}}` {
		t.Errorf("the quarantine keeps %s", kept)
	}
}
