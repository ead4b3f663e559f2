package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/store/schema"
)

// MigrationError is a database that this program must not touch: its recorded migrations are not the ones known here.
type MigrationError struct{ Problem string }

func (e *MigrationError) Error() string { return "migrations: " + e.Problem }

// createMigrations makes the record of the schema: one row for each numbered file that was applied, and one with the
// version 0 for the views. A row without a name takes one back.
const createMigrations = `CREATE TABLE IF NOT EXISTS migrations
(
    version    UInt32,
    name       String,
    checksum   String,
    applied_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree ORDER BY version`

// Migrate brings the database to the embedded schema. It may be run again at any time, also after having stopped
// half-way: every statement is idempotent, and a file is recorded after its last one. Views are made anew when their
// text is not the recorded one. A database whose recorded files differ from the embedded ones is refused with a
// *MigrationError and left alone.
func (s *Store) Migrate(ctx context.Context) error {
	known, err := schema.Migrations()
	if err != nil {
		return err
	}
	views, err := schema.Views(s.cfg.Database)
	if err != nil {
		return err
	}
	recorded, err := s.migrate(ctx, known)
	if err != nil || recorded[views.Number].Checksum == views.Checksum {
		return err
	}
	return s.apply(ctx, views)
}

// MigrateTo brings an empty database to the tables as they were after the migration with the number version, without
// views, for rows that were taken from one like it.
func (s *Store) MigrateTo(ctx context.Context, version uint32) error {
	known, err := schema.Migrations()
	if err != nil {
		return err
	}
	if version < BaselineFiles || int(version) > len(known) {
		return &MigrationError{fmt.Sprintf("the rows are of schema %03d, this version of monev112 knows %03d to %03d: "+
			"run the version that wrote them, or a newer one", version, BaselineFiles, len(known))}
	}
	_, err = s.migrate(ctx, known[:version])
	return err
}

// MigrateFrom is Migrate for a database into which rows of the schema version were put: the files after it are applied
// also where they were before the rows came, since what they say of rows is about these too.
func (s *Store) MigrateFrom(ctx context.Context, version uint32) error {
	known, err := schema.Migrations()
	if err != nil {
		return err
	}
	for _, m := range known[min(int(version), len(known)):] {
		if err := s.apply(ctx, m); err != nil {
			return err
		}
	}
	return s.Migrate(ctx)
}

// migrate applies the files among known that are not recorded yet, and returns what was recorded before.
func (s *Store) migrate(ctx context.Context, known []schema.File) (map[uint32]schema.File, error) {
	err := s.request(ctx, "create database "+s.cfg.Database, func(ctx context.Context) error {
		return s.boot.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+s.cfg.Database)
	})
	if err != nil {
		return nil, err
	}
	if err := s.exec(ctx, "create table migrations", createMigrations); err != nil {
		return nil, err
	}
	recorded, err := s.recordedMigrations(ctx)
	if err != nil {
		return nil, err
	}
	if taken, err := takeOver(recorded, known); err != nil {
		return nil, err
	} else if taken != nil {
		if err := s.record(ctx, taken...); err != nil {
			return nil, err
		}
		if recorded, err = s.recordedMigrations(ctx); err != nil {
			return nil, err
		}
	}
	pending, err := pendingMigrations(known, recorded)
	if err != nil {
		return nil, err
	}
	for _, m := range pending {
		if err := s.apply(ctx, m); err != nil {
			return nil, err
		}
	}
	return recorded, nil
}

// apply runs a file and records it.
func (s *Store) apply(ctx context.Context, f schema.File) error {
	for i, stmt := range f.Statements {
		if err := s.exec(ctx, fmt.Sprintf("schema file %s, statement %d", f.Name, i+1), stmt); err != nil {
			return err
		}
	}
	return s.record(ctx, f)
}

// record writes rows of the record in one insert: ClickHouse has all of them or none.
func (s *Store) record(ctx context.Context, files ...schema.File) error {
	rows := make([]string, len(files))
	for i, f := range files {
		rows[i] = fmt.Sprintf("(%d, %s, %s, %s)", f.Number, quote(f.Name), quote(f.Checksum), instant(time.Now()))
	}
	return s.exec(ctx, "record migrations", "INSERT INTO migrations VALUES "+strings.Join(rows, ", "))
}

