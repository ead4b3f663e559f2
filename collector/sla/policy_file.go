package sla

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/internal/yamlfile"
)

// policyForm is a policy as its file writes it.
type policyForm struct {
	Policy    name       `yaml:"policy"`
	Version   name       `yaml:"version" missing:"count it up whenever the file changes, for example 2026.1"`
	ValidFrom date       `yaml:"valid_from" missing:"give the day from which cases are judged by it"`
	Title     text       `yaml:"title"`
	ToConfirm text       `yaml:"to_confirm"`
	Ladder    Ladder     `yaml:"ladder"`
	Pauses    *pauseForm `yaml:"pauses"`
	Clocks    []lineForm `yaml:"clocks" missing:"give at least one line"`
}

type lineForm struct {
	Clock    yamlfile.Texts `yaml:"clock" missing:"name one or more clocks, for example resolve"`
	Kind     Kind           `yaml:"kind"`
	Target   *duration      `yaml:"target"`
	Center   yamlfile.Texts `yaml:"center"`
	Scope    yamlfile.Texts `yaml:"scope"`
	OPD      yamlfile.Texts `yaml:"opd"`
	Category yamlfile.Texts `yaml:"category"`
	Priority yamlfile.Texts `yaml:"priority"`
	Start    yamlfile.Texts `yaml:"start"`
	Stop     yamlfile.Texts `yaml:"stop"`
	Pauses   *pauseForm     `yaml:"pauses"`
	Ladder   Ladder         `yaml:"ladder"`
}

type pauseForm struct {
	Word    string         `yaml:",short"` // none
	Reasons yamlfile.Texts `yaml:"reasons" missing:"list the reasons that stop the clock"`
	Cap     capForm        `yaml:"cap" missing:"limit all pauses together: 5d, or {hours: 24h, days: 5d}"`
}

// capForm is one cap, or one for each kind of clock where lines of several kinds share it.
type capForm struct {
	One     *duration `yaml:",short"`
	Elapsed *duration `yaml:"elapsed"`
	Hours   *duration `yaml:"hours"`
	Days    *duration `yaml:"days"`
}

// readProfile reads a policy file, leniently what a built-in one says of names that are not known. The profile is nil
// when a problem was reported.
func readProfile(f *yamlfile.File, known *Known, builtin bool) *Profile {
	var form policyForm
	if f.Decode(&form) != nil {
		return nil
	}
	r := policyReader{File: f, form: &form, known: known, builtin: builtin}
	p := &Profile{
		Name: string(form.Policy), Version: string(form.Version), File: f.Name, validFrom: int32(form.ValidFrom),
		ToConfirm: string(form.ToConfirm),
	}
	if p.Name == sourcePolicy {
		r.Wrong("policy", fmt.Sprintf("the name %q is taken: it stands for due times that a source states", sourcePolicy),
			"choose another")
	}
	form.Ladder = r.ladder("ladder", form.Ladder, defaultLadder)
	if n := len(form.Clocks); n == 0 || n > MaxPolicyLines {
		r.Wrong("clocks", fmt.Sprintf("there are %d lines", n),
			fmt.Sprintf("give 1 to %d; unite lines: a key may name several values", MaxPolicyLines))
		return nil
	}
	for i := range form.Clocks {
		l := r.line(fmt.Sprintf("clocks[%d]", i), &form.Clocks[i])
		if l == nil {
			continue
		}
		l.profile, l.Number = p, i+1
		p.Lines = append(p.Lines, l)
	}
	if len(f.Problems) == 0 {
		r.checkTies(p)
	}
	if len(f.Problems) > 0 {
		return nil
	}
	return p
}

// policyReader makes the lines of a policy from their form and checks what the values mean.
type policyReader struct {
	*yamlfile.File
	form  *policyForm
	known *Known

	builtin bool
}

