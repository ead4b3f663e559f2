package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tickets is a mapping of exports with a ticket a row; done is the column that it takes for the resolution.
func ticketMapping(source, done string) string {
	return `version: 1
name: ` + source + `
source: import/` + source + `
center: "35.15"
timezone: Asia/Jakarta
fields:
  no: {column: No, required: true}
  at: {column: Dibuka, type: time, formats: ["yyyy-MM-dd HH:mm"], required: true}
  done: {column: ` + done + `, type: time, formats: ["yyyy-MM-dd HH:mm"], optional: true}
  opd: {column: OPD}
events:
  - {type: ticket.opened, subject: "ticket/{no}", time: at, data: {category: pju, priority: non_darurat}}
  - {type: ticket.assigned, subject: "ticket/{no}", time: at, data: {opd: "{opd}"}}
  - {type: ticket.resolved, subject: "ticket/{no}", time: done}
`
}

// office is a service with one key, and the commands that people run against it.
type office struct {
	*service
	t           *testing.T
	dir, secret string
}

// ok runs a command that must succeed and returns what it says.
func (o *office) ok(args ...string) string {
	o.t.Helper()
	out, errs, code := o.run(append(args, "--server", "http://"+o.addr, "--key-file", filepath.Join(o.dir, "key"))...)
	if code != 0 {
		o.t.Fatalf("%v exits with %d:\n%s%s", args, code, out, errs)
	}
	return out + errs
}

// write writes a file of the office and returns its path.
func (o *office) write(name, text string) string {
	o.t.Helper()
	path := filepath.Join(o.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return path
}

func (o *office) get(path string) string {
	o.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+o.addr+path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.secret)
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return string(body)
}

// says holds an answer against what it must and must not say.
func (o *office) says(what, out string, want ...string) {
	o.t.Helper()
	for _, w := range want {
		if not, hide := strings.CutPrefix(w, "!"); strings.Contains(out, not) == hide {
			o.t.Errorf("%s: want %q in\n%s", what, w, tail(out, 3000))
		}
	}
}

// standing waits until everything is shipped and compares the tickets that count: id, state.
func (o *office) standing(what string, want ...string) {
	o.t.Helper()
	o.shipped()
	const sql = "SELECT concat(id, ' ', state) FROM tickets_now ORDER BY id"
	if got := o.query(sql); got != strings.Join(want, "\n") {
		o.t.Errorf("%s: tickets\n%s\nwant\n%s", what, got, strings.Join(want, "\n"))
	}
}

