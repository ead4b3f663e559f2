package sla

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/internal/yamlfile"
)

// MaxFileBytes bounds a calendar or policy file.
const MaxFileBytes = 256 << 10

// sourcePolicy is the policy name of due times that a source states.
const sourcePolicy = "source"

// File is one configuration file: a calendar or a policy, told apart by its first field.
type File struct {
	Name string // as problems name it
	Data []byte
	// Builtin is a file that is shipped and that the user cannot edit: a line of it that names an OPD, category or
	// centre that the directory lacks binds only those that it has.
	Builtin bool
}

// Use says which profiles and which calendar a centre goes by. Of several profiles the first that has a matching line
// for a clock gives it. A centre without a calendar can only have clocks of kind elapsed and given.
type Use struct {
	Profiles []string
	Calendar string
	Zone     *time.Location // of a centre without a calendar, for explanations; nil is UTC
}

// Config says what the files are used for.
type Config struct {
	Default Use            // of every centre that Centers does not name
	Centers map[string]Use // by centre code
	Known   Known
}

// Known lists the codes that policy lines may name. A nil list allows any code.
type Known struct{ Categories, OPDs, Centers []string }

// Book holds the calendars and policies of all centres. It is immutable and safe for concurrent use.
type Book struct {
	calendars map[string]*Calendar // by name
	byID      map[string]*Calendar // by name/version
	profiles  []*Profile
	rules     map[string]*centerRules
	fallback  *centerRules
	stated    *Line // of a given clock that no policy line applies to
	digest    string
}

// centerRules is what one centre goes by, over time.
type centerRules struct {
	calendar *Calendar // nil when the centre has none
	zone     *time.Location
	eras     []era // in order of from
}

// era is a time in which the same versions of the profiles are in force, for cases that start in it.
type era struct {
	from  int64
	lines [clockCount][]*Line // by clock: profile by profile, the most specific first
}

const clockCount = 7

// clockIndex is the position of a clock in Names.
func clockIndex(name string) int {
	switch name {
	case Answer:
		return 0
	case Acknowledge:
		return 1
	case Arrive:
		return 2
	case Resolve:
		return 3
	case ResolveTotal:
		return 4
	case Confirm:
		return 5
	case Given:
		return 6
	}
	return -1
}

