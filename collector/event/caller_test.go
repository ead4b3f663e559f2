package event

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWaysToWriteOneNumber(t *testing.T) {
	for _, tc := range []struct {
		want string
		ways []string
	}{
		{"6281234567890", []string{"081234567890", "0812-3456-7890", "+62 812 3456 7890", "62812.3456.7890",
			"006281234567890",
			"+62 (0)812-3456-7890", "81234567890", "tel:+6281234567890", "0812/3456/7890", " 0812 3456 7890", "81234567890.0"}},
		{"62318912345", []string{"0318912345", "(031) 891-2345", "+62 31 8912345", "62318912345"}},
		{"4930123456", []string{"+49 30 123456", "004930123456"}},
		{"8912345", []string{"8912345", "891-2345"}}, // local, without an area code: which one is not known
		{"110", []string{"110"}},
		{"112", []string{"112"}},
	} {
		for _, s := range tc.ways {
			got, ok := normalizeCaller(nil, strings.TrimSpace(s))
			if !ok || string(got) != tc.want {
				t.Errorf("%q is %q, %v; want %q", s, got, ok, tc.want)
			}
		}
	}
	for _, s := range []string{
		"", "1", "12", "Budi", "0812x", "8,12E+10", "08123456789012345678", "+", "++62812345678", "+62812345678901234",
		"#112", "0812345678901234",
	} {
		if got, ok := normalizeCaller(nil, s); ok {
			t.Errorf("%q is taken for the number %q", s, got)
		}
	}
}

func TestNormalizeCallerIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`\+?[0-9][0-9 .()-]{2,20}`).Draw(t, "s")
		once, ok := normalizeCaller(nil, s)
		if !ok {
			return
		}
		if len(once) < minCallerDigits || len(once) > maxCallerDigits || !onlyDigits(string(once)) {
			t.Fatalf("%q becomes %q", s, once)
		}
		var into [64]byte
		again, ok := normalizeCaller(into[:0], "+"+string(once))
		if !ok || !bytes.Equal(once, again) {
			if len(once) >= 10 && bytes.HasPrefix(once, []byte("620")) {
				return // 62 and two zeros: no number of any country
			}
			t.Fatalf("%q becomes %q and then %q", s, once, again)
		}
	})
}

func TestPhoneShapes(t *testing.T) {
	for _, s := range []string{
		"081234567890", "0812 3456 7890", "0812-3456-7890", "0812.3456.7890", "0812–3456–7890", "+6281234567890",
		"+62 812-3456-7890",
		"62 812 3456 7890", "6281234567890", "62812-3456-7890", "006281234567890", "081234567890@s.whatsapp.net",
		"tel:081234567890",
		"hp081234567890", "hp:0857-1234-567", "81234567890", "8123456789", "call-081234567890-1", "112 081234567890",
		"0895123456789",
		"+4930123456", "+1 (415) 555-2671", "0318912345", "031-8912345", "(031) 8912345", "02112345678"[:3] + "52345678",
		"evt_081234567890", "08123456 7890", "0811260001", "081234567890/1", "1700000000-081234567890",
		"0812/9753/1864", "ref 0812/9753/1864", "/pbx/+62%20%280%2981297531864", "%30812 9753 1864", "%2530812 9753 1864",
		"8,1297531864E+10", "8.1297531864e10", "6,281297531864E+12", "8,1297532E+10",
	} {
		if !looksLikePhone(s) {
			t.Errorf("%q passes for an id", s)
		}
	}
	for _, s := range []string{
		"", "112", "SDA-2026-00123", "SDA-08-2026-00123", "SDA112-081126-0001", "TKT-081126-0001", "08112026-0001",
		"0810-2026-0001", "101001240734", "090100225", "090100225-E21", "C5/200207/09738", "CH/200223/06466",
		"112/08/2026/000123", "SDA/2026/08/12345", "8,12E+10", "8.12345678", "8.123456789 E", "100%25 of 8",
		"1.8123456789E+10",
		"1700000000.123", "1763882400", "1763882400123", "20261123081234", "2026-11-23 08:12:34", "2026-11-23T08:12:34+07:00",
		"0198f2a1-7c3e-7d10-9b1e-3f2a8c9d0e1f", "08123456-7890-1234-5678-081234567890",
		"abcdefab-0812-3456-7890-081234567890",
		"evt-08123456-7890-1234-5678-081234567890", "d41d8cd98f00b204e9800998ecf8427e", "0812345678901234abcdef0812345678",
		"01HZX081234567890ABCDEFGHJ", "3515080812260001", "6201012026000123", "35.15.08", "3515110", "SIP/201", "Agent/1001",
		"00000000001",
		"0000123456", "0826-000123", "1/2/2026", "Downtown / Financial District",
		"Fenway / Kenmore / Audubon Circle / Longwood",
		"9999999999", "7000000000", "0812", "08123", "0800123456", "8000000001", "112233445566",
	} {
		if looksLikePhone(s) {
			t.Errorf("%q is taken for a telephone number", s)
		}
	}
}

func TestAllowedIDs(t *testing.T) {
	body := edit(`T1`, `0811202600123`)
	if _, bad := decodeOne(t, testDecoder(t), body); bad == nil || bad.Reason != PhoneLike {
		t.Fatalf("%v", bad)
	}
	d := testDecoder(t, func(c *Config) { c.AllowIDs = []string{`\d{4}20\d{2}\d{5}`} })
	if _, bad := decodeOne(t, d, body); bad != nil {
		t.Error(bad)
	}
	if _, bad := decodeOne(t, d, edit(`T1`, `x0811202600123`)); bad == nil {
		t.Error("a pattern need not match the whole")
	}
}

