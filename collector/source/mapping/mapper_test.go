package mapping

import (
	"fmt"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/source/tabular"
)

// one maps a table of one row below its header and returns what came of it: the events, or the refusal.
func one(t testing.TB, mapping, table string) string {
	t.Helper()
	m, err := Parse("m.yaml", []byte(mapping))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := m.Layout().CSV("f", strings.NewReader(table), tabular.Limits{})
	if err != nil {
		return err.Error()
	}
	row, err := rows.Next()
	if err != nil {
		return err.Error()
	}
	mp := m.NewMapper(m.Bind(rows.Header))
	events, refused := mp.Apply(row)
	if refused != nil {
		return fmt.Sprintf("%s: %v", refused.Code, refused)
	}
	out := []string{}
	for _, e := range events {
		out = append(out, string(e.JSON))
	}
	return strings.Join(out, "\n") + fmt.Sprintf(" %+v", mp.Notes)
}

func TestMapper(t *testing.T) {
	with := func(fields, event string) string {
		return head + "fields:\n  no: {column: No, required: true}\n  at: {column: At, type: time, formats: [\"yyyy-MM-dd " +
			"HH:mm:ss\", \"d/M/yyyy H.mm\"], required: true}\n" +
			fields + "\nevents:\n  - type: call.received\n    subject: call/{no}\n    time: at\n" + event
	}
	// The row is No, At, X, Y.
	for _, c := range []struct{ name, mapping, row, want string }{
		{"second format", with("", ""), "1,5/3/2026 7.30,,", `"time":"2026-03-05T12:30:00Z"`},
		{"ambiguous is the earlier", with("", ""), "1,2015-11-01 01:30:00,,",
			`"time":"2015-11-01T05:30:00Z","data":{"center":"c1"}} {AmbiguousTimes:1`},
		{"ambiguous later", with("", "") + "ambiguous: later\n", "1,2015-11-01 01:30:00,,", `"time":"2015-11-01T06:30:00Z"`},
		{"ambiguous refused", with("", "") + "ambiguous: refuse\n", "1,2015-11-01 01:30:00,,",
			`bad_time: f:2: column "At": the local time was shown twice`},
		{"a time that follows another is read behind it",
			with(`  x: {column: X, type: time, formats: ["yyyy-MM-dd HH:mm:ss"], follows: at}`, "    data: {due: '{x}'}\n"),
			"1,2015-11-01 01:55:00,2015-11-01 01:05:00,",
			`"time":"2015-11-01T05:55:00Z","data":{"center":"c1","due":"2015-11-01T06:05:00Z"}} {AmbiguousTimes:2`},
		{"skipped hour", with("", ""), "1,2015-03-08 02:30:00,,",
			`"time":"2015-03-08T07:30:00Z","data":{"center":"c1"}} {AmbiguousTimes:0 NonexistentTimes:1`},
		{"skipped hour refused", with("", "") + "nonexistent: refuse\n", "1,2015-03-08 02:30:00,,", "bad_time"},
		{"sentinel", with("", ""), "1,1900-01-01 00:00:00,,", "time_out_of_range"},
		{"sentinel as null", with("", "") + `nulls: ["1900-01-01 00:00:00"]` + "\n", "1,1900-01-01 00:00:00,,",
			"missing_value"},
		{"far future", with("", ""), "1,2100-01-01 00:00:00,,", "time_out_of_range"},
		{"time of no format", with("", ""), "1,Senin 5 Maret,,", `column "At": "xxxxx # xxxxx" fits none of the formats`},
		{"missing key", with("", ""), " ,2026-01-01 00:00:00,,", `missing_value: f:2: column "No": the value is missing`},
		{"white space around", with("", ""), " 1 , 2026-01-01 00:00:00 ,,", `"subject":"call/1"`},
		{"too few cells", with("", ""), "1,2026-01-01 00:00:00", "wrong_cell_count: f:2: the row has 2 cells, the header 4"},
		{"too few cells, allowed", with("", "") + "table: {short_rows: pad}\n", "1,2026-01-01 00:00:00",
			`"subject":"call/1"`},
		{"too many cells", with("", ""), "1,2026-01-01 00:00:00,,,x", "wrong_cell_count"},
		{"too many cells, empty", with("", ""), "1,2026-01-01 00:00:00,,,,", `"subject":"call/1"`},
		{"decimal comma", with(`  x: {column: X, type: number, decimal: ","}`, "    data: {lat: '{x}'}\n"),
			`1,2026-01-01 00:00:00,"-7,4476",`, `"lat":-7.4476`},
		{"thousands", with(`  x: {column: X, type: number, decimal: ","}`, "    data: {wait_ms: '{x}'}\n"),
			`1,2026-01-01 00:00:00,"1.234,6",`, `"wait_ms":1235`},
		{"no thousands", with(`  x: {column: X, type: number, decimal: ","}`, "    data: {lat: '{x}'}\n"),
			`1,2026-01-01 00:00:00,-7.4476,`, `bad_number: f:2: column "X": "-#.####" is not a number with "," as decimal sign`},
		{"number out of range", with(`  x: {column: X, type: number}`, "    data: {lat: '{x}'}\n"),
			`1,2026-01-01 00:00:00,91,`, "bad_number: f:2: lat is not between -90 and 90"},
		{"hexadecimal", with(`  x: {column: X, type: number}`, "    data: {lat: '{x}'}\n"), `1,2026-01-01 00:00:00,0x10,`,
			"bad_number"},
		{"seconds to milliseconds", with(`  x: {column: X, type: number, multiply: 1000}`, "    data: {wait_ms: '{x}'}\n"),
			`1,2026-01-01 00:00:00,22,`, `"wait_ms":22000`},
		{"negative wait", with(`  x: {column: X, type: number}`, "    data: {wait_ms: '{x}'}\n"), `1,2026-01-01 00:00:00,-1,`,
			"bad_number"},
		{"value map", with(`  x: {column: X, values: {A: normal}}`, "    data: {class: '{x}'}\n"), `1,2026-01-01 00:00:00,A,`,
			`"class":"normal"`},
		{"value map refuses", with(`  x: {column: X, values: {A: normal}}`, "    data: {class: '{x}'}\n"),
			`1,2026-01-01 00:00:00,a,`, `unknown_value: f:2: column "X": the value map does not list "a"`},
		{"value map without case",
			with(`  x: {column: X, values: {A: normal}, ignore_case: true}`, "    data: {class: '{x}'}\n"),
			`1,2026-01-01 00:00:00,a,`, `"class":"normal"`},
		{"value map otherwise empty",
			with(`  x: {column: X, values: {A: normal}, otherwise: empty}`, "    data: {class: '{x}'}\n"),
			`1,2026-01-01 00:00:00,b,`, `"data":{"center":"c1"}`},
		{"value map otherwise a word",
			with(`  x: {column: X, values: {A: normal}, otherwise: belum}`, "    data: {class: '{x}'}\n"),
			`1,2026-01-01 00:00:00,b,`, `"class":"belum"`},
		{"value map keeps", with(`  x: {column: X, values: {A: waru}, otherwise: keep}`, "    data: {kecamatan: '{x}'}\n"),
			`1,2026-01-01 00:00:00,b,`, `"kecamatan":"b"`},
		{"value map with numbers for keys", with(`  x: {column: X, values: {1: normal}}`, "    data: {class: '{x}'}\n"),
			`1,2026-01-01 00:00:00,1,`, `"class":"normal"`},
		{"condition holds", with(`  x: {column: X}`, "    when: [{field: x, in: [a, b]}, {field: x, not_in: [c]}]\n"),
			`1,2026-01-01 00:00:00,b,`, `"subject":"call/1"`},
		{"condition fails", with(`  x: {column: X}`, "    when: [{field: x, equals: a}]\n"), `1,2026-01-01 00:00:00,b,`,
			"no_event"},
		{"an empty field meets no not_in", with(`  x: {column: X}`, "    when: [{field: x, not_in: [a]}]\n"),
			`1,2026-01-01 00:00:00,,`, "no_event"},
		{"empty", with(`  x: {column: X}`, "    when: [{field: x, empty: true}]\n"), `1,2026-01-01 00:00:00,,`,
			`"subject":"call/1"`},
		{"telephone number", with(`  x: {column: X, type: phone}`, "    data: {caller: '{x}'}\n"),
			`1,2026-01-01 00:00:00,8123456789,`, `"caller":"08123456789"`},
		{"lost telephone number", with(`  x: {column: X, type: phone}`, "    data: {caller: '{x}'}\n"),
			`1,2026-01-01 00:00:00,"8,12E+10",`,
			`"data":{"center":"c1"}} {AmbiguousTimes:0 NonexistentTimes:0 RolledDays:0 NightShift:0 LostCallers:1`},
		{"list", with(`  x: {column: X}`, "    data: {calls: ['{no}', 'n-{x}']}\n"), `1,2026-01-01 00:00:00,2,`,
			`"calls":["1","n-2"]`},
		{"list with an empty field", with(`  x: {column: X}`, "    data: {calls: ['{no}', 'n-{x}']}\n"),
			`1,2026-01-01 00:00:00,,`, `"calls":["1"]`},
		{"braces", with("", "    attributes: {a: '{{{no}}}'}\n"), `1,2026-01-01 00:00:00,,`, `"a":"{1}"`},
		{"characters that JSON escapes", with(`  x: {column: X}`, "    data: {kecamatan: '{x}'}\n"),
			"1,2026-01-01 00:00:00,\"a\"\"\\é\x01\",", `"kecamatan":"a\"\\é\u0001"`},
		{"white space inside", with(`  x: {column: X}`, "    data: {kecamatan: '{x}'}\n"),
			"1,2026-01-01 00:00:00,\"Balong\u00a0 \n Bendo\",", `"kecamatan":"Balong Bendo"`},
		{"id of its own", with("", "    id: '{no}-{at}'\n"), `1,2026-01-01 00:00:00,,`, `"id":"1-2026-01-01T05:00:00Z"`},
		{"long id", with("", ""), strings.Repeat("x", 129) + `,2026-01-01 00:00:00,,`, "too_large: f:2: the id of the call"},
		{"long id of an event", with("", ""), strings.Repeat("x", 120) + `,2026-01-01 00:00:00,,`,
			"too_large: f:2: the id of call.received"},
		{"two events with one id",
			with("", "") + "  - {type: call.answered, subject: 'call/{no}', time: at, id: 'call/{no}.received'}\n",
			`1,2026-01-01 00:00:00,,`, "same_id"},
		{"the same event twice", with("", "") + "  - {type: call.received, subject: 'call/{no}', time: at}\n",
			`1,2026-01-01 00:00:00,,`, `"subject":"call/1"`},
		{"alternative header", strings.Replace(with("", ""), "{column: No,", "{column: [Nomor, no],", 1),
			`1,2026-01-01 00:00:00,,`, `"subject":"call/1"`},
		{"column that is not there", with(`  z: {column: Z}`, ""), `1,2026-01-01 00:00:00,,`,
			`nearest is line 1 (4 cells), which lacks ["Z"]`},
		{"optional column that is not there", with(`  z: {column: Z, optional: true}`, ""), `1,2026-01-01 00:00:00,,`,
			`"subject":"call/1"`},
		{"time over midnight", with(
			`  x: {column: X, type: time, formats: ["yyyy-MM-dd HH:mm:ss"], follows: at, roll_day: true}`,
			"    data: {due: '{x}'}\n"),
			"1,2026-01-01 23:50:00,2026-01-01 00:10:00,", `"due":"2026-01-02T05:10:00Z"`},
		{"a second of skew is no midnight", with(
			`  x: {column: X, type: time, formats: ["yyyy-MM-dd HH:mm:ss"], follows: at, roll_day: true}`,
			"    data: {due: '{x}'}\n"),
			"1,2026-01-01 12:00:01,2026-01-01 12:00:00,", `"due":"2026-01-01T17:00:00Z"}} {AmbiguousTimes:0 ` +
				`NonexistentTimes:0 RolledDays:0 NightShift:0 LostCallers:0 RepairedCallers:0 StepsBack:1 `},
		{"any text at all", with(`  x: {column: X, values: {"a*": normal, "*": belum}}`, "    data: {class: '{x}'}\n"),
			`1,2026-01-01 00:00:00,b,`, `"class":"belum"`},
		{"a prefix", with(`  x: {column: X, ignore_case: true, values: {"darurat*": normal, "darurat palsu*": prank}}`,
			"    data: {class: '{x}'}\n"), `1,2026-01-01 00:00:00,DARURAT (api),`, `"class":"normal"`},
		{"the longer prefix", with(
			`  x: {column: X, ignore_case: true, values: {"darurat*": normal, "darurat palsu*": prank}}`,
			"    data: {class: '{x}'}\n"), `1,2026-01-01 00:00:00,Darurat palsu 2,`, `"class":"prank"`},
		{"the text itself before a wildcard", with(`  x: {column: X, values: {"a*": normal, "ab": prank, "a*b": uji}}`,
			"    data: {class: '{x}'}\n"), `1,2026-01-01 00:00:00,ab,`, `"class":"prank"`},
		{"a wildcard in the middle", with(`  x: {column: X, values: {"a*b*c": normal}, otherwise: belum}`,
			"    data: {class: '{x}'}\n"), `1,2026-01-01 00:00:00,a-b-b-c,`, `"class":"normal"`},
		{"no wildcard that fits", with(`  x: {column: X, values: {"a*bc*bc": normal}, otherwise: belum}`,
			"    data: {class: '{x}'}\n"), `1,2026-01-01 00:00:00,a-bc,`, `"class":"belum"`},
		{"an empty cell as a value", with(`  x: {column: X, values: {"": belum, a: normal}}`,
			"    data: {class: '{x}'}\n"), `1,2026-01-01 00:00:00,,`, `"class":"belum"`},
		{"empty among texts", with(`  x: {column: X}`, "    when: [{field: x, in: ['', a]}]\n"), `1,2026-01-01 00:00:00,,`,
			`"subject":"call/1"`},
		{"first that is filled", with(`  x: {first_of: [Y, X]}`, "    data: {kecamatan: '{x}'}\n"),
			`1,2026-01-01 00:00:00,a,`, `"kecamatan":"a"`},
		{"first of two filled", with(`  x: {first_of: [Y, X]}`, "    data: {kecamatan: '{x}'}\n"),
			`1,2026-01-01 00:00:00,a,b`, `"kecamatan":"b"`},
		{"a time that is the first filled",
			with(`  x: {first_of: [Y, X], type: time, formats: ["yyyy-MM-dd HH:mm:ss"], required: true}`,
				"    data: {due: '{x}'}\n"), `1,2026-01-01 00:00:00,2026-01-01 00:10:00,`, `"due":"2026-01-01T05:10:00Z"`},
		{"before 1970", with("", ""), `1,1900-01-01 00:00:00,,`, "the year 1900, before 1970"},
		{"an own limit over midnight", with(
			`  x: {column: X, type: time, formats: ["yyyy-MM-dd HH:mm:ss"], follows: at, roll_day: 15m}`,
			"    data: {due: '{x}'}\n"),
			"1,2026-01-01 23:50:00,2026-01-01 00:10:00,", `"due":"2026-01-01T05:10:00Z"`},
		{"not a day earlier", with(
			`  x: {column: X, type: time, formats: ["yyyy-MM-dd HH:mm:ss"], follows: at, roll_day: true}`, ""),
			"1,2026-01-03 23:50:00,2026-01-01 00:10:00,", "bad_time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := one(t, c.mapping, "No,At,X,Y\n"+c.row+"\n"); !strings.Contains(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestRepairPhone(t *testing.T) {
	for in, want := range map[string]string{
		"081234567890": "081234567890", "81234567890": "081234567890", "+62 812-3456-7890": "+6281234567890",
		"6281234567890": "+6281234567890",
		"'081234567890": "081234567890", "81234567890.0": "081234567890", "(031) 8921234": "0318921234", "112": "112",
		"8,12E+10": "", "8.12E+10": "", "anonim": "", "12": "", "123456789012345678": "", "081234567890 / 0812": "",
	} {
		if got, _, _ := repairPhone(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
