package server

import "strings"

// token is a piece of SQL text: text[start:end].
type token struct {
	kind       tokenKind
	start, end int
}

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // keyword, name or number
	tokenQuoted           // `name` or "name"
	tokenString           // 'text'
	tokenOther            // one byte of punctuation
)

// scanner walks SQL as ClickHouse's lexer does for what matters here: words, quotes, comments. It is not a parser: what
// it decides is where an INSERT's data begins and which output format a statement names, never who may do what
// (guard.go).
type scanner struct {
	text string
	at   int
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func (s *scanner) next() token {
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch c := rest[0]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			s.at++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "#!"), strings.HasPrefix(rest, "# "):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				s.at += i + 1
			} else {
				s.at = len(s.text)
			}
		case strings.HasPrefix(rest, "/*"):
			if i := strings.Index(rest[2:], "*/"); i >= 0 {
				s.at += i + 4
			} else {
				s.at = len(s.text)
			}
		case c == '\'' || c == '`' || c == '"':
			start := s.at
			s.at++
			for s.at < len(s.text) {
				d := s.text[s.at]
				s.at++
				if d == '\\' && s.at < len(s.text) {
					s.at++
				} else if d == c {
					if s.at < len(s.text) && s.text[s.at] == c { // doubled quote: still inside
						s.at++
						continue
					}
					break
				}
			}
			if c == '\'' {
				return token{tokenString, start, s.at}
			}
			return token{tokenQuoted, start, s.at}
		case isWordByte(c):
			start := s.at
			for s.at < len(s.text) && isWordByte(s.text[s.at]) {
				s.at++
			}
			return token{tokenWord, start, s.at}
		default:
			s.at++
			return token{tokenOther, s.at - 1, s.at}
		}
	}
	return token{tokenEnd, len(s.text), len(s.text)}
}

func (s *scanner) is(t token, word string) bool {
	return t.kind == tokenWord && strings.EqualFold(s.text[t.start:t.end], word)
}

// statement is what the HTTP interface needs to know of a SQL text before ClickHouse reads it.
type statement struct {
	sql       string // what to run; of an INSERT with data, the part before FORMAT or VALUES
	insert    bool   // rows follow
	format    string // of an INSERT, the format of the rows; of another statement, the one it names, or ""
	data      string // what of the text is rows already
	streaming bool   // begins with SELECT or WITH: its result may be handed out in parts
}

// parseStatement reads text. bodyFollows says that more bytes come that are not part of text: an INSERT without a
// format then takes VALUES from them, as ClickHouse does.
func parseStatement(text string, bodyFollows bool) statement {
	s := scanner{text: text}
	first, depth := s.next(), 0
	for first.kind == tokenOther && text[first.start] == '(' { // (SELECT 1) UNION ALL ...
		first = s.next()
		depth++
	}
	if s.is(first, "INSERT") {
		return parseInsert(text, &s, bodyFollows)
	}
	out := statement{sql: text, streaming: s.is(first, "SELECT") || s.is(first, "WITH")}
	for t := s.next(); t.kind != tokenEnd; t = s.next() {
		if t.kind == tokenOther {
			switch text[t.start] {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth--
			}
		}
		if depth != 0 || !s.is(t, "FORMAT") {
			continue
		}
		// FORMAT Name at the end, or before SETTINGS: a column called format is followed by something else.
		mark := s.at
		name := s.next()
		after := s.next()
		if name.kind == tokenWord &&
			(after.kind == tokenEnd || s.is(after, "SETTINGS") || s.is(after, "INTO") || after.kind == tokenOther &&
				text[after.start] == ';') {
			out.format = text[name.start:name.end]
		}
		s.at = mark
	}
	return out
}

func parseInsert(text string, s *scanner, bodyFollows bool) statement {
	depth := 0
	for t := s.next(); ; t = s.next() {
		switch {
		case t.kind == tokenEnd:
			return statement{sql: text, insert: bodyFollows, format: "Values"}
		case t.kind == tokenOther && text[t.start] == '(':
			depth++
		case t.kind == tokenOther && text[t.start] == ')':
			depth--
		case depth > 0:
		case s.is(t, "SELECT"), s.is(t, "WITH"), s.is(t, "WATCH"), s.is(t, "INFILE"):
			return statement{sql: text}
		case s.is(t, "VALUES"):
			return statement{sql: text[:t.start], insert: true, format: "Values", data: text[t.end:]}
		case s.is(t, "FORMAT"):
			name := s.next()
			if name.kind != tokenWord {
				return statement{sql: text}
			}
			return statement{
				sql: text[:t.start], insert: true, format: text[name.start:name.end], data: insertData(text[name.end:]),
			}
		}
	}
}

// insertData cuts what separates the format's name from the rows: blanks up to and with one line end. Binary rows may
// begin with bytes that look blank, so no more than that goes.
func insertData(rest string) string {
	rest = strings.TrimPrefix(rest, ";")
	rest = strings.TrimLeft(rest, " \t\f")
	rest = strings.TrimPrefix(rest, "\r")
	return strings.TrimPrefix(rest, "\n")
}

// partwiseFormats are the output formats in which the results of consecutive blocks may be written one after the other.
// Others have a frame around the whole (JSON) or a first line (CSVWithNames), which ClickHouse's library would
// repeat with every part: those are fetched whole.
var partwiseFormats = map[string]bool{
	"Native": true, "TabSeparated": true, "TSV": true, "TabSeparatedRaw": true, "TSVRaw": true, "CSV": true,
	"JSONEachRow": true, "JSONLines": true, "NDJSON": true, "JSONCompactEachRow": true, "JSONStringsEachRow": true,
	"JSONCompactStringsEachRow": true, "RowBinary": true, "Null": true,
}

// contentTypes are the media types ClickHouse names for its formats.
func contentType(format string) string {
	switch {
	case strings.HasPrefix(format, "JSONEachRow"), strings.HasPrefix(format, "JSONCompactEachRow"),
		strings.HasPrefix(format, "JSONStringsEachRow"),
		strings.HasPrefix(format, "JSONCompactStringsEachRow"), format == "JSONLines", format == "NDJSON":
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(format, "JSON"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(format, "TabSeparated"), strings.HasPrefix(format, "TSV"):
		return "text/tab-separated-values; charset=UTF-8"
	case strings.HasPrefix(format, "CSV"):
		return "text/csv; charset=UTF-8; header=" +
			map[bool]string{true: "present", false: "absent"}[strings.Contains(format, "WithNames")]
	case format == "Native", strings.HasPrefix(format, "RowBinary"), format == "Parquet", format == "Arrow",
		format == "ArrowStream", format == "ORC", format == "Avro", format == "MsgPack", format == "BSONEachRow":
		return "application/octet-stream"
	case format == "XML":
		return "application/xml; charset=UTF-8"
	case format == "Markdown":
		return "text/markdown; charset=UTF-8"
	}
	return "text/plain; charset=UTF-8"
}