// Load reads calendars and policies and checks them together. The error is yamlfile.Problems; the Book
// is nil then. Load looks time zones up in the zone database of the process;
// all else is a function of its arguments.
func Load(files []File, cfg Config) (*Book, error) {
	b := &Book{
		calendars: map[string]*Calendar{}, byID: map[string]*Calendar{}, rules: map[string]*centerRules{},
		digest: digest(files, &cfg),
	}
	given, _ := ruleOf(Given)
	b.stated = &Line{
		Kind: Stated, Start: given.start, Stop: given.stop, Ladder: defaultLadder, profile: &Profile{Name: sourcePolicy},
	}
	var problems yamlfile.Problems
	for _, f := range files {
		file := yamlfile.Parse(f.Name, f.Data, MaxFileBytes)
		if len(file.Problems) == 0 {
			b.read(file, &cfg.Known, f.Builtin)
		}
		problems = append(problems, file.Problems...)
	}
	if len(problems) == 0 {
		b.fallback = b.compile("", cfg.Default, &problems)
		for _, center := range slices.Sorted(maps.Keys(cfg.Centers)) {
			b.rules[center] = b.compile(center, cfg.Centers[center], &problems)
		}
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return b, nil
}

// read adds the calendar or profile of one file.
func (b *Book) read(f *yamlfile.File, known *Known, builtin bool) {
	isCalendar, isPolicy := f.Has("calendar"), f.Has("policy")
	switch {
	case isCalendar == isPolicy:
		f.Wrong("", "the file is neither a calendar nor a policy, or both",
			`begin with "calendar: NAME" or "policy: NAME"`)
	case isCalendar:
		c := readCalendar(f)
		if c == nil {
			return
		}
		if o := b.calendars[c.Name]; o != nil {
			f.Wrong("calendar", fmt.Sprintf("calendar %s is in %s already", c.Name, o.File),
				"keep one file: extend it and count its version up")
			return
		}
		b.calendars[c.Name], b.byID[c.id] = c, c
	default:
		p := readProfile(f, known, builtin)
		if p == nil {
			return
		}
		for _, o := range b.profiles {
			if o.Name == p.Name && (o.validFrom == p.validFrom || o.Version == p.Version) {
				f.Wrong("policy", fmt.Sprintf("%s holds policy %s with the same valid_from or version", o.File, p.Name),
					"give each version of a policy its own valid_from and version")
				return
			}
		}
		b.profiles = append(b.profiles, p)
	}
}

// compile lays out what a centre goes by.
func (b *Book) compile(center string, use Use, problems *yamlfile.Problems) *centerRules {
	who, field := "centre "+center, "centers["+center+"]"
	if center == "" {
		who, field = "the default centre", "default"
	}
	add := func(file string, line int, field, found, remedy string) {
		*problems = append(*problems, yamlfile.Problem{File: file, Line: line, Field: field, Found: found, Remedy: remedy})
	}
	rules := &centerRules{zone: use.Zone}
	if rules.zone == nil {
		rules.zone = time.UTC
	}
	if use.Calendar != "" {
		rules.calendar = b.calendars[use.Calendar]
		if rules.calendar == nil {
			add("configuration", 0, field+".calendar",
				fmt.Sprintf("%s uses calendar %q, which no file holds", who, use.Calendar),
				"use one of "+strings.Join(b.CalendarNames(), ", ")+" or add its file")
			return rules
		}
		rules.zone = rules.calendar.zone
	}
	versions := make([][]*Profile, len(use.Profiles))
	var starts []int32
	for i, name := range use.Profiles {
		for _, p := range b.profiles {
			if p.Name == name {
				versions[i] = append(versions[i], p)
				starts = append(starts, p.validFrom)
			}
		}
		if len(versions[i]) == 0 {
			add("configuration", 0, field+".profiles", fmt.Sprintf("%s uses policy %q, which no file holds", who, name),
				"use one of "+strings.Join(b.ProfileNames(), ", ")+" or add its file")
		}
		slices.SortFunc(versions[i], func(a, b *Profile) int { return cmp.Compare(a.validFrom, b.validFrom) })
		for _, p := range versions[i] {
			for _, l := range p.Lines {
				if l.Kind != Hours && l.Kind != Days {
					continue
				}
				if rules.calendar == nil {
					add(p.File, l.At, "kind", fmt.Sprintf("%s uses this policy but has no calendar, which kind %s needs", who, l.Kind),
						"give the centre a calendar, or the line kind elapsed")
				} else if p.validFrom < rules.calendar.validFrom {
					add(p.File, 0, "valid_from",
						fmt.Sprintf("the policy begins on %s, before calendar %s, which begins on %s", dayText(p.validFrom), use.Calendar,
							dayText(rules.calendar.validFrom)),
						"enter the earlier days off into the calendar, or let the policy begin later")
					break
				}
			}
		}
	}
	slices.Sort(starts)
	// Cases older than every policy have no clocks but the given one.
	rules.eras = append(rules.eras, era{from: math.MinInt64})
	for _, day := range slices.Compact(starts) {
		y, m, d := dateOf(day)
		e := era{from: time.Date(y, m, d, 0, 0, 0, 0, rules.zone).UnixMilli()}
		for _, vs := range versions {
			var p *Profile
			for _, v := range vs {
				if v.validFrom <= day {
					p = v
				}
			}
			if p != nil {
				e.addLines(p)
			}
		}
		rules.eras = append(rules.eras, e)
	}
	return rules
}

func (e *era) addLines(p *Profile) {
	sorted := slices.Clone(p.Lines)
	slices.SortStableFunc(sorted, func(a, b *Line) int { return cmp.Compare(b.sel.rank(), a.sel.rank()) })
	for _, l := range sorted {
		for _, c := range l.Clocks {
			i := clockIndex(c)
			e.lines[i] = append(e.lines[i], l)
		}
	}
}

func (b *Book) rulesOf(center string) *centerRules {
	if r, ok := b.rules[center]; ok {
		return r
	}
	return b.fallback
}

// at returns the era of a case that starts at ms.
func (r *centerRules) at(ms int64) *era {
	for i := len(r.eras) - 1; i > 0; i-- {
		if r.eras[i].from <= ms {
			return &r.eras[i]
		}
	}
	return &r.eras[0]
}

// line returns the line of a clock for a case, nil when there is none.
func (e *era) line(clock int, q *[dims]string) *Line {
	for _, l := range e.lines[clock] {
		if l.sel.match(q) {
			return l
		}
	}
	return nil
}

// Calendar returns the calendar that a centre uses, nil when it has none.
func (b *Book) Calendar(center string) *Calendar { return b.rulesOf(center).calendar }

// CalendarNames returns the names of all calendars that were read, sorted.
func (b *Book) CalendarNames() []string {
	var names []string
	for n := range b.calendars {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// ToConfirm returns what somebody has to confirm, policy by policy: "sp4n: ...". Empty for nothing.
func (b *Book) ToConfirm() []string {
	var out []string
	for _, p := range b.profiles {
		if p.ToConfirm != "" {
			out = append(out, p.Name+": "+p.ToConfirm)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ProfileNames returns the names of all policies that were read, sorted, each once.
func (b *Book) ProfileNames() []string {
	var names []string
	for _, p := range b.profiles {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// CoveredUntil returns the end of the last day that a centre's calendar covers; ok is false without a calendar.
func (b *Book) CoveredUntil(center string) (until time.Time, ok bool) {
	c := b.Calendar(center)
	if c == nil {
		return time.Time{}, false
	}
	return c.CoveredUntil(), true
}
