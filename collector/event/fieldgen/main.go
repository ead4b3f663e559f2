// Command fieldgen writes the code that follows from the fields of event.Event: their names and forms in package
// event, and the columns of the table events in package store. Run it with `go generate ./collector/event`.
package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"log"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// outputs are the files to write, from the folder of package event, and the templates that they come from.
var outputs = map[string]string{
	"fields_gen.go":                 eventTemplate,
	"../store/event_columns_gen.go": storeTemplate,
}

//go:embed event.tmpl
var eventTemplate string

//go:embed store.tmpl
var storeTemplate string

func main() {
	log.SetFlags(0)
	files, err := generate("event.go")
	if err != nil {
		log.Fatal(err)
	}
	for path, text := range files {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// field is one field of Event as its tag declares it.
type field struct {
	Path     string // in an Event: "Agent", "Caller.Key"
	Type     string // in Go
	Tag      int    // in the binary form
	Name     string // of the column, and of the member of data
	Limit    string // Go expression; set for a member of data alone
	Rule     string // Go expression: the shape of a text or the list of its codes
	Comment  string
	InDigest bool
}

// InData reports whether f is a member of data, by which a sender states a fact.
func (f field) InData() bool { return f.Limit != "" }

// Codes reports whether f is a word of a closed list.
func (f field) Codes() bool { return f.Type == "string" && !strings.HasPrefix(f.Rule, "shape") }

// Form names the functions that write and read a value of f's type.
func (f field) Form() string {
	return map[string]string{
		"string": "Text", "time.Time": "Time", "*float64": "Float", "*int64": "Int", "uint32": "Uint32", "Type": "Byte",
		"Kind": "Byte", "Digest": "Digest", "[]string": "Texts", "map[string]string": "Attributes",
	}[f.Type]
}

// Optional reports whether f is a pointer, nil when the fact is absent.
func (f field) Optional() bool { return strings.HasPrefix(f.Type, "*") }

// generate returns the outputs for the declaration in the file at path.
func generate(path string) (map[string][]byte, error) {
	fields, err := declared(path)
	if err != nil {
		return nil, err
	}
	byTag := slices.SortedStableFunc(slices.Values(fields), func(a, b field) int { return cmp.Compare(a.Tag, b.Tag) })
	for i, f := range byTag {
		if i > 0 && f.Tag == byTag[i-1].Tag {
			return nil, fmt.Errorf("%s and %s have the same number", byTag[i-1].Path, f.Path)
		}
	}
	texts := slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return f.Type != "string" })
	files := map[string][]byte{}
	for out, text := range outputs {
		var b bytes.Buffer
		t := template.Must(template.New(out).Parse(text))
		if err := t.Execute(&b, map[string][]field{"Fields": fields, "ByTag": byTag, "Texts": texts}); err != nil {
			return nil, err
		}
		if files[out], err = format.Source(b.Bytes()); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", out, err, b.Bytes())
		}
	}
	return files, nil
}

// declared reads the fields of struct Event in the Go file at path; a field without a tag is a struct whose fields
// stand in its place.
func declared(path string) ([]field, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	structs := map[string]*ast.StructType{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			structs[spec.Name.Name], _ = spec.Type.(*ast.StructType)
		}
		return true
	})
	var fields []field
	var read func(s *ast.StructType, prefix string) error
	read = func(s *ast.StructType, prefix string) error {
		for _, f := range s.Fields.List {
			for _, name := range f.Names {
				typ := types.ExprString(f.Type)
				if f.Tag == nil && structs[typ] != nil {
					if err := read(structs[typ], prefix+name.Name+"."); err != nil {
						return err
					}
					continue
				}
				one, err := parseField(prefix+name.Name, typ, f.Tag)
				if err != nil {
					return err
				}
				one.Comment = strings.TrimSpace(f.Comment.Text())
				fields = append(fields, one)
			}
		}
		return nil
	}
	if structs["Event"] == nil {
		return nil, fmt.Errorf("%s declares no struct Event", path)
	}
	err = read(structs["Event"], "")
	return fields, err
}

func parseField(path, typ string, tag *ast.BasicLit) (field, error) {
	f := field{Path: path, Type: typ}
	if tag == nil {
		return f, fmt.Errorf("%s: no tag", path)
	}
	tags := reflect.StructTag(strings.Trim(tag.Value, "`"))
	words := append(strings.Fields(tags.Get("event")), "", "", "", "")
	f.Name, f.Limit, f.Rule, f.InDigest = words[1], words[2], words[3], tags.Get("digest") != "-"
	var err error
	if f.Tag, err = strconv.Atoi(words[0]); err != nil || f.Tag < 1 || f.Tag > 255 || f.Name == "" || words[4] != "" {
		return f, fmt.Errorf(`%s: the tag is not event:"<number from 1 to 255> <name> <limit> <rule>"`, path)
	}
	if f.Form() == "" {
		return f, fmt.Errorf("%s: a field of type %s has no binary form", path, typ)
	}
	return f, nil
}
