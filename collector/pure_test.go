package collector

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// pure are the packages that take the present as an argument: no IO, no clock, no goroutine, no logger. A day of
// traffic is then a text file, and replay equals live.
var pure = []string{"event", "directory", "casefile", "sla", "tracker"}

// impure are imports that would bring the outside world in.
var impure = []string{
	"os", "net", "io/ioutil", "log", "log/slog", "math/rand", "math/rand/v2", "os/exec", "syscall", "context",
	"path/filepath",
}

// timed are the functions of package time that read the clock or wait for it.
var timed = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func TestPurePackagesKnowNothingOfTheOutside(t *testing.T) {
	for _, pkg := range pure {
		files, err := filepath.Glob(filepath.Join(pkg, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files: %v", pkg, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range f.Imports {
				path, _ := strconv.Unquote(i.Path.Value)
				for _, bad := range impure {
					if path == bad {
						t.Errorf("%s imports %s", set.Position(i.Pos()), path)
					}
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					t.Errorf("%s starts a goroutine", set.Position(n.Pos()))
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" {
						for _, bad := range timed {
							if n.Sel.Name == bad {
								t.Errorf("%s reads the clock: time.%s", set.Position(n.Pos()), bad)
							}
						}
					}
				}
				return true
			})
		}
	}
}
