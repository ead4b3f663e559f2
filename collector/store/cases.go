package store

import (
	"context"
	"time"

	"github.com/monev112/monev112/collector/casefile"
)

// upsertCalls writes the present facts of calls under version, which must be greater than that of every earlier row of
// these calls: the row of the highest version is the call. Repeating an upsert changes nothing.
func (s *Store) upsertCalls(ctx context.Context, calls []*casefile.Call, version uint64) error {
	return insertRows(ctx, s, calls, func(rows []*casefile.Call) block { return s.callBlock(rows, version) })
}

// ticketRow is a ticket as the table holds it: its facts, and the scope of its OPD, which the directory knows.
type ticketRow struct {
	*casefile.Ticket
	Scope string // own, vertical or unknown; empty while the ticket is at no OPD
	// StayScopes are the scopes of the OPDs of its Assignments, in their order; empty where nothing is known.
	StayScopes []string
}

// upsertTickets writes the present facts of tickets under version; see upsertCalls.
func (s *Store) upsertTickets(ctx context.Context, tickets []ticketRow, version uint64) error {
	return insertRows(ctx, s, tickets, func(rows []ticketRow) block { return s.ticketBlock(rows, version) })
}

// columnOf maps rows to the values of one column.
func columnOf[R, V any](rows []R, value func(*R) V) []V {
	out := make([]V, len(rows))
	for i := range rows {
		out[i] = value(&rows[i])
	}
	return out
}

func (s *Store) callBlock(rows []*casefile.Call, version uint64) block {
	type call = *casefile.Call
	text := func(name string, field func(call) *string) blockColumn {
		return piecewise(rows, name, nullTexts, func(r *call) *string { return textOrNil(field(*r)) })
	}
	when := func(name string, field func(call) *time.Time) blockColumn {
		return piecewise(rows, name, nullInstants, func(r *call) *time.Time { return orNil(field(*r)) })
	}
	at := columnOf(rows, func(r *call) time.Time { return (*r).At() })
	return block{"calls", []blockColumn{
		texts("center", columnOf(rows, func(r *call) string { return (*r).Key.Center })),
		texts("id", columnOf(rows, func(r *call) string { return (*r).Key.ID })),
		all("version", "UInt64", columnOf(rows, func(*call) uint64 { return version })),
		nullInstants("at", columnOf(at, orNil)),
		s.days("day", columnOf(rows, func(r *call) string { return (*r).Key.Center }), at),
		when("received_at", func(r call) *time.Time { return &r.ReceivedAt }),
		when("queued_at", func(r call) *time.Time { return &r.QueuedAt }),
		when("answered_at", func(r call) *time.Time { return &r.AnsweredAt }),
		when("abandoned_at", func(r call) *time.Time { return &r.AbandonedAt }),
		when("unserved_at", func(r call) *time.Time { return &r.UnservedAt }),
		text("unserved_reason", func(r call) *string { return &r.UnservedReason }),
		when("blocked_at", func(r call) *time.Time { return &r.BlockedAt }),
		when("ended_at", func(r call) *time.Time { return &r.EndedAt }),
		when("classified_at", func(r call) *time.Time { return &r.ClassifiedAt }),
		when("first_classified_at", func(r call) *time.Time { return &r.FirstClassAt }),
		when("called_back_at", func(r call) *time.Time { return &r.CalledBackAt }),
		text("class", func(r call) *string { return &r.Class }),
		text("category", func(r call) *string { return &r.Category }),
		text("outcome", func(r call) *string { return &r.Outcome }),
		text("referred_to", func(r call) *string { return &r.ReferredTo }),
		text("agent", func(r call) *string { return &r.Agent }),
		text("queue", func(r call) *string { return &r.Queue }),
		text("position", func(r call) *string { return &r.Position }),
		text("channel", func(r call) *string { return &r.Channel }),
		text("kecamatan", func(r call) *string { return &r.Kecamatan }),
		all("wait_ms", "Nullable(Int64)", columnOf(rows, func(r *call) *int64 { return (*r).WaitMS })),
		text("caller_key_id", func(r call) *string { return &r.Caller.KeyID }),
		text("caller_key", func(r call) *string { return &r.Caller.Key }),
		text("caller_last3", func(r call) *string { return &r.Caller.Last3 }),
		each("tickets", "Array(String)", columnOf(rows, func(r *call) []string { return (*r).Tickets })),
		each("flags", "Array(String)", columnOf(rows, func(r *call) []string { return (*r).Flags })),
		all("events", "UInt32", columnOf(rows, func(r *call) uint32 { return uint32((*r).Events) })),
	}}
}

