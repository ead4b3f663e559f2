package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// Span is a period, Since included and Until not. A zero end is open.
type Span struct{ Since, Until time.Time }

// Unbounded reports whether s has no end on either side.
func (s Span) Unbounded() bool { return s.Since.IsZero() && s.Until.IsZero() }

// CaseKeys returns, in ascending order, at most limit cases of a centre after the case named after (all, when its ID is
// empty), that touch a span: their first event lies before its end and their last event not before its beginning, or,
// of a ticket, its earliest call came in within it. The order is that of Key.Kind (calls, then tickets) and Key.ID.
func (s *Store) CaseKeys(ctx context.Context, center string, span Span, after event.Key, limit int) ([]event.Key,
	error) {
	sql := caseKeysSQL(center, span, after) + fmt.Sprintf(" ORDER BY subject_kind, subject LIMIT %d", limit)
	out := make([]event.Key, 0, min(limit, 4096))
	err := s.stream(ctx, "read the cases of a period", sql, func(scan func(...any) error) error {
		k, err := scanKey(scan)
		out = append(out, k)
		return err
	})
	return out, err
}

// Centers returns the codes of all centres of which there is an event, sorted.
func (s *Store) Centers(ctx context.Context) ([]string, error) {
	return queryAll(ctx, s, "read centres", "SELECT DISTINCT center::String AS c FROM events ORDER BY c",
		func(c *string) []any { return []any{c} })
}

// CountCases returns how many cases CaseKeys would give in all.
func (s *Store) CountCases(ctx context.Context, center string, span Span) (n uint64, err error) {
	sql := "SELECT count() FROM (" + caseKeysSQL(center, span, event.Key{}) + ")"
	err = s.stream(ctx, "count the cases of a period", sql, func(scan func(...any) error) error { return scan(&n) })
	return n, err
}

func caseKeysSQL(center string, span Span, after event.Key) string {
	conds := []string{"center = " + quote(center), "subject_kind IN ('call', 'ticket')"}
	if after.ID != "" {
		conds = append(conds, "(subject_kind, subject) > ("+quote(after.Kind.String())+", "+quote(after.ID)+")")
	}
	sql := "SELECT DISTINCT " + quote(center) +
		", toString(subject_kind) AS subject_kind, subject FROM (SELECT subject_kind, subject FROM events WHERE " +
		strings.Join(conds, " AND ") + " GROUP BY center, subject_kind, subject"
	if span.Unbounded() {
		return sql + ")"
	}
	var having, within []string
	if !span.Until.IsZero() {
		having = append(having, "min(occurred_at) < "+instant(span.Until))
		within = append(within, "received_at < "+instant(span.Until))
	}
	if !span.Since.IsZero() {
		having = append(having, "max(occurred_at) >= "+instant(span.Since))
		within = append(within, "received_at >= "+instant(span.Since))
	}
	sql += " HAVING " + strings.Join(having, " AND ") +
		" UNION ALL SELECT 'ticket' AS subject_kind, id AS subject FROM tickets FINAL WHERE center = " + quote(center) +
		" AND events > 0 AND " + strings.Join(within, " AND ")
	switch {
	case after.ID == "":
	case after.Kind == event.KindTicket:
		sql += " AND id > " + quote(after.ID)
	case after.Kind > event.KindTicket:
		sql += " AND false"
	}
	return sql + ")"
}

// StoredClocks returns the clocks that the table holds of cases, void ones among them, in order of name and number.
func (s *Store) StoredClocks(ctx context.Context, keys []event.Key) (map[event.Key][]sla.Clock, error) {
	out := make(map[event.Key][]sla.Clock, len(keys))
	for cond := range keyConditions(keys, "center", "subject_kind", "subject") {
		sql := "SELECT " + clockColumns + " FROM clocks FINAL WHERE " + cond +
			" ORDER BY center, subject_kind, subject, clock, seq"
		err := s.query(ctx, "read clocks", sql, func(scan func(...any) error) error {
			c, err := scanClock(scan)
			if err != nil {
				return err
			}
			out[c.Key] = append(out[c.Key], c)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

const clockColumns = `center, subject_kind, subject, clock, seq, kind, policy, policy_version, policy_line,
	ifNull(calendar_version, '')::String, ifNull(opd, '')::String, ifNull(scope, '')::String, ifNull(category, '')::String,
	ifNull(priority, '')::String, ifNull(kecamatan, '')::String, started_at, due_at, gross_due_at, paused_since,
	pause_ends_at, breach_at, stopped_at, paused_s, risk_at, escalated_at, escalated2_at, unobserved, lacking,
	arrayStringConcat(sources, ' '), void`

// scanClock is the inverse of clockBlock.
func scanClock(scan func(...any) error) (c sla.Clock, err error) {
	var subjectKind, kind string
	var seq, line uint16
	var at [10]*time.Time
	err = scan(&c.Key.Center, &subjectKind, &c.Key.ID, &c.Name, &seq, &kind, &c.Policy, &c.PolicyVersion, &line,
		&c.CalendarVersion, &c.OPD, &c.Scope, &c.Category, &c.Priority, &c.Kecamatan,
		&at[0], &at[1], &at[2], &at[3], &at[4], &at[5], &at[6], &c.PausedSeconds, &at[7], &at[8], &at[9],
		&c.Unobserved, &c.Lacking, &c.Sources, &c.Void)
	if err != nil {
		return c, err
	}
	c.Key.Kind, _ = event.ParseKind(subjectKind)
	c.Seq, c.Kind, c.PolicyLine = int(seq), sla.Kind(kind), int(line)
	for i, to := range []*time.Time{&c.StartedAt, &c.DueAt, &c.GrossDueAt, &c.PausedSince, &c.PauseEndsAt, &c.BreachAt,
		&c.StoppedAt,
		&c.RiskAt, &c.EscalatedAt, &c.Escalated2At} {
		if at[i] != nil {
			*to = at[i].UTC()
		}
	}
	return c, nil
}
