package e2e

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
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
