package sla

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/internal/yamlfile"
)

// Limits of a calendar.
const (
	MaxWindowsPerDay = 8
	MaxDaysOff       = 2000
	MaxRanges        = 200
)

// calendarForm is a calendar as its file writes it.
type calendarForm struct {
	Calendar     name          `yaml:"calendar"`
	Version      name          `yaml:"version" missing:"count it up whenever the file changes, for example 2026.1"`
	Zone         yamlfile.Zone `yaml:"zone" missing:"name an IANA zone, for example Asia/Jakarta"`
	ValidFrom    date          `yaml:"valid_from" missing:"give the first day that the list of days off covers"`
	CoveredUntil date          `yaml:"covered_until" missing:"give the last day whose holidays are decreed"`
	Weekly       []weekForm    `yaml:"weekly" missing:"give the usual windows of the week"`
	Ranges       []rangeForm   `yaml:"ranges"`
	Holidays     []dayOffForm  `yaml:"holidays"`
	JointLeave   []dayOffForm  `yaml:"joint_leave"`
	Special      []specialForm `yaml:"special"`
}

type weekForm struct {
	From    date                    `yaml:"from" missing:"give the first day of this pattern"`
	Windows map[string][]wallWindow `yaml:"windows" missing:"give the windows, for example mon-thu: [07:30-16:00]"`
}

type rangeForm struct {
	Name    text                    `yaml:"name" missing:"name the range, for example Ramadan 1447 H"`
	En      text                    `yaml:"en"`
	From    date                    `yaml:"from" missing:"give its first day"`
	Until   date                    `yaml:"until" missing:"give its last day"`
	Windows map[string][]wallWindow `yaml:"windows" missing:"give the windows of the weekdays within it"`
}

type dayOffForm struct {
	Date   date `yaml:"date" missing:"give the day as 2026-12-31"`
	Name   text `yaml:"name" missing:"name the day as the decree does"`
	En     text `yaml:"en"`
	Decree text `yaml:"decree" missing:"give the decree that makes it a day off, or local: and who decided"`
}

type specialForm struct {
	Date    date         `yaml:"date" missing:"give the day as 2026-12-31"`
	Name    text         `yaml:"name" missing:"say why the day is special"`
	En      text         `yaml:"en"`
	Windows []wallWindow `yaml:"windows" missing:"give its windows, for example [\"07:30-12:00\"]"`
}

// readCalendar reads a calendar file. The calendar is nil when a problem was reported.
func readCalendar(f *yamlfile.File) *Calendar {
	var form calendarForm
	if f.Decode(&form) != nil {
		return nil
	}
	r := calendarReader{File: f, c: &Calendar{
		Name: string(form.Calendar), Version: string(form.Version), File: f.Name, zone: form.Zone.Location,
		id:        string(form.Calendar + "/" + form.Version),
		validFrom: int32(form.ValidFrom), coveredUntil: int32(form.CoveredUntil),
		off: map[int32]DayOff{}, special: map[int32]specialDay{},
	}}
	if form.CoveredUntil < form.ValidFrom {
		r.Wrong("covered_until", "the day lies before valid_from", "give a later day")
	}
	r.weekly(form.Weekly)
	r.ranges(form.Ranges)
	r.daysOff("holidays", form.Holidays, false)
	r.daysOff("joint_leave", form.JointLeave, true)
	r.special(form.Special)
	if len(f.Problems) > 0 {
		return nil
	}
	r.c.build()
	return r.c
}

// calendarReader fills a calendar from its form and checks what the values mean.
type calendarReader struct {
	*yamlfile.File
	c *Calendar
}

func (r *calendarReader) weekly(forms []weekForm) {
	for i, form := range forms {
		at := fmt.Sprintf("weekly[%d]", i)
		if i > 0 && forms[i-1].From >= form.From {
			r.Wrong(at, "the pattern begins no later than the one before it", "put the patterns in order of their first day")
		}
		r.c.weekly = append(r.c.weekly, weekPattern{int32(form.From), r.week(at+".windows", form.Windows)})
	}
	if len(forms) == 0 {
		r.Wrong("weekly", "there is no pattern", "give the usual windows of the week")
	}
}

