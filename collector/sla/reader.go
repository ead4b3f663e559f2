package sla

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of a configuration file. They keep a mistaken file from exhausting memory or the parser's stack.
const (
	MaxFileBytes     = 256 << 10
	MaxFileLineBytes = 2000
	MaxFileNesting   = 32   // open brackets and braces at one place
	MaxFileEntries   = 2000 // entries of one list or mapping
	maxTextBytes     = 200
)

// reader walks the syntax tree of one YAML file and notes every mistake with its line. The tree is walked by hand, not
// decoded by reflection: each mistake then has its line, its field and a remedy.
type reader struct {
	file     string
	problems Problems
}

// node is a place in the tree; the zero node is an absent field.
type node struct {
	r    *reader
	n    ast.Node
	path string
	line int
}

func (r *reader) add(line int, field, reason, remedy string) {
	r.problems = append(r.problems, Problem{r.file, line, field, reason, remedy})
}

func (n node) bad(reason, remedy string) { n.r.add(n.line, n.path, reason, remedy) }

func (n node) ok() bool { return n.n != nil }

// parse returns the root mapping of the file; ok is false when a problem was noted instead.
func (r *reader) parse(data []byte) (node, bool) {
	if len(data) > MaxFileBytes {
		r.add(0, "", fmt.Sprintf("the file has %d bytes, more than %d", len(data), MaxFileBytes),
			"split it or remove what is not needed")
		return node{}, false
	}
	depth := 0
	for i, line := range strings.Split(string(data), "\n") {
		if len(line) > MaxFileLineBytes {
			r.add(i+1, "", fmt.Sprintf("the line has %d bytes, more than %d", len(line), MaxFileLineBytes),
				"break it into several lines")
			return node{}, false
		}
		if strings.Count(line, "- -") > MaxFileNesting {
			r.add(i+1, "", "lists are nested too deeply", "remove the inner lists")
			return node{}, false
		}
		for _, c := range line {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth--
			}
		}
		if depth > MaxFileNesting {
			r.add(i+1, "", "brackets are nested too deeply or are not closed", "close every [ and {")
			return node{}, false
		}
	}
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		line, msg := 0, err.Error()
		if e, ok := err.(yaml.Error); ok {
			msg = e.GetMessage()
			if t := e.GetToken(); t != nil && t.Position != nil {
				line = t.Position.Line
			}
		}
		msg, _, _ = strings.Cut(msg, "\n")
		r.add(line, "", "not valid YAML: "+clip(msg), "correct the syntax at this line")
		return node{}, false
	}
	var body ast.Node
	for _, d := range f.Docs {
		if d.Body == nil {
			continue
		}
		if body != nil {
			r.add(lineOf(d.Body), "", "a second document begins here",
				"put each calendar and each policy into a file of its own")
			return node{}, false
		}
		body = d.Body
	}
	root := node{r: r, n: body, line: lineOf(body)}
	if !isMapping(body) {
		r.add(max(root.line, 1), "", "the file holds no mapping", `begin with "calendar: NAME" or "policy: NAME"`)
		return node{}, false
	}
	return root, true
}

// clip keeps foreign text short and on one line.
func clip(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > maxTextBytes {
		return strings.ToValidUTF8(s[:maxTextBytes], "") + "..."
	}
	return s
}

