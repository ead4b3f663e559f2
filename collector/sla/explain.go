package sla

import (
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/casefile"
)

// Limits of an explanation.
const (
	maxSingleWindows = 10 // more open windows than these, and runs of full windows are said in one line
	maxNamedDays     = 40 // days off and pauses named one by one
	maxNumberedDays  = 14 // working days that are numbered one by one
)

// Explain says in sentences how c comes to its due time and what has been counted at now, in Indonesian ("id") or
// English ("en"). t is the ticket that c was computed from, nil for the clock of a call, and scopeOf what it was
// computed with.
//
// Lines that begin with "Dihitung:" ("Counted:") name an interval and end in its seconds; they add up to exactly what
// was counted, the net time of Used. Long runs of full windows are one line with their sum, so that the number of lines
// is bounded by the pauses and days off.
func (b *Book) Explain(c *Clock, t *casefile.Ticket, scopeOf func(opd string) string, now time.Time, lang string,
) []string {
	rules := b.rulesOf(c.Key.Center)
	g := locale{english: lang == "en", zone: rules.zone}
	x := explanation{locale: g, clock: c, now: now.UnixMilli()}
	x.line = b.lineOf(c)
	if c.Kind == Hours || c.Kind == Days {
		x.calendar = b.byID[c.CalendarVersion]
	}
	x.header()
	r := b.ruling(c, t, scopeOf)
	x.segments(r.segments)
	if x.line == nil || c.DueAt.IsZero() || (c.Kind == Hours || c.Kind == Days) && x.calendar == nil {
		x.corrected(t)
		x.verdict(b)
		return x.out
	}
	x.start, x.until = c.countedFrom().UnixMilli(), x.now
	stop := endOf(c.StoppedAt, time.Time{})
	x.until = max(min(x.until, stop), x.start)
	if c.Kind != Stated {
		x.line.compute(&x.timing, x.calendar, x.start, stop, r.pauses)
	}
	x.windows()
	if t != nil {
		x.pauses(t.PausedSpans())
	}
	x.skipped()
	x.numbered()
	x.dueTimes()
	x.corrected(t)
	x.verdict(b)
	return x.out
}

// corrected says what held of the clock before each correction that took a lateness away. What holds now follows it.
func (x *explanation) corrected(t *casefile.Ticket) {
	if t == nil {
		return
	}
	for _, k := range t.Corrected {
		if k.Clock != x.clock.Name || k.Seq != x.clock.Seq {
			continue
		}
		end := x.pick("belum berhenti", "not stopped")
		if !k.StoppedAt.IsZero() {
			end = x.say("berhenti %s", "stopped %s", x.instant(k.StoppedAt.UnixMilli()))
		}
		x.add("Dikoreksi setelah terlambat: sampai koreksi diterima (%s) batas waktunya %s, %s, jadi terlambat.",
			"Corrected after it was late: until the correction was received (%s) it was due %s and %s, so it was late.",
			x.instant(k.ReceivedAt.UnixMilli()), x.instant(k.DueAt.UnixMilli()), end)
	}
}

// ruling judges c again, with its segments; of a clock that has no history the result is empty.
func (b *Book) ruling(c *Clock, t *casefile.Ticket, scopeOf func(opd string) string) (r ruling) {
	if t == nil || c.Kind == Stated || c.Name == Acknowledge && c.Seq > len(t.Assignments) {
		return r
	}
	rules := b.rulesOf(c.Key.Center)
	j := judge{era: rules.at(t.At().UnixMilli()), calendar: rules.calendar, ticket: t, scopeOf: scopeOf}
	stay := -1
	if c.Name == Acknowledge {
		stay = c.Seq - 1
	}
	j.judge(c.Name, stay)
	r, _ = j.rule(true)
	return r
}

