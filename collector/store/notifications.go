package store

import (
	"context"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/alerting/notifications"
)

// KeepMessages stores messages; the same ones again change nothing.
func (s *Store) KeepMessages(ctx context.Context, messages []notifications.Message) error {
	type told struct {
		*notifications.Message
		notifications.Row
	}
	var rows []told
	for i := range messages {
		for _, r := range messages[i].Rows {
			rows = append(rows, told{&messages[i], r})
		}
	}
	absent := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	for chunk := range slices.Chunk(rows, MaxInsertRows) {
		err := s.insert(ctx, block{"notifications", []blockColumn{
			texts("center", columnOf(chunk, func(r *told) string { return r.Center })),
			texts("kind", columnOf(chunk, func(r *told) string { return r.Kind })),
			texts("subject", columnOf(chunk, func(r *told) string { return r.Subject })),
			instants("told_at", columnOf(chunk, func(r *told) time.Time { return r.ToldAt })),
			texts("message", columnOf(chunk, func(r *told) string { return r.ID })),
			texts("fingerprint", columnOf(chunk, func(r *told) string { return r.Fingerprint })),
			texts("receiver", columnOf(chunk, func(r *told) string { return r.Receiver })),
			texts("alertname", columnOf(chunk, func(r *told) string { return r.Alertname })),
			texts("level", columnOf(chunk, func(r *told) string { return r.Level })),
			texts("status", columnOf(chunk, func(r *told) string { return r.Status })),
			nullTexts("opd", columnOf(chunk, func(r *told) *string { return absent(r.OPD) })),
			nullTexts("priority", columnOf(chunk, func(r *told) *string { return absent(r.Priority) })),
			instants("starts_at", columnOf(chunk, func(r *told) time.Time { return r.StartsAt })),
			nullInstants("ends_at", columnOf(chunk, func(r *told) *time.Time {
				if r.EndsAt.IsZero() {
					return nil
				}
				return &r.EndsAt
			})),
			all("alerts", "UInt32", columnOf(chunk, func(r *told) uint32 { return uint32(min(r.Alerts, 1<<31)) })),
		}}, len(chunk), "")
		if err != nil {
			return err
		}
	}
	return nil
}
