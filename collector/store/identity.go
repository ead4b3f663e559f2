package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Restore is a backup that filled this database.
type Restore struct {
	Backup   uuid.UUID
	TakenAt  time.Time
	Journal  string // UUID of the journal of the collector whose backup it is
	Position uint64 // up to where of that journal the backup has every event
	BeganAt  time.Time
	EndedAt  time.Time // zero while it is under way, and of one that was interrupted
}

// Identity returns what names this database, which it makes when there is none. One caller at a time may do so.
func (s *Store) Identity(ctx context.Context) (uuid.UUID, error) {
	read := func() (uuid.UUID, error) {
		// The smallest, should two collectors ever have made one at once.
		ids, err := queryAll(ctx, s, "read identity", "SELECT id FROM identity ORDER BY id LIMIT 1",
			func(id *uuid.UUID) []any { return []any{id} })
		if len(ids) == 0 {
			return uuid.UUID{}, err
		}
		return ids[0], err
	}
	if id, err := read(); err != nil || id != (uuid.UUID{}) {
		return id, err
	}
	made, err := uuid.NewRandom()
	if err != nil {
		return made, fmt.Errorf("make an identity: %w", err)
	}
	sql := fmt.Sprintf("INSERT INTO identity VALUES (%s, %s)", quote(made.String()), instant(time.Now()))
	if err := s.exec(ctx, "write identity", sql); err != nil {
		return made, err
	}
	return read()
}

// Restores returns the backups that filled this database, the latest last.
func (s *Store) Restores(ctx context.Context) ([]Restore, error) {
	const sql = `SELECT backup, taken_at, journal, position, began_at, ifNull(ended_at, fromUnixTimestamp64Milli(0, 'UTC'))
		FROM restores FINAL ORDER BY began_at, backup`
	out, err := queryAll(ctx, s, "read restores", sql, func(r *Restore) []any {
		return []any{&r.Backup, &r.TakenAt, &r.Journal, &r.Position, &r.BeganAt, &r.EndedAt}
	})
	for i := range out {
		r := &out[i]
		r.TakenAt, r.BeganAt, r.EndedAt = r.TakenAt.UTC(), r.BeganAt.UTC(), r.EndedAt.UTC()
		if r.EndedAt.Unix() == 0 {
			r.EndedAt = time.Time{}
		}
	}
	return out, err
}

// RecordRestore writes what is known of a restore, in the place of what was known of the same backup's.
func (s *Store) RecordRestore(ctx context.Context, r Restore) error {
	ended, version := "NULL", 2*uint64(r.BeganAt.UnixMilli())
	if !r.EndedAt.IsZero() {
		ended, version = instant(r.EndedAt), version+1
	}
	sql := fmt.Sprintf("INSERT INTO restores VALUES (%s, %s, %s, %d, %s, %s, %d)",
		quote(r.Backup.String()), instant(r.TakenAt), quote(r.Journal), r.Position, instant(r.BeganAt), ended, version)
	return s.exec(ctx, "record restore", sql)
}
