package mapping

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/monev112/monev112/collector/internal/yamlfile"
	"github.com/monev112/monev112/collector/source/tabular"
	"github.com/monev112/monev112/deploy"
)

const head = `version: 1
name: t
source: test
center: c1
timezone: America/New_York
`

const plain = head + `fields:
  no: {column: No, required: true}
  at: {column: At, type: time, formats: ["yyyy-MM-dd HH:mm:ss"], required: true}
events:
  - type: call.received
    subject: call/{no}
    time: at
`

func TestMappingFaults(t *testing.T) {
	// Each is the plain mapping with one text replaced.
	for _, c := range []struct{ name, old, new, line, want string }{
		{"unknown key", "center: c1", "centre: c1", ":4: centre", "unknown key"},
		{"key twice", "center: c1", "center: c1\ncenter: c2", ":5:", "appears twice"},
		{"not YAML", "fields:", "fields: [", ":9:", "not valid YAML"},
		{"wrong type", "version: 1", "version: one", ":1: version", "whole number"},
		{"version", "version: 1", "version: 2", ":1: version", "write version: 1"},
		{"missing", "center: c1\n", "", "center", "missing"},
		{"zone", "America/New_York", "WIB", ":5: timezone", "Asia/Jakarta"},
		{"local zone", "America/New_York", "Local", ":5: timezone", "not a time zone"},
		{"policy", "center: c1", "center: c1\nambiguous: perhaps", ":5: ambiguous", "earlier, later, refuse"},
		{"separator", "center: c1", "center: c1\ntable: {separator: x}", ":5: table.separator", "tab"},
		{"encoding", "center: c1", "center: c1\ntable: {encoding: latin}", ":5: table.encoding", "windows-1252"},
		{"header rows", "center: c1", "center: c1\ntable: {header_rows: 9999}", ":5: table.header_rows", "1 and 1000"},
		{"field name", "no: {column: No, required: true}", "no: {column: No}\n  No Tiket: {column: x}", "No Tiket",
			"lower-case"},
		{"no column", "{column: No, required: true}", "{required: true}", ":7: fields.no", "exactly one of column"},
		{"a word that no value gives", "events:\n  - type: call.received\n",
			"  k: {column: K, values: {a: normal}}\nevents:\n  - type: call.received\n    when: [{field: k, equals: norml}]\n",
			":12: events[0].when[0]",
			`never give "norml"`},
		{"changed without an order", "    time: at\n", "    time: at\n    when: [{field: no, changed: true}]\n",
			"events[0].when[0]", "write table.sequence"},
		{"by without pick", "    time: at\n", "    time: at\n    by: at\n", "events[0].by", "by goes with pick"},
		{"the order of no case", "center: c1", "center: c1\ntable: {sequence: {case: x, time: at}}", "table.sequence.case",
			"no field"},
		{"the order by no time", "center: c1", "center: c1\ntable: {sequence: {case: no, time: no}}", "table.sequence.time",
			"no field"},
		{"two defaults", "{column: No, required: true}", "{column: No, values: {'*': a}, otherwise: keep}",
			"fields.no.otherwise", "say the same"},
		{"empty column", "{column: No, required: true}", "{column: ' '}", ":7: fields.no", "empty name"},
		{"field type", "type: time,", "type: date,", ":8: fields.at.type", "text, time, number, phone"},
		{"time without formats", `, formats: ["yyyy-MM-dd HH:mm:ss"]`, "", ":8: fields.at.formats", "lists no formats"},
		{"format", "yyyy-MM-dd HH:mm:ss", "yyyy-mm-dd HH:mm:ss", ":8: fields.at.formats[0]", "twice"},
		{"formats of a text", "{column: No, required: true}", "{column: No, follows: at}", ":7: fields.no", "type: time"},
		{"follows nothing", "required: true}\nevents", "follows: x}\nevents", ":8: fields.at.follows", "no field"},
		{"follows a text", "required: true}\nevents", "follows: no}\nevents", ":8: fields.at.follows", "no time"},
		{"follows itself", "required: true}\nevents", "follows: at}\nevents", ":8: fields.at.follows", "circle"},
		{"rolls after nothing", "required: true}\nevents", "roll_day: true}\nevents", ":8: fields.at.roll_day",
			"needs follows"},
		{"otherwise without values", "{column: No, required: true}", "{column: No, otherwise: keep}",
			":7: fields.no.otherwise", "needs values"},
		{"values of a time", "required: true}\nevents", "values: {a: b}}\nevents", ":8: fields.at", "type: text"},
		{"decimal", "{column: No, required: true}", "{column: No, decimal: x}", ":7: fields.no.decimal", "decimal sign"},
		{"event type", "call.received", "call.recieved", ":10: events[0].type", "no type of event"},
		{"heartbeat", "call.received", "feed.heartbeat", ":10: events[0].type", "no type of event"},
		{"subject of another kind", "call/{no}", "ticket/{no}", ":11: events[0].subject", "call/{field}"},
		{"subject without field", "call/{no}", "call/1", ":11: events[0].subject", "same case"},
		{"unknown field in a template", "call/{no}", "call/{nr}", ":11: events[0].subject", `no field "nr"`},
		{"open brace", "call/{no}", "'call/{no'", ":11: events[0].subject", "not closed"},
		{"stray brace", "call/{no}", "'call/{no}}'", ":11: events[0].subject", ""},
		{"id without field", "time: at\n", "time: at\n    id: same\n", ":13: events[0].id", "same id"},
		{"time that is none", "time: at\n", "time: no\n", ":12: events[0].time", "is no time"},
		{"pick without need", "time: at\n", "time: at\n    pick: latest\n", ":13: events[0].pick", "several"},
		{"pick missing", "center: c1", "center: c1\ntable: {rows_per_case: several}", "events[0].pick", "earliest"},
		{"condition on nothing", "time: at\n", "time: at\n    when: [{field: x, empty: true}]\n",
			":13: events[0].when[0].field", "no field"},
		{"empty condition", "time: at\n", "time: at\n    when: [{field: no}]\n", ":13: events[0].when[0]", "exactly one"},
		{"two conditions in one", "time: at\n", "time: at\n    when: [{field: no, equals: a, in: [b]}]\n", "when[0]",
			"exactly one"},
		{"comparing a time", "time: at\n", "time: at\n    when: [{field: at, equals: a}]\n", "when[0]", "compare texts"},
		{"unknown data key", "time: at\n", "time: at\n    data: {klass: normal}\n", "events[0].data.klass", "attributes"},
		{"center in data", "time: at\n", "time: at\n    data: {center: x}\n", "events[0].data.center", "no key"},
		{"class that is none", "time: at\n", "time: at\n    data: {class: hoax}\n", "events[0].data.class", "prank_palsu"},
		{"class from a free column", "time: at\n", "time: at\n    data: {class: '{no}'}\n", "events[0].data.class",
			"value map"},
		{"latitude that is none", "time: at\n", "time: at\n    data: {lat: 91}\n", "events[0].data.lat", "-90 and 90"},
		{"number from a text", "time: at\n", "time: at\n    data: {lat: '{no}'}\n", "events[0].data.lat", "type number"},
		{"due from a text", "time: at\n", "time: at\n    data: {due: '{no}'}\n", "events[0].data.due", "type time"},
		{"caller from a text", "time: at\n", "time: at\n    data: {caller: '{no}'}\n", "events[0].data.caller", "type phone"},
		{"caller as a constant", "time: at\n", "time: at\n    data: {caller: '081'}\n", "events[0].data.caller",
			"single field"},
		{"list for a text", "time: at\n", "time: at\n    data: {opd: [a, b]}\n", "events[0].data.opd", "one text"},
		{"attribute named as a key", "time: at\n", "time: at\n    attributes: {opd: a}\n", "events[0].attributes.opd",
			"no name"},
		{"number in an id", "{column: No, required: true}", "{column: No, type: phone}", ":11: events[0].subject",
			"data.caller"},
		{"alias", "center: c1", "center: &a c1\ndescription: *a", ":4:", "anchors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(plain, c.old, c.new, 1)
			if text == plain {
				t.Fatal("the case changes nothing")
			}
			_, err := Parse("m.yaml", []byte(text))
			if c.want == "" {
				return
			}
			var problems yamlfile.Problems
			if err == nil || !errors.As(err, &problems) || !strings.Contains(err.Error(), c.line) ||
				!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "m.yaml") {
				t.Errorf("got %v\nwant %q and %q", err, c.line, c.want)
			}
		})
	}
}