// TestAMistakenImportIsTakenBack imports a month with a mistaken mapping, as a user would, freezes it, takes it back by
// day and whole, confirms the open ticket, and imports it again; then an export that is corrected twice, a mapping that
// makes less, and the same through a drop folder.
func TestAMistakenImportIsTakenBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := &office{t: t, dir: dir}
	in := filepath.Join(dir, "masuk")
	if err := os.Mkdir(in, 0o750); err != nil {
		t.Fatal(err)
	}
	right := o.write("right.yaml", ticketMapping("crm", "Selesai"))
	o.write("folder.yaml", ticketMapping("folder", "Selesai"))
	config := o.write("monev112.yaml", "drop:\n  - {folder: masuk, mapping: "+filepath.Join(dir, "folder.yaml")+
		", withdraw: true}\n")
	o.service = newService(t, "--config", config)
	if err := os.MkdirAll(o.service.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	secret, errs, code := o.run("key", "create", "Siti", "--data", o.service.dir, "--scope", "admin,board:read,events:write")
	if code != 0 {
		t.Fatalf("no key can be made: %s", errs)
	}
	o.secret = strings.TrimSpace(secret)
	o.write("key", o.secret)
	o.start()
	if !o.ready() || !o.until("the board is complete", func() bool { return o.metric("monev112_board_complete") == 1 }) {
		t.Fatal("the service ended")
	}

	// The mapping takes the wrong column for the resolution: two tickets are on time that were late, one stays open.
	march := o.write("maret.csv", "No,Dibuka,Dicetak,Selesai,OPD\n"+
		"A,2025-03-03 09:00,2025-03-03 10:00,2025-03-28 10:00,Dishub\n"+
		"B,2025-03-04 09:00,2025-03-04 10:00,2025-03-28 11:00,Dishub\n"+
		"C,2025-03-05 09:00,,2025-03-28 12:00,Dishub\n")
	o.ok("import", "--mapping", o.write("wrong.yaml", ticketMapping("crm", "Dicetak")), march)
	o.standing("the mistaken import", "A resolved", "B resolved", "C assigned")
	const onTime = `SELECT numerator, denominator FROM monev_on_time(since = '2025-03-01', until = '2025-04-01', step = 'all')
		WHERE clock = 'resolve' AND opd = 'dishub'`
	if got := o.query(onTime); got != "2\t3" {
		t.Errorf("on time: %q", got)
	}
	o.ok("freeze", "--month", "2025-03")

	withdraw := []string{"withdraw", "--source", "import/crm"}
	o.says("the dry run", o.ok(append(withdraw, "--dry-run")...), "8 events of 3 calls and tickets",
		"from 2025-03-03 09:00 to 2025-03-05 09:00 WIB", "ticket.opened", "ticket.resolved", "nothing was taken back")
	o.standing("after the dry run", "A resolved", "B resolved", "C assigned")
	o.says("a source that nobody has", o.ok("withdraw", "--source", "import/none", "--yes"), "nothing to take back")
	if _, errs, code := o.run(append(withdraw, "--server", "http://"+o.addr)...); code == 0 {
		t.Errorf("without a key: %d %s", code, errs)
	}

	day := append(withdraw, "--since", "2025-03-04", "--until", "2025-03-05", "--yes")
	o.says("a day", o.ok(day...), "3 events of 1 calls and tickets", "taken back: 3 events")
	o.standing("without the day", "A resolved", "C assigned")
	o.says("the day again", o.ok(day...), "nothing to take back")
	o.says("the rest", o.ok(append(withdraw, "--yes")...), "5 events of 2 calls and tickets", "taken back: 5 events")
	o.standing("taken back whole")
	o.says("once more", o.ok(append(withdraw, "--yes")...), "nothing to take back", "!taken back:")
	if got := o.query(onTime); got != "" {
		t.Errorf("on time of nothing: %q", got)
	}
	// Nothing is deleted; the month says what changed; a rebuild and the board say the same.
	o.says("the events", o.query("SELECT count(), countIf(type = 'event.withdrawn') FROM events_now WHERE source = 'import/crm' "+
		"AND subject_kind = 'ticket'"), "16\t8")
	o.says("the freeze", o.ok("freeze", "--report", "--month", "2025-03"), "on_time", "clock=resolve,opd=dishub")
	o.says("a rebuild", o.ok("rebuild"), "Nothing changed")
	o.says("the board", o.get("/v1/tickets"), `"id":"C"`, "opening_withdrawn", "event_withdrawn", `!"id":"A"`)
	o.says("the ticket", o.get("/v1/tickets/A"), "event_withdrawn", `"voided":true`, "event.withdrawn")
	o.says("another restart of the same", func() string {
		if code := o.stop(); code != 0 {
			t.Errorf("the service stops with %d", code)
		}
		o.start()
		if !o.ready() || !o.until("the board is complete", func() bool { return o.metric("monev112_board_complete") == 1 }) {
			t.Fatal("the service ended")
		}
		return o.get("/v1/tickets")
	}(), `"id":"C"`, "opening_withdrawn", `!"id":"A"`)

	o.says("the confirmation", o.ok("withdraw", "confirm", "C"), "C: confirmed, it never was")
	o.says("again", o.ok("withdraw", "confirm", "C"), "C: nothing to confirm")
	if _, errs, code := o.run("withdraw", "confirm", "Z", "--server", "http://"+o.addr, "--key-file",
		filepath.Join(dir, "key")); code == 0 {
		t.Errorf("a ticket that never was is confirmed: %s", errs)
	}
	o.says("the board after it", o.get("/v1/tickets"), `"tickets":[]`)
	o.standing("after the confirmation")
	audit, err := os.ReadFile(filepath.Join(o.service.dir, "audit", "reads.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"action":"withdraw"`, `"action":"confirm"`, `"name":"Siti"`, `"id":"C"`} {
		o.says("the record", string(audit), want)
	}

	// The right mapping sends all of it anew.
	o.ok("import", "--mapping", right, march)
	o.standing("imported again", "A resolved", "B resolved", "C resolved")
	if got := o.query(onTime); got != "0\t3" {
		t.Errorf("on time after all: %q", got)
	}
	o.says("a rebuild", o.ok("rebuild"), "Nothing changed")

	// An emptied cell is withdrawn by itself; a row that vanished is named and, when asked, taken back.
	second := o.write("maret-2.csv", "No,Dibuka,Dicetak,Selesai,OPD\n"+
		"A,2025-03-03 09:00,,,Dishub\nC,2025-03-05 09:00,,2025-03-28 12:00,Dishub\n")
	o.says("the corrected export", o.ok("import", "--mapping", right, second), "1 events were withdrawn", "empty cell",
		"3 events of earlier imports", "1 ticket.assigned, 1 ticket.opened, 1 ticket.resolved", "ticket/B.opened")
	o.standing("with a row that vanished", "A assigned", "B resolved", "C resolved")
	o.says("taken back", o.ok("import", "--mapping", right, "--withdraw", second), "taking back 3 events",
		"1 ticket.assigned, 1 ticket.opened, 1 ticket.resolved", "were withdrawn")
	o.standing("without the row", "A assigned", "C resolved")
	o.says("once more", o.ok("import", "--mapping", right, "--withdraw", second), "0 accepted", "!taking back")
	// A mapping that makes less says so, and takes back when asked.
	less := o.write("less.yaml", strings.ReplaceAll(ticketMapping("crm", "Selesai"),
		"  - {type: ticket.resolved, subject: \"ticket/{no}\", time: done}\n", ""))
	o.says("a changed mapping", o.ok("import", "--mapping", less, second), "1 events of earlier imports", "1 ticket.resolved")
	o.standing("until asked", "A assigned", "C resolved")
	o.ok("import", "--mapping", less, "--withdraw", second)
	o.standing("by the changed mapping", "A assigned", "C assigned")

	// The same through the drop folder.
	put := func(name, text string) string {
		t.Helper()
		o.write(filepath.Join("masuk", name+".part"), text)
		if err := os.Rename(filepath.Join(in, name+".part"), filepath.Join(in, name)); err != nil {
			t.Fatal(err)
		}
		report := filepath.Join(in, "done", name+".report.txt")
		if !o.until(name+" is done", func() bool { _, err := os.Stat(report); return err == nil }) {
			t.Fatal("the service ended")
		}
		said, err := os.ReadFile(report)
		if err != nil {
			t.Fatal(err)
		}
		return string(said)
	}
	row := func(no, done string) string {
		return fmt.Sprintf("%s,2025-04-0%c 09:00,%s,Dishub\n", no, no[1], done)
	}
	const header = "No,Dibuka,Selesai,OPD\n"
	put("april.csv", header+row("D1", "2025-04-08 10:00")+row("D2", "2025-04-08 10:00")+row("D3", "2025-04-08 10:00"))
	o.standing("the folder", "A assigned", "C assigned", "D1 resolved", "D2 resolved", "D3 resolved")
	o.says("the report", put("april-2.csv", header+row("D1", "")+row("D3", "2025-04-08 10:00")), "empty cell",
		"taking back 3 events")
	o.standing("its later edition", "A assigned", "C assigned", "D1 assigned", "D3 resolved")
	o.ok("withdraw", "--source", "import/folder", "--yes")
	o.standing("the folder's source taken back", "A assigned", "C assigned")
	put("april-3.csv", header+row("D1", "")+row("D3", "2025-04-08 10:00"))
	o.standing("the same content in the folder", "A assigned", "C assigned", "D1 assigned", "D3 resolved")
	o.says("a rebuild", o.ok("rebuild"), "Nothing changed")
}
