package asterisk

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of one line.
const (
	MaxLineBytes  = 8 << 10 // without its end
	maxFieldBytes = 1 << 10 // of one field
	maxIDBytes    = 64      // of a unique id: the ids of events have room for 128 bytes
	maxNameBytes  = 128     // of a queue or an agent
	maxEventBytes = 32
	maxParams     = 16
)

// The instants that a line may bear: a clock that was never set says 1970.
var (
	firstSecond = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	endSecond   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

// Line is one line of a queue_log: unix time|unique id|queue|agent|event|params.
type Line struct {
	Unix     int64  // seconds, as the clock of the telephone server stood
	UniqueID string // of the call's channel; empty where the log says NONE
	Queue    string // empty where the log says NONE
	Agent    string // the member's name or interface; empty where the log says NONE
	Event    string // for example CONNECT
	Params   []string
}

// Time is when the line was written.
func (l *Line) Time() time.Time { return time.Unix(l.Unix, 0).UTC() }

// param returns parameter i, counted from 0, empty when the line has fewer.
func (l *Line) param(i int) string {
	if i < len(l.Params) {
		return l.Params[i]
	}
	return ""
}

// ParseError says why a text is no line of a queue_log. Its text is one of few and never holds a part of the line.
type ParseError string

// Error returns the reason.
func (e ParseError) Error() string { return string(e) }

// The reasons of a ParseError.
const (
	LineTooLong   ParseError = "line_too_long"
	NotPrintable  ParseError = "not_printable_utf8"
	TooFewFields  ParseError = "fewer_than_5_fields"
	TooManyFields ParseError = "too_many_fields"
	BadTime       ParseError = "bad_time"
	BadUniqueID   ParseError = "bad_unique_id"
	BadQueue      ParseError = "bad_queue"
	BadAgent      ParseError = "bad_agent"
	BadEvent      ParseError = "bad_event"
)

// ParseLine reads one line without its line end; every error is a ParseError. The Line holds no reference to text.
func ParseLine(text []byte) (Line, error) {
	if len(text) > MaxLineBytes {
		return Line{}, LineTooLong
	}
	if !printable(text) {
		return Line{}, NotPrintable
	}
	fields := strings.Split(string(text), "|")
	if len(fields) < 5 {
		return Line{}, TooFewFields
	}
	if len(fields) > 5+maxParams {
		return Line{}, TooManyFields
	}
	for _, f := range fields[5:] {
		if len(f) > maxFieldBytes {
			return Line{}, LineTooLong
		}
	}
	l := Line{
		UniqueID: named(fields[1]), Queue: named(fields[2]), Agent: named(fields[3]), Event: fields[4], Params: fields[5:],
	}
	var err error
	if l.Unix, err = strconv.ParseInt(fields[0], 10, 64); err != nil || fields[0][0] == '+' || l.Unix < firstSecond ||
		l.Unix >= endSecond {
		return Line{}, BadTime
	}
	if fields[1] == "" || len(l.UniqueID) > maxIDBytes || strings.ContainsFunc(l.UniqueID, func(r rune) bool {
		return r <= ' ' || r > '~'
	}) {
		return Line{}, BadUniqueID
	}
	if len(l.Queue) > maxNameBytes || l.Queue != strings.TrimSpace(l.Queue) {
		return Line{}, BadQueue
	}
	if len(l.Agent) > maxNameBytes || l.Agent != strings.TrimSpace(l.Agent) {
		return Line{}, BadAgent
	}
	if !eventName(l.Event) {
		return Line{}, BadEvent
	}
	return l, nil
}

// named is s, empty where Asterisk says that there is none.
func named(s string) string {
	if s == "NONE" {
		return ""
	}
	return s
}

func eventName(s string) bool {
	return s != "" && len(s) <= maxEventBytes && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

func printable(text []byte) bool {
	for _, c := range text {
		if c < 0x20 || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(text)
}
