package store

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// Migration is one numbered file of schema/.
type Migration struct {
	Version    uint32
	Name       string // the file's name
	Checksum   string // SHA-256 of the file, hex
	Statements []string
}

// MigrationError is a database that this program must not touch: its recorded migrations are not the ones known here.
type MigrationError struct{ Problem string }

func (e *MigrationError) Error() string { return "migrations: " + e.Problem }

// Migrations returns the embedded migrations by number.
func Migrations() ([]Migration, error) {
	sub, err := fs.Sub(schemaFiles, "schema")
	if err != nil {
		return nil, err
	}
	return readMigrations(sub)
}

func readMigrations(dir fs.FS) ([]Migration, error) {
	names, err := fs.Glob(dir, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var out []Migration
	for i, name := range names {
		digits, _, _ := strings.Cut(name, "_")
		version, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || len(digits) != 3 {
			return nil, fmt.Errorf("schema file %s: the name must start with three digits and an underscore", name)
		}
		if version != uint64(i)+1 {
			return nil, fmt.Errorf("schema file %s: expected number %03d; numbers start at 001 and leave no gap", name, i+1)
		}
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		stmts, err := splitStatements(string(text))
		if err != nil {
			return nil, fmt.Errorf("schema file %s: %w", name, err)
		}
		out = append(out, Migration{uint32(version), name, hex.EncodeToString(sum[:]), stmts})
	}
	return out, nil
}

// splitStatements cuts SQL at the semicolons that stand outside of quotes and comments, and drops the comments: some
// servers take a trailing comment for a second, empty statement.
func splitStatements(text string) ([]string, error) {
	var out []string
	var cur strings.Builder
	flush := func() {
		if s := strings.TrimSpace(cur.String()); s != "" {
			out = append(out, s)
		}
		cur.Reset()
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ';':
			flush()
			i++
		case strings.HasPrefix(text[i:], "--"):
			n := strings.IndexByte(text[i:], '\n')
			if n < 0 {
				n = len(text) - i
			}
			i += n
		case strings.HasPrefix(text[i:], "/*"):
			n := strings.Index(text[i+2:], "*/")
			if n < 0 {
				return nil, errors.New("a comment is not closed")
			}
			cur.WriteByte(' ')
			i += n + 4
		case c == '\'' || c == '"' || c == '`':
			end := i + 1
			for end < len(text) && text[end] != c {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(text) {
				return nil, fmt.Errorf("a quote %c is not closed", c)
			}
			cur.WriteString(text[i : end+1])
			i = end + 1
		default:
			cur.WriteByte(c)
			i++
		}
	}
	flush()
	return out, nil
}

const createMigrations = `CREATE TABLE IF NOT EXISTS migrations
(
    version    UInt32,
    name       String,
    checksum   String,
    applied_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree ORDER BY version`

// Migrate brings the database to the embedded schema and returns the files it applied. It may be run again at any
// time, also after having stopped half-way: every statement is idempotent, and a file is recorded after its last one. A
// database whose recorded files differ from the embedded ones is refused with a *MigrationError and left alone.
func (s *Store) Migrate(ctx context.Context) ([]string, error) {
	known, err := Migrations()
	if err != nil {
		return nil, err
	}
	return s.migrate(ctx, known)
}

func (s *Store) migrate(ctx context.Context, known []Migration) ([]string, error) {
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
	pending, err := pendingMigrations(known, recorded)
	if err != nil {
		return nil, err
	}
	var applied []string
	for _, m := range pending {
		for i, stmt := range m.Statements {
			if err := s.exec(ctx, fmt.Sprintf("migration %s, statement %d", m.Name, i+1), stmt); err != nil {
				return applied, err
			}
		}
		insert := fmt.Sprintf("INSERT INTO migrations VALUES (%d, %s, %s, fromUnixTimestamp64Milli(%d, 'UTC'))",
			m.Version, quote(m.Name), quote(m.Checksum), time.Now().UnixMilli())
		if err := s.exec(ctx, "record migration "+m.Name, insert); err != nil {
			return applied, err
		}
		applied = append(applied, m.Name)
	}
	return applied, nil
}

// pendingMigrations compares what is embedded with what the database says was applied.
func pendingMigrations(known []Migration, recorded map[uint32]Migration) ([]Migration, error) {
	var pending []Migration
	for _, m := range known {
		r, ok := recorded[m.Version]
		switch {
		case !ok:
			pending = append(pending, m)
		case r.Checksum != m.Checksum:
			return nil, &MigrationError{fmt.Sprintf(
				"%s was applied to this database with other contents (recorded as %s, checksum %.12s, here %.12s): "+
					"an applied file must never be edited; put the change into a new file, or run the version of monev112 that belongs to this database",
				m.Name, r.Name, r.Checksum, m.Checksum)}
		case len(pending) > 0:
			return nil, &MigrationError{fmt.Sprintf(
				"%s is recorded as applied but the earlier %s is not: the table migrations was changed by hand",
				m.Name, pending[0].Name)}
		}
		delete(recorded, m.Version)
	}
	for _, r := range recorded {
		return nil, &MigrationError{fmt.Sprintf(
			"the database has %s, which this version of monev112 does not know: it was written by a newer version; run that one",
			r.Name)}
	}
	return pending, nil
}

func (s *Store) recordedMigrations(ctx context.Context) (map[uint32]Migration, error) {
	out := map[uint32]Migration{}
	err := s.query(ctx, "read migrations", "SELECT version, name, checksum FROM migrations FINAL",
		func(scan func(...any) error) error {
			var m Migration
			if err := scan(&m.Version, &m.Name, &m.Checksum); err != nil {
				return err
			}
			out[m.Version] = m
			return nil
		})
	return out, err
}
