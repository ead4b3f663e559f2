package sla

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/internal/yamlfile"
)

// The single values that calendars and policies are written with. Each reads itself and says what would be right.

// maxTextBytes bounds one text of a calendar or policy.
const maxTextBytes = 200

// name is a code: letters, digits, dots, underscores and dashes.
type name string

func (n *name) UnmarshalText(text []byte) error {
	if len(text) == 0 || len(text) > 64 || strings.ContainsFunc(string(text), func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}) {
		return yamlfile.Wrong(fmt.Sprintf("%q is not a name", text),
			"use up to 64 letters, digits, dots, underscores and dashes")
	}
	*n = name(text)
	return nil
}

// text is something to read, on one line.
type text string

func (t *text) UnmarshalText(b []byte) error {
	*t = text(strings.TrimSpace(string(b)))
	if *t == "" || len(*t) > maxTextBytes || strings.ContainsFunc(string(*t), func(c rune) bool { return c < ' ' }) {
		return yamlfile.Wrong(fmt.Sprintf("%q is not a text of 1 to %d bytes on one line", b, maxTextBytes),
			"shorten or fill it")
	}
	return nil
}

// or returns t, or other when t is empty.
func (t text) or(other text) string {
	if t == "" {
		return string(other)
	}
	return string(t)
}

// date is a day, counted from 1970-01-01.
type date int32

func (d *date) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return yamlfile.Wrong(fmt.Sprintf("%q is not a date", b), "write it as 2026-12-31")
	}
	day := dayOf(t.UnixMilli())
	if day < firstDay || day > lastDay {
		return yamlfile.Wrong("the date lies outside "+dayText(firstDay)+" to "+dayText(lastDay), "correct the year")
	}
	*d = date(day)
	return nil
}

// duration is a length of time, or a number of days.
type duration struct {
	time time.Duration
	days int // 0 unless days were written
}

// UnmarshalText reads 15s, 3m, 1h30m or 14d.
func (s *duration) UnmarshalText(b []byte) (err error) {
	if number, isDays := strings.CutSuffix(string(b), "d"); isDays {
		if s.days, err = strconv.Atoi(number); err != nil || s.days <= 0 || s.days > MaxTargetDays {
			return yamlfile.Wrong(fmt.Sprintf("%q is not a number of days from 1 to %d", b, MaxTargetDays),
				"write for example 5d")
		}
		return nil
	}
	if s.time, err = time.ParseDuration(string(b)); err != nil {
		return yamlfile.Wrong(fmt.Sprintf("%q is not a length of time", b), "write for example 15s, 3m, 8h, 1h30m or 5d")
	}
	if s.time < time.Second || s.time > MaxTargetDays*24*time.Hour || s.time%time.Second != 0 {
		return yamlfile.Wrong(fmt.Sprintf("%q lies outside 1s to %dd or is not a whole number of seconds", b, MaxTargetDays),
			"choose a length within")
	}
	return nil
}

// of returns what a clock of that kind counts: working days, open time or real time, a day being 24 hours.
func (s duration) of(kind Kind) (d time.Duration, days int) {
	if kind == Days {
		return 0, s.days
	}
	return s.time + time.Duration(s.days)*24*time.Hour, 0
}

// percent is a share, written with or without its sign.
type percent int

func (p *percent) UnmarshalText(b []byte) error {
	n, err := strconv.Atoi(strings.TrimSuffix(string(b), "%"))
	if err != nil || n < 1 {
		return yamlfile.Wrong(fmt.Sprintf("%q is not a share in percent", b), "write for example 75")
	}
	*p = percent(n)
	return nil
}

// UnmarshalText reads 07:30-16:00.
func (w *wallWindow) UnmarshalText(b []byte) error {
	from, to, cut := strings.Cut(string(b), "-")
	var okFrom, okTo bool
	w.open, okFrom = wallMinutes(from)
	w.close, okTo = wallMinutes(to)
	if !cut || !okFrom || !okTo {
		return yamlfile.Wrong(fmt.Sprintf("%q is not a window", b), "write it as 07:30-16:00; midnight at the end is 24:00")
	}
	if w.close <= w.open {
		return yamlfile.Wrong(fmt.Sprintf("the window %s ends before it begins", b),
			"write a window over midnight as two: 22:00-24:00 and, on the next day, 00:00-06:00")
	}
	return nil
}

func wallMinutes(s string) (int32, bool) {
	h, m, ok := strings.Cut(s, ":")
	hour, err1 := strconv.ParseUint(h, 10, 8)
	minute, err2 := strconv.ParseUint(m, 10, 8)
	if !ok || len(h) != 2 || len(m) != 2 || err1 != nil || err2 != nil ||
		minute > 59 || hour > 24 || hour == 24 && minute > 0 {
		return 0, false
	}
	return int32(hour*60 + minute), true
}

// checkTexts reports what a list of texts may not be, and returns it.
func checkTexts(f *yamlfile.File, field string, list yamlfile.Texts) []string {
	if list != nil && len(list) == 0 {
		f.Wrong(field, "the list is empty", "name at least one value, or remove the key")
	}
	for i, s := range list {
		at := field
		if len(list) > 1 {
			at = fmt.Sprintf("%s[%d]", field, i)
		}
		if err := new(text).UnmarshalText([]byte(s)); err != nil {
			f.Report(at, err)
		}
		if slices.Contains(list[:i], s) {
			f.Wrong(at, "the value is named twice", "keep one")
		}
	}
	return list
}
