package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/monev112/monev112/collector/web"
)

// numbers are callers; each is written in every spelling and put in every field.
var numbers = []string{"81297531864", "85786429173", "89913572468"}

// spellings are the ways in which people and programs write an Indonesian mobile number n, given without its 0.
func spellings(n string) []any {
	return []any{
		"0" + n, "+62" + n, "62" + n, "0062" + n, n, "tel:+62" + n, "+62 (0)" + n, "0" + n + ".0",
		fmt.Sprintf("0%s-%s-%s", n[:3], n[3:7], n[7:]), fmt.Sprintf("+62 %s %s %s", n[:3], n[3:7], n[7:]),
		fmt.Sprintf("(0%s) %s.%s", n[:3], n[3:7], n[7:]), fmt.Sprintf("0%s/%s/%s", n[:3], n[3:7], n[7:]),
		"0" + n + " ext 12", "hp 0" + n, "8," + n[1:] + "E+10", // refused
		jsonNumber("62" + n), jsonNumber(n), jsonNumber(n + ".0"), // refused
	}
}

type jsonNumber string

func (n jsonNumber) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// hides finds a number in any spelling, and its last eight digits alone.
func hides(n string) *regexp.Regexp {
	return regexp.MustCompile(strings.Join(strings.Split(n, ""), `[ ()./,-]{0,2}`) + "|" + n[len(n)-8:])
}

var logTime = regexp.MustCompile(`\\?"time\\?":\\?"[^"]*"`)

