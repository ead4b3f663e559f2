package store

import (
	"context"
	"fmt"
	"time"
)

// Notification is one alert of one message to one receiver, as Alertmanager reports it.
type Notification struct {
	Center      string // empty for a condition of no centre
	Kind        string // ticket, digest or condition
	Subject     string // id of the ticket; empty for the other kinds
	ToldAt      time.Time
	Message     string // names the message to the receiver
	Fingerprint string // names the alert within it
	Receiver    string
	Alertname   string
	Level       string // of a ticket: risk, overdue, escalated, escalated2, closed; of a condition its severity
	Status      string // firing or resolved
	OPD         string
	Priority    string
	StartsAt    time.Time
	EndsAt      time.Time // of a resolved alert
	Alerts      int       // in the message

	// Of a message that the service sent to a person itself; Channel is empty for what Alertmanager reports.
	Channel     string // whatsapp, telegram or email
	Contact     string // who: a name of the contacts file, never a number
	Round       int    // of the same notification, from 1
	AcceptedAt  time.Time
	DeliveredAt time.Time
	ReadAt      time.Time
	FailedAt    time.Time // for good
	Code        int       // of the last refusal
	Twice       bool      // it may have been sent twice
	LateSince   time.Time // of a late ticket: when its clock was due
	Tries       int
	Moved       bool // the chat has another number than the contacts say
}

// InsertNotifications stores notifications. The same ones again change nothing; of one that comes with news the latest
// counts.
func (s *Store) InsertNotifications(ctx context.Context, rows []Notification) error {
	type row = Notification
	return insertRows(ctx, s, rows, func(chunk []row) block {
		return block{"notifications", []blockColumn{
			texts("center", columnOf(chunk, func(r *row) string { return r.Center })),
			texts("kind", columnOf(chunk, func(r *row) string { return r.Kind })),
			texts("subject", columnOf(chunk, func(r *row) string { return r.Subject })),
			instants("told_at", columnOf(chunk, func(r *row) time.Time { return r.ToldAt })),
			texts("message", columnOf(chunk, func(r *row) string { return r.Message })),
			texts("fingerprint", columnOf(chunk, func(r *row) string { return r.Fingerprint })),
			texts("receiver", columnOf(chunk, func(r *row) string { return r.Receiver })),
			texts("alertname", columnOf(chunk, func(r *row) string { return r.Alertname })),
			texts("level", columnOf(chunk, func(r *row) string { return r.Level })),
			texts("status", columnOf(chunk, func(r *row) string { return r.Status })),
			nullTexts("opd", columnOf(chunk, func(r *row) *string { return textOrNil(&r.OPD) })),
			nullTexts("priority", columnOf(chunk, func(r *row) *string { return textOrNil(&r.Priority) })),
			instants("starts_at", columnOf(chunk, func(r *row) time.Time { return r.StartsAt })),
			nullInstants("ends_at", columnOf(chunk, func(r *row) *time.Time { return orNil(&r.EndsAt) })),
			all("alerts", "UInt32", columnOf(chunk, func(r *row) uint32 { return uint32(min(r.Alerts, 1<<31)) })),
			texts("channel", columnOf(chunk, func(r *row) string { return r.Channel })),
			texts("contact", columnOf(chunk, func(r *row) string { return r.Contact })),
			all("round", "UInt16", columnOf(chunk, func(r *row) uint16 { return uint16(min(r.Round, 1<<15)) })),
			nullInstants("accepted_at", columnOf(chunk, func(r *row) *time.Time { return orNil(&r.AcceptedAt) })),
			nullInstants("delivered_at", columnOf(chunk, func(r *row) *time.Time { return orNil(&r.DeliveredAt) })),
			nullInstants("read_at", columnOf(chunk, func(r *row) *time.Time { return orNil(&r.ReadAt) })),
			nullInstants("failed_at", columnOf(chunk, func(r *row) *time.Time { return orNil(&r.FailedAt) })),
			all("code", "Int32", columnOf(chunk, func(r *row) int32 { return int32(r.Code) })),
			all("twice", "Bool", columnOf(chunk, func(r *row) bool { return r.Twice })),
			nullInstants("late_since", columnOf(chunk, func(r *row) *time.Time { return orNil(&r.LateSince) })),
			all("tries", "UInt16", columnOf(chunk, func(r *row) uint16 { return uint16(min(r.Tries, 1<<15)) })),
			all("moved", "Bool", columnOf(chunk, func(r *row) bool { return r.Moved })),
		}}
	})
}

// Told counts the messages of the service itself to one OPD by one channel: rows of the view deliveries.
type Told struct {
	Center, OPD, Channel string // OPD is empty for the leadership
	Messages, Delivered  uint64 // delivered: the telephone says so, or, but for WhatsApp, the channel took it
	Read, Failed         uint64
	// Of the late tickets in them, each once: seconds from when its clock was due until somebody read of it, until the OPD
	// acknowledged it.
	ToRead, ToAcknowledged Median
}

// Median is the middle of N values; nil of none.
type Median struct {
	Value *float64
	N     uint64
}

// Told returns who was told in since <= told_at < until, of one centre or of all when center is empty.
func (s *Store) Told(ctx context.Context, center string, since, until time.Time) ([]Told, error) {
	sql := fmt.Sprintf(`SELECT center::String, opd::String, channel::String, messages, delivered, seen, failed,
			to_read, reads, to_acknowledged, acknowledgements
		FROM deliveries_by_opd(since = %d, until = %d) WHERE %[3]s = '' OR center = %[3]s
		ORDER BY center, opd, channel LIMIT 1000`, since.UnixMilli(), until.UnixMilli(), quote(center))
	return queryAll(ctx, s, "read who was told", sql, func(t *Told) []any {
		return []any{
			&t.Center, &t.OPD, &t.Channel, &t.Messages, &t.Delivered, &t.Read, &t.Failed, &t.ToRead.Value, &t.ToRead.N,
			&t.ToAcknowledged.Value, &t.ToAcknowledged.N,
		}
	})
}