// line returns nil for a line of a built-in file that binds nothing which is known.
func (r *policyReader) line(at string, f *lineForm) *Line {
	l := &Line{At: r.Line(at), Ladder: r.ladder(at+".ladder", f.Ladder, r.form.Ladder)}
	l.Clocks = checkTexts(r.File, at+".clock", f.Clock)
	var rule clockRule
	for i, c := range l.Clocks {
		next, ok := ruleOf(c)
		if !ok {
			r.Wrong(at+".clock", fmt.Sprintf("%q is not a clock", c), "use one of "+strings.Join(Names(), ", "))
			return l
		}
		if i > 0 && !slices.Equal(next.start, rule.start) {
			r.Wrong(at+".clock", fmt.Sprintf("%s and %s start at different facts", l.Clocks[0], c),
				"give them lines of their own")
			return l
		}
		rule = next
	}
	if len(l.Clocks) == 0 {
		return l
	}
	r.target(at, f, l, rule)
	for i, list := range [dims]yamlfile.Texts{f.Center, f.Scope, f.OPD, f.Category, f.Priority} {
		field := at + "." + dimNames[i]
		l.sel[i] = checkTexts(r.File, field, list)
		if rule.ofCalls && i != dimCenter && len(list) > 0 {
			r.Wrong(field, "an answer clock cannot depend on it: while a call rings nobody knows", "remove the key")
		}
		allowed := [dims][]string{r.known.Centers, scopes[:], r.known.OPDs, r.known.Categories, priorities[:]}[i]
		if r.builtin && allowed != nil && len(list) > 0 {
			l.sel[i] = slices.DeleteFunc(l.sel[i], func(v string) bool { return !slices.Contains(allowed, v) })
			if len(l.sel[i]) == 0 {
				return nil
			}
			continue
		}
		for _, v := range list {
			if allowed != nil {
				r.OneOf(field, [dims]string{"centre", "scope", "OPD", "category", "priority"}[i], v, allowed...)
			}
		}
	}
	l.Start, l.Stop = rule.start, rule.stop
	if f.Start != nil {
		l.Start = r.facts(at+".start", f.Start, rule.starts)
	}
	if f.Stop != nil {
		l.Stop = r.facts(at+".stop", f.Stop, rule.stops)
	}
	r.pauses(at+".pauses", f.Pauses, l, rule)
	return l
}

func (r *policyReader) target(at string, f *lineForm, l *Line, rule clockRule) {
	l.Kind = f.Kind
	if rule.kinds[0] == Stated {
		l.Kind = Stated
		if f.Kind != "" || f.Target != nil {
			r.Wrong(at, "the given clock has no kind and no target: the source states the due time", "remove kind and target")
		}
		return
	}
	if f.Kind == "" {
		r.Wrong(at+".kind", "the key is missing", "give elapsed (24/7), hours (open hours) or days (working days)")
		return
	}
	if !slices.Contains(rule.kinds, f.Kind) {
		allowed := make([]string, len(rule.kinds))
		for i, k := range rule.kinds {
			allowed[i] = string(k)
		}
		r.Wrong(at+".kind", fmt.Sprintf("%q does not fit clock %s", f.Kind, l.Clocks[0]),
			"use "+strings.Join(allowed, ", "))
		return
	}
	switch field := at + ".target"; {
	case f.Target == nil:
		r.Wrong(field, "the key is missing", "give for example 15s, 8h or 5d")
		return
	case l.Kind == Days && f.Target.days == 0:
		r.Wrong(field, "a working-day clock counts closings", "give whole working days, for example 5d")
	case l.Kind == Hours && f.Target.days > 0:
		r.Wrong(field, "open hours are not counted in days: a day of 24 open hours does not exist",
			"give open hours, for example 40h, or use kind days")
	}
	l.Target, l.TargetDays = f.Target.of(l.Kind)
}

