package yamlfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MaxProblems is how many mistakes of one file are reported at once.
const MaxProblems = 50

// maxQuotedBytes bounds what a Problem repeats of the file.
const maxQuotedBytes = 300

// Problem is one mistake in a file: where it is, what was found there and what would be right.
type Problem struct {
	File   string
	Line   int    // from 1; 0 where no line can be named
	Field  string // path within the file, for example centers[0].opds[3].scope; empty for the file as a whole
	Found  string
	Remedy string
}

// Error renders p as "file:line: field: found; remedy".
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Field != "" {
		b.WriteString(": " + p.Field)
	}
	b.WriteString(": " + p.Found)
	if p.Remedy != "" {
		b.WriteString("; " + p.Remedy)
	}
	return b.String()
}

// Problems is what is wrong with one file or with several that belong together. It is an error when it is not empty.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns the problems by file and line, each once; nil when there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(sorted)
}

// Wrong is the error of an UnmarshalText that knows what would be right; Read adds the place.
func Wrong(found, remedy string) error { return Problem{Found: found, Remedy: remedy} }

// clip keeps foreign text short and on one line.
func clip(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > maxQuotedBytes {
		s = strings.ToValidUTF8(s[:maxQuotedBytes], "") + "..."
	}
	return s
}