// pendingMigrations compares the embedded files with those that the database has recorded.
func pendingMigrations(known []schema.File, recorded map[uint32]schema.File) (pending []schema.File, err error) {
	for _, m := range known {
		r, ok := recorded[m.Number]
		switch {
		case !ok:
			pending = append(pending, m)
		case r.Checksum != m.Checksum:
			return nil, &MigrationError{fmt.Sprintf("%s was applied to this database with other contents (recorded as %s, "+
				"checksum %.12s, here %.12s): an applied file must never be edited; put the change into a new file, or run the "+
				"version of monev112 that belongs to this database", m.Name, r.Name, r.Checksum, m.Checksum)}
		case len(pending) > 0:
			return nil, &MigrationError{fmt.Sprintf(
				"%s is recorded as applied but the earlier %s is not: the table migrations was changed by hand",
				m.Name, pending[0].Name)}
		}
	}
	for _, r := range recorded {
		if int(r.Number) > len(known) {
			return nil, &MigrationError{fmt.Sprintf("the database has %s, which this version of monev112 does not know: "+
				"it was written by a newer version; run that one", r.Name)}
		}
	}
	return pending, nil
}

func (s *Store) recordedMigrations(ctx context.Context) (map[uint32]schema.File, error) {
	files, err := queryAll(ctx, s, "read migrations",
		"SELECT version, name, checksum FROM migrations FINAL WHERE name != ''",
		func(f *schema.File) []any { return []any{&f.Number, &f.Name, &f.Checksum} })
	out := make(map[uint32]schema.File, len(files))
	for _, f := range files {
		out[f.Number] = f
	}
	return out, err
}

// SchemaVersion returns the number of the last migration of a database that has all those known here, and an error of
// any other.
func (s *Store) SchemaVersion(ctx context.Context) (uint32, error) {
	known, err := schema.Migrations()
	if err != nil {
		return 0, err
	}
	recorded, err := s.recordedMigrations(ctx)
	if err != nil {
		return 0, err
	}
	pending, err := pendingMigrations(known, recorded)
	if err == nil && len(pending) > 0 {
		err = &MigrationError{fmt.Sprintf("%s is not applied to this database yet: start this version's service on it once",
			pending[0].Name)}
	}
	return uint32(len(known)), err
}

// Before the first release there were other numbered files, the last of them in commit 8bee9c5. Together they made the
// tables that the first BaselineFiles of today make. Databases of that commit exist and are taken over; of an earlier
// commit they are not.
const (
	BaselineFiles         = 4  // the numbered files of today that make the tables of commit 8bee9c5
	BaselineSchemaVersion = 14 // what that commit called its last file, also in its backups
)

// prereleaseChecksums begin those of the files of commit 8bee9c5, by number.
var prereleaseChecksums = strings.Fields(`
	c54d0196e782 48ede55e2bf2 bec67f37991d b9c49ef3d9a5 b2b529421fbd 88c0e5b331af 0ef6dc6a40b8
	26516de2c788 0bab5f020ef5 ed46ae3cb915 bca9bb81ad96 0e452d0db4a4 48365c56e45f 32304014f78d`)

// takeOver returns the record that takes the place of one of commit 8bee9c5, and nil when recorded is none. One of an
// earlier commit is an error.
func takeOver(recorded map[uint32]schema.File, known []schema.File) ([]schema.File, error) {
	n := 0
	for i, sum := range prereleaseChecksums {
		if strings.HasPrefix(recorded[uint32(i+1)].Checksum, sum) {
			n++
		}
	}
	if n == 0 || n < len(recorded) { // the latter: pendingMigrations tells what is wrong
		return nil, nil
	}
	if n < len(prereleaseChecksums) {
		return nil, &MigrationError{fmt.Sprintf("the database is of a version before commit 8bee9c5 (%d of its %d "+
			"migrations are applied): start the monev112 of that commit on it once, then this version", n,
			len(prereleaseChecksums))}
	}
	record := slices.Clone(known[:BaselineFiles])
	for i := BaselineFiles + 1; i <= len(prereleaseChecksums); i++ {
		record = append(record, schema.File{Number: uint32(i)}) // takes the former file's row back
	}
	return record, nil
}
