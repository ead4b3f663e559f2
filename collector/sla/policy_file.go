package sla

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// readProfile reads a policy file. The profile is nil when a problem was noted.
func (r *reader) readProfile(root node, known *Known) *Profile {
	m := root.fields("policy", "version", "valid_from", "title", "ladder", "pauses", "clocks")
	p := &Profile{File: r.file}
	p.Name, _ = root.require(m, "policy", "name the policy, for example sidoarjo").name()
	p.Version, _ = root.require(m, "version", "count it up whenever the file changes, for example 2026.1").name()
	p.validFrom, _ = root.require(m, "valid_from", "give the day from which cases are judged by it").date()
	if p.Name == sourcePolicy {
		m["policy"].bad(fmt.Sprintf("the name %q is taken: it stands for due times that a source states", sourcePolicy),
			"choose another")
	}
	ladder := m["ladder"].ladder(defaultLadder)
	m["title"].text()
	clocks := root.require(m, "clocks", "give at least one line")
	items := clocks.items()
	if clocks.ok() && len(items) == 0 {
		clocks.bad("holds no line", "give at least one")
	}
	if len(items) > MaxPolicyLines {
		clocks.bad(fmt.Sprintf("%d lines, more than %d", len(items), MaxPolicyLines),
			"unite lines: a field may name several values")
		return nil
	}
	for _, item := range items {
		l := item.policyLine(m["pauses"], ladder, known)
		p.Lines = append(p.Lines, l)
		l.profile, l.Number = p, len(p.Lines)
	}
	if len(r.problems) == 0 {
		r.checkTies(p)
	}
	if len(r.problems) > 0 {
		return nil
	}
	return p
}

func (n node) policyLine(pauses node, ladder Ladder, known *Known) *Line {
	m := n.fields("clock", "kind", "target", "center", "scope", "opd", "category", "priority", "start", "stop", "pauses",
		"ladder")
	l := &Line{At: n.line, Ladder: m["ladder"].ladder(ladder)}
	l.Clocks = n.require(m, "clock", "name one or more of "+strings.Join(Names(), ", ")).texts()
	var rule clockRule
	for i, c := range l.Clocks {
		r, ok := ruleOf(c)
		if !ok {
			m["clock"].bad(fmt.Sprintf("%q is not a clock", clip(c)), "use one of "+strings.Join(Names(), ", "))
			return l
		}
		if i > 0 && !slices.Equal(r.start, rule.start) {
			m["clock"].bad(fmt.Sprintf("%s and %s start at different facts", l.Clocks[0], c), "give them lines of their own")
			return l
		}
		rule = r
	}
	if len(l.Clocks) == 0 {
		return l
	}
	l.readTarget(n, m, rule)
	for i, name := range dimNames {
		l.sel[i] = m[name].texts()
		if rule.ofCalls && name != "center" && len(l.sel[i]) > 0 {
			m[name].bad("an answer clock cannot depend on it: while a call rings nobody knows", "remove the field")
		}
	}
	m["priority"].oneOf(l.sel[dimPriority], priorities[:], "priority")
	m["scope"].oneOf(l.sel[dimScope], scopes[:], "scope")
	m["category"].oneOf(l.sel[dimCategory], known.Categories, "category")
	m["opd"].oneOf(l.sel[dimOPD], known.OPDs, "OPD")
	m["center"].oneOf(l.sel[dimCenter], known.Centers, "centre")
	l.Start, l.Stop = rule.start, rule.stop
	if m["start"].ok() {
		l.Start = m["start"].facts(rule.starts)
	}
	if m["stop"].ok() {
		l.Stop = m["stop"].facts(rule.stops)
	}
	l.readPauses(n, m["pauses"], pauses, rule)
	return l
}

func (l *Line) readTarget(n node, m map[string]node, rule clockRule) {
	if rule.kinds[0] == Stated {
		l.Kind = Stated
		for _, f := range []string{"kind", "target"} {
			if m[f].ok() {
				m[f].bad("the given clock has none: the source states the due time", "remove the field")
			}
		}
		return
	}
	kind, ok := n.require(m, "kind", "give elapsed (24/7), hours (open hours) or days (working days)").text()
	if !ok {
		return
	}
	l.Kind = Kind(kind)
	if !slices.Contains(rule.kinds, l.Kind) {
		allowed := make([]string, len(rule.kinds))
		for i, k := range rule.kinds {
			allowed[i] = string(k)
		}
		m["kind"].bad(fmt.Sprintf("%q does not fit clock %s", clip(kind), l.Clocks[0]), "use "+strings.Join(allowed, ", "))
		return
	}
	target := n.require(m, "target", "give for example 15s, 8h or 5d")
	l.Target, l.TargetDays, ok = target.span()
	if !ok {
		return
	}
	switch {
	case l.Kind == Days && l.TargetDays == 0:
		target.bad("a working-day clock counts closings", "give whole working days, for example 5d")
	case l.Kind == Hours && l.TargetDays > 0:
		target.bad("open hours are not counted in days: a day of 24 open hours does not exist",
			"give open hours, for example 40h, or use kind days")
	case l.Kind == Days:
		l.Target = 0
	default:
		l.TargetDays = 0
	}
}

