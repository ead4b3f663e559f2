package yamlfile

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Texts is a list of texts; a single text may stand in its place.
type Texts []string

// Zone is a time zone by its IANA name.
type Zone struct{ *time.Location }

// UnmarshalText looks the zone up in the zone database of the process.
func (z *Zone) UnmarshalText(name []byte) (err error) {
	if z.Location, err = time.LoadLocation(string(name)); err != nil || len(name) == 0 || z.String() == "Local" {
		return Wrong(fmt.Sprintf("%q is not a time zone", name), "write its IANA name, for example Asia/Jakarta")
	}
	return nil
}

// decode reads a node into v. It goes on after a mistake, so that all are found at once.
func (f *File) decode(n ast.Node, v reflect.Value, path string) {
	if line := lineOf(n); line > 0 {
		f.lines[path] = line
	}
	switch n.(type) {
	case nil, *ast.NullNode:
		f.Wrong(path, "there is no value", "give it one, or remove it")
		return
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		f.Wrong(path, "anchors (&), aliases (*) and tags (!) are not read",
			"write the value out; put a text that begins with one of these signs into quotes")
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if scalar, ok := n.(ast.ScalarNode); ok {
		f.scalar(scalar, v, path)
		return
	}
	list, isList := n.(*ast.SequenceNode)
	switch kind := v.Kind(); {
	case asText(v) == nil && isList && kind == reflect.Slice:
		f.list(list.Values, v, path)
	case asText(v) == nil && !isList && kind == reflect.Struct:
		f.group(n, v, path)
	case !isList && kind == reflect.Map:
		f.mapping(n, v, path)
	case isList:
		f.mismatch(path, v, "a list")
	default:
		f.mismatch(path, v, "a group of keys")
	}
}

// scalar reads a single value.
func (f *File) scalar(n ast.ScalarNode, v reflect.Value, path string) {
	text := scalarText(n)
	var err error
	switch u, short := asText(v), shortField(v.Type()); {
	case u != nil:
		if err := u.UnmarshalText([]byte(text)); err != nil {
			f.Report(path, err)
		}
	case short != nil:
		f.decode(n, v.FieldByIndex(short), path)
	case v.Type() == reflect.TypeFor[Texts]():
		v.Set(reflect.ValueOf(Texts{text}))
	case v.Type() == reflect.TypeFor[time.Duration]():
		var d time.Duration
		d, err = time.ParseDuration(text)
		v.SetInt(int64(d))
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.CanInt() && strings.Contains(text, "."):
		err = strconv.ErrSyntax // the YAML package would make 4 of 4.5
	default:
		err = yaml.NodeToValue(n, v.Addr().Interface())
	}
	if err != nil {
		f.mismatch(path, v, strconv.Quote(text))
	}
}

func asText(v reflect.Value) encoding.TextUnmarshaler {
	u, _ := v.Addr().Interface().(encoding.TextUnmarshaler)
	return u
}

// scalarText returns a single value as it is written: 35.10 is not 35.1.
func scalarText(n ast.ScalarNode) string {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value
	case *ast.LiteralNode:
		return s.Value.Value
	}
	return n.GetToken().Value
}

// Report adds the place to an error of an UnmarshalText.
func (f *File) Report(field string, err error) {
	p := Problem{Found: err.Error()}
	errors.As(err, &p)
	f.Wrong(field, p.Found, p.Remedy)
}

// ReportSection reports the mistake that the check of a section found; nil is none. The error says "key: what is wrong;
// what would be right", and section, with a dot at its end, is what stands before the key.
func (f *File) ReportSection(section string, err error) {
	if err == nil {
		return
	}
	key, found, _ := strings.Cut(section+err.Error(), ": ")
	found, remedy, _ := strings.Cut(found, "; ")
	f.Wrong(key, found, remedy)
}

func (f *File) list(items []ast.Node, v reflect.Value, path string) {
	if f.tooMany(len(items), path) {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		f.decode(item, v.Index(i), path+"["+strconv.Itoa(i)+"]")
	}
}

