package server

import (
	"errors"
	"strings"

	"github.com/monev112/monev112/collector/engine/chdb"
)

// What a reader may run. ClickHouse's readonly=1 is the first wall and not enough [tried with 26.7]: the function
// file('/etc/passwd'), also as a bare name in arrayMap(file, ...) or APPLY file, works; INTO OUTFILE writes; KILL QUERY
// ends the writer's statements; DESCRIBE of s3(...) and url(...) calls out, beyond every time limit. So a reader's text
//
//  1. must be one statement that ClickHouse's own parser calls read-only, and
//  2. printed again by ClickHouse (so that quotes, escapes and comments hide nothing) must hold none of the names
//  below.

// deniedNames may not appear as a name at all: functions that read files or call other hosts can be passed without
// parentheses, and stack_trace stops every thread of the process.
var deniedNames = nameSet(`
	file catboostEvaluate evalMLMethod hasColumnInTable showCertificate stack_trace getClientHTTPHeader
	aiClassify aiGenerate aiEmbed aiExtract aiTranslate aiGenerateContent aiGenerateEmbedding
	addressToLine addressToLineWithInlines addressToSymbol demangle
`)

// deniedFunctions may not be called: table functions that reach outside the tables. allowedTableFunctions are the
// others; a table function of a later version that is in neither list is denied too, since Open reads ClickHouse's own
// list.
var allowedTableFunctions = nameSet(`
	numbers numbers_mt zeros zeros_mt primes generateSeries generate_series generateRandom values null view
	viewIfPermitted merge format
	mergeTreeIndex mergeTreeProjection mergeTreeTextIndex mergeTreeAnalyzeIndexes mergeTreeAnalyzeIndexesUUID
	timeSeriesSelector timeSeriesMetrics timeSeriesTags timeSeriesSamples timeSeriesData SQLStandardValues
`)

func nameSet(names string) map[string]bool {
	set := make(map[string]bool)
	for _, name := range strings.Fields(names) {
		set[strings.ToLower(name)] = true
	}
	return set
}

// guard judges readers' statements. It is made once and only read then.
type guard struct {
	deniedFunctions map[string]bool
}

func newGuard(tableFunctions []string) *guard {
	g := &guard{deniedFunctions: make(map[string]bool)}
	for _, name := range tableFunctions {
		if name = strings.ToLower(name); !allowedTableFunctions[name] {
			g.deniedFunctions[name] = true
		}
	}
	return g
}

const withKey = "use the engine key for that (password, or header X-ClickHouse-Key)"

// check says whether a reader may run sql; c is a reader's connection. A nil error means yes.
func (g *guard) check(c *chdb.Conn, sql string, params map[string]string) error {
	class, err := c.Classify(sql)
	if err != nil {
		return err
	}
	switch {
	case class.Statements > 1:
		return denied("one statement a request, and here are %d", class.Statements)
	case class.Kind == chdb.Mutating || class.Kind == chdb.MutatingGlobal || class.Kind == chdb.Control:
		return newException(codeReadonly,
			"without the key only SELECT, SHOW, DESCRIBE, EXPLAIN and EXISTS may run: %s", withKey)
	}
	// Text that did not parse has no class: printing it gives ClickHouse's own syntax error.
	printed, err := c.Query("SELECT formatQuerySingleLine({sql:String})", "TSVRaw",
		map[string]string{"sql": escapeParam(sql)})
	if err != nil {
		if e, ok := errors.AsType[*chdb.Exception](err); ok && e.Code == codeSyntaxError.number {
			return trimContext(e)
		}
		return err
	}
	if class.Kind != chdb.ReadOnly || class.Statements != 1 {
		return denied("this kind of statement may not run without the key: %s", withKey)
	}
	return g.checkNames(string(printed.Data), params)
}

// checkNames looks at a statement as ClickHouse printed it.
func (g *guard) checkNames(printed string, params map[string]string) error {
	s := scanner{text: printed}
	substitutesNames := false
	for t := s.next(); t.kind != tokenEnd; {
		after := s.next()
		var name string
		switch t.kind {
		case tokenWord:
			name = printed[t.start:t.end]
		case tokenQuoted:
			name = unquoteName(printed[t.start:t.end])
		}
		name = strings.ToLower(name)
		called := after.kind == tokenOther && printed[after.start] == '('
		if deniedNames[name] || called && g.deniedFunctions[name] {
			return denied("%s may not be used without the key, for it reaches outside the tables: %s", name, withKey)
		}
		substitutesNames = substitutesNames || name == "identifier"
		t = after
	}
	if !substitutesNames {
		return nil
	}
	// {x:Identifier} puts a parameter's value in the place of a name.
	for parameter, value := range params {
		for _, word := range strings.FieldsFunc(value, func(r rune) bool { return r < 0x80 && !isWordByte(byte(r)) }) {
			if name := strings.ToLower(word); deniedNames[name] || g.deniedFunctions[name] {
				return denied("parameter %s: %s may not be used without the key: %s", parameter, name, withKey)
			}
		}
		if strings.Contains(value, `\`) {
			return denied("parameter %s: a name may not hold a backslash", parameter)
		}
	}
	return nil
}

// unquoteName reads a quoted name as ClickHouse prints it: a backslash stands before the quote, a backslash or a
// control letter.
func unquoteName(quoted string) string {
	inner := quoted[1:]
	inner = strings.TrimSuffix(inner, quoted[:1])
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] == '\\' && i+1 < len(inner) {
			i++
		}
		b.WriteByte(inner[i])
	}
	return b.String()
}

// escapeParam writes a value in the text form that query parameters are read in.
func escapeParam(s string) string {
	return strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`).Replace(s)
}

// trimContext cuts what the error says of the statement that printed the reader's one.
func trimContext(e *chdb.Exception) *chdb.Exception {
	text := e.Text
	if i := strings.LastIndex(text, ": In scope SELECT formatQuerySingleLine"); i >= 0 {
		text = text[:i]
	}
	if i := strings.LastIndex(text, ": while executing"); i >= 0 {
		text = text[:i]
	}
	if !strings.HasSuffix(text, "("+e.Name+")") {
		text += ". (" + e.Name + ")"
	}
	return &chdb.Exception{Code: e.Code, Name: e.Name, Text: text}
}