func TestMappingTellsAllFaultsAtOnce(t *testing.T) {
	text := strings.NewReplacer("America/New_York", "X", "call.received", "x", "time: at", "time: x").Replace(plain)
	_, err := Parse("m.yaml", []byte(text))
	if err == nil || strings.Count(err.Error(), "m.yaml:") < 2 {
		t.Errorf("got %v, want several faults", err)
	}
}

func TestLoad(t *testing.T) {
	inside := fstest.MapFS{"defaults/mappings/one.yaml": {Data: []byte(plain)}}
	if m, err := Load("one", inside); err != nil || m.Name != "t" {
		t.Errorf("by name: %v, %v", m, err)
	}
	path := t.TempDir() + "/mine.yaml"
	if err := os.WriteFile(path, []byte(plain), 0o600); err != nil {
		t.Fatal(err)
	}
	if m, err := Load(path, inside); err != nil || m.Name != "t" {
		t.Errorf("by path: %v, %v", m, err)
	}
	if _, err := Load("two", inside); err == nil || !strings.Contains(err.Error(), "one") {
		t.Errorf("unknown name: %v, want the names there are", err)
	}
}

// Every mapping that is shipped is good, has the name of its file and says what it is.
func TestShippedMappings(t *testing.T) {
	names := Builtin(deploy.Defaults)
	if len(names) < 4 {
		t.Fatalf("found %v", names)
	}
	for _, n := range names {
		m, err := Load(n, deploy.Defaults)
		if err != nil {
			t.Errorf("%s: %v", n, err)
			continue
		}
		if m.Name != n || m.Description == "" {
			t.Errorf("%s calls itself %q, %q", n, m.Name, m.Description)
		}
	}
}

