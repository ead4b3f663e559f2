package pdf

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/monev/document/documenttest"
	"github.com/monev112/monev112/collector/monev/document/html"
)

func TestAReportPrints(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Chromium")
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("no chromium: make chromium")
	}
	var b bytes.Buffer
	if err := html.Write(&b, documenttest.Monthly(60)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	pdf, err := Print(ctx, b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	pages := len(regexp.MustCompile(`/Type\s*/Page\b[^s]`).FindAll(pdf, -1))
	if pages < 6 || pages > 12 {
		t.Errorf("%d pages", pages)
	}
}

func TestWithoutChromiumASentence(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Print(t.Context(), nil); !errors.Is(err, ErrNoChromium) {
		t.Error(err)
	}
}

// TestAProgramThatFailsIsQuoted: exit status, and nothing left behind.
func TestAProgramThatFailsIsQuoted(t *testing.T) {
	bin, tmp := t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("TMPDIR", tmp)
	script := "#!/bin/sh\necho cannot open display >&2\nexit 7\n"
	if err := os.WriteFile(filepath.Join(bin, "chromium"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Print(t.Context(), []byte("<p>"))
	if err == nil || !strings.Contains(err.Error(), "exit status 7") ||
		!strings.Contains(err.Error(), "cannot open display") {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Print(ctx, []byte("<p>")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
