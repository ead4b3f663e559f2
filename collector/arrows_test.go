package collector

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/monev112/monev112/"

// levels are the rooms from the bottom up. A room imports rooms of lower levels and nothing beside or above it, so that
// data moves one way. What web needs of httpapi (keys of the API, record of reads) are leaves near the bottom.
var levels = [][]string{
	{"internal"},
	{"event", "httpapi/auth", "httpapi/audit"},
	{"directory", "casefile"},
	{"sla"},
	{"tracker", "journal", "engine"},
	{"observability"},
	{"source", "ingest", "shipper", "store"},
	{"alerting", "monev", "upkeep"},
	{"web"},
	{"httpapi"},
	{"."}, // this package
}

// apart start the program or drive it from outside and import no room.
var apart = []string{"e2e"}

// room returns the room of a package, named by its folder below collector, and the room's level; -1 for none.
func room(folder string) (name string, level int) {
	best, at := "", -1
	for l, rooms := range levels {
		for _, r := range rooms {
			if (folder == r || strings.HasPrefix(folder, r+"/")) && len(r) > len(best) {
				best, at = r, l
			}
		}
	}
	return best, at
}

// source is a package of the program: its parsed files without tests, and its imports with where they stand.
type source struct {
	files   []*ast.File
	imports map[string]token.Position
}

// readPackages reads every package below a folder, by folder.
func readPackages(t *testing.T, root string, set *token.FileSet) map[string]*source {
	t.Helper()
	out := map[string]*source{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			strings.Contains(path, "testdata") {
			return err
		}
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(path))
		p := out[folder]
		if p == nil {
			p = &source{imports: map[string]token.Position{}}
			out[folder] = p
		}
		p.files = append(p.files, f)
		for _, i := range f.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			p.imports[name] = set.Position(i.Pos())
		}
		return nil
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("%d packages below %s: %v", len(out), root, err)
	}
	return out
}

// ours returns the folder below collector of a package of this module.
func ours(name string) (folder string, ok bool) {
	if name == module+"collector" {
		return ".", true
	}
	return strings.CutPrefix(name, module+"collector/")
}

func TestImportsPointOneWay(t *testing.T) {
	packages := readPackages(t, ".", token.NewFileSet())
	for folder, p := range packages {
		from, level := room(folder)
		outside := slices.ContainsFunc(apart, func(r string) bool { return folder == r || strings.HasPrefix(folder, r+"/") })
		if level < 0 && !outside {
			t.Errorf("%s is in no room: add it to levels and to doc.go", folder)
		}
		for name, at := range p.imports {
			target, ok := ours(name)
			if !ok {
				continue
			}
			to, below := room(target)
			switch {
			case outside && strings.HasPrefix(target, "e2e/"):
			case outside:
				t.Errorf("%s: %s imports %s: it knows the program from outside", at, folder, target)
			case to != from && below >= level:
				t.Errorf("%s: %s imports %s, which is not below it", at, folder, target)
			}
		}
	}
}

// pure are the rooms that take the present as an argument: no IO, no clock, no goroutine, no logger. A day of traffic
// is then a text file, and replay equals live. What they import of this module is held to the same.
var pure = []string{"event", "directory", "casefile", "sla", "tracker"}

// impure are imports that would bring the outside world in.
var impure = []string{
	"os", "net", "net/http", "io/ioutil", "log", "log/slog", "math/rand", "math/rand/v2", "os/exec", "syscall", "context",
	"path/filepath",
}

// timed are the functions of package time that read the clock or wait for it.
var timed = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func TestPureRoomsKnowNothingOfTheOutside(t *testing.T) {
	set := token.NewFileSet()
	packages := readPackages(t, ".", set)
	reached := map[string]bool{}
	queue := slices.Clone(pure)
	for len(queue) > 0 {
		folder := queue[0]
		queue = queue[1:]
		if reached[folder] {
			continue
		}
		reached[folder] = true
		p := packages[folder]
		if p == nil {
			t.Fatalf("no package %s", folder)
		}
		for name, at := range p.imports {
			if target, ok := ours(name); ok {
				queue = append(queue, target)
			} else if strings.HasPrefix(name, module) || slices.Contains(impure, name) {
				t.Errorf("%s: %s imports %s", at, folder, name)
			}
		}
		for _, f := range p.files {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					t.Errorf("%s starts a goroutine", set.Position(n.Pos()))
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(timed, n.Sel.Name) {
						t.Errorf("%s reads the clock: time.%s", set.Position(n.Pos()), n.Sel.Name)
					}
				}
				return true
			})
		}
	}
	if !reached["internal/yamlfile"] {
		t.Error("imports are not followed: the directory is read by internal/yamlfile")
	}
}

// TestPropertiesRepeat holds that every test package with properties imports rapidseed: one that draws new cases in
// each run refuses a change that has nothing to do with what it found.
func TestPropertiesRepeat(t *testing.T) {
	draws, seeded := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			switch name, _ := strconv.Unquote(i.Path.Value); name {
			case "pgregory.net/rapid":
				draws[filepath.Dir(path)] = true
			case module + "collector/internal/rapidseed":
				seeded[filepath.Dir(path)] = true
			}
		}
		return nil
	})
	if err != nil || len(draws) == 0 {
		t.Fatalf("%d packages with properties: %v", len(draws), err)
	}
	for folder := range draws {
		if !seeded[folder] {
			t.Errorf("%s draws new cases in each run: import _ %q in a test", folder, module+"collector/internal/rapidseed")
		}
	}
}