func (s *Store) ticketBlock(rows []ticketRow, version uint64) block {
	text := func(name string, field func(*ticketRow) *string) blockColumn {
		return piecewise(rows, name, nullTexts, func(r *ticketRow) *string { return textOrNil(field(r)) })
	}
	when := func(name string, field func(*ticketRow) *time.Time) blockColumn {
		return piecewise(rows, name, nullInstants, func(r *ticketRow) *time.Time { return orNil(field(r)) })
	}
	centers := columnOf(rows, func(r *ticketRow) string { return r.Key.Center })
	at := columnOf(rows, func(r *ticketRow) time.Time { return r.Ticket.At() })
	return block{"tickets", []blockColumn{
		texts("center", centers),
		texts("id", columnOf(rows, func(r *ticketRow) string { return r.Key.ID })),
		all("version", "UInt64", columnOf(rows, func(*ticketRow) uint64 { return version })),
		text("opd", func(r *ticketRow) *string { return &r.OPD }),
		text("scope", func(r *ticketRow) *string { return &r.Scope }),
		text("category", func(r *ticketRow) *string { return &r.Category }),
		text("priority", func(r *ticketRow) *string { return &r.Priority }),
		text("kecamatan", func(r *ticketRow) *string { return &r.Kecamatan }),
		texts("state", columnOf(rows, func(r *ticketRow) string { return string(r.State) })),
		nullInstants("at", columnOf(at, orNil)),
		s.days("day", centers, at),
		when("received_at", func(r *ticketRow) *time.Time { return &r.ReceivedAt }),
		when("answered_at", func(r *ticketRow) *time.Time { return &r.AnsweredAt }),
		when("opened_at", func(r *ticketRow) *time.Time { return &r.OpenedAt }),
		when("assigned_at", func(r *ticketRow) *time.Time { return &r.AssignedAt }),
		when("acknowledged_at", func(r *ticketRow) *time.Time { return &r.AcknowledgedAt }),
		when("departed_at", func(r *ticketRow) *time.Time { return &r.DepartedAt }),
		when("arrived_at", func(r *ticketRow) *time.Time { return &r.ArrivedAt }),
		when("resolved_at", func(r *ticketRow) *time.Time { return &r.ResolvedAt }),
		when("last_resolved_at", func(r *ticketRow) *time.Time { return &r.LastResolvedAt }),
		when("confirmed_at", func(r *ticketRow) *time.Time { return &r.ConfirmedAt }),
		when("closed_at", func(r *ticketRow) *time.Time { return &r.ClosedAt }),
		when("first_closed_at", func(r *ticketRow) *time.Time { return &r.FirstClosedAt }),
		when("rejected_at", func(r *ticketRow) *time.Time { return &r.RejectedAt }),
		when("merged_at", func(r *ticketRow) *time.Time { return &r.MergedAt }),
		when("reopened_at", func(r *ticketRow) *time.Time { return &r.ReopenedAt }),
		when("due", func(r *ticketRow) *time.Time { return &r.Due }),
		text("due_opd", func(r *ticketRow) *string { return &r.DueOPD }),
		text("result", func(r *ticketRow) *string { return &r.Result }),
		all("reopened", "UInt32", columnOf(rows, func(r *ticketRow) uint32 { return uint32(r.Reopened) })),
		all("bounces", "UInt32", columnOf(rows, func(r *ticketRow) uint32 { return uint32(r.Bounces) })),
		all("paused_s", "Int64", columnOf(rows, func(r *ticketRow) int64 { return pausedSeconds(r.PausedSpans()) })),
		nullInstants("paused_since", columnOf(rows, func(r *ticketRow) *time.Time {
			since := r.PausedSince()
			return orNil(&since)
		})),
		text("master", func(r *ticketRow) *string { return &r.Master }),
		all("lat", "Nullable(Float64)", columnOf(rows, func(r *ticketRow) *float64 { return r.Lat })),
		all("lon", "Nullable(Float64)", columnOf(rows, func(r *ticketRow) *float64 { return r.Lon })),
		each("calls", "Array(String)", columnOf(rows, func(r *ticketRow) []string { return r.Calls })),
		each("stays.opd", "Array(String)", stays(rows, func(a *casefile.Assignment) string { return a.OPD })),
		each("stays.scope", "Array(String)", columnOf(rows, func(r *ticketRow) []string {
			return append(r.StayScopes, make([]string, len(r.Assignments)-len(r.StayScopes))...)
		})),
		each("stays.at", "Array(DateTime64(3, 'UTC'))", stays(rows, func(a *casefile.Assignment) time.Time { return a.At })),
		each("stays.acknowledged_at", "Array(Nullable(DateTime64(3, 'UTC')))",
			stays(rows, func(a *casefile.Assignment) *time.Time { return orNil(&a.AcknowledgedAt) })),
		each("stays.ended_at", "Array(Nullable(DateTime64(3, 'UTC')))",
			stays(rows, func(a *casefile.Assignment) *time.Time { return orNil(&a.EndedAt) })),
		each("pauses.since", "Array(DateTime64(3, 'UTC'))", pauses(rows, func(p *casefile.Pause) time.Time {
			return p.From
		})),
		each("pauses.until", "Array(Nullable(DateTime64(3, 'UTC')))",
			pauses(rows, func(p *casefile.Pause) *time.Time { return orNil(&p.To) })),
		each("pauses.reason", "Array(String)", pauses(rows, func(p *casefile.Pause) string { return p.Reason })),
		each("flags", "Array(String)", columnOf(rows, func(r *ticketRow) []string { return r.Flags })),
		each("corrected.received_at", "Array(DateTime64(3, 'UTC'))",
			corrected(rows, func(c *casefile.Correction) time.Time { return c.ReceivedAt })),
		each("corrected.clock", "Array(String)", corrected(rows, func(c *casefile.Correction) string { return c.Clock })),
		each("corrected.seq", "Array(UInt16)", corrected(rows, func(c *casefile.Correction) uint16 { return uint16(c.Seq) })),
		each("corrected.opd", "Array(String)", corrected(rows, func(c *casefile.Correction) string { return c.OPD })),
		each("corrected.scope", "Array(String)", corrected(rows, func(c *casefile.Correction) string { return c.Scope })),
		each("corrected.day", "Array(Date)", columnOf(rows, func(r *ticketRow) []time.Time {
			return columnOf(r.Corrected, func(c *casefile.Correction) time.Time {
				return dayIn(s.cfg.Location(r.Key.Center), c.StartedAt)
			})
		})),
		each("corrected.started_at", "Array(DateTime64(3, 'UTC'))",
			corrected(rows, func(c *casefile.Correction) time.Time { return c.StartedAt })),
		each("corrected.due_at", "Array(DateTime64(3, 'UTC'))",
			corrected(rows, func(c *casefile.Correction) time.Time { return c.DueAt })),
		each("corrected.stopped_at", "Array(Nullable(DateTime64(3, 'UTC')))",
			corrected(rows, func(c *casefile.Correction) *time.Time { return orNil(&c.StoppedAt) })),
		all("events", "UInt32", columnOf(rows, func(r *ticketRow) uint32 { return uint32(r.Events) })),
		when("last_event_at", func(r *ticketRow) *time.Time { return &r.LastEventAt }),
	}}
}

