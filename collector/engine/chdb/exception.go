package chdb

import (
	"regexp"
	"strconv"
	"strings"
)

// Exception is an error of ClickHouse: Code and Name as ClickHouse documents them (60, UNKNOWN_TABLE), Text the whole
// line that a client shows.
type Exception struct {
	Code int
	Name string
	Text string
}

// Error gives ClickHouse's own text.
func (e *Exception) Error() string { return e.Text }

var (
	exceptionCode = regexp.MustCompile(`Code:\s*(\d+)\.`)
	exceptionName = regexp.MustCompile(`\(([A-Z][A-Z0-9_]+)\)`)
)

// parseException reads the library's error text. Nested "Code: 241. DB::Exception: Code: 241. DB::Exception:" prefixes,
// which some paths pile up, are folded into one.
func parseException(text string) *Exception {
	text = strings.TrimSpace(text)
	e := &Exception{Code: 1002, Name: "UNKNOWN_EXCEPTION", Text: text}
	if m := exceptionCode.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			e.Code = n
		}
		prefix := "Code: " + m[1] + ". DB::Exception: "
		for strings.HasPrefix(text, prefix+prefix) {
			text = text[len(prefix):]
		}
		e.Text = text
	}
	if all := exceptionName.FindAllStringSubmatch(text, -1); all != nil {
		e.Name = all[len(all)-1][1]
	}
	if !exceptionCode.MatchString(text) {
		e.Text = "Code: " + strconv.Itoa(e.Code) + ". DB::Exception: " + text
	}
	return e
}
