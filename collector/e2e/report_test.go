package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAHandedOutReportStays hands a report out, changes the policy, starts another version of the program and rebuilds
// the database: every file is served again byte for byte, and what differs since stands beside it and in the next
// month's report.
func TestAHandedOutReportStays(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	next := filepath.Join(folder, "monev112-next")
	if err := buildProgram(next, "-tags", "faults", "-ldflags", "-X main.version=99.9.9"); err != nil {
		t.Fatal(err)
	}
	config, policy := filepath.Join(folder, "serve.yaml"), filepath.Join(folder, "sidoarjo.yaml")
	if err := os.WriteFile(config, []byte("policies: [sidoarjo.yaml]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	policyFile(t, policy)
	s := newService(t, "--config", config).start()
	ok := func(args ...string) string {
		t.Helper()
		out, errs, code := s.run(append(args, "--server", "http://"+s.addr)...)
		if code != 0 {
			t.Fatalf("%v exits with %d:\n%s%s", args, code, tail(out, 4000), tail(errs, 4000))
		}
		return out
	}
	formats := []string{"html", "xlsx", "docx", "json"}
	files := func(month, name string) map[string][]byte {
		t.Helper()
		dir := filepath.Join(folder, name)
		ok("report", "--month", month, "--format", strings.Join(formats, ","), "--out", dir)
		out := map[string][]byte{}
		for _, format := range formats {
			text, err := os.ReadFile(filepath.Join(dir, "laporan-112-35.15-"+month+"."+format))
			if err != nil {
				t.Fatal(err)
			}
			out[format] = text
		}
		return out
	}
	s.ready()
	s.simulated("--preset", "sidoarjo-2023", "--from", "2023-07-25", "--to", "2023-08-06")
	s.shipped()
	ok("freeze", "--month", "2023-07")
	first := files("2023-07", "first")
	check := []string{"report", "--month", "2023-07", "--format", "html,xlsx,docx,json", "--out", filepath.Join(folder, "first"),
		"--check"}
	if out := ok(check...); !strings.Contains(out, " 0 differences\n") || strings.Contains(out, "have moved") {
		t.Errorf("as it was handed out:\n%s", out)
	}

	if code := s.stop(); code != 0 {
		t.Errorf("a clean stop exits with %d", code)
	}
	policyFile(t, policy, `version: "2026.1"`, `version: "2026.2"`, "target: 5d", "target: 1d", "target: 24h", "target: 1h")
	s.program = next
	s.start().ready()
	s.until("clickhouse is connected", func() bool {
		r, err := http.Get("http://" + s.addr + "/v1/reports")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	ok("rebuild")
	s.shipped()
	again := files("2023-07", "again")
	for _, format := range formats {
		if !bytes.Equal(first[format], again[format]) {
			t.Errorf("%s: %d bytes, %d when it was handed out", format, len(again[format]), len(first[format]))
		}
	}
	if out := ok(check...); !strings.Contains(out, " 0 differences\n") || !strings.Contains(out, "have moved since") {
		t.Errorf("what no freeze holds has moved, and nothing else has:\n%s", tail(out, 3000))
	}
	page := s.look("/monev/2023-07")
	for _, want := range []string{"angka berubah sejak bulan ini dibekukan", "Yang berubah sejak dibekukan",
		"kebijakan sidoarjo/2026.1 kini sidoarjo/2026.2", "tepat waktu (selesai ditangani, "} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the month does not say %q:\n%s", want, tail(page, 3000))
		}
	}
	following := string(files("2023-08", "next")["html"])
	for _, want := range []string{"Yang berubah sejak dibekukan", "Juli 2023", "kebijakan sidoarjo/2026.1 kini sidoarjo/2026.2"} {
		if !strings.Contains(following, want) {
			t.Errorf("the next month's report does not say %q", want)
		}
	}
	ok("report", "--month", "2023-08", "--format", "html,xlsx,docx,json", "--out", filepath.Join(folder, "next"), "--check")
}

// look is a page as a person on this machine sees it.
func (s *service) look(path string) string {
	s.t.Helper()
	r, err := http.Get("http://" + s.addr + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d %v", path, r.StatusCode, err)
	}
	return string(text)
}
