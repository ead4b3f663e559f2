package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// The README's table has every command.
func TestTheReadmeNamesEveryCommand(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Commands\n")
	table, _, _ = strings.Cut(table, "\n## ")
	named := regexp.MustCompile("`(?:monev112 )?([a-z-]+)").FindAllStringSubmatch(table, -1)
	for _, c := range rootCommand().Commands() {
		if c.Name() == "help" || c.Name() == "version" || c.Hidden {
			continue
		}
		if !slices.ContainsFunc(named, func(m []string) bool { return m[1] == c.Name() }) {
			t.Errorf("the README's table of commands lacks %s: %s", c.Name(), c.Short)
		}
	}
}

// What documents write as a command is one, and so are its flags.
func TestDocumentsNameCommandsAndFlagsThatExist(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.md", "docs/*.md", "alerts/*.md", "deploy/*/*.md"} {
		found, err := filepath.Glob(filepath.Join("..", "..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	// A command with what follows it on its line, up to the end of its quotation, another command or a remark.
	written := regexp.MustCompile("(?:\\./|[`' ]|^)monev112((?: [^ `'|;&#()]+)+)")
	checked := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		joined := strings.ReplaceAll(string(text), "\\\n", " ")
		for line := range strings.Lines(joined) {
			for _, m := range written.FindAllStringSubmatch(strings.TrimSuffix(line, "\n"), -1) {
				words := strings.Fields(m[1])
				for i := range words {
					words[i] = strings.TrimRight(words[i], ".,:")
				}
				if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(words[0]) || !strings.Contains(m[1], " --") {
					continue // prose, or a command without flags
				}
				root := rootCommand()
				c, _, err := root.Find(words)
				if err != nil || c == root {
					t.Errorf("%s: %q: there is no such command", filepath.Base(file), m[0])
					continue
				}
				checked++
				for _, w := range words {
					if name, ok := strings.CutPrefix(w, "--"); ok {
						name, _, _ = strings.Cut(name, "=")
						if flagOf(c, name) {
							continue
						}
						t.Errorf("%s: %q: %s has no flag --%s", filepath.Base(file), m[0], c.CommandPath(), name)
					}
				}
			}
		}
	}
	if checked < 60 {
		t.Errorf("only %d commands with flags were found", checked)
	}
}

func flagOf(c *cobra.Command, name string) bool {
	return name == "help" || c.Flags().Lookup(name) != nil || c.InheritedFlags().Lookup(name) != nil
}
