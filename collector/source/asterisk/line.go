package asterisk

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/monev112/monev112/collector/event"
)

// Limits of one line.
const (
	MaxLineBytes  = 8 << 10            // without its end
	maxIDBytes    = 64                 // of a unique id: the ids of events have room for 128 bytes
	maxQueueBytes = event.MaxWordBytes // of a queue's name; what is longer is cut
	maxEventBytes = 32
)

// The instants that a line may bear: a clock that was never set says 1970.
var (
	firstSecond = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	endSecond   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

// Line is one line of a queue_log: unix time|unique id|queue|agent|event|params.
type Line struct {
	Unix     int64  // seconds, as the clock of the telephone server stood
	Milli    int64  // milliseconds behind them; most logs have none
	UniqueID string // of the call's channel; empty where the log says NONE, or where no line of Event needs it
	Queue    string // empty where the log says NONE
	Agent    string // the member's name or interface; empty where the log says NONE
	Event    string // for example CONNECT
	Params   []string
}

// Time is when the line was written.
func (l *Line) Time() time.Time { return time.UnixMilli(l.ms()).UTC() }

// ms is when the line was written, in Unix milliseconds.
func (l *Line) ms() int64 { return l.Unix*second + l.Milli }

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
	LineTooLong  ParseError = "line_too_long"
	TooFewFields ParseError = "fewer_than_5_fields"
	BadTime      ParseError = "bad_time"
	BadUniqueID  ParseError = "bad_unique_id"
	BadEvent     ParseError = "bad_event"
	BadRow       ParseError = "bad_csv_row" // of a dump of the table
)

// events are the words that lines are known by; true where the line is of a call, which its unique id names.
var events = map[string]bool{
	"ENTERQUEUE": true, "CONNECT": true, "COMPLETECALLER": true, "COMPLETEAGENT": true, "TRANSFER": true,
	"BLINDTRANSFER": true, "ATTENDEDTRANSFER": true, "ABANDON": true, "EXITWITHTIMEOUT": true, "EXITEMPTY": true,
	"EXITWITHKEY": true, "RINGNOANSWER": true, "RINGCANCELED": true, "CALLOUTBOUND": true,
	"AGENTDUMP": false, "AGENTLOGIN": false, "AGENTCALLBACKLOGIN": false, "AGENTLOGOFF": false,
	"AGENTCALLBACKLOGOFF": false, "ADDMEMBER": false, "REMOVEMEMBER": false, "PAUSE": false, "UNPAUSE": false,
	"PAUSEALL": false, "UNPAUSEALL": false, "QUEUESTART": false,
	"CONFIGRELOAD": false, "DID": false, "INFO": false, "SYSCOMPAT": false, "PAUSEREASON": false, "PENALTY": false,
}

// ParseLine reads one line without its line end; every error is a ParseError. The Line holds no reference to text.
//
// A line is judged by what it means. Text that is no UTF-8 is read as Windows-1252. Control characters and blanks in a
// name cost at most these, and a bar in one costs at most the name: the event is the first known word behind the fourth
// field.
func ParseLine(text []byte) (Line, error) {
	if len(text) > MaxLineBytes {
		return Line{}, LineTooLong
	}
	if !utf8.Valid(text) {
		text, _ = charmap.Windows1252.NewDecoder().Bytes(text) // every byte has a meaning
	}
	fields := strings.Split(strings.TrimPrefix(string(text), "\ufeff"), "|")
	if len(fields) < 5 {
		return Line{}, TooFewFields
	}
	at := 4
	if i := slices.IndexFunc(fields[4:], isKnown); i >= 0 {
		at += i
	}
	queue, agent := fields[2], strings.Join(fields[3:at], "|")
	if last := fields[at-1]; at > 4 && (named(last) == "" || technical(tidy(last))) { // the bar is in the queue's name
		queue, agent = strings.Join(fields[2:at-1], "|"), last
	}
	return newLine(fields[0], fields[1], queue, agent, fields[at], fields[at+1:], time.UTC)
}

func isKnown(word string) bool { _, known := events[strings.TrimSpace(word)]; return known }

// newLine makes a line of its fields. A time without a zone of its own is one of zone.
func newLine(at, uid, queue, agent, word string, params []string, zone *time.Location) (l Line, err error) {
	l = Line{UniqueID: named(uid), Queue: named(queue), Agent: named(agent), Event: strings.TrimSpace(word),
		Params: params}
	if l.Unix, l.Milli, err = readTime(strings.TrimSpace(at), zone); err != nil {
		return Line{}, err
	}
	if !eventName(l.Event) {
		return Line{}, BadEvent
	}
	if strings.TrimSpace(uid) == "" || len(l.UniqueID) > maxIDBytes ||
		strings.ContainsFunc(l.UniqueID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		if events[l.Event] {
			return Line{}, BadUniqueID
		}
		l.UniqueID = ""
	}
	if len(l.Queue) > maxQueueBytes {
		l.Queue = strings.ToValidUTF8(l.Queue[:maxQueueBytes], "")
	}
	return l, nil
}

// readTime reads Unix seconds, or the date and time that a database holds; both may have a fraction.
func readTime(s string, zone *time.Location) (unix, milli int64, err error) {
	whole, fraction, _ := strings.Cut(s, ".")
	at := time.Time{}
	if unix, err = strconv.ParseInt(whole, 10, 64); err == nil && s[0] != '+' && allDigits(fraction) {
		milli, _ = strconv.ParseInt((fraction + "000")[:3], 10, 64)
	} else if at, err = time.ParseInLocation(time.DateTime, strings.Replace(s, "T", " ", 1), zone); err == nil {
		unix, milli = at.Unix(), int64(at.Nanosecond()/int(time.Millisecond))
	} else if at, err = time.Parse(time.RFC3339, s); err == nil {
		unix, milli = at.Unix(), int64(at.Nanosecond()/int(time.Millisecond))
	}
	if err != nil || unix < firstSecond || unix >= endSecond {
		return 0, 0, BadTime
	}
	return unix, milli, nil
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// tidy makes one blank of each run of blanks and control characters, and none at the ends.
func tidy(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

// named is s tidied, empty where Asterisk says that there is none.
func named(s string) string {
	if s = tidy(s); s == "NONE" {
		return ""
	}
	return s
}

func eventName(s string) bool {
	return s != "" && len(s) <= maxEventBytes && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}
