package documenttest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Office opens a file in LibreOffice, saves it in another format and returns that, or skips the test where LibreOffice
// is not installed. A file that needs repair is not opened.
func Office(t testing.TB, file []byte, from, to string) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("starts LibreOffice")
	}
	program, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("LibreOffice is not installed: make office")
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "laporan."+from)
	if err := os.WriteFile(in, file, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	out := filepath.Join(dir, "out")
	format, _, _ := strings.Cut(to, ":")
	run := exec.CommandContext(ctx, program, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless",
		"--convert-to", to, "--outdir", out, in)
	said, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("LibreOffice: %v: %s", err, said)
	}
	got, err := os.ReadFile(filepath.Join(out, "laporan."+format))
	if err != nil {
		t.Fatalf("LibreOffice did not open the file: %v: %s", err, said)
	}
	return got
}