func stays[V any](rows []ticketRow, value func(*casefile.Assignment) V) [][]V {
	return columnOf(rows, func(r *ticketRow) []V { return columnOf(r.Assignments, value) })
}

func pauses[V any](rows []ticketRow, value func(*casefile.Pause) V) [][]V {
	return columnOf(rows, func(r *ticketRow) []V { return columnOf(r.PausedSpans(), value) })
}

func corrected[V any](rows []ticketRow, value func(*casefile.Correction) V) [][]V {
	return columnOf(rows, func(r *ticketRow) []V { return columnOf(r.Corrected, value) })
}

// pausedSeconds adds up the pauses that have ended.
func pausedSeconds(ps []casefile.Pause) int64 {
	var sum time.Duration
	for _, p := range ps {
		if !p.To.IsZero() {
			sum += p.To.Sub(p.From)
		}
	}
	return int64(sum / time.Second)
}

// days is the calendar day of each instant in its centre's time zone; the zero time has none.
func (s *Store) days(name string, centers []string, at []time.Time) blockColumn {
	out := make([]*time.Time, len(at))
	zones := map[string]*time.Location{}
	for i, t := range at {
		if t.IsZero() {
			continue
		}
		loc, ok := zones[centers[i]]
		if !ok {
			loc = s.cfg.Location(centers[i])
			zones[centers[i]] = loc
		}
		day := dayIn(loc, t)
		out[i] = &day
	}
	return all(name, "Nullable(Date)", out)
}

// dayIn is the calendar day of an instant, as its midnight in UTC.
func dayIn(loc *time.Location, t time.Time) time.Time {
	y, m, d := t.In(loc).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
