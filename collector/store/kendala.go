package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// CauseFacts are the facts that the causes of late cases are told from: of one centre, of the days of a range.
type CauseFacts struct {
	// Calls of the days that were received and are no test.
	Calls []CauseCall
	// Quarters counts all calls of the centre by the start of the quarter of an hour (UTC, Unix seconds) in which they
	// came, back to eight weeks before the days.
	Quarters map[int64]int
	// Agents has the states of each agent, by Since, one an instant.
	Agents map[string][]AgentState
	// Talks has the talks of each agent, by From, one an instant.
	Talks map[string][]Talk
	// Beats has the heartbeats of each source, ascending, each instant once.
	Beats map[string][]time.Time
	// Clocks of tickets that began on the days, void ones left out; and the tickets by id.
	Clocks  []sla.Clock
	Tickets map[string]*casefile.Ticket
	// LateAcknowledged is, of each ticket, when its acknowledge clocks were late that were.
	LateAcknowledged map[string][]time.Time
	// Stated is why an OPD was late, as it said last: by ticket, then by OPD.
	Stated map[string]map[string]string
	// At is the instant that all is read at.
	At time.Time
}

// CauseCall is a call with what its row does not hold.
type CauseCall struct {
	casefile.Call
	RangAt time.Time // first
	Missed bool      // it rang at a telephone that nobody picked up
	Via    []string  // the sources of its events
}

// AgentState is what an agent was from an instant on.
type AgentState struct {
	Since time.Time
	State string
}

// Talk is a talk of an agent with a caller.
type Talk struct {
	From, To time.Time
	Hoax     bool
}

// CauseRange says of what causes are asked: a centre's days since <= day < until, the targets of the service level, and
// the instant to read the facts at, zero for all that is known.
type CauseRange struct {
	Center       string
	Since, Until time.Time // days, as UTC midnights
	Targets      FigureTargets
	AsOf         time.Time
	// Judged is when clocks are judged where AsOf is zero, so that none moves between two questions; zero is now.
	Judged time.Time
}

// view writes a view of causes with the arguments that all have, and more.
func (r CauseRange) view(name, more string) string {
	arguments := "center = " + quote(r.Center) + ", " + r.span() + more
	if r.AsOf.IsZero() && !r.Judged.IsZero() {
		arguments += ", judged_at = " + quote(r.Judged.UTC().Format(time.RFC3339Nano))
	}
	return viewAt(name, r.AsOf, arguments)
}

// span is what every view of figures has.
func (r CauseRange) span() string {
	return fmt.Sprintf("since = %s, until = %s", quote(r.Since.Format(time.DateOnly)),
		quote(r.Until.Format(time.DateOnly)))
}

func (r CauseRange) answers() string {
	return fmt.Sprintf(", target = %d, short = %d", r.Targets.Answer, r.Targets.Short)
}

// CauseCase is a late case and its cause, as the views monev_kendala_calls and monev_kendala_tickets give it.
type CauseCase struct {
	Indicator, ID string // the indicator is answer, or the name of a clock of tickets
	Seq           int    // of the clock; 0 of a call
	OPD, Scope    string
	Category      string
	Priority      string
	Kecamatan     string
	At            time.Time // of a call when it came, of a clock when it began
	Cause, Reason string
	Stated        string // the reason that the OPD gave itself; empty where it gave none
}

// CauseCount is a row of monev_kendala.
type CauseCount struct {
	Indicator, Scope, OPD, Cause, Reason string
	Numerator, Denominator, N            uint64
}

// CauseSum counts the late cases of an indicator, scope and OPD that have a cause, by what the OPD itself said.
type CauseSum struct {
	Indicator, Scope, OPD, Cause, Reason, Stated string
	N                                            uint64
	Examples                                     []string // ids of at most three
}

// CausePart is a row of monev_kendala_groups: of the N decided cases of one value of a dimension Met were in time.
type CausePart struct {
	Indicator, Scope, Dimension, Value string
	Met, N                             uint64
}

// MaxCauseCases bounds what one question about causes reads: calls, and clocks of tickets. A month of the largest
// centre has a third of it.
const MaxCauseCases = 300_000

// TooManyCasesError is a range with more than MaxCauseCases calls or clocks.
type TooManyCasesError struct{ What string }

func (e *TooManyCasesError) Error() string {
	return fmt.Sprintf("the range has more than %d %s: ask for less at a time", MaxCauseCases, e.What)
}

