package importer

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/deploy"
)

// proposed is the mapping that map would write for a file, and what it says.
func proposed(t *testing.T, file string) (*mapping.Mapping, mapping.Proposal) {
	t.Helper()
	p, err := mapping.Propose(t.Context(), mapping.ProposeOptions{
		File: file, Name: "x", Source: "x", Center: "35.15", Timezone: "Asia/Jakarta",
		Directory: directory.MustLoad("directory.yaml", deploy.Directory),
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.Parse("x.yaml", []byte(p.YAML))
	if err != nil {
		t.Fatal(err)
	}
	return m, p
}

// said imports a case by its own proposal and returns, of each event, subject, type, local time of day and data.
func said(t *testing.T, m *mapping.Mapping, file string) (string, Summary) {
	t.Helper()
	var events bytes.Buffer
	sum, err := Import(t.Context(), Options{Mapping: m, Files: []string{file}, Events: &events})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(events.String()) {
		part := func(key string) string {
			_, rest, _ := strings.Cut(line, `"`+key+`":"`)
			value, _, _ := strings.Cut(rest, `"`)
			return value
		}
		_, data, _ := strings.Cut(line, `"data":{"center":"35.15"`)
		out = append(out, part("subject")+" "+strings.TrimPrefix(part("type"), "monev112.")+" "+part("time")[5:19]+
			strings.TrimSuffix(strings.TrimSpace(data), "}}"))
	}
	return strings.Join(out, "\n"), sum
}

// The cases that offices have brought, one after the other, each with what is right.
func TestCasesOfOffices(t *testing.T) {
	for file, want := range map[string]string{
		"cr-only.csv": "call/C-1 call.received 03-02T03:00:05,\"channel\":\"phone\",\"kecamatan\":\"Waru\"\n*call/C-2 " +
			"call.received 03-02T04:00:00*class\":\"prank\"",
		"text-guard.csv": `call/0234 call.received 03-02T03:00:00,"caller":"*********890"*`,
		"day-fractions.csv": "call/A-1 call.received 02-28T05:00:00*call/A-1 call.answered 02-28T05:01:00*" +
			"call/A-2 call.received 02-27T23:00:00*call/A-2 call.answered 02-27T23:01:00*",
		"answer-before-received.csv": "call/R9-1 call.received 03-02T03:00:05*call/R9-1 call.answered 03-02T03:00:03*" +
			"call/R9-2 call.ended 03-02T03:59:58*",
		"ticket-export.csv": `ticket/T-1 ticket.opened 10-05T01:00:00,"category":"PJU","kecamatan":"Waru"` + "\n" +
			`ticket/T-1 ticket.assigned 10-05T01:04:00,"opd":"Dishub"` + "\n" + "ticket/T-1 ticket.acknowledged " +
			"10-05T01:20:00\n" +
			"ticket/T-1 ticket.arrived 10-05T03:00:00\nticket/T-1 ticket.resolved 10-05T04:30:00\n*",
		"export-of-another-112.csv": `call/112-250101-0001 call.received 01-01T00:30:00,*"kecamatan":"Waru"` + "\n" +
			"call/112-250101-0001 call.ended 01-01T01:11:56\n" +
			`call/112-250101-0001 call.classified 01-01T01:11:56,"category":"Kebakaran","class":"normal"` +
			`*0002 *"class":"ghost"*0003 *"class":"prank"*0004 *"class":"ghost"*`,
		"base.xlsx": "*call.received*",
	} {
		t.Run(file, func(t *testing.T) {
			path := filepath.Join("testdata", "cases", file)
			m, _ := proposed(t, path)
			got, sum := said(t, m, path)
			if !fits(got, want) || sum.RefusedTotal() != 0 {
				t.Errorf("got\n%s\nwant\n%s\n%v", got, want, sum.FirstRefusals)
			}
			if back := sum.Notes.StepsBack; file == "answer-before-received.csv" && back == 0 {
				t.Error("the step back is not told")
			}
		})
	}
}

// fits reports whether a text holds the parts of a form in their order; * stands for any text.
func fits(text, form string) bool {
	parts := strings.Split(strings.ReplaceAll(form, "*********", "\x00"), "*")
	at := 0
	for i, part := range parts {
		part = strings.ReplaceAll(part, "\x00", "*********")
		n := strings.Index(text[at:], part)
		if n < 0 || i == 0 && n != 0 {
			return false
		}
		at += n + len(part)
	}
	return true
}

// A cell of a workbook that says its kind and has no value is empty: the events are those of the workbook without it.
func TestAnEmptyTypedCellChangesNothing(t *testing.T) {
	base := filepath.Join("testdata", "cases", "base.xlsx")
	m, _ := proposed(t, base)
	want, _ := said(t, m, base)
	odd := filepath.Join("testdata", "cases", "empty-typed-cell.xlsx")
	m, _ = proposed(t, odd)
	if got, _ := said(t, m, odd); got != want || got == "" {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// past is a case of November as one of January, before the tests' present.
func past(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "cases", file))
	if err != nil {
		t.Fatal(err)
	}
	return write(t, file, bytes.ReplaceAll(text, []byte("/11/2026"), []byte("/01/2026")))
}

// A file of calls carries no fact of a ticket's work: the collector is told, so that no clock that nobody can stop is
// judged.
func TestCallsOnlyCarryNoWork(t *testing.T) {
	path := past(t, "calls-only.csv")
	m, p := proposed(t, path)
	for _, typ := range []string{"ticket.acknowledged", "ticket.arrived", "ticket.resolved"} {
		if slices.Contains(m.Types(), typ) {
			t.Errorf("the proposal makes %s: %s", typ, p.YAML)
		}
	}
	d := newFakeCollector(t)
	if _, err := Import(t.Context(), options(t, d, p.YAML, path)); err != nil {
		t.Fatal(err)
	}
	beats := 0
	for _, e := range d.events {
		if e.Type.String() == "feed.heartbeat" {
			beats++
			if names := e.Carries; slices.Contains(names, "ticket.arrived") || !slices.Contains(names, "ticket.opened") {
				t.Errorf("carries %v", names)
			}
		}
	}
	if beats != 1 {
		t.Errorf("%d statements of what is carried", beats)
	}
}

// The same export corrected: an answer that was emptied is withdrawn, a class is corrected, a row that is gone is
// named, and taken back when asked.
func TestACorrectedExport(t *testing.T) {
	first, second := past(t, "corrected-first.csv"), past(t, "corrected-second.csv")
	_, p := proposed(t, first)
	d := newFakeCollector(t)
	o := options(t, d, p.YAML, first)
	o.State = t.TempDir()
	if _, err := Import(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	o.Files = []string{second}
	sum, err := Import(t.Context(), o)
	if err != nil || sum.Emptied != 1 || sum.Corrected != 1 || sum.Vanished == 0 ||
		!strings.Contains(strings.Join(sum.FirstVanished, " "), "call/C-3") {
		t.Fatalf("%v %+v", err, sum)
	}
	o.Withdraw = true
	if sum, err = Import(t.Context(), o); err != nil || sum.Withdrawn == 0 {
		t.Errorf("%v %+v", err, sum)
	}
}
