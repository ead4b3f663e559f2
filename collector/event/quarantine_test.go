package event

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPseudonymised(t *testing.T) {
	d := testDecoder(t)
	mac := func(number string) string {
		e, bad := decodeOne(t, d, data(`"caller":"`+number+`"`))
		if bad != nil {
			t.Fatal(bad)
		}
		return string(appendToken(nil, e.Caller))
	}
	token := mac("081234567890")
	const head = `{"specversion":"1.0","id":"e1","source":"s1","type":"monev112.ticket.opened","subject":"ticket/T1","time":"2026-11-23T14:30:00+07:00","data":{`
	for _, tc := range []struct{ name, raw, want string }{
		{"caller", data(`"caller":"0812 3456 7890"`), head + `"caller":"` + token + `"}}`},
		{"caller as a number", data(`"caller":81234567890`), head + `"caller":"` + token + `"}}`},
		{"caller that was rounded", data(`"caller":8.12e10`), head + `}}`},
		{"caller that is no number", data(`"caller":"Budi, 0812"`), head + `}}`},
		{"caller that claims to be replaced already", data(`"caller":"` + token + `"`), head + `}}`},
		{"the same with blanks", data(`"caller":" ` + token + ` "`), head + `}}`},
		{"caller under a foreign key", data(`"caller":"hmac:k00000000:00000000000000000000000000000000:890"`), head + `}}`},
		{"phone in a name", data(`"opd":"hp 081234567890","agent":"081234567890"`),
			head + `"opd":"masked:phone","agent":"masked:phone"}}`},
		{"wrong shapes", data(
			`"agent":"Budi Santoso","class":"Laporan iseng oleh anak","ring_ms":-1,"wait_ms":"x","opd":7,"calls":"c"`),
			head + `}}`},
		{"wrong codes", data(`"class":"Prank","priority":"tinggi","result":"ok"`),
			head + `"class":"Prank","priority":"tinggi","result":"ok"}}`},
		{"unknown keys and places",
			data(`"nama":"Budi","alamat":{"jalan":"Mawar 5"},"lat":-7.3544,"lon":112.7665,"shift":"pagi"`),
			head + `"shift":"pagi"}}`},
		{"calls", data(`"calls":["b","081234567890","a","a",7]`), head + `"calls":["a","b","masked:phone"]}}`},
		{"numbers", data(`"ring_ms":4000,"revision":2,"due":"27/11/2026 16.30"`), head + `"ring_ms":4000,"revision":2}}`},
		{"the greatest revision", data(`"ring_ms":86400000,"revision":4294967295`),
			head + `"ring_ms":86400000,"revision":4294967295}}`},
		{"numbers beyond their limits", data(`"ring_ms":86400001,"revision":4294967296`), head + `}}`},
		{"a whole number with a point", data(`"wait_ms":12.0,"revision":1e3`), head + `"wait_ms":12,"revision":1000}}`},
		{"time in words", edit(`2026-11-23T14:30:00+07:00`, `2026-11-23 kemarin`),
			strings.Replace(head, `"time":"2026-11-23T14:30:00+07:00",`, "", 1) + `"opd":"dishub"}}`},
		{"time without offset", edit(`+07:00`, ``), strings.Replace(head, `+07:00`, "", 1) + `"opd":"dishub"}}`},
		{"subject", edit(`T1`, `081234567890`), strings.Replace(head, "T1", "masked:phone", 1) + `"opd":"dishub"}}`},
		{"data of another type", edit(`{"opd":"dishub"}`, `"Budi"`), strings.TrimSuffix(head, `,"data":{`) + `}`},
		{"nothing that is known", `{"nama":"Budi"}`, `{}`},
		{"broken", `{"id":"e1","nama":"Budi"`, `{"unreadable_bytes":24}`},
		{"key twice", `{"id":"e1","id":"e1"}`, `{"unreadable_bytes":21}`},
		{"array", `["081234567890"]`, `{"unreadable_bytes":16}`},
		{"deep", strings.Repeat("[", 9), `{"unreadable_bytes":9}`},
		{"nothing", ``, `{"unreadable_bytes":0}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, string(d.Pseudonymise([]byte(tc.raw)))); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReplayFromTheQuarantineKeepsTheCaller(t *testing.T) {
	d := testDecoder(t)
	raw := data(`"caller":"0812-3456-7890","ring_ms":-1`)
	if _, bad := decodeOne(t, d, raw); bad == nil || bad.Field != FieldRingMS {
		t.Fatalf("%v", bad)
	}
	kept := string(d.Pseudonymise([]byte(raw)))
	if _, bad := decodeOne(t, d, kept); bad == nil || bad.Reason != BadCaller {
		t.Errorf("a sender's token: %v", bad)
	}
	replay := testDecoder(t, func(c *Config) { c.AcceptTokens = true })
	got, bad := decodeOne(t, replay, kept)
	if bad != nil {
		t.Fatal(bad)
	}
	want, _ := decodeOne(t, d, data(`"caller":"081234567890"`))
	if got.Caller != want.Caller {
		t.Errorf("caller %v, want %v", got.Caller, want.Caller)
	}
	random := entropy(50)
	foreign, err := NewKeys(&random, testNow)
	if err != nil {
		t.Fatal(err)
	}
	stranger := testDecoder(t, func(c *Config) { c.AcceptTokens, c.Keys = true, foreign })
	if _, bad := decodeOne(t, stranger, kept); bad == nil || bad.Reason != UnknownCallerKey {
		t.Errorf("a key that is not in the file: %v", bad)
	}
	for _, token := range []string{
		"hmac:", "hmac:k1:00:1", "hmac:" + got.Caller.KeyID + ":" + strings.Repeat("g", 32) + ":890",
		"hmac:" + got.Caller.KeyID + ":" + got.Caller.Key + ":8901",
	} {
		if _, bad := decodeOne(t, replay, data(`"caller":"`+token+`"`)); bad == nil || bad.Reason != BadCaller {
			t.Errorf("%s: %v", token, bad)
		}
	}
}

func TestReplayableEventKeepsWhatItSays(t *testing.T) {
	raw := data(
		`"caller":"0812-3456-7890","agent":"a-1","opd":"Dinas \"X\"","calls":["c1","c2"],"wait_ms":12000,"revision":3,"due":"2026-11-01T00:00:00Z"`)
	want, bad := decodeOne(t, testDecoder(t), raw)
	if bad != nil {
		t.Fatal(bad)
	}
	kept := string(AppendPseudonymised(nil, &want))
	if strings.Contains(kept, "34567890") {
		t.Errorf("kept with the number: %s", kept)
	}
	got, bad := decodeOne(t, testDecoder(t, func(c *Config) { c.AcceptTokens = true }), kept)
	if bad != nil {
		t.Fatal(bad)
	}
	if got.Digest != want.Digest || got.Caller != want.Caller {
		t.Errorf("replayed as %+v, want %+v", got, want)
	}
}

func TestDecoderServesManyAtOnce(t *testing.T) {
	d := testDecoder(t)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			var b Batch
			number := "08123456789" + string(rune('0'+i))
			for range 100 {
				body := []byte(data(`"caller":"` + number + `","shift":"pagi"`))
				if err := d.Decode(&b, body, Structured, testNow); err != nil || len(b.Events) != 1 ||
					b.Events[0].Caller.Last3 != number[9:] {
					t.Errorf("%v %v", err, b.Refusals)
					return
				}
				d.Pseudonymise(body)
			}
		})
	}
	wait.Wait()
}
