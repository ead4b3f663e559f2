// Package pdf prints a report's HTML with Chromium, where Chromium is at hand: on the computer of who asks for the
// report, not inside the hardened service. It is the only package of documents that does IO. The bytes differ in each
// run.
package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// ErrNoChromium says that there is no program that prints.
var ErrNoChromium = errors.New("no PDF: Chromium is not installed here. Install chromium (or google-chrome), or open " +
	"the HTML in any browser and print it")

// programs are the names of Chromium on the systems that we know.
var programs = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// timeout bounds a run of a caller who gives no deadline: a report prints in seconds.
const timeout = 90 * time.Second

// Print returns the PDF of an HTML file that needs nothing else.
func Print(ctx context.Context, html []byte) ([]byte, error) {
	program := ""
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		return nil, ErrNoChromium
	}
	dir, err := os.MkdirTemp("", "monev112-pdf-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	in, out := filepath.Join(dir, "laporan.html"), filepath.Join(dir, "laporan.pdf")
	if err := os.WriteFile(in, html, 0o600); err != nil {
		return nil, err
	}
	if _, given := ctx.Deadline(); !given {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, timeout)
		defer stop()
	}
	began := time.Now()
	args := []string{
		"--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking",
		"--no-pdf-header-footer", "--user-data-dir=" + filepath.Join(dir, "profile"), "--print-to-pdf=" + out,
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium has none for root
	}
	run := exec.CommandContext(ctx, program, append(args, "file://"+in)...)
	var said bytes.Buffer
	run.Stdout, run.Stderr = &said, &said
	run.WaitDelay = 5 * time.Second // its children may hold the pipe
	err = run.Run()
	pdf, missing := os.ReadFile(out)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("no PDF: %s did not print within %s", program, time.Since(began).Round(time.Second))
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case missing != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")):
		tail := said.Bytes()
		return nil, fmt.Errorf("no PDF: %s: %w: %s", program, errors.Join(err, missing), tail[max(0, len(tail)-500):])
	}
	return pdf, nil
}
