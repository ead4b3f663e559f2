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
func (s *Store) Identity(ctx context.Context) (id uuid.UUID, err error) {
	read := func() (n int, err error) {
		// The smallest, should two collectors ever have made one at once.
		err = s.query(ctx, "read identity", "SELECT id FROM identity ORDER BY id LIMIT 1",
			func(scan func(...any) error) error {
				n++
				return scan(&id)
			})
		return n, err
	}
	if n, err := read(); err != nil || n > 0 {
		return id, err
	}
	fresh, err := uuid.NewRandom()
	if err != nil {
		return id, fmt.Errorf("make an identity: %w", err)
	}
	sql := fmt.Sprintf("INSERT INTO identity VALUES (%s, %s)", quote(fresh.String()), instant(time.Now()))
	if err := s.exec(ctx, "write identity", sql); err != nil {
		return id, err
	}
	_, err = read()
	return id, err
}

// Restores returns the backups that filled this database, the latest last.
func (s *Store) Restores(ctx context.Context) (out []Restore, err error) {
	const sql = "SELECT backup, taken_at, journal, position, began_at, ended_at FROM restores FINAL ORDER BY began_at, backup"
	err = s.query(ctx, "read restores", sql, func(scan func(...any) error) error {
		var r Restore
		var ended *time.Time
		if err := scan(&r.Backup, &r.TakenAt, &r.Journal, &r.Position, &r.BeganAt, &ended); err != nil {
			return err
		}
		if ended != nil {
			r.EndedAt = ended.UTC()
		}
		r.TakenAt, r.BeganAt = r.TakenAt.UTC(), r.BeganAt.UTC()
		out = append(out, r)
		return nil
	})
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