// pauses takes the line's own rule, else the file's. Emergency clocks never pause.
func (r *policyReader) pauses(at string, own *pauseForm, l *Line, rule clockRule) {
	emergencyOnly := slices.Equal(l.sel[dimPriority], []string{emergency})
	switch {
	case own == nil && r.form.Pauses != nil && rule.pausable && !emergencyOnly:
		l.Pauses = r.pauseRule("pauses", r.form.Pauses, l.Kind)
	case own == nil || own.Word == "none":
	case own.Word == "" && !rule.pausable:
		r.Wrong(at, "clock "+l.Clocks[0]+" never pauses", "remove the key")
	case own.Word == "" && slices.Contains(l.sel[dimPriority], emergency):
		r.Wrong(at, "emergency clocks never pause", "remove the key, or give "+emergency+" a line of its own")
	default:
		l.Pauses = r.pauseRule(at, own, l.Kind)
	}
}

func (r *policyReader) pauseRule(at string, f *pauseForm, kind Kind) (p PauseRule) {
	if f.Word != "" {
		if f.Word != "none" {
			r.Wrong(at, fmt.Sprintf("%q is not a pause rule", f.Word), "write none, or reasons and cap")
		}
		return p
	}
	p.Reasons = checkTexts(r.File, at+".reasons", f.Reasons)
	field, limit := at+".cap", f.Cap.One
	if limit == nil {
		field += "." + string(kind)
		limit = map[Kind]*duration{Elapsed: f.Cap.Elapsed, Hours: f.Cap.Hours, Days: f.Cap.Days}[kind]
	}
	switch {
	case limit == nil:
		r.Wrong(field, "the key is missing", "give the cap of clocks of kind "+string(kind))
		return p
	case kind == Days && limit.days == 0:
		r.Wrong(field, "pauses of a working-day clock are counted in closings", "give working days, for example 5d")
	case kind == Hours && limit.days > 0:
		r.Wrong(field, "pauses of an open-hours clock are counted in open hours", "give open hours, for example 24h")
	}
	p.Cap, p.CapDays = limit.of(kind)
	return p
}

// ladder returns the shares that are written, the others from base.
func (r *policyReader) ladder(at string, l, base Ladder) Ladder {
	l.Risk = cmp.Or(l.Risk, base.Risk)
	l.Escalated = cmp.Or(l.Escalated, base.Escalated)
	l.Escalated2 = cmp.Or(l.Escalated2, base.Escalated2)
	if l.Risk >= 100 || l.Escalated <= 100 || l.Escalated2 <= l.Escalated || l.Escalated2 > 1000 {
		r.Wrong(at, fmt.Sprintf("the shares %d, %d, %d %% are not in order", l.Risk, l.Escalated, l.Escalated2),
			"give 1 <= risk < 100 < escalated < escalated2 <= 1000")
	}
	return l
}

func (r *policyReader) facts(at string, list yamlfile.Texts, allowed []Fact) []Fact {
	var out []Fact
	for _, s := range checkTexts(r.File, at, list) {
		if !slices.Contains(allowed, Fact(s)) {
			words := make([]string, len(allowed))
			for i, a := range allowed {
				words[i] = string(a)
			}
			r.Wrong(at, fmt.Sprintf("%q cannot start or stop this clock here", s), "use "+strings.Join(words, ", "))
		}
		out = append(out, Fact(s))
	}
	return out
}

// checkTies reports two lines of one clock that are equally specific and may both apply to a case, unless a more
// specific line takes all such cases.
func (r *policyReader) checkTies(p *Profile) {
	for i, a := range p.Lines {
		for _, b := range p.Lines[:i] {
			clock := ""
			for _, c := range a.Clocks {
				if slices.Contains(b.Clocks, c) {
					clock = c
				}
			}
			if clock == "" || a.sel.rank() != b.sel.rank() {
				continue
			}
			both, ok := a.sel.meet(&b.sel)
			if !ok || slices.ContainsFunc(p.Lines, func(l *Line) bool {
				return slices.Contains(l.Clocks, clock) && l.sel.rank() > a.sel.rank() && l.sel.covers(&both)
			}) {
				continue
			}
			r.Wrong(fmt.Sprintf("clocks[%d]", i),
				fmt.Sprintf("clock %s: this line (%s) and line %d (%s) are equally specific and both apply to %s", clock, a.sel,
					b.At, b.sel, both),
				"add a line for "+both.String()+", or let one of the two name fewer or more fields")
		}
	}
}
