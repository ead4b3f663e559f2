package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// indentedBlocks returns the code blocks of a section of the README: runs of lines that begin with four spaces.
func indentedBlocks(t *testing.T, section string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n## "+section+"\n")
	if !found {
		t.Fatalf("the README has no section %q", section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	var blocks []string
	open := false
	for line := range strings.Lines(rest) {
		code, isCode := strings.CutPrefix(line, "    ")
		switch {
		case isCode && open:
			blocks[len(blocks)-1] += code
		case isCode:
			blocks = append(blocks, code)
		}
		open = isCode
	}
	return blocks
}

// TestReadme runs the README's first minutes as a newcomer would: the demo, and the commands in their order as soon as
// the demo says that there is something to see.
func TestReadme(t *testing.T) {
	needs(t, "bash", "curl")
	blocks := indentedBlocks(t, "Try it")
	if len(blocks) != 3 || !strings.HasPrefix(blocks[0], "make demo ") {
		t.Fatalf("blocks of the README: %q", blocks)
	}
	s := newService(t)
	s.demo()
	if !s.within(3*patience, "the demo says where to look", func() bool {
		return strings.Contains(s.said.String(), "Ctrl-C")
	}) {
		t.Fatal("the demo ended")
	}
	for _, command := range commands(blocks[1]) { // the demo names the same ones
		command = strings.TrimSpace(strings.Split(command, "  #")[0])
		if !strings.Contains(unindented(s.said.String()), unindented(s.addressed(command))) {
			t.Errorf("the demo does not name\n%s\nbut says\n%s", command, s.said.String())
		}
	}
	for _, c := range []struct {
		command string
		shows   []string
	}{
		{commands(blocks[1])[0], []string{`monev112_window_calls{center="35.15",measure="received",window="hour"}`}},
		{commands(blocks[1])[1], []string{`"tickets":[{`, `"state":"breached"`}},
		{commands(blocks[1])[2], []string{"40318", "32543", "1597", "6178"}},
		{commands(blocks[2])[0], []string{`"accepted":1`}},
		{commands(blocks[2])[1], []string{"SDA-2026-00123", `"clocks"`}},
	} {
		out, err := exec.Command("bash", "-c", "set -o pipefail; "+s.addressed(c.command)).Output()
		if err != nil {
			t.Errorf("%s: %v", c.command, err)
		}
		for _, want := range c.shows {
			if !strings.Contains(strings.ReplaceAll(string(out), " ", ""), want) {
				t.Errorf("%s\nshows no %q:\n%s", c.command, want, tail(string(out), 2000))
			}
		}
	}
	if code := s.stop(); code != 0 {
		t.Errorf("a clean stop exits with %d", code)
	}
}

// TestDemoStopsWhileItWaits stops the demo before its history has been sent.
func TestDemoStopsWhileItWaits(t *testing.T) {
	s := newService(t)
	s.demo()
	if !s.ready() {
		t.Fatal("the demo ended")
	}
	if code := s.stop(); code != 0 {
		t.Errorf("a clean stop exits with %d", code)
	}
	if strings.Contains(s.said.String(), "Ctrl-C") {
		t.Error("it said where to look although nothing was there")
	}
}

// demo starts the program as `make demo` does, on addresses of its own.
func (s *service) demo() {
	s.command, s.said = "demo", &syncBuffer{}
	s.start()
}

// addressed is a command of a document against the service under test.
func (s *service) addressed(command string) string {
	return strings.NewReplacer("127.0.0.1:8112", s.addr, "127.0.0.1:8123", s.engine).Replace(command)
}

// commands splits a block into its commands: each begins with curl at the line's beginning.
func commands(block string) []string {
	parts := strings.Split("\n"+block, "\ncurl ")
	for i := range parts {
		parts[i] = "curl " + parts[i]
	}
	return parts[1:]
}

// unindented drops the blanks around line ends.
func unindented(text string) string { return strings.Join(strings.Fields(text), " ") }