func (r *calendarReader) ranges(forms []rangeForm) {
	for i, form := range forms {
		at := fmt.Sprintf("ranges[%d]", i)
		d := dayRange{
			name: string(form.Name), nameEn: form.En.or(form.Name), from: int32(form.From), until: int32(form.Until),
			week: r.week(at+".windows", form.Windows),
		}
		if d.until < d.from {
			r.Wrong(at, "until lies before from", "give a later last day")
		}
		for j, o := range r.c.ranges {
			if d.from <= o.until && o.from <= d.until {
				r.Wrong(at, fmt.Sprintf("the range overlaps the range at line %d", r.Line(fmt.Sprintf("ranges[%d]", j))),
					"let each day lie in one range only")
			}
		}
		r.c.ranges = append(r.c.ranges, d)
	}
	if len(forms) > MaxRanges {
		r.Wrong("ranges", fmt.Sprintf("there are more than %d ranges", MaxRanges), "remove old ones or split the calendar")
	}
}

func (r *calendarReader) daysOff(list string, forms []dayOffForm, joint bool) {
	for i, form := range forms {
		at, day := fmt.Sprintf("%s[%d]", list, i), int32(form.Date)
		if o, twice := r.c.off[day]; twice {
			r.Wrong(at, fmt.Sprintf("%s is a day off already: %s", dayText(day), o.Name), "keep one of the two")
		}
		r.withinBounds(at, day)
		r.c.off[day] = DayOff{string(form.Name), form.En.or(form.Name), joint, string(form.Decree)}
	}
	if len(r.c.off) > MaxDaysOff {
		r.Wrong(list, fmt.Sprintf("there are more than %d days off", MaxDaysOff), "remove old ones or split the calendar")
	}
}

func (r *calendarReader) special(forms []specialForm) {
	for i, form := range forms {
		at, day := fmt.Sprintf("special[%d]", i), int32(form.Date)
		if _, twice := r.c.special[day]; twice {
			r.Wrong(at, dayText(day)+" is a special day already", "keep one of the two")
		}
		if o, off := r.c.off[day]; off {
			r.Wrong(at, fmt.Sprintf("%s is a day off: %s", dayText(day), o.Name),
				"keep it as a day off or as a special day, not both")
		}
		r.withinBounds(at, day)
		r.windows(at+".windows", form.Windows)
		r.c.special[day] = specialDay{string(form.Name), form.En.or(form.Name), form.Windows}
	}
}

// withinBounds refuses a day outside the calendar's own bounds: most often a mistyped year.
func (r *calendarReader) withinBounds(at string, day int32) {
	if from, until := r.c.validFrom, r.c.coveredUntil; day < from || day > until {
		r.Wrong(at, fmt.Sprintf("%s lies outside valid_from %s to covered_until %s", dayText(day), dayText(from),
			dayText(until)),
			"correct the date, or extend the bounds once the whole year is decreed")
	}
}

var weekdayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// week takes windows by weekday: a day (fri), or a run of days (mon-thu). A weekday that is not named is closed.
func (r *calendarReader) week(at string, form map[string][]wallWindow) week {
	var w week
	named := [7]bool{}
	keys := slices.SortedFunc(maps.Keys(form), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Line(at+"."+a), r.Line(at+"."+b)), strings.Compare(a, b))
	})
	for _, key := range keys {
		field := at + "." + key
		first, last, run := strings.Cut(key, "-")
		if !run {
			last = first
		}
		from, to := slices.Index(weekdayNames[:], first), slices.Index(weekdayNames[:], last)
		if from < 0 || to < 0 {
			r.Wrong(field, "this is not a weekday or a run of weekdays",
				"write sun, mon, tue, wed, thu, fri, sat or a run as mon-thu")
			continue
		}
		r.windows(field, form[key])
		for d := from; ; d = (d + 1) % 7 {
			if named[d] {
				r.Wrong(field, weekdayNames[d]+" is named twice", "name each weekday once")
			}
			named[d], w[d] = true, form[key]
			if d == to {
				break
			}
		}
	}
	if len(form) == 0 {
		r.Wrong(at, "no weekday is named", "give at least one, for example mon-thu: [07:30-16:00]")
	}
	return w
}

// windows checks that the windows of a day are in order and apart.
func (r *calendarReader) windows(at string, list []wallWindow) {
	for i := 1; i < len(list); i++ {
		if list[i].open < list[i-1].close {
			r.Wrong(fmt.Sprintf("%s[%d]", at, i), "the window overlaps the one before it",
				"put the windows in order, one after the other")
		}
	}
	if len(list) == 0 {
		r.Wrong(at, "there is no window", "give one, or leave the day out to keep it closed")
	}
	if len(list) > MaxWindowsPerDay {
		r.Wrong(at, fmt.Sprintf("there are %d windows in a day, more than %d", len(list), MaxWindowsPerDay),
			"unite some of them")
	}
}
