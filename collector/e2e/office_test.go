package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/xuri/excelize/v2"
)

var fences = regexp.MustCompile("(?s)```(sh|yaml)\n(.*?)```")

// blocks returns the fenced blocks of a document in one language.
func blocks(t *testing.T, document, language string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", document))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range fences.FindAllStringSubmatch(string(text), -1) {
		if m[1] == language {
			out = append(out, m[2])
		}
	}
	return out
}

// shell runs a block of a document as a reader does, in dir, against the service under test.
func (s *service) shell(dir, block string) (string, error) {
	s.t.Helper()
	needs(s.t, "sh", "curl")
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	block = strings.ReplaceAll(block, "127.0.0.1:8112", s.addr)
	block = strings.ReplaceAll(block, "127.0.0.1:8123", s.engine)
	block = strings.ReplaceAll(block, "monev112 import ", "monev112 import --server http://"+s.addr+" ")
	cmd := exec.Command("sh", "-c", block)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(path)+string(os.PathListSeparator)+os.Getenv("PATH"),
		"XDG_STATE_HOME="+filepath.Join(dir, "state"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// report is the file of the guides. With fixed, two rows are corrected and one is gone.
func report(t *testing.T, path string, fixed bool) {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	rows := [][]any{
		{"LAPORAN PANGGILAN 112"}, {"Periode: Februari 2023"}, {},
		{"No Tiket", "Tanggal", "Jam Masuk", "Jam Jawab", "Jam Selesai", "Shift", "No HP", "Jenis Panggilan", "Kategori",
			"Kecamatan", "OPD"},
		{"SDA-1", 44984, 0.3125, 0.31261574074074, 0.315, "Pagi", 81234567890, "Normal", "PJU Padam", "Waru",
			"Dinas Perhubungan"},
		{"SDA-2", "Senin, 27 Februari 2023", "21.58", "21.59", "22.03", "Malam", "8,12E+10", "Prank", "", "", ""},
		{"SDA-3", "27/02/23", "23.58", "23.59", "00.04", "Malam", "081234567891", "Bercanda", "", "", ""},
		{"SDA-4", "27/02/2023", "00.10", "00.10.20", "00.15", "Malam", "", "Ghost", "", "", ""},
		{"SDA-5", "28/02/2023", "08.00", "08.01", "08.05", "Pagi", "", "Informasi", "", "Negeri Antah", ""},
		{"SDA-6", "30/02/2023", "08.00", "08.01", "08.05", "Pagi", "", "Normal", "", "Waru", ""},
	}
	if fixed {
		rows[5][7] = "Normal"
		rows[9][1] = "28/02/2023"
		rows[8] = nil
	}
	at := 0
	for i, row := range rows {
		at = i + 1
		if row == nil {
			continue
		}
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", at), &row); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.MergeCell("Sheet1", "A1", "K1"); err != nil {
		t.Fatal(err)
	}
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
}

// TestImportGuides runs every command of the two guides, as a newcomer would, from the file to the answers.
func TestImportGuides(t *testing.T) {
	t.Parallel()
	for _, guide := range []string{"panduan-impor.md", "import.md"} {
		t.Run(guide, func(t *testing.T) {
			s := newService(t).start()
			if !s.ready() {
				t.Fatal("the service ended")
			}
			dir := t.TempDir()
			report(t, filepath.Join(dir, "laporan.xlsx"), false)
			report(t, filepath.Join(dir, "laporan-koreksi.xlsx"), true)
			var said []string
			for _, block := range blocks(t, guide, "sh") {
				if strings.HasPrefix(block, "curl") {
					s.until("ClickHouse answers", func() bool { _, err := s.tryQuery("SELECT 1"); return err == nil })
					s.shipped()
				}
				out, err := s.shell(dir, block)
				// map and import exit with 1 when rows were refused, as some are in every real file.
				if exit, ok := errors.AsType[*exec.ExitError](err); err != nil &&
					!(ok && exit.ExitCode() == 1 && strings.HasPrefix(block, "monev112 ")) {
					t.Fatalf("%s: %v\n%s", block, err, out)
				}
				if strings.Contains(out, "081234567891") || strings.Contains(out, "81234567890") {
					t.Errorf("%s shows a caller's number:\n%s", block, out)
				}
				said = append(said, out)
			}
			for i, want := range []string{
				`the class "bercanda"`, "mapping written to laporan.yaml", "", "6 rows", "22 accepted",
				"ghost\t1\ninformasi\t1\nnormal\t1\nprank\t2\n", "sent as corrections",
			} {
				if i >= len(said) || !strings.Contains(said[i], want) {
					t.Fatalf("command %d does not say %q:\n%s", i+1, want, said[min(i, len(said)-1)])
				}
			}
			if !strings.Contains(said[6], "call/SDA-5.received") || !strings.Contains(said[3], "Negeri Antah") {
				t.Errorf("what is gone, or not known, is not named:\n%s\n%s", said[3], said[6])
			}
			s.shipped()
			// SDA-2 is no prank any more, SDA-6 has a date that exists, SDA-5 stays although its row is gone.
			if got := s.query(
				"SELECT class, count() FROM calls_now GROUP BY class ORDER BY class"); got != "ghost\t1\ninformasi\t1\nnormal\t3\nprank\t1" {
				t.Errorf("after the corrections: %s", got)
			}
			if got := s.query(
				"SELECT id, toTimeZone(received_at, 'Asia/Jakarta') FROM calls_now WHERE id = 'SDA-4'"); !strings.Contains(
				got, "2023-02-28 00:10") {
				t.Errorf("the night shift: %s", got)
			}
		})
	}
}

// TestSendRecipes runs the curl lines of docs/send.md and checks what can be checked of the other configurations.
func TestSendRecipes(t *testing.T) {
	t.Parallel()
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	dir := t.TempDir()
	lines := `{"specversion":"1.0","id":"k-2","source":"pabx-1","type":"monev112.call.received","subject":"call/K-2","time":"2026-03-05T07:31:00+07:00","data":{}}` + "\n" +
		`{"specversion":"1.0","id":"k-3","source":"pabx-1","type":"monev112.call.received","subject":"call/K-3","time":"2026-03-05T07:32:00+07:00","date":1.5,"data":{}}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "events.ndjson"), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, block := range blocks(t, "send.md", "sh") {
		out, err := s.shell(dir, block)
		var a answer
		if err != nil || json.Unmarshal([]byte(out), &a) != nil || a.Accepted != []int{1, 2, 1}[i] {
			t.Errorf("%s: %v\n%s", block, err, out)
		}
	}
	configs := blocks(t, "send.md", "yaml")
	if len(configs) != 2 {
		t.Fatalf("%d configurations", len(configs))
	}
	for _, text := range configs {
		var any map[string]any
		if err := yaml.UnmarshalWithOptions([]byte(text), &any, yaml.Strict()); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
		if !strings.Contains(text, "/v1/events") {
			t.Errorf("the configuration does not send to the door:\n%s", text)
		}
	}
}

// TestDropFolder drops files into a folder of the running service, with keys, and kills it in between.
func TestDropFolder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	in := filepath.Join(root, "masuk")
	if err := os.Mkdir(in, 0o750); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(root, "monev112.yaml")
	if err := os.WriteFile(config, []byte("drop:\n  - {folder: masuk, mapping: sidoarjo-ekspor-112, source: masuk-1}\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	s := newService(t, "--config", config)
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := s.run("key", "create", "board", "--data", s.dir, "--scope", "board:read"); code != 0 {
		t.Fatalf("no key can be made: %s", errs)
	}
	s.start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	now := time.Now().Add(-10 * time.Minute).In(wib)
	put := func(name string, from, to int) {
		t.Helper()
		var b bytes.Buffer
		b.WriteString("No Tiket;Tanggal;Jam Masuk;Jam Jawab;Jam Selesai;Jenis Panggilan\n")
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "D-%d;%s;%s;%s;;Normal\n", i, now.Format("02/01/2006"), now.Format("15.04"), now.Format("15.04"))
		}
		if err := os.WriteFile(filepath.Join(in, name+".part"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(in, name+".part"), filepath.Join(in, name)); err != nil {
			t.Fatal(err)
		}
	}
	done := func(name string) {
		t.Helper()
		if !s.until(name+" is done", func() bool { _, err := os.Stat(filepath.Join(in, "done", name)); return err == nil }) {
			t.Fatal("the service ended")
		}
	}
	put("a.csv", 0, 300)
	done("a.csv")
	if !s.until("the board is complete", func() bool { return s.metric("monev112_board_complete") == 1 }) {
		t.Fatal("the service ended")
	}
	if got := s.metric(`monev112_source_last_event_timestamp_seconds{source="masuk-1"}`); int64(got) != now.Truncate(
		time.Minute).Unix() {
		t.Errorf("data until %v, want %d", got, now.Truncate(time.Minute).Unix())
	}
	if got := s.metric("monev112_calls_received_total"); got != 300 {
		t.Errorf("%v calls received", got)
	}
	put("b.csv", 200, 2000)
	s.kill()
	s.start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	done("b.csv")
	s.shipped()
	if got := s.query("SELECT count() FROM calls_now WHERE center = '35.15'"); got != "2000" {
		t.Errorf("%s calls, want 2000", got)
	}
	if got := s.query("SELECT count() - uniqExact(source, id) FROM events_now"); got != "0" {
		t.Errorf("%s events twice", got)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addr+"/v1/events", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a key the door answers %d", r.StatusCode)
	}
}
