package deploy_test

import (
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// instruction is one instruction of a Dockerfile: its name, and the rest with line breaks taken out.
type instruction struct{ name, rest string }

func dockerfile(t *testing.T, name string) []instruction {
	t.Helper()
	text := regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(read(t, name), "")
	text = strings.ReplaceAll(text, "\\\n", "")
	var all []instruction
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		all = append(all, instruction{word, strings.TrimSpace(rest)})
	}
	return all
}

// TestImagesAreBuiltFromReleasesForAUserWithoutRights holds the rules of the usual Dockerfile linters that matter here:
// no Docker runs where the tests do.
func TestImagesAreBuiltFromReleasesForAUserWithoutRights(t *testing.T) {
	known := []string{
		"FROM", "WORKDIR", "COPY", "RUN", "ARG", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD",
	}
	for _, name := range []string{"Dockerfile", "grafana/Dockerfile"} {
		stages := map[string]bool{}
		last := map[string]string{}
		for i, in := range dockerfile(t, name) {
			if !slices.Contains(known, in.name) {
				t.Errorf("%s: instruction %s", name, in.name) // ADD, SHELL, MAINTAINER, or a typing mistake
			}
			switch in.name {
			case "FROM":
				image, stage, _ := strings.Cut(in.rest, " AS ")
				if !regexp.MustCompile(`^[\w./-]+:v?\d+\.\d+[\w.-]*$`).MatchString(image) {
					t.Errorf("%s: image %s is not pinned to a release", name, image)
				}
				stages[stage] = true
				last = map[string]string{}
			case "COPY":
				if from := regexp.MustCompile(`--from=(\S+)`).FindStringSubmatch(in.rest); from != nil && !stages[from[1]] {
					t.Errorf("%s: nothing is built as %s", name, from[1])
				}
			case "ENTRYPOINT", "CMD":
				if !strings.HasPrefix(in.rest, "[") {
					t.Errorf("%s: %s runs a shell, which takes no signal on", name, in.name)
				}
			}
			if i == 0 && in.name != "FROM" {
				t.Errorf("%s begins with %s", name, in.name)
			}
			last[in.name] = in.rest
		}
		if !regexp.MustCompile(`^[1-9]\d*(:\d+)?$`).MatchString(last["USER"]) {
			t.Errorf("%s runs as %q: a number other than 0 is asked for", name, last["USER"])
		}
		if last["HEALTHCHECK"] == "" {
			t.Errorf("%s has no health check", name)
		}
	}
}

// TestTheImageIsGivenWhatTheProgramIsBuiltFrom compares the folders of the program's packages, and of what they embed,
// with what the ignore file lets through.
func TestTheImageIsGivenWhatTheProgramIsBuiltFrom(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps",
		"-f", `{{if .Module}}{{if .Module.Main}}{{$p := .ImportPath}}{{range .GoFiles}}{{$p}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$p}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`, "../cmd/monev112").Output()
	if err != nil {
		t.Fatal(err)
	}
	var let, keep []string
	for _, line := range strings.Split(read(t, "Dockerfile.dockerignore"), "\n") {
		switch {
		case strings.HasPrefix(line, "!"):
			let = append(let, line[1:])
		case line != "" && line != "*" && !strings.HasPrefix(line, "#"):
			keep = append(keep, line)
		}
	}
	files := strings.Fields(string(out))
	if len(files) < 100 {
		t.Fatalf("the program is built from %d files", len(files))
	}
	for _, f := range files {
		f = strings.TrimPrefix(f, "github.com/monev112/monev112/")
		top, _, _ := strings.Cut(f, "/")
		if !slices.Contains(let, top) {
			t.Errorf("%s is not given to the image", f)
		}
		for _, k := range keep {
			base := strings.TrimPrefix(k, "**/")
			matched, _ := path.Match(base, path.Base(f))
			if strings.HasPrefix(f, k+"/") || f == k || strings.HasPrefix(k, "**/") &&
				(matched || strings.Contains("/"+f, "/"+base+"/")) {
				t.Errorf("%s is kept from the image by %s", f, k)
			}
		}
	}
}