// segments says what each change of details did, if any did something.
func (x *explanation) segments(all []Segment) {
	changed := slices.ContainsFunc(all, func(s Segment) bool { return s.Effect != EffectBegins && s.Effect != EffectNone })
	for i, s := range all {
		if !changed || s.Effect == EffectNone {
			continue
		}
		who := x.say("%s, kategori %s, %s", "%s, category %s, %s", x.orNone(s.Priority, "tanpa prioritas", "no priority"),
			x.orNone(s.Category, "belum ada", "none yet"), x.orNone(s.OPD, "di pusat", "at the centre"))
		if i > 0 {
			who = x.say("Sejak %s: %s", "From %s: %s", x.instant(s.From.UnixMilli()), who)
		} else {
			who = x.say("Mula-mula: %s", "At first: %s", who)
		}
		due := ""
		if !s.DueAt.IsZero() {
			due = x.instant(s.DueAt.UnixMilli())
		}
		switch s.Effect {
		case EffectBegins:
			x.add("%s; batas waktu %s.", "%s; due %s.", who, due)
		case EffectUpgrade:
			x.add("%s; lebih mendesak, batas waktu %s.", "%s; more urgent, due %s.", who, due)
		case EffectDowngrade:
			x.add("%s; lebih longgar, batas waktu %s.", "%s; less urgent, due %s.", who, due)
		case EffectRemoved:
			x.add("%s; tanpa batas waktu ini.", "%s; no such clock.", who)
		case EffectLate:
			x.add("%s; sudah terlambat dan tetap terlambat (batas waktu %s).", "%s; late already, and stays late (due %s).",
				who, due)
		}
	}
	if x.clock.Member != "" {
		x.add("Batas waktu dari tiket %s yang digabungkan.", "The due time is that of ticket %s, which was merged into it.",
			x.clock.Member)
	}
	if at := x.clock.FrozenAt; !at.IsZero() {
		x.add("Yang baru diterima sejak %s tidak menghapus keterlambatan: saat itu batas waktu sudah lewat.",
			"What was first received from %s on heals nothing: the clock was late by then.", x.instant(at.UnixMilli()))
	}
}

func (x *explanation) orNone(text, id, en string) string {
	if text == "" {
		return x.pick(id, en)
	}
	return text
}

// lineOf finds the line that gave c its target; nil when the book no longer holds it.
func (b *Book) lineOf(c *Clock) *Line {
	if c.Policy == sourcePolicy {
		return b.stated
	}
	for _, p := range b.profiles {
		if p.Name == c.Policy && p.Version == c.PolicyVersion && c.PolicyLine >= 1 && c.PolicyLine <= len(p.Lines) {
			return p.Lines[c.PolicyLine-1]
		}
	}
	return nil
}

type explanation struct {
	locale
	clock        *Clock
	line         *Line
	calendar     *Calendar
	timing       timing
	start, until int64
	now          int64
	out          []string
}

func (x *explanation) add(id, en string, args ...any) { x.out = append(x.out, x.say(id, en, args...)) }

func (x *explanation) header() {
	c := x.clock
	switch {
	case x.line == nil:
		x.add("%s: kebijakan %s versi %s tidak lagi dimuat.", "%s: policy %s version %s is no longer loaded.",
			x.clockName(c.Name), c.Policy, c.PolicyVersion)
	case c.Kind == Stated:
		x.add("%s.", "%s.", x.clockName(c.Name))
	default:
		text := x.say("%s: %s (kebijakan %s versi %s", "%s: %s (policy %s version %s", x.clockName(c.Name), x.target(x.line),
			c.Policy, c.PolicyVersion)
		if c.CalendarVersion != "" {
			text += x.say(", kalender %s", ", calendar %s", c.CalendarVersion)
		}
		x.out = append(x.out, text+").")
	}
	if !c.StartedAt.IsZero() {
		x.add("Mulai %s.", "Started %s.", x.instant(c.StartedAt.UnixMilli()))
	}
}

// interval is a counted interval; full says that it is a whole window of its day.
type interval struct {
	from, to int64
	full     bool
}

// windows names what was counted: open windows or real time from start to until, less the counted pauses.
func (x *explanation) windows() {
	var all []interval
	if x.calendar == nil {
		if x.start < x.until {
			all = append(all, interval{x.start, x.until, false})
		}
	} else {
		x.calendar.eachSpan(x.start, x.until, func(s span) { all = append(all, interval{s.open, s.close, true}) })
	}
	for _, p := range x.timing.pieces {
		all = cut(all, p.from, p.until)
	}
	for i := range all {
		if x.calendar != nil && all[i].full {
			s := x.calendar.spans[x.calendar.spanAfter(all[i].from)]
			all[i].full = s.open == all[i].from && s.close == all[i].to
		}
	}
	for i := 0; i < len(all); {
		n := i
		for n < len(all) && all[n].full {
			n++
		}
		if len(all) > maxSingleWindows && n-i > 2 {
			x.run(all[i:n])
			i = n
			continue
		}
		x.add("Dihitung: %s: %s", "Counted: %s: %s", x.between(all[i].from, all[i].to), x.seconds(all[i].to-all[i].from))
		i++
	}
	if len(all) == 0 {
		x.add("Belum ada waktu yang dihitung.", "Nothing has been counted yet.")
	}
}

// run names many full windows in one line.
func (x *explanation) run(windows []interval) {
	var sum int64
	days, last := 0, int32(-1)
	for _, w := range windows {
		sum += w.to - w.from
		if d := x.dayOf(w.from); d != last {
			days, last = days+1, d
		}
	}
	x.add("Dihitung: %s sampai %s, %s hari dengan jam buka penuh: %s",
		"Counted: %s to %s, %s days with full open hours: %s",
		x.date(x.dayOf(windows[0].from)), x.date(last), x.number(int64(days)), x.seconds(sum))
}