// cases selects the late cases of a range.
func (r CauseRange) cases() string {
	return "SELECT 'answer' AS indicator, id, 0::UInt16 AS seq, '' AS opd, 'own' AS scope, category, '' AS priority, " +
		"kecamatan, at, cause, '' AS reason, '' AS stated FROM " + r.view("monev_kendala_calls", r.answers()) +
		" UNION ALL SELECT clock, id, seq, opd, scope, category, priority, kecamatan, at, cause, reason::String, " +
		"stated::String FROM " + r.view("monev_kendala_tickets", "")
}

// CauseCases reads the late cases of a range with their causes, in order of indicator, id and number.
func (s *Store) CauseCases(ctx context.Context, r CauseRange) ([]CauseCase, error) {
	sql := "SELECT * FROM (" + r.cases() + ") ORDER BY indicator, id, seq"
	return bounded(ctx, s, "late cases", sql, func(scan func(...any) error) (c CauseCase, err error) {
		var seq uint16
		err = scan(&c.Indicator, &c.ID, &seq, &c.OPD, &c.Scope, &c.Category, &c.Priority, &c.Kecamatan, &c.At, &c.Cause,
			&c.Reason, &c.Stated)
		c.Seq, c.At = int(seq), c.At.UTC()
		return c, err
	})
}

// CauseSums counts the late cases of a range by cause; of one OPD only, where opd names it, and then no calls.
func (s *Store) CauseSums(ctx context.Context, r CauseRange, opd string) ([]CauseSum, error) {
	sql := "SELECT indicator, scope, opd, cause, reason, stated, count(), groupArraySorted(3)(id) FROM (" + r.cases() + ")"
	if opd != "" {
		sql += " WHERE opd = " + quote(opd)
	}
	return queryAll(ctx, s, "count late cases", sql+" GROUP BY indicator, scope, opd, cause, reason, stated ORDER BY ALL",
		func(c *CauseSum) []any {
			return []any{&c.Indicator, &c.Scope, &c.OPD, &c.Cause, &c.Reason, &c.Stated, &c.N, &c.Examples}
		})
}

// AnswersStamped reports whether any offered call of a range has an answer stamp. Without one it is not recorded
// whether calls were answered in time.
func (s *Store) AnswersStamped(ctx context.Context, r CauseRange) (stamped bool, err error) {
	at := "now64(3, 'UTC')"
	if !r.AsOf.IsZero() {
		at = instant(r.AsOf)
	}
	err = s.queryOne(ctx, "look for answer stamps", `SELECT count() > 0 FROM (SELECT 1 FROM calls_now
		WHERE `+r.days(0, 0)+` AND offered AND answered_at <= `+at+` LIMIT 1)`, &stamped)
	return stamped, err
}

// CauseParts counts the decided cases of a range by what a change may be told by; of one OPD only, where opd names it,
// and then no calls. zone is the centre's.
func (s *Store) CauseParts(ctx context.Context, r CauseRange, opd, zone string) ([]CausePart, error) {
	of := "NULL"
	if opd != "" {
		of = quote(opd)
	}
	sql := `SELECT indicator, scope, dimension, value, numerator, n FROM ` + r.view("monev_kendala_groups",
		fmt.Sprintf(", target = %d, zone = %s, opd = %s", r.Targets.Answer, quote(zone), of)) + ` ORDER BY ALL`
	return queryAll(ctx, s, "count decided cases", sql, func(p *CausePart) []any {
		return []any{&p.Indicator, &p.Scope, &p.Dimension, &p.Value, &p.Met, &p.N}
	})
}

// CauseCounts reads monev_kendala for a range as a whole.
func (s *Store) CauseCounts(ctx context.Context, r CauseRange) ([]CauseCount, error) {
	sql := `SELECT indicator, scope, opd, cause, reason::String, numerator, denominator, n
		FROM ` + r.view("monev_kendala", r.answers()+", step = 'all'") + ` ORDER BY indicator, scope, opd, cause, reason`
	return queryAll(ctx, s, "count causes", sql, func(c *CauseCount) []any {
		return []any{&c.Indicator, &c.Scope, &c.OPD, &c.Cause, &c.Reason, &c.Numerator, &c.Denominator, &c.N}
	})
}

// bounded is queryAll that refuses more than MaxCauseCases rows.
func bounded[T any](ctx context.Context, s *Store, what, sql string, read func(func(...any) error) (T, error)) ([]T,
	error) {
	var out []T
	err := s.query(ctx, "read "+what, sql+fmt.Sprintf(" LIMIT %d", MaxCauseCases+1), func(scan func(...any) error) error {
		row, err := read(scan)
		out = append(out, row)
		return err
	})
	if err == nil && len(out) > MaxCauseCases {
		return nil, &TooManyCasesError{what}
	}
	return out, err
}

