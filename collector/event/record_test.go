package event

import (
	"encoding/json"
	"fmt"
	"strings"
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

func TestFormsAreCheckedAtTheDoor(t *testing.T) {
	const skm = `{"responden":4,"unsur":[[0,0,4,0],[0,0,4,0],[0,0,4,0],[0,0,4,0],[0,0,4,0],[0,0,4,0],[0,0,4,0],[0,0,4,0],[0,0,4,0]]}`
	const sdm, anggaran = `{"rows":[{"fungsi":"Operator","jumlah":3%s}]}`, `{"rows":[{"uraian":"Jasa","pagu":81234567890,"realisasi":1250000000%s}]}`
	d := testDecoder(t)
	for _, c := range []struct {
		form, data string
		want       Reason
	}{
		{"sdm", fmt.Sprintf(sdm, ""), ""},
		{"sdm", fmt.Sprintf(sdm, `,"kebutuhan":5,"per_sif":2,"keterangan":"surat 094/1234567/438.1.1.2/2026"`), ""},
		{"anggaran", fmt.Sprintf(anggaran, ""), ""},
		{"anggaran", fmt.Sprintf(anggaran, `,"kode":"5.1.02.01.01.0024"`), ""},
		{"skm", skm, ""},
		{"sdm", "", ""}, // taken back
		{"sdm", `{"rows":[]}`, WrongType},
		{"sdm", `{"x":1}`, WrongType},
		{"sdm", `{}`, WrongType},
		{"sdm", `{"rows":[{"fungsi":"Operator"}]}`, WrongType},
		{"sdm", `{"rows":[{"fungsi":"Operator","jumlah":null}]}`, WrongType},
		{"sdm", fmt.Sprintf(sdm, "") + "{}", WrongType},
		{"sdm", fmt.Sprintf(sdm, "") + "x", WrongType},
		{"sdm", skm, WrongType},
		{"skm", fmt.Sprintf(sdm, ""), WrongType},
		{"skm", strings.Replace(skm, "[0,0,4,0],", "", 1), WrongType},
		{"anggaran", `{"rows":[{"uraian":"Jasa","pagu":1e3,"realisasi":"Rp 5"}]}`, WrongType},
		{"anggaran", `{"rows":[{"uraian":"Jasa","pagu":3515010101800001,"realisasi":0}]}`, WrongType},
		{"sdm", fmt.Sprintf(sdm, `,"keterangan":"hubungi 081234567890","keterangan":"x"`), PhoneLike},
		{"sdm", fmt.Sprintf(sdm, `,"keterangan":"x","keterangan":"x"`), WrongType},
		{"sdm", fmt.Sprintf(sdm, `,"nik":3515010101800001`), IdentityLike},
		{"sdm", fmt.Sprintf(sdm, `,"nik":3515010101800001.0`), IdentityLike},
		{"sdm", fmt.Sprintf(sdm, `,"hp":6281234567890`), PhoneLike},
		{"sdm", fmt.Sprintf(sdm, `,"hp":81234567890`), PhoneLike},
		{"sdm", fmt.Sprintf(sdm, `,"hp":8.1234567890e10`), PhoneLike},
		{"sdm", fmt.Sprintf(sdm, `,"081234567890":1`), PhoneLike},
	} {
		text, _ := json.Marshal(c.data)
		e, bad := decodeOne(t, d, office("form.set", "form/2026-10/"+c.form, `"data":`+string(text)))
		switch {
		case c.want == "" && (bad != nil || e.Record[RecordData] != c.data):
			t.Errorf("%s %s: %v", c.form, c.data, bad)
		case c.want != "" && (bad == nil || bad.Reason != c.want):
			t.Errorf("%s %s: %v, want %s", c.form, c.data, bad, c.want)
		}
	}
}
