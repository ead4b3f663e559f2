// Package yamlfile reads the YAML files that people write: configuration, directory, contacts, policies, calendars and
// import mappings. It owns what all of them have in common: strictness, limits, and how a mistake is reported, with
// file, line, field, what was found and what would be right.
//
// It never opens a file and never fills in a default. A file is read in two steps: Read decodes it into a struct and
// reports every mistake of form at once; its owner then checks what the values mean and reports with File.Wrong.
package yamlfile

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of every file. They keep a mistaken or hostile file from exhausting memory, the parser's stack, or time: the
// parser's time grows with the square of the keys of one group and of the line breaks behind a block of text.
const (
	MaxLineBytes = 2000
	MaxNesting   = 32   // of brackets and braces, and of dashes on one line
	MaxEntries   = 2000 // of one list or group of keys
	MaxBlank     = 200  // line breaks in a row
)

// File is a file that was read: its problems, and the line of each of its fields.
type File struct {
	Name     string
	Problems Problems
	root     ast.Node       // nil when the file is empty or no YAML
	lines    map[string]int // by path of the field
}

// Read decodes text, the content of the file called name, into the struct that into points to. The error is Problems.
//
// Keys are the fields' yaml tags, those of embedded structs included; ",short" marks the field that takes a single
// value written in place of the group. A field with a tag missing must be there; the tag says what to write. Unknown
// keys, repeated keys, keys without a value, values of another type, anchors, aliases, tags and second documents are
// mistakes. A text takes numbers and dates as they are written: 35.10 stays "35.10". A type with UnmarshalText reads
// itself; see Wrong for its errors. An empty file leaves into as it is.
func Read(name string, text []byte, maxBytes int, into any) (*File, error) {
	f := Parse(name, text, maxBytes)
	return f, f.Decode(into)
}

// Parse is the first half of Read, for files whose keys tell what they are. Decode tells its problems.
func Parse(name string, text []byte, maxBytes int) *File {
	f := &File{Name: name, lines: map[string]int{}}
	if f.root = f.parse(text, maxBytes); f.root != nil {
		f.lines[""] = lineOf(f.root)
	}
	return f
}

// Has reports whether the file has a key at its outermost level.
func (f *File) Has(key string) bool {
	found := false
	eachPair(f.root, func(k string, _ *ast.MappingValueNode) { found = found || k == key })
	return found
}

// Decode is the second half of Read.
func (f *File) Decode(into any) error {
	if f.root != nil {
		f.decode(f.root, reflect.ValueOf(into).Elem(), "")
	}
	return f.Err()
}

// Err returns the problems that were found so far as an error.
func (f *File) Err() error { return f.Problems.Err() }

// Wrong reports a mistake at a field.
func (f *File) Wrong(field, found, remedy string) { f.wrongAt(f.Line(field), field, found, remedy) }

func (f *File) wrongAt(line int, field, found, remedy string) {
	switch n := len(f.Problems); {
	case n < MaxProblems:
		f.Problems = append(f.Problems, Problem{f.Name, line, clip(field), clip(found), remedy})
	case n == MaxProblems:
		f.Problems = append(f.Problems, Problem{File: f.Name, Line: line, Found: "and more mistakes"})
	}
}