// notVoid leaves out the events of a centre's cases of a kind that others of their case void.
func notVoid(center, kind string) string {
	return "type != 'event.withdrawn' AND (subject, source, id) NOT IN (SELECT subject, source, replaces FROM events " +
		"WHERE center = " +
		quote(center) + " AND subject_kind = " + quote(kind) + " AND replaces != '' AND replaces != id)"
}

// CauseFacts reads the facts of a range as they were at its instant, at now where it names none.
func (s *Store) CauseFacts(ctx context.Context, r CauseRange, now time.Time) (*CauseFacts, error) {
	f := &CauseFacts{At: r.AsOf}
	if f.At.IsZero() {
		f.At = now
	}
	for _, read := range []func(context.Context, *CauseFacts, CauseRange) error{
		s.causeCalls, s.causeQuarters, s.causeAgents, s.causeTalks, s.causeBeats, s.causeClocks, s.causeTickets,
		s.causeStated,
	} {
		if err := read(ctx, f, r); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (r CauseRange) days(before, after int) string {
	return fmt.Sprintf("center = %s AND day >= %s AND day < %s", quote(r.Center),
		quote(r.Since.AddDate(0, 0, -before).Format(time.DateOnly)),
		quote(r.Until.AddDate(0, 0, after).Format(time.DateOnly)))
}

// at is the instant as calls_at, tickets_at and clocks_at take it.
func (f *CauseFacts) at() string { return quote(f.At.UTC().Format(time.RFC3339Nano)) }

// happened limits events to those near the days that had happened.
func (f *CauseFacts) happened(r CauseRange) string {
	return fmt.Sprintf("occurred_at >= %s AND occurred_at < %s AND occurred_at <= %s",
		instant(r.Since.AddDate(0, 0, -2)), instant(r.Until.AddDate(0, 0, 2)), instant(f.At))
}

// set writes what was scanned, which may be NULL.
func set(to *time.Time, from *time.Time) {
	if from != nil {
		*to = from.UTC()
	}
}

func (s *Store) causeCalls(ctx context.Context, f *CauseFacts, r CauseRange) (err error) {
	sql := `SELECT c.id, received_at, queued_at, answered_at, abandoned_at, unserved_at, blocked_at, ended_at, wait_ms,
			ifNull(class, '')::String, ifNull(agent, '')::String, ifNull(category, '')::String, ifNull(kecamatan, '')::String,
			e.rang_at, e.missed > 0, e.sources
		FROM (SELECT * FROM calls_at(at = ` + f.at() + `) WHERE ` + r.days(0, 0) + `) AS c
		LEFT JOIN (
			SELECT subject, minOrNullIf(occurred_at, type = 'call.ringing') AS rang_at,
				countIf(type = 'call.ring_no_answer') AS missed,
				arraySort(groupUniqArray(source::String)) AS sources
			FROM events WHERE center = ` + quote(r.Center) + ` AND subject_kind = 'call' AND occurred_at <= ` + instant(f.At) + `
				AND subject IN (SELECT id FROM calls_at(at = ` + f.at() + `) WHERE ` + r.days(0, 0) + `) AND ` +
		notVoid(r.Center, "call") + ` GROUP BY subject) AS e ON e.subject = c.id`
	f.Calls, err = bounded(ctx, s, "calls", sql, func(scan func(...any) error) (c CauseCall, err error) {
		var at [8]*time.Time
		err = scan(&c.Key.ID, &at[0], &at[1], &at[2], &at[3], &at[4], &at[5], &at[6], &c.WaitMS, &c.Class, &c.Agent,
			&c.Category, &c.Kecamatan, &at[7], &c.Missed, &c.Via)
		c.Key.Center, c.Key.Kind = r.Center, event.KindCall
		for i, to := range []*time.Time{&c.ReceivedAt, &c.QueuedAt, &c.AnsweredAt, &c.AbandonedAt, &c.UnservedAt,
			&c.BlockedAt,
			&c.EndedAt, &c.RangAt} {
			set(to, at[i])
		}
		return c, err
	})
	return err
}

// The days before a range that what is usual rests on.
const usualDays = 7*expectedWeeks + 2

func (s *Store) causeQuarters(ctx context.Context, f *CauseFacts, r CauseRange) error {
	f.Quarters = map[int64]int{}
	sql := `SELECT intDiv(toUnixTimestamp64Milli(assumeNotNull(at)), 900000) * 900, toInt64(count())
		FROM calls_at(at = ` + f.at() + `) WHERE ` + r.days(usualDays, 1) + ` AND at IS NOT NULL GROUP BY 1`
	return s.query(ctx, "count calls", sql, func(scan func(...any) error) error {
		var quarter, n int64
		err := scan(&quarter, &n)
		f.Quarters[quarter] = int(n)
		return err
	})
}

// causeAgents folds the states of each agent: of several at one instant the one that the fold takes.
func (s *Store) causeAgents(ctx context.Context, f *CauseFacts, r CauseRange) error {
	f.Agents = map[string][]AgentState{}
	var last []*event.Event // of one agent at one instant
	flush := func() {
		if len(last) > 0 {
			a := casefile.FoldAgent(last)
			f.Agents[last[0].Subject] = append(f.Agents[last[0].Subject], AgentState{a.Since, a.State})
		}
		last = nil
	}
	sql := `SELECT DISTINCT subject, occurred_at, result::String, revision, id, source::String, digest FROM events
		WHERE center = ` + quote(r.Center) + ` AND subject_kind = 'agent' AND type = 'agent.state' AND result != '' AND ` +
		f.happened(r) + ` AND ` + notVoid(r.Center, "agent") + ` ORDER BY subject, occurred_at`
	err := s.query(ctx, "read states of agents", sql, func(scan func(...any) error) error {
		e := &event.Event{Type: event.AgentState, Kind: event.KindAgent}
		var digest string
		if err := scan(&e.Subject, &e.OccurredAt, &e.Result, &e.Revision, &e.ID, &e.Source, &digest); err != nil {
			return err
		}
		e.OccurredAt = e.OccurredAt.UTC()
		copy(e.Digest[:], digest)
		if len(last) > 0 && (last[0].Subject != e.Subject || !last[0].OccurredAt.Equal(e.OccurredAt)) {
			flush()
		}
		last = append(last, e)
		return nil
	})
	flush()
	return err
}

func (s *Store) causeTalks(ctx context.Context, f *CauseFacts, r CauseRange) error {
	f.Talks = map[string][]Talk{}
	sql := `SELECT assumeNotNull(agent)::String AS who, assumeNotNull(answered_at) AS since, max(assumeNotNull(ended_at)), max(hoax)
		FROM calls_at(at = ` + f.at() + `) WHERE ` + r.days(2, 3) + ` AND agent IS NOT NULL AND ended_at >= answered_at
		GROUP BY who, since ORDER BY who, since`
	return s.query(ctx, "read talks", sql, func(scan func(...any) error) error {
		var who string
		var t Talk
		err := scan(&who, &t.From, &t.To, &t.Hoax)
		t.From, t.To = t.From.UTC(), t.To.UTC()
		f.Talks[who] = append(f.Talks[who], t)
		return err
	})
}

func (s *Store) causeBeats(ctx context.Context, f *CauseFacts, r CauseRange) error {
	f.Beats = map[string][]time.Time{}
	sql := `SELECT DISTINCT source::String AS s, occurred_at FROM events
		WHERE center = ` + quote(r.Center) + ` AND subject_kind = 'feed' AND type = 'feed.heartbeat' AND ` + f.happened(r) +
		` AND ` + notVoid(r.Center, "feed") + ` ORDER BY s, occurred_at`
	return s.query(ctx, "read heartbeats", sql, func(scan func(...any) error) error {
		var source string
		var at time.Time
		err := scan(&source, &at)
		f.Beats[source] = append(f.Beats[source], at.UTC())
		return err
	})
}

func (s *Store) causeClocks(ctx context.Context, f *CauseFacts, r CauseRange) (err error) {
	f.Clocks, err = bounded(ctx, s, "clocks", `SELECT `+clockColumns+` FROM clocks_at(at = `+f.at()+`)
		WHERE subject_kind = 'ticket' AND NOT void AND `+r.days(0, 0), scanClock)
	if err != nil {
		return err
	}
	f.LateAcknowledged = map[string][]time.Time{}
	sql := `SELECT subject, assumeNotNull(breach_at) FROM clocks_at(at = ` + f.at() + `)
		WHERE center = ` + quote(r.Center) + ` AND subject_kind = 'ticket' AND clock = 'acknowledge' AND state = 'breached'
			AND subject IN (SELECT subject FROM clocks_at(at = ` + f.at() + `) WHERE ` + r.days(0, 0) + `)`
	return s.query(ctx, "read late acknowledgements", sql, func(scan func(...any) error) error {
		var id string
		var at time.Time
		err := scan(&id, &at)
		f.LateAcknowledged[id] = append(f.LateAcknowledged[id], at.UTC())
		return err
	})
}

func (s *Store) causeTickets(ctx context.Context, f *CauseFacts, r CauseRange) error {
	f.Tickets = map[string]*casefile.Ticket{}
	list := func(column string) string { return "`" + column + "`" }
	sql := `SELECT id, received_at, answered_at, opened_at, assigned_at, acknowledged_at, departed_at, arrived_at, resolved_at,
			last_resolved_at, closed_at, first_closed_at, ` + strings.Join([]string{list("stays.opd") + "::Array(String)",
		list("stays.at"), list("stays.ended_at"), list("pauses.since"), list("pauses.until"),
		list("pauses.reason") + "::Array(String)"}, ", ") + `
		FROM tickets_at(at = ` + f.at() + `) WHERE center = ` + quote(r.Center) + `
			AND id IN (SELECT subject FROM clocks_at(at = ` + f.at() + `) WHERE subject_kind = 'ticket' AND ` + r.days(0, 0) + `)`
	rows, err := bounded(ctx, s, "tickets", sql, func(scan func(...any) error) (*casefile.Ticket, error) {
		t := &casefile.Ticket{}
		var at [11]*time.Time
		var opds, reasons []string
		var begun, paused []time.Time
		var ended, resumed []*time.Time
		if err := scan(&t.Key.ID, &at[0], &at[1], &at[2], &at[3], &at[4], &at[5], &at[6], &at[7], &at[8], &at[9], &at[10],
			&opds, &begun, &ended, &paused, &resumed, &reasons); err != nil {
			return nil, err
		}
		for i, to := range []*time.Time{&t.ReceivedAt, &t.AnsweredAt, &t.OpenedAt, &t.AssignedAt, &t.AcknowledgedAt,
			&t.DepartedAt, &t.ArrivedAt, &t.ResolvedAt, &t.LastResolvedAt, &t.ClosedAt, &t.FirstClosedAt} {
			set(to, at[i])
		}
		for i := range opds {
			a := casefile.Assignment{OPD: opds[i], At: begun[i].UTC()}
			set(&a.EndedAt, ended[i])
			t.Assignments = append(t.Assignments, a)
		}
		for i := range paused {
			p := casefile.Pause{From: paused[i].UTC(), Reason: reasons[i]}
			set(&p.To, resumed[i])
			t.Pauses = append(t.Pauses, p)
		}
		return t, nil
	})
	for _, t := range rows {
		f.Tickets[t.Key.ID] = t
	}
	return err
}

// causeStated folds what OPDs said of why they were late: the latest word of each on a ticket.
func (s *Store) causeStated(ctx context.Context, f *CauseFacts, r CauseRange) error {
	events := map[string][]*event.Event{}
	sql := `SELECT DISTINCT subject, opd::String, occurred_at, reason::String, revision, id, source::String, digest FROM events
		WHERE center = ` + quote(r.Center) + ` AND subject_kind = 'ticket' AND type = 'ticket.explained' AND reason != ''
			AND occurred_at <= ` + instant(f.At) + ` AND ` + notVoid(r.Center, "ticket")
	err := s.query(ctx, "read reasons of OPDs", sql, func(scan func(...any) error) error {
		e := &event.Event{Type: event.TicketExplained, Kind: event.KindTicket}
		var digest string
		if err := scan(&e.Subject, &e.OPD, &e.OccurredAt, &e.Reason, &e.Revision, &e.ID, &e.Source, &digest); err != nil {
			return err
		}
		e.OccurredAt = e.OccurredAt.UTC()
		copy(e.Digest[:], digest)
		events[e.Subject] = append(events[e.Subject], e)
		return nil
	})
	f.Stated = StatedReasons(events)
	return err
}

// StatedReasons returns why OPDs were late, as each said last of a ticket, from the events that stand of each ticket.
func StatedReasons(events map[string][]*event.Event) map[string]map[string]string {
	out := map[string]map[string]string{}
	for id, evs := range events {
		for _, e := range casefile.Standing(evs) {
			if e.Type != event.TicketExplained || e.Reason == "" {
				continue
			}
			if out[id] == nil {
				out[id] = map[string]string{}
			}
			out[id][e.OPD] = e.Reason
		}
	}
	return out
}
