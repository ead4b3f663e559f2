package store

import (
	"context"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// caseClocks is every clock that a case has now. A clock that the case had before and that is not among them no longer
// applies (a voided assignment took its second acknowledge clock away, a new policy has no such clock).
type caseClocks struct {
	Key    event.Key
	Clocks []sla.Clock
	// New says that no clock of this case was ever written but those of Clocks, which reuse a look at the table. When in
	// doubt, leave it false.
	New bool
}

// clockKey names a row of clocks.
type clockKey struct {
	subject event.Key
	clock   string
	seq     int
}

// upsertClocks writes the clocks of cases under version; see upsertCalls. Clocks that a case had and no longer has are
// replaced by void rows: it reads which ones stand in the table, so that only one caller at a time may upsert.
func (s *Store) upsertClocks(ctx context.Context, cases []caseClocks, version uint64) error {
	rows, err := s.staleClocks(ctx, cases)
	if err != nil {
		return err
	}
	for i := range cases {
		for j := range cases[i].Clocks {
			rows = append(rows, &cases[i].Clocks[j])
		}
	}
	return insertRows(ctx, s, rows, func(rows []*sla.Clock) block { return s.clockBlock(rows, version) })
}

// staleClocks returns a void row for every clock that counts in the table and is not among the present ones.
func (s *Store) staleClocks(ctx context.Context, cases []caseClocks) ([]*sla.Clock, error) {
	var keys []event.Key
	present := map[clockKey]struct{}{}
	for i := range cases {
		c := &cases[i]
		// A call has no clock but its answer clock: nothing can be stale beside it.
		if c.New || c.Key.Kind == event.KindCall && len(c.Clocks) == 1 {
			continue
		}
		keys = append(keys, c.Key)
		for j := range c.Clocks {
			present[clockKey{c.Key, c.Clocks[j].Name, c.Clocks[j].Seq}] = struct{}{}
		}
	}
	var stale []*sla.Clock
	for cond := range keyConditions(keys, "center", "subject_kind", "subject") {
		sql := "SELECT center, subject_kind, subject, clock, seq FROM clocks FINAL WHERE NOT void AND (" + cond + ")"
		err := s.query(ctx, "read clocks", sql, func(scan func(...any) error) error {
			var k clockKey
			var kind string
			var seq uint16
			if err := scan(&k.subject.Center, &kind, &k.subject.ID, &k.clock, &seq); err != nil {
				return err
			}
			k.subject.Kind, _ = event.ParseKind(kind)
			k.seq = int(seq)
			if _, ok := present[k]; !ok {
				stale = append(stale, &sla.Clock{Key: k.subject, Name: k.clock, Seq: k.seq, Void: true})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return stale, nil
}

func (s *Store) clockBlock(rows []*sla.Clock, version uint64) block {
	type ref = *sla.Clock
	text := func(name string, field func(ref) *string) blockColumn {
		return piecewise(rows, name, nullTexts, func(r *ref) *string { return textOrNil(field(*r)) })
	}
	plain := func(name string, field func(ref) string) blockColumn {
		return piecewise(rows, name, texts, func(r *ref) string { return field(*r) })
	}
	when := func(name string, field func(ref) *time.Time) blockColumn {
		return piecewise(rows, name, nullInstants, func(r *ref) *time.Time { return orNil(field(*r)) })
	}
	return block{"clocks", []blockColumn{
		plain("center", func(r ref) string { return r.Key.Center }),
		plain("subject_kind", func(r ref) string { return r.Key.Kind.String() }),
		plain("subject", func(r ref) string { return r.Key.ID }),
		plain("clock", func(r ref) string { return r.Name }),
		all("seq", "UInt16", columnOf(rows, func(r *ref) uint16 { return uint16((*r).Seq) })),
		all("version", "UInt64", columnOf(rows, func(*ref) uint64 { return version })),
		plain("kind", func(r ref) string { return string(r.Kind) }),
		plain("policy", func(r ref) string { return r.Policy }),
		plain("policy_version", func(r ref) string { return r.PolicyVersion }),
		all("policy_line", "UInt16", columnOf(rows, func(r *ref) uint16 { return uint16((*r).PolicyLine) })),
		text("calendar_version", func(r ref) *string { return &r.CalendarVersion }),
		text("opd", func(r ref) *string { return &r.OPD }),
		text("scope", func(r ref) *string { return &r.Scope }),
		text("category", func(r ref) *string { return &r.Category }),
		text("priority", func(r ref) *string { return &r.Priority }),
		text("kecamatan", func(r ref) *string { return &r.Kecamatan }),
		s.days("day", columnOf(rows, func(r *ref) string { return (*r).Key.Center }),
			columnOf(rows, func(r *ref) time.Time { return (*r).StartedAt })),
		when("started_at", func(r ref) *time.Time { return &r.StartedAt }),
		when("due_at", func(r ref) *time.Time { return &r.DueAt }),
		when("gross_due_at", func(r ref) *time.Time { return &r.GrossDueAt }),
		when("paused_since", func(r ref) *time.Time { return &r.PausedSince }),
		when("pause_ends_at", func(r ref) *time.Time { return &r.PauseEndsAt }),
		when("breach_at", func(r ref) *time.Time { return &r.BreachAt }),
		when("stopped_at", func(r ref) *time.Time { return &r.StoppedAt }),
		all("paused_s", "Int64", columnOf(rows, func(r *ref) int64 { return (*r).PausedSeconds })),
		when("risk_at", func(r ref) *time.Time { return &r.RiskAt }),
		when("escalated_at", func(r ref) *time.Time { return &r.EscalatedAt }),
		when("escalated2_at", func(r ref) *time.Time { return &r.Escalated2At }),
		all("unobserved", "Bool", columnOf(rows, func(r *ref) bool { return (*r).Unobserved })),
		all("lacking", "Bool", columnOf(rows, func(r *ref) bool { return (*r).Lacking })),
		each("sources", "Array(String)", columnOf(rows, func(r *ref) []string { return strings.Fields((*r).Sources) })),
		all("void", "Bool", columnOf(rows, func(r *ref) bool { return (*r).Void })),
	}}
}