// TestNumbersStandNowhere sends callers in every spelling, and numbers where none belong; then it looks for them in
// every file, table, log line, metric and answer.
func TestNumbersStandNowhere(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "monev112.yaml")
	if err := os.WriteFile(config, []byte("attributes: [note, vehicle]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newService(t, "--config", config, "--log-level", "debug", "--log-format", "json").start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	var said bytes.Buffer // every answer

	id := 0
	next := func() string { id++; return fmt.Sprintf("p-%d", id) }
	var accepted, refused int
	var waiting []string
	post := func(lines ...string) { waiting = append(waiting, lines...) }
	flush := func() {
		t.Helper()
		a, _, text := s.send(ndjson, "", []byte(strings.Join(waiting, "\n")))
		said.WriteString(text)
		accepted, refused, waiting = accepted+a.Accepted, refused+len(a.Rejected), nil
	}
	for _, n := range numbers {
		for _, spelled := range spellings(n) {
			post(line(next(), fields{"data": fields{"caller": spelled, "kecamatan": "Waru"}}))
			// The same in an event that is refused for something else.
			post(line(next(), fields{"type": "monev112.call.lost", "data": fields{"caller": spelled, "agent": "a b"}}))
			text, ok := spelled.(string)
			if !ok {
				continue
			}
			for _, field := range []string{
				"agent", "queue", "position", "channel", "class", "category", "priority", "opd", "kecamatan", "reason", "result",
				"master", "due", "center", "replaces", "note", "vehicle", "free_text", text,
			} {
				post(line(next(), fields{"data": fields{field: text}}))
			}
			post(line(next(), fields{"data": fields{"note": "pelapor " + text + " minta dihubungi", "calls": []string{text}}}))
			for _, field := range []string{"id", "source", "subject", "time", "type", "datacontenttype", "extension"} {
				post(line(next(), fields{field: text}))
			}
			post(line(next(), fields{"subject": "call/" + text}), line(next(), fields{"id": "x-" + text}),
				line(next(), fields{"source": "/pbx/" + url.PathEscape(text)}))
			post(`{"id":"`+text+`",`, `"`+text, line(next(), fields{"data": fields{"a": fields{"b": fields{"c": text}}}}))
		}
	}
	flush()
	if accepted < 50 || refused < 500 {
		t.Fatalf("%d accepted, %d refused: the test sends too little", accepted, refused)
	}
	s.shipped()

	get := func(path string) {
		t.Helper()
		r, err := http.Get("http://" + s.addr + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&said, "%s %v %s\n", path[:min(len(path), 12)], r.Header, text)
	}
	for _, path := range []string{
		"/metrics", "/v1/board", "/v1/tickets", "/v1/review", "/v1/calls/p-1", "/v1/calls/p-1?lang=en", "/openapi.yaml",
	} {
		get(path)
	}
	for _, n := range numbers { // an address of ours is logged by its pattern, never as it was asked for
		get("/v1/calls/0" + n)
		get("/v1/tickets/+62" + n)
		get("/v1/tickets?opd=0" + n)
		get("/nothing/0" + n)
	}

	tables := map[string]string{}
	for table := range strings.Lines(s.query("SHOW TABLES")) {
		table = strings.TrimSpace(table)
		// else a view with parameters
		if out, err := s.tryQuery("SELECT * FROM " + table + " FORMAT JSONEachRow"); err == nil {
			tables[table] = out
		}
	}
	for _, must := range []string{"events", "calls", "tickets", "events_now", "calls_now"} {
		if _, ok := tables[must]; !ok {
			t.Errorf("table %s cannot be read", must)
		}
	}
	if !strings.Contains(tables["events"], `"caller_last3":"864"`) ||
		s.query("SELECT uniqExact(caller_key) FROM events_now WHERE caller_key != ''") != fmt.Sprint(len(numbers)) {
		t.Errorf("the spellings of a number are not one caller: %s",
			s.query("SELECT caller_last3, count(), uniqExact(caller_key) FROM events_now WHERE caller_key != '' GROUP BY 1"))
	}
	if code := s.stop(); code != 0 { // which writes the checkpoint
		t.Errorf("exit code %d", code)
	}
	inspected, _, _ := s.run("journal", "inspect", "--json", "--data", s.dir)
	listed, _, _ := s.run("journal", "list", "refused", "--data", s.dir)
	if !strings.Contains(inspected, `"last3":"864"`) || strings.Count(listed, "\n") != refused {
		t.Errorf("the journal or the quarantine holds too little: %d refused, %d listed", refused,
			strings.Count(listed, "\n"))
	}

	look := func(where string, text []byte) {
		t.Helper()
		for _, n := range numbers {
			if at := hides(n).FindIndex(text); at != nil {
				t.Errorf("%s holds %s: ...%q...", where, n, text[max(0, at[0]-80):min(len(text), at[1]+40)])
			}
		}
	}
	look("an answer", said.Bytes())
	look("the log", logTime.ReplaceAll([]byte(s.log.String()), nil))
	look("journal inspect", []byte(inspected))
	look("journal list", []byte(listed))
	for table, text := range tables {
		look("table "+table, []byte(text))
	}
	files, bytesRead := 0, 0
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files, bytesRead = files+1, bytesRead+len(text)
		look(path, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Callers' keys, and everything that could be joined with them, is not for other users.
	for _, name := range []string{".", "caller-keys", "journal", "quarantine"} {
		info, err := os.Stat(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("other users may read %s: %v", name, info.Mode())
		}
	}
	t.Logf("%d events accepted, %d refused; looked into %d files of %d bytes, %d tables, %d bytes of answers, %d of logs",
		accepted, refused, files, bytesRead, len(tables), said.Len(), len(s.log.String()))
}

// victim is a place that must be forgotten, and witness one that may stay: where the witness is found the search works.
var (
	victim  = [2]float64{-7.4472165, 112.7183295}
	witness = [2]float64{-7.3960413, 112.7288671}
)

// holdsPlace reports whether one of the two coordinates stands in a text, as digits or as a Float64 of 8 bytes.
func holdsPlace(text []byte, place [2]float64) bool {
	return slices.ContainsFunc(place[:], func(d float64) bool {
		bits := make([]byte, 8)
		for i := range bits {
			bits[i] = byte(math.Float64bits(d) >> (8 * i))
		}
		return bytes.Contains(text, bits) || bytes.Contains(text, []byte(strconv.FormatFloat(d, 'f', 5, 64)[:8]))
	})
}

// TestAVictimsPlaceStandsNowhere: a ticket with an exact place turns out to be a case of violence at home. Its place is
// gone from answers, pages, metrics and tables, from the files of their parts, and, once the segment of its events has
// aged out, from journal, checkpoint and a new backup; so are the words of an address, a number and a name that came in
// fields where they do not belong. The place of another ticket is found in all of them by the same search.
//
// ClickHouse compresses its files: a number of 8 bytes that comes once stands in them as it is, which the witness shows.
func TestAVictimsPlaceStandsNowhere(t *testing.T) {
	t.Parallel()
	s := newAging(t)
	pages := filepath.Join(t.TempDir(), "monev112.yaml")
	if err := os.WriteFile(pages, fmt.Appendf(nil, "pages: {public_url: 'http://%s'}\n", s.addr), 0o600); err != nil {
		t.Fatal(err)
	}
	s.args = []string{"--config", pages, "--log-level", "debug", "--log-format", "json"}
	s.start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	words := []string{"Mawar", "081297531864", "Rahayu"} // of an address, of a caller, of a name
	n := 0
	post := func(kind, subject string, data fields) {
		t.Helper()
		n++
		text := line(fmt.Sprint("v-", n), fields{"type": "monev112." + kind, "subject": subject, "data": data,
			"time": s.now().UTC().Format(time.RFC3339Nano)})
		if a, status, said := s.send(ndjson, "", []byte(text)); status != http.StatusOK || a.Accepted != 1 {
			t.Fatalf("%d: %s", status, said)
		}
	}
	place := func(p [2]float64) fields {
		return fields{"category": "kecelakaan", "kecamatan": "Sidoarjo", "lat": p[0], "lon": p[1], "calls": []string{"v"}}
	}
	post("call.received", "call/v", fields{"caller": words[1]})
	post("ticket.opened", "ticket/v", place(victim))
	post("ticket.opened", "ticket/w", fields{"category": "kecelakaan", "kecamatan": "Sidoarjo", "lat": witness[0],
		"lon": witness[1]})
	post("ticket.assigned", "ticket/v", fields{"opd": "dp3akb", "reason": "Jl. " + words[0] + " 12",
		"note": "pelapor " + words[2] + ", Jl. " + words[0]})
	post("agent.state", "agent/1", fields{"agent": "Siti " + words[2] + " " + words[1], "result": "available"})
	s.shipped()
	if !holdsPlace([]byte(s.query("SELECT lat, lon FROM events WHERE subject = 'v'")), victim) {
		t.Fatal("the place is not stored while nothing forbids it")
	}
	post("ticket.opened", "ticket/v", fields{"category": "kdrt", "replaces": "v-2", "calls": []string{"v"}})
	s.shipped()

	exact := func(where string, text []byte, witnessed bool) {
		t.Helper()
		if holdsPlace(text, victim) {
			t.Errorf("%s holds the victim's place", where)
		}
		for _, w := range words {
			if bytes.Contains(text, []byte(w)) {
				t.Errorf("%s holds %q", where, w)
			}
		}
		if witnessed && !holdsPlace(text, witness) {
			t.Errorf("%s does not hold the place that may stay: the search is no good", where)
		}
	}
	tables := func() []byte {
		t.Helper()
		var all bytes.Buffer
		for table := range strings.Lines(s.query("SELECT database || '.' || name FROM system.tables WHERE database = " +
			"'monev112' AND engine NOT LIKE '%View' OR database = 'system' AND name LIKE '%\\_log'")) {
			all.WriteString(s.query("SELECT * FROM " + strings.TrimSpace(table) + " FORMAT JSONEachRow"))
		}
		return all.Bytes()
	}
	s.until("the place is taken out of the tables", func() bool { return !holdsPlace(tables(), victim) })
	exact("a table", tables(), true)
	// The files of parts that were replaced go some minutes later, by ClickHouse's own rule: they are passed over.
	replaced := func() (names []string) {
		return strings.Fields(s.query("SELECT name FROM system.parts WHERE database = 'monev112' AND NOT active"))
	}
	folder := func(skip ...string) (all []byte) {
		t.Helper()
		err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && d.IsDir() && (slices.Contains(skip, d.Name()) || strings.HasPrefix(d.Name(), "delete_tmp_")) {
				return filepath.SkipDir
			}
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			b, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) { // a part that was merged meanwhile
				return nil
			}
			all = append(all, b...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	exact("ClickHouse's folder", folder(append(replaced(), "journal")...), true)

	links, err := web.NewLinks(web.LinkConfig{PublicURL: "http://" + s.addr, File: filepath.Join(s.dir, "link-keys.json")},
		time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	for _, url := range []string{
		"/metrics", "/v1/board", "/v1/tickets", "/v1/tickets/v", "/v1/tickets/w", "/v1/calls/v",
		links.List("35.15", "dp3akb", s.now()), links.Ticket("35.15", "dp3akb", "v", s.now()),
	} {
		if strings.HasPrefix(url, "/") {
			url = "http://" + s.addr + url
		}
		var status int
		var text []byte
		s.until(url+" is answered", func() bool { // 503: ClickHouse has no time
			r, err := http.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			status = r.StatusCode
			text, err = io.ReadAll(r.Body)
			return err == nil && status != http.StatusServiceUnavailable
		})
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", url, status, text)
		}
		said.Write(text)
	}
	exact("an answer", said.Bytes(), true)

	// The segment of the events ages out: it closes after a day, and is deleted a day after it was shipped.
	if !holdsPlace(folder("clickhouse"), victim) {
		t.Error("the journal does not hold what was sent: what follows shows nothing")
	}
	for range 2 {
		s.age(30)
		post("call.received", fmt.Sprint("call/later", n), nil)
		s.shipped()
		if code := s.stop(); code != 0 { // which writes a checkpoint
			t.Fatalf("exit code %d", code)
		}
		if s.start(); !s.ready() {
			t.Fatal("the service ended")
		}
	}
	post("call.received", "call/near", nil)
	s.shipped() // nothing is deleted by a clock that was not seen to run for a while
	s.age(1)
	post("call.received", "call/last", nil)
	if !s.until("the segment is deleted", func() bool { return !holdsPlace(folder("clickhouse"), victim) }) {
		t.Fatal("the service ended")
	}
	to := filepath.Join(t.TempDir(), "backup")
	if out, code, _ := s.tool("", "backup", "--data", s.dir, "--to", to); code != 0 {
		t.Fatalf("backup exits with %d: %s", code, out)
	}
	exact("a backup", unpacked(t, to), true)
	exact("the data folder", folder(replaced()...), true)
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	exact("the data folder without the tables", folder("clickhouse"), false)
	exact("the log", logTime.ReplaceAll([]byte(s.log.String()), nil), false)
}

// unpacked is the content of a folder's files, those that are packed unpacked.
func unpacked(t *testing.T, folder string) (all []byte) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		var r io.Reader = f
		if strings.HasSuffix(path, ".zst") {
			z, err := zstd.NewReader(f)
			if err != nil {
				return err
			}
			defer z.Close()
			r = z
		}
		b, err := io.ReadAll(r)
		all = append(all, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