// Whatever a mapping and a table say: no panic, and of each row all events or none, well formed and with ids of their
// own.
func FuzzMapping(f *testing.F) {
	paths, err := fs.Glob(deploy.Defaults, "defaults/mappings/*.yaml")
	if err != nil || len(paths) == 0 {
		f.Fatal(paths, err)
	}
	for _, p := range paths {
		text, err := fs.ReadFile(deploy.Defaults, p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "a,b\n1,2\n")
	}
	f.Add(plain, "No,At\n1,2026-01-01 00:00:00\n2,x\n3,2015-03-08 02:30:00\n")
	f.Add(strings.Replace(plain, "time: at", "time: at\n    data: {lat: '1', calls: ['{no}', x]}", 1),
		"title\nNo;At\n\"a\"\"b\";2015-11-01 01:30:00\n")
	f.Fuzz(func(t *testing.T, mapping, table string) {
		m, err := Parse("m.yaml", []byte(mapping))
		if err != nil {
			return
		}
		rows, err := m.Layout().CSV("f", strings.NewReader(table), tabular.Limits{RowBytes: 1 << 10})
		if err != nil {
			return
		}
		mp := m.NewMapper(m.Bind(rows.Header))
		for {
			row, err := rows.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				continue
			}
			events, refused := mp.Apply(row)
			if (refused == nil) == (len(events) == 0) {
				t.Fatalf("row %d: %d events and %v", row.Line, len(events), refused)
			}
			ids := map[string]bool{}
			for _, e := range events {
				var out struct {
					ID, Source, Type, Subject, Time string
					Data                            map[string]any
				}
				if err := json.Unmarshal(e.JSON, &out); err != nil {
					t.Fatalf("%v: %s", err, e.JSON)
				}
				if out.ID == "" || len(e.ID) > maxIDBytes || ids[e.ID] || out.Time == "" || out.Data["center"] == nil {
					t.Fatalf("%s", e.JSON)
				}
				ids[e.ID] = true
			}
		}
	})
}