// cut takes [from, until) out of intervals.
func cut(all []interval, from, until int64) []interval {
	var out []interval
	for _, i := range all {
		if i.to <= from || i.from >= until {
			out = append(out, i)
			continue
		}
		if i.from < from {
			out = append(out, interval{i.from, from, i.full})
		}
		if i.to > until {
			out = append(out, interval{until, i.to, i.full})
		}
	}
	return out
}

func (x *explanation) pauses(pauses []casefile.Pause) {
	unit := func(p piece) string {
		if x.clock.Kind == Elapsed {
			return x.seconds(p.length)
		}
		return x.say("%s jam buka", "%s of open hours", x.seconds(p.length))
	}
	for i := range pauses {
		p := &pauses[i]
		from, until := p.From.UnixMilli(), int64(never)
		if !p.To.IsZero() {
			until = p.To.UnixMilli()
		}
		if until == never && !x.clock.StoppedAt.IsZero() {
			until = x.until
		}
		if until <= x.start || from >= x.until {
			continue
		}
		if i >= maxNamedDays {
			x.add("Dan %s penundaan lain.", "And %s more pauses.", x.number(int64(len(pauses)-i)))
			return
		}
		span := x.instant(from) + x.say(" – sekarang", " – now")
		if until != never {
			span = x.between(from, until)
		}
		begin := max(from, x.start)
		k := slices.IndexFunc(x.timing.pieces, func(q piece) bool { return q.from <= begin && begin < q.until })
		var part piece // what lies in this span; several spans may be counted as one piece
		if k >= 0 {
			part = piece{from: begin, until: min(x.timing.pieces[k].until, max(min(until, x.until), begin))}
			m := meterOf(x.clock.Kind, x.calendar)
			part.length = m.before(part.until) - m.before(part.from)
		}
		switch {
		case k >= 0 && x.timing.running && k == len(x.timing.pieces)-1:
			x.add("Ditunda: %s, %s; paling lama sampai %s.", "Paused: %s, %s; at most until %s.", span, x.reason(p.Reason),
				x.instant(x.timing.pauseEnds))
		case k >= 0 && part.until < min(until, x.until):
			x.add("Ditunda: %s, %s: %s tidak dihitung; sejak %s batas penundaan habis.",
				"Paused: %s, %s: %s not counted; from %s on the cap on pauses was used up.",
				span, x.reason(p.Reason), unit(part), x.instant(part.until))
		case k >= 0:
			x.add("Ditunda: %s, %s: %s tidak dihitung.", "Paused: %s, %s: %s not counted.", span, x.reason(p.Reason),
				unit(part))
		default:
			x.add("Penundaan tidak diakui: %s, %s (%s).", "Pause not honoured: %s, %s (%s).", span, x.reason(p.Reason),
				x.whyNot(p, from))
		}
	}
}

func (x *explanation) whyNot(p *casefile.Pause, from int64) string {
	switch {
	case x.clock.Priority == emergency:
		return x.say("laporan darurat tidak dapat ditunda", "emergencies never pause")
	case len(x.line.Pauses.Reasons) == 0:
		return x.say("batas waktu ini tidak mengenal penundaan", "this clock never pauses")
	case !x.clock.FrozenAt.IsZero() && !p.HeardAt.Before(x.clock.FrozenAt):
		return x.say("baru dicatat setelah terlambat", "first recorded when it was late")
	case !slices.ContainsFunc(strings.Split(p.Reason, "+"), func(r string) bool {
		return slices.Contains(x.line.Pauses.Reasons, r)
	}):
		return x.say("alasan tidak ada dalam kebijakan", "the policy does not list the reason")
	case from > x.timing.due:
		return x.say("sudah lewat batas waktu", "it was late already")
	}
	return x.say("batas penundaan sudah habis", "the cap on pauses was used up")
}