// readPauses takes the line's own rule, else the file's. Emergency clocks never pause.
func (l *Line) readPauses(line, own, file node, rule clockRule) {
	onlyEmergency := slices.Equal(l.sel[dimPriority], []string{emergency})
	if !own.ok() {
		if file.ok() && rule.pausable && !onlyEmergency {
			l.Pauses = file.pauseRule(l.Kind)
		}
		return
	}
	if s, scalar := own.scalar(); scalar {
		if s != "none" {
			own.bad(fmt.Sprintf("%q is not a pause rule", clip(s)), "write none, or reasons and cap")
		}
		return
	}
	if !rule.pausable {
		own.bad("clock "+l.Clocks[0]+" never pauses", "remove the field")
		return
	}
	if slices.Contains(l.sel[dimPriority], emergency) {
		own.bad("emergency clocks never pause", "remove the field, or give "+emergency+" a line of its own")
		return
	}
	l.Pauses = own.pauseRule(l.Kind)
}

// scalar returns the text of a plain value without noting anything when it is none.
func (n node) scalar() (string, bool) {
	if isMapping(n.n) {
		return "", false
	}
	return n.text()
}

// pauseRule reads the reasons and the cap. A cap is given for each kind, in its own unit, where lines of several kinds
// share the rule.
func (n node) pauseRule(kind Kind) PauseRule {
	m := n.fields("reasons", "cap")
	p := PauseRule{Reasons: n.require(m, "reasons", "list the reasons that stop the clock").texts()}
	capNode := n.require(m, "cap", "limit all pauses together, for example 5d; or {elapsed: 72h, hours: 24h, days: 5d}")
	if isMapping(capNode.n) {
		caps := capNode.fields(string(Elapsed), string(Hours), string(Days))
		capNode = capNode.require(caps, string(kind), "give the cap of clocks of kind "+string(kind))
	}
	var ok bool
	p.Cap, p.CapDays, ok = capNode.span()
	switch {
	case !ok:
	case kind == Days && p.CapDays == 0:
		capNode.bad("pauses of a working-day clock are counted in closings", "give working days, for example 5d")
	case kind == Hours && p.CapDays > 0:
		capNode.bad("pauses of an open-hours clock are counted in open hours", "give open hours, for example 24h")
	case kind == Days:
		p.Cap = 0
	default:
		p.CapDays = 0
	}
	return p
}

func (n node) ladder(base Ladder) Ladder {
	if !n.ok() {
		return base
	}
	m := n.fields("risk", "escalated", "escalated2")
	shares := [...]*int{&base.Risk, &base.Escalated, &base.Escalated2}
	for i, field := range [...]string{"risk", "escalated", "escalated2"} {
		s, ok := m[field].text()
		if !ok {
			continue
		}
		v, err := strconv.Atoi(strings.TrimSuffix(s, "%"))
		if err != nil {
			m[field].bad(fmt.Sprintf("%q is not a share in percent", clip(s)), "write for example 75")
			continue
		}
		*shares[i] = v
	}
	if base.Risk < 1 || base.Risk >= 100 || base.Escalated <= 100 || base.Escalated2 <= base.Escalated ||
		base.Escalated2 > 1000 {
		n.bad(fmt.Sprintf("the shares %d, %d, %d %% are not in order", base.Risk, base.Escalated, base.Escalated2),
			"give 1 <= risk < 100 < escalated < escalated2 <= 1000")
	}
	return base
}

func (n node) facts(allowed []Fact) []Fact {
	var out []Fact
	for _, s := range n.texts() {
		if !slices.Contains(allowed, Fact(s)) {
			words := make([]string, len(allowed))
			for i, a := range allowed {
				words[i] = string(a)
			}
			n.bad(fmt.Sprintf("%q cannot start or stop this clock here", clip(s)), "use "+strings.Join(words, ", "))
			continue
		}
		out = append(out, Fact(s))
	}
	return out
}

// oneOf notes values that are not among the allowed; nil allows any.
func (n node) oneOf(values, allowed []string, what string) {
	if allowed == nil {
		return
	}
	for _, v := range values {
		if !slices.Contains(allowed, v) {
			remedy := "name it in the directory or correct it" + nearest(v, allowed)
			if len(allowed) <= 8 {
				remedy = "use one of " + strings.Join(allowed, ", ")
			}
			n.bad(fmt.Sprintf("unknown %s %q", what, clip(v)), remedy)
		}
	}
}

// checkTies notes two lines of one clock that are equally specific and may both apply to a case, unless a more specific
// line takes all such cases.
func (r *reader) checkTies(p *Profile) {
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
			r.add(a.At, fmt.Sprintf("clocks[%d]", i),
				fmt.Sprintf("clock %s: this line (%s) and line %d (%s) are equally specific and both apply to %s", clock, a.sel,
					b.At, b.sel, both),
				"add a line for "+both.String()+", or let one of the two name fewer or more fields")
		}
	}
}