// group reads the keys of a struct.
func (f *File) group(n ast.Node, v reflect.Value, path string) {
	var known []string
	index := map[string][]int{}
	for _, field := range reflect.VisibleFields(v.Type()) {
		if name, _, _ := strings.Cut(field.Tag.Get("yaml"), ","); name != "" {
			known, index[name] = append(known, name), field.Index
		}
	}
	here := f.eachKey(n, path, func(key, path string, value ast.Node) {
		if at, ok := index[key]; ok {
			f.decode(value, v.FieldByIndex(at), path)
		} else {
			f.Wrong(path, "unknown key", useOneOf(key, known))
		}
	})
	for _, name := range known {
		if remedy := v.Type().FieldByIndex(index[name]).Tag.Get("missing"); remedy != "" && !here[name] {
			f.Wrong(join(path, name), "the key is missing", remedy)
		}
	}
}

// mapping reads keys that are free into a map of texts to anything.
func (f *File) mapping(n ast.Node, v reflect.Value, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	f.eachKey(n, path, func(key, path string, value ast.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		f.decode(value, element, path)
		v.SetMapIndex(reflect.ValueOf(key), element)
	})
}

// eachKey calls read for the keys of a group in the order of the file, and returns them.
func (f *File) eachKey(n ast.Node, path string, read func(key, path string, value ast.Node)) map[string]bool {
	here := map[string]bool{}
	eachPair(n, func(key string, pair *ast.MappingValueNode) {
		at := join(path, key)
		switch {
		case here[key]:
			f.wrongAt(lineOf(pair.Key), at, "the key appears twice", "keep one of them")
		case len(here) == MaxEntries:
			f.tooMany(MaxEntries+1, path)
		default:
			here[key] = true
			f.lines[at] = lineOf(pair.Key)
			read(key, at, pair.Value)
		}
	})
	return here
}

// eachPair calls read for each pair of a mapping; other nodes have none.
func eachPair(n ast.Node, read func(key string, pair *ast.MappingValueNode)) {
	var pairs []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		pairs = m.Values
	case *ast.MappingValueNode:
		pairs = append(pairs, m)
	}
	for _, p := range pairs {
		key := p.Key.String()
		if s, ok := p.Key.(ast.ScalarNode); ok {
			key = scalarText(s)
		}
		read(key, p)
	}
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

func (f *File) tooMany(entries int, path string) bool {
	if entries > MaxEntries {
		f.Wrong(path, fmt.Sprintf("%d entries, more than %d", entries, MaxEntries), "remove what is not needed")
	}
	return entries > MaxEntries
}

// shortField returns the field of a struct that takes a single value in place of the group, nil where none does.
func shortField(t reflect.Type) []int {
	if t.Kind() == reflect.Struct {
		for _, field := range reflect.VisibleFields(t) {
			if field.Tag.Get("yaml") == ",short" {
				return field.Index
			}
		}
	}
	return nil
}

// mismatch reports a value of another form than the file's owner asks for.
func (f *File) mismatch(path string, v reflect.Value, found string) {
	want, remedy := "a single value", `write one value; put a value that holds a colon into quotes: "07:30-16:00"`
	switch kind := v.Kind(); {
	case asText(v) != nil || kind == reflect.String:
	case v.Type() == reflect.TypeFor[time.Duration]():
		want, remedy = "a length of time", "write for example 30s, 17m or 24h"
	case kind == reflect.Bool:
		want, remedy = "true or false", "write one of the two, without quotes"
	case kind == reflect.Float64:
		want, remedy = "a number", "write for example 0.5, without quotes"
	case kind == reflect.Slice:
		want, remedy = "a list", `write each entry on a line that begins with "- ", or [a, b]`
	case kind == reflect.Struct || kind == reflect.Map:
		want, remedy = "a group of keys", `write "key: value" lines`
	default:
		want, remedy = "a whole number", "write digits, without quotes and units"
	}
	f.Wrong(path, "must be "+want+", not "+found, remedy)
}

// lineOf returns the line on which a node begins; 0 when it is not known.
func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0
	}
	return n.GetToken().Position.Line
}