// skipped names the days off and the special hours between the start and the due time or what was counted.
func (x *explanation) skipped() {
	if x.calendar == nil {
		return
	}
	c := x.calendar
	from, to := c.localDay(x.start), c.localDay(max(x.until, x.timing.due))
	closed, named, more := 0, 0, 0
	var range_ *dayRange
	for day := from; day <= to; day++ {
		if i := slices.IndexFunc(c.ranges, func(r dayRange) bool {
			return r.from <= day && day <= r.until
		}); i >= 0 && &c.ranges[i] != range_ {
			range_ = &c.ranges[i]
			x.add("Jam buka khusus %s sampai %s: %s.", "Special hours from %s to %s: %s.", x.date(range_.from),
				x.date(range_.until), x.pick(range_.name, range_.nameEn))
		}
		if s, ok := c.special[day]; ok {
			x.add("Jam buka khusus %s: %s.", "Special hours on %s: %s.", x.date(day), x.pick(s.name, s.nameEn))
			continue
		}
		off, isOff := c.off[day]
		switch {
		case len(c.usual(day)) == 0:
			closed++
		case isOff && named < maxNamedDays:
			named++
			x.add("Dilewati: %s, %s (%s).", "Skipped: %s, %s (%s).", x.date(day), x.pick(off.Name, off.NameEn), off.Decree)
		case isOff:
			more++
		}
	}
	if more > 0 {
		x.add("Dilewati: %s hari libur lain.", "Skipped: %s more days off.", x.number(int64(more)))
	}
	if closed > 0 {
		x.add("Dilewati: %s hari tutup mingguan.", "Skipped: %s days that are closed every week.", x.number(int64(closed)))
	}
}

// numbered names the working days that lead to the due time.
func (x *explanation) numbered() {
	if x.clock.Kind != Days {
		return
	}
	var days []string
	n := 0
	for i := x.calendar.closingAfterDay(x.start); i >= 0 && i < len(x.calendar.closings); i++ {
		k := x.calendar.closings[i]
		if k.at > x.timing.due {
			break
		}
		if slices.ContainsFunc(x.timing.pieces, func(p piece) bool { return p.closing <= i && i < p.closing+p.closings }) {
			continue // it passed while paused
		}
		if n++; n <= maxNumberedDays {
			days = append(days, x.say("ke-%s %s", "day %s %s", x.number(int64(n)), x.date(k.day)))
		}
	}
	if n > maxNumberedDays {
		days = append(days, x.say("sampai hari ke-%s", "until day %s", x.number(int64(n))))
	}
	x.add("Hari kerja: %s.", "Working days: %s.", strings.Join(days, ", "))
}

func (x *explanation) dueTimes() {
	c := x.clock
	due := c.DueAt.UnixMilli()
	if c.GrossDueAt.Equal(c.DueAt) {
		x.add("Batas waktu: %s.", "Due: %s.", x.instant(due))
	} else {
		x.add("Batas waktu: %s; tanpa penundaan %s.", "Due: %s; without pauses %s.", x.instant(due),
			x.instant(c.GrossDueAt.UnixMilli()))
	}
	if x.timing.running {
		x.add("Bila penundaan terus berjalan: %s.", "If the pause runs on: %s.", x.instant(c.BreachAt.UnixMilli()))
	}
	if x.calendar != nil && x.calendar.localDay(max(due, c.BreachAt.UnixMilli(), x.until)) > x.calendar.coveredUntil {
		x.add("Sementara: hari libur setelah %s belum ditetapkan dalam kalender.",
			"Provisional: days off after %s are not in the calendar yet.", x.date(x.calendar.coveredUntil))
	}
}

func (x *explanation) verdict(b *Book) {
	c := x.clock
	if c.State(time.UnixMilli(x.now)) == Unobserved {
		x.add("Keadaan: %s. Fakta yang menghentikannya tidak dicatat oleh %s dan tidak datang dari sumber lain: "+
			"tidak dihitung tepat waktu, tidak pula terlambat.",
			"State: %s. The fact that stops it is not recorded by %s and came from nowhere else: it counts neither as on time "+
				"nor as late.", x.state(Unobserved), strings.ReplaceAll(c.Sources, " ", ", "))
		return
	}
	if !c.DueAt.IsZero() {
		u := b.Used(c, time.UnixMilli(x.now))
		x.add("Terpakai: %s dari %s (%s).", "Used: %s of %s (%s).", x.seconds(u.Net.Milliseconds()),
			x.seconds(u.Target.Milliseconds()), x.percent(u.Ratio))
	}
	state := c.State(time.UnixMilli(x.now))
	if contradicts(c) {
		x.add("Berhenti sebelum mulai: catatannya bertentangan.", "It stopped before it started: the facts contradict.")
	}
	text := x.say("Keadaan: %s", "State: %s", x.state(state))
	if state == Breached {
		until := x.now
		if !c.StoppedAt.IsZero() {
			until = min(until, c.StoppedAt.UnixMilli())
		}
		text += x.say(", lewat %s", ", by %s", x.length(until-c.BreachAt.UnixMilli()))
	}
	if !c.StoppedAt.IsZero() && c.StoppedAt.UnixMilli() <= x.now {
		text += x.say("; berhenti %s", "; stopped %s", x.instant(c.StoppedAt.UnixMilli()))
	}
	x.out = append(x.out, text+".")
}