// Line returns the line of a field; for a key that is missing, that of the group that lacks it.
func (f *File) Line(field string) int {
	for field != "" {
		if line, ok := f.lines[field]; ok {
			return line
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return f.lines[""]
}

// OneOf reports whether value is among the allowed ones, and a mistake at field when it is not. what names the kind of
// value, for example "priority".
func (f *File) OneOf(field, what, value string, allowed ...string) bool {
	if slices.Contains(allowed, value) {
		return true
	}
	f.Wrong(field, fmt.Sprintf("unknown %s %q", what, value), useOneOf(value, allowed))
	return false
}

// maxNamed is how many allowed words a remedy lists.
const maxNamed = 40

// useOneOf names the allowed words, and last the one that begins like the given one.
func useOneOf(word string, allowed []string) string {
	remedy := "use one of " + strings.Join(allowed[:min(len(allowed), maxNamed)], ", ")
	if len(allowed) > maxNamed {
		remedy += ", ..."
	}
	for n := len(word); n >= 3; n-- {
		for _, a := range allowed {
			if strings.HasPrefix(a, word[:n]) {
				return remedy + " (perhaps " + a + ")"
			}
		}
	}
	return remedy
}

// parse returns the root of the file's only document; nil when the file is empty or a problem was reported.
func (f *File) parse(text []byte, maxBytes int) (root ast.Node) {
	if len(text) > maxBytes {
		f.wrongAt(0, "", fmt.Sprintf("the file has %d bytes, more than %d", len(text), maxBytes),
			"split it or remove what is not needed")
		return nil
	}
	for i, line := range strings.Split(string(text), "\n") {
		if len(line) > MaxLineBytes {
			f.wrongAt(i+1, "", fmt.Sprintf("the line has %d bytes, more than %d", len(line), MaxLineBytes),
				"break it into several lines")
			return nil
		}
	}
	if line := tooBlank(text); line > 0 {
		f.wrongAt(line, "", fmt.Sprintf("more than %d line breaks follow each other", MaxBlank), "remove the empty lines")
		return nil
	}
	defer func() {
		// The YAML package panics on a few malformed documents. A file is input, and input never panics.
		if r := recover(); r != nil {
			f.wrongAt(0, "", "not valid YAML", "check indentation, quotes and brackets")
			root = nil
		}
	}()
	tokens := lexer.Tokenize(string(text))
	if t := tooDeep(tokens); t != nil {
		f.wrongAt(t.Position.Line, "", fmt.Sprintf("lists or brackets are nested deeper than %d", MaxNesting),
			"close every [ and {, or remove the inner lists")
		return nil
	}
	if t := tooManyKeys(tokens); t != nil {
		f.wrongAt(t.Position.Line, "", fmt.Sprintf("one group has more than %d keys", MaxEntries),
			"remove what is not needed")
		return nil
	}
	tree, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // decode reports duplicates, with their field
	if err != nil {
		line, message := 0, err.Error()
		var syntax yaml.Error
		if errors.As(err, &syntax) && syntax.GetToken() != nil {
			line, message = syntax.GetToken().Position.Line, syntax.GetMessage()
		}
		f.wrongAt(line, "", "not valid YAML: "+message, "correct the syntax at this line")
		return nil
	}
	for _, doc := range tree.Docs {
		switch doc.Body.(type) {
		case nil, *ast.CommentGroupNode, *ast.NullNode:
			continue
		}
		if root != nil {
			f.wrongAt(lineOf(doc.Body), "", "a second document begins here", "put it into a file of its own")
			return nil
		}
		root = doc.Body
	}
	return root
}

// tooDeep returns the token that opens more lists or groups than MaxNesting; the parser needs stack for each.
func tooDeep(tokens token.Tokens) *token.Token {
	brackets, line, dashes := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			brackets++
		case token.SequenceEndType, token.MappingEndType:
			brackets--
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		}
		if max(brackets, dashes) > MaxNesting {
			return t
		}
	}
	return nil
}

// tooBlank returns the line at which more than MaxBlank line breaks follow each other, 0 when there is none.
func tooBlank(text []byte) int {
	line, breaks := 1, 0
	for _, c := range text {
		switch c {
		case '\n':
			line++
			breaks++
		case '\r':
			breaks++
		case ' ', '\t':
		default:
			breaks = 0
		}
		if breaks > MaxBlank {
			return line
		}
	}
	return 0
}

// tooManyKeys returns the key with which a group that is written line by line has more than MaxEntries keys. The keys
// of a group stand in one column; a key or dash further left ends it.
func tooManyKeys(tokens token.Tokens) *token.Token {
	type group struct{ column, keys int }
	var open []group
	brackets := 0
	for i, t := range tokens {
		key := t
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			brackets++
		case token.SequenceEndType, token.MappingEndType:
			brackets--
		case token.MappingValueType:
			if i > 0 && tokens[i-1].Position.Line == t.Position.Line {
				key = tokens[i-1]
			}
		}
		isKey := t.Type == token.MappingValueType || t.Type == token.MappingKeyType
		if brackets > 0 || !isKey && t.Type != token.SequenceEntryType {
			continue
		}
		for len(open) > 0 && open[len(open)-1].column > key.Position.Column {
			open = open[:len(open)-1]
		}
		if !isKey {
			continue
		}
		if len(open) == 0 || open[len(open)-1].column < key.Position.Column {
			open = append(open, group{column: key.Position.Column})
		}
		if g := &open[len(open)-1]; g.keys == MaxEntries {
			return key
		} else {
			g.keys++
		}
	}
	return nil
}