func TestConfigIsChecked(t *testing.T) {
	keys := testKeys(t)
	many := make([]string, MaxAttributes+1)
	for i := range many {
		many[i] = fmt.Sprintf("k%d", i)
	}
	for name, c := range map[string]Config{
		"no keys": {}, "empty key": {Keys: keys, Attributes: []string{""}},
		"key with a space":      {Keys: keys, Attributes: []string{"a b"}},
		"key of the vocabulary": {Keys: keys, Attributes: []string{"opd"}}, "many keys": {Keys: keys, Attributes: many},
		"pattern": {Keys: keys, AllowIDs: []string{"("}},
	} {
		if _, err := NewDecoder(c); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// indonesian draws a number as people write it, and its digits after the country or trunk prefix.
func indonesian(t *rapid.T) (written, core string) {
	prefix := rapid.SampledFrom([]string{"812", "813", "821", "838", "851", "857", "877", "881", "895"}).Draw(t, "prefix")
	core = prefix + rapid.StringMatching(`[0-9]{7,8}`).Draw(t, "rest")
	lead := rapid.SampledFrom([]string{"0", "+62", "62", "0062", "+62 ", "62-"}).Draw(t, "lead")
	sep := rapid.SampledFrom([]string{"", " ", "-", "."}).Draw(t, "sep")
	if sep == "" {
		return lead + core, core
	}
	return lead + core[:3] + sep + core[3:7] + sep + core[7:], core
}

// ourToken is a caller that Pseudonymise replaced.
var ourToken = regexp.MustCompile(`,?"caller":"hmac:[^"]*"`)

func TestNoNumberSurvives(t *testing.T) {
	d := testDecoder(t)
	replay := testDecoder(t, func(c *Config) { c.AcceptTokens = true })
	fields := []string{"caller", "agent", "queue", "position", "channel", "class", "category", "priority", "opd",
		"kecamatan", "reason",
		"result", "master", "due", "center", "replaces", "shift", "nama", "no_hp", "lat", "ring_ms"}
	rapid.Check(t, func(t *rapid.T) {
		written, core := indonesian(t)
		text := rapid.SampledFrom([]string{"", "hp ", "tel:", "a-"}).Draw(t, "before") + written
		quoted := `"` + text + `"`
		if rapid.Bool().Draw(t, "number") {
			quoted = "62" + core
		}
		var body string
		switch where := rapid.SampledFrom(append(fields, "id", "source", "subject", "type", "time", "calls", "extension",
			"nested", "key", "broken")).Draw(t, "where"); where {
		case "id":
			body = edit(`"e1"`, quoted)
		case "source":
			body = edit(`"s1"`, quoted)
		case "subject":
			body = edit(`ticket/T1`, "ticket/"+text)
		case "type":
			body = edit(`monev112.ticket.opened`, text)
		case "time":
			body = edit(`"2026-11-23T14:30:00+07:00"`, quoted)
		case "calls":
			body = data(`"calls":[` + quoted + `]`)
		case "extension":
			body = edit(`"data":`, `"hp":`+quoted+`,"data":`)
		case "nested":
			body = data(`"x":{"y":[` + quoted + `]}`)
		case "key":
			body = data(`"` + text + `":1`)
		case "broken":
			body = data(`"caller":` + quoted + `,`)
		default:
			body = data(`"caller":"` + written + `","` + where + `":` + quoted)
			if where == "caller" {
				body = data(`"caller":` + quoted)
			}
		}
		if rapid.Bool().Draw(t, "wrong class too") {
			body = strings.Replace(body, `"data":{`, `"data":{"class":"Prank",`, 1)
		}
		var seen bytes.Buffer
		var b Batch
		if err := d.Decode(&b, []byte(body), Structured, testNow); err != nil {
			t.Fatal(err)
		}
		for i := range b.Events {
			seen.Write(AppendBinary(nil, &b.Events[i]))
			seen.Write(AppendJSON(nil, &b.Events[i]))
		}
		for _, r := range b.Refusals {
			fmt.Fprintf(&seen, "%s %s %s", r.Error(), r.ID, r.Source)
		}
		for k := range b.Dropped {
			seen.WriteString(k)
		}
		kept := d.Pseudonymise([]byte(body))
		seen.Write(kept)
		if plain := strings.NewReplacer(" ", "", "-", "", ".", "").Replace(seen.String()); strings.Contains(plain, core) {
			t.Fatalf("%s survives in %q of %s", core, seen.String(), body)
		}
		// Sent to us, what we kept would be a sender's: it keeps all but the token.
		want := ourToken.ReplaceAll(kept, nil)
		want = bytes.ReplaceAll(want, []byte("{,"), []byte("{"))
		if again := d.Pseudonymise(kept); !bytes.Equal(want, again) && !bytes.HasPrefix(kept, []byte(`{"unreadable`)) {
			t.Fatalf("pseudonymised twice:\n%s\n%s", want, again)
		}
		if err := replay.Decode(&b, kept, Structured, testNow); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Refusals {
			if r.Reason == PhoneLike || r.Reason == UnknownCallerKey || r.Reason == BadCaller {
				t.Fatalf("replay of %s: %v", kept, &r)
			}
		}
	})
}
