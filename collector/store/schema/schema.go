// Package schema owns the text of the database: the numbered files that make its tables, the views over them, and the
// formulas that SQL elsewhere shares with them. It never speaks to ClickHouse: the package store does.
//
// Tables hold rows that cannot be made again, so a file that was ever released is never edited: a change of a table is
// a file with the next number. Views hold nothing: they follow their text, and a change of one is an edit of its file.
package schema

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

//go:embed *.sql views/*.sql
var files embed.FS

// File is one file of SQL.
type File struct {
	Number     uint32 // of a migration, from 1; 0 for the views
	Name       string
	Checksum   string // SHA-256 of the text, hex
	Statements []string
}

func newFile(number uint32, name, text string) (File, error) {
	statements, err := splitStatements(text)
	if err != nil {
		return File{}, fmt.Errorf("schema file %s: %w", name, err)
	}
	sum := sha256.Sum256([]byte(text))
	return File{number, name, hex.EncodeToString(sum[:]), statements}, nil
}

// Migrations returns the files that make the tables, by number. Every statement may be run twice.
func Migrations() ([]File, error) { return Read(files) }

// Read returns the numbered files of a folder: 001_name.sql, 002_name.sql and so on, without a gap.
func Read(dir fs.FS) ([]File, error) {
	names, err := fs.Glob(dir, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var out []File
	for i, name := range names {
		digits, _, _ := strings.Cut(name, "_")
		if n, err := strconv.Atoi(digits); err != nil || len(digits) != 3 || n != i+1 {
			return nil, fmt.Errorf("schema file %s: want a name that begins with %03d_: numbers begin at 001 and have no gap",
				name, i+1)
		}
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		f, err := newFile(uint32(i+1), name, string(text))
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// Views returns the statements that make the views of a database, each after those that it reads from. Every name in
// them carries the database: a view that asks another one with parameters would look for it where its reader is. Their
// files are templates, of which the checksum covers the result.
//
// Each view that takes as_of has a twin, called Present of its name, which the program asks for figures of the present:
// it has no half for past instants, which costs most of the planning though it reads nothing.
func Views(database string) (File, error) {
	text, err := viewsText(database, false)
	if err != nil {
		return File{}, err
	}
	all, err := splitStatements(text)
	if err != nil {
		return File{}, fmt.Errorf("schema views: %w", err)
	}
	present, err := viewsText(database, true)
	if err != nil {
		return File{}, err
	}
	twins, err := splitStatements(present)
	if err != nil {
		return File{}, fmt.Errorf("schema views: %w", err)
	}
	rename := []string{"as_of", "judged_at"}
	for i, s := range all {
		if strings.Contains(s, "{as_of:") {
			name, _, _ := strings.Cut(strings.TrimPrefix(s, "CREATE OR REPLACE VIEW "), " ")
			bare := strings.TrimPrefix(name, database+".")
			for _, after := range []string{" ", "("} {
				rename = append(rename, name+after, database+"."+Present(bare)+after)
			}
			continue
		}
		twins[i] = "" // it is its own
	}
	twin := strings.NewReplacer(rename...)
	for _, s := range twins {
		if s != "" {
			text += ";\n" + twin.Replace(s)
		}
	}
	return newFile(0, "views", text)
}

// Present names the twin of a view that takes as_of: the same view of the present alone. It takes judged_at in its
// place, the instant that clocks are judged at (RFC 3339), which may be left out.
func Present(view string) string { return "present_" + view }

// viewsText fills the templates of the views.
func viewsText(database string, present bool) (string, error) {
	tmpl, err := template.New("views").Funcs(template.FuncMap{
		"wilson": wilsonColumns, "db": func() string { return database }, "causes": Causes,
		"present": func() bool { return present },
	}).ParseFS(files, "views/*.sql")
	if err != nil {
		return "", fmt.Errorf("schema: %w", err)
	}
	names, err := fs.Glob(files, "views/*.sql")
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, name := range names {
		if err := tmpl.ExecuteTemplate(&text, strings.TrimPrefix(name, "views/"), nil); err != nil {
			return "", fmt.Errorf("schema: %w", err)
		}
	}
	return text.String(), nil
}

func wilsonColumns(k, n string) string {
	return WilsonLow(k, n) + " AS low,\n    " + WilsonHigh(k, n) + " AS high"
}

// WilsonLow gives, as SQL, the lower bound of the 95 % score interval (E. B. Wilson, 1927) of k of n: NULL where n is
// 0. k and n are names of columns.
func WilsonLow(k, n string) string { return wilson(k, n, "greatest(0, ", "-") }

// WilsonHigh gives the upper bound; see WilsonLow.
func WilsonHigh(k, n string) string { return wilson(k, n, "least(1, ", "+") }

func wilson(k, n, clip, sign string) string {
	const z, zSquared = "1.959963984540054", "3.841458820694124"
	return fmt.Sprintf("if(%[2]s = 0, NULL, %[3]s((%[1]s / %[2]s + %[6]s / (2 * %[2]s)) %[4]s %[5]s * "+
		"sqrt((%[1]s / %[2]s) * (1 - %[1]s / %[2]s) / %[2]s + %[6]s / (4 * %[2]s * %[2]s))) / (1 + %[6]s / %[2]s)))",
		k, n, clip, sign, z, zSquared)
}

// splitStatements cuts SQL at the semicolons outside of quotes and comments, and drops the comments: some servers take
// a trailing comment for a second, empty statement.
func splitStatements(text string) ([]string, error) {
	var out []string
	var cur strings.Builder
	flush := func() {
		if s := strings.TrimSpace(cur.String()); s != "" {
			out = append(out, s)
		}
		cur.Reset()
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ';':
			flush()
			i++
		case strings.HasPrefix(text[i:], "--"):
			n := strings.IndexByte(text[i:], '\n')
			if n < 0 {
				n = len(text) - i
			}
			i += n
		case strings.HasPrefix(text[i:], "/*"):
			n := strings.Index(text[i+2:], "*/")
			if n < 0 {
				return nil, errors.New("a comment is not closed")
			}
			cur.WriteByte(' ')
			i += n + 4
		case c == '\'' || c == '"' || c == '`':
			end := i + 1
			for end < len(text) && text[end] != c {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(text) {
				return nil, fmt.Errorf("a quote %c is not closed", c)
			}
			cur.WriteString(text[i : end+1])
			i = end + 1
		default:
			cur.WriteByte(c)
			i++
		}
	}
	flush()
	return out, nil
}