func isMapping(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

func lineOf(n ast.Node) int {
	if n == nil {
		return 0
	}
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 {
			return lineOf(m.Values[0])
		}
	case *ast.MappingValueNode:
		return lineOf(m.Key)
	case *ast.SequenceNode:
		if len(m.Values) > 0 {
			return lineOf(m.Values[0])
		}
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

type entry struct {
	key   string
	value node
}

// entries returns the fields of a mapping in order, and notes fields that are not allowed or appear twice. Without
// allowed, any key may stand.
func (n node) entries(allowed ...string) []entry {
	if !n.ok() {
		return nil
	}
	var pairs []*ast.MappingValueNode
	switch m := n.n.(type) {
	case *ast.MappingNode:
		pairs = m.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{m}
	default:
		n.bad("must be a mapping of fields", `write "field: value"`)
		return nil
	}
	if len(pairs) > MaxFileEntries {
		n.bad(fmt.Sprintf("%d entries, more than %d", len(pairs), MaxFileEntries), "remove what is not needed")
		return nil
	}
	var out []entry
	for _, p := range pairs {
		line := lineOf(p.Key)
		var key string
		switch k := p.Key.(type) {
		case *ast.StringNode:
			key = k.Value
		default:
			key = k.String()
		}
		path := key
		if n.path != "" {
			path = n.path + "." + key
		}
		path = clip(path)
		if len(allowed) > 0 && !slices.Contains(allowed, key) {
			n.r.add(line, path, "unknown field", "use one of "+strings.Join(allowed, ", ")+nearest(key, allowed))
			continue
		}
		if slices.ContainsFunc(out, func(e entry) bool { return e.key == key }) {
			n.r.add(line, path, "the field appears twice", "keep one of them")
			continue
		}
		v := node{r: n.r, n: p.Value, path: path, line: line}
		if l := lineOf(p.Value); l > 0 {
			v.line = l
		}
		if _, null := p.Value.(*ast.NullNode); null || p.Value == nil {
			n.r.add(line, path, "the field has no value", "give it one or remove it")
			continue
		}
		out = append(out, entry{key, v})
	}
	return out
}

// nearest suggests the allowed word that begins like the given one.
func nearest(word string, allowed []string) string {
	best, n := "", 2
	for _, a := range allowed {
		k := 0
		for k < len(a) && k < len(word) && a[k] == word[k] {
			k++
		}
		if k > n {
			best, n = a, k
		}
	}
	if best == "" {
		return ""
	}
	return " (perhaps " + best + ")"
}

func (n node) fields(allowed ...string) map[string]node {
	m := map[string]node{}
	for _, e := range n.entries(allowed...) {
		m[e.key] = e.value
	}
	return m
}

// require returns a field of n and notes its absence.
func (n node) require(m map[string]node, field, remedy string) node {
	v := m[field]
	if !v.ok() {
		path := field
		if n.path != "" {
			path = n.path + "." + field
		}
		if !slices.ContainsFunc(n.r.problems, func(p Problem) bool { return p.Field == path }) {
			n.r.add(n.line, path, "the field is missing", remedy)
		}
	}
	return v
}

// items returns the entries of a list.
func (n node) items() []node {
	if !n.ok() {
		return nil
	}
	s, ok := n.n.(*ast.SequenceNode)
	if !ok {
		n.bad("must be a list", `write each entry on a line that begins with "- ", or [a, b]`)
		return nil
	}
	if len(s.Values) > MaxFileEntries {
		n.bad(fmt.Sprintf("%d entries, more than %d", len(s.Values), MaxFileEntries), "remove what is not needed")
		return nil
	}
	out := make([]node, 0, len(s.Values))
	for i, v := range s.Values {
		c := node{r: n.r, n: v, path: n.path + "[" + strconv.Itoa(i) + "]", line: lineOf(v)}
		if c.line == 0 {
			c.line = n.line
		}
		if _, null := v.(*ast.NullNode); null || v == nil {
			c.bad("the entry is empty", "give it a value or remove it")
			continue
		}
		out = append(out, c)
	}
	return out
}

// text returns a scalar as it is written; numbers and dates need no quotes.
func (n node) text() (string, bool) {
	if !n.ok() {
		return "", false
	}
	var s string
	switch v := n.n.(type) {
	case *ast.StringNode:
		s = v.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		s = v.GetToken().Value
	case *ast.LiteralNode:
		s = strings.TrimSpace(v.Value.Value)
	case *ast.AliasNode, *ast.AnchorNode, *ast.TagNode:
		n.bad("anchors, aliases and tags are not read", "write the value out")
		return "", false
	case *ast.MappingNode, *ast.MappingValueNode:
		n.bad("must be a single value, not a mapping", `put a value that holds a colon into quotes: "07:30-16:00"`)
		return "", false
	default:
		n.bad("must be a single value", "write one value, not a list")
		return "", false
	}
	if s == "" || len(s) > maxTextBytes || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' }) {
		n.bad(fmt.Sprintf("must be a text of 1 to %d bytes on one line", maxTextBytes), "shorten or fill it")
		return "", false
	}
	return s, true
}

// texts returns a value or a list of values.
func (n node) texts() []string {
	if !n.ok() {
		return nil
	}
	if _, list := n.n.(*ast.SequenceNode); !list {
		if s, ok := n.text(); ok {
			return []string{s}
		}
		return nil
	}
	items := n.items()
	if len(items) == 0 && len(n.r.problems) == 0 {
		n.bad("the list is empty", "name at least one value or remove the field")
	}
	var out []string
	for _, i := range items {
		if s, ok := i.text(); ok {
			if slices.Contains(out, s) {
				i.bad("named twice", "keep one")
				continue
			}
			out = append(out, s)
		}
	}
	return out
}

// date returns a date as a number of days since 1970-01-01.
func (n node) date() (int32, bool) {
	s, ok := n.text()
	if !ok {
		return 0, false
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		n.bad(fmt.Sprintf("%q is not a date", clip(s)), "write it as 2026-12-31")
		return 0, false
	}
	d := dayOf(t.UnixMilli())
	if d < firstDay || d > lastDay {
		n.bad("the date lies outside "+dayText(firstDay)+" to "+dayText(lastDay), "correct the year")
		return 0, false
	}
	return d, true
}

// span returns a length of time: 15s, 3m, 1h30m, 14d. A day is 24 hours here; days reports that only days were named.
func (n node) span() (d time.Duration, days int, ok bool) {
	s, ok := n.text()
	if !ok {
		return 0, 0, false
	}
	if num, isDays := strings.CutSuffix(s, "d"); isDays {
		k, err := strconv.Atoi(num)
		if err != nil || k <= 0 || k > MaxTargetDays {
			n.bad(fmt.Sprintf("%q is not a number of days from 1 to %d", clip(s), MaxTargetDays), "write for example 5d")
			return 0, 0, false
		}
		return time.Duration(k) * 24 * time.Hour, k, true
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		n.bad(fmt.Sprintf("%q is not a length of time", clip(s)), "write for example 15s, 3m, 8h, 1h30m or 5d")
		return 0, 0, false
	}
	if d < time.Second || d > MaxTargetDays*24*time.Hour || d%time.Second != 0 {
		n.bad(fmt.Sprintf("%q lies outside 1s to %dd or is no whole number of seconds", clip(s), MaxTargetDays),
			"choose a length within")
		return 0, 0, false
	}
	return d, 0, true
}
