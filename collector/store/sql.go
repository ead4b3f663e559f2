package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// exec runs one statement that gives no rows.
func (s *Store) exec(ctx context.Context, what, sql string) error {
	return s.request(ctx, what, func(ctx context.Context) error { return s.conn.Exec(ctx, sql) })
}

// query runs one SELECT and calls row for each row; scan reads the present one.
func (s *Store) query(ctx context.Context, what, sql string, row func(scan func(...any) error) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.RequestTimeout)
	defer cancel()
	err := s.stream(ctx, what, sql, row)
	if errors.Is(err, clickhouse.ErrAcquireConnTimeout) {
		return &UnavailableError{Reason: "ClickHouse is busy with other questions. Try again in a moment.", Err: err}
	}
	return err
}

// stream is query without a bound but ctx.
func (s *Store) stream(ctx context.Context, what, sql string, row func(scan func(...any) error) error) error {
	return s.attempt(ctx, what, func(ctx context.Context) (err error) {
		rows, err := s.conn.Query(ctx, sql)
		if err != nil {
			return err
		}
		defer func() {
			if cerr := rows.Close(); err == nil {
				err = cerr
			}
		}()
		for rows.Next() {
			if err := row(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// queryAll runs a SELECT and returns its rows; fields says where the columns of a row go.
func queryAll[T any](ctx context.Context, s *Store, what, sql string, fields func(*T) []any) (out []T, err error) {
	err = s.query(ctx, what, sql, func(scan func(...any) error) error {
		var row T
		if err := scan(fields(&row)...); err != nil {
			return err
		}
		out = append(out, row)
		return nil
	})
	return out, err
}

// queryOne runs a SELECT that gives one row.
func (s *Store) queryOne(ctx context.Context, what, sql string, fields ...any) error {
	return s.query(ctx, what, sql, func(scan func(...any) error) error { return scan(fields...) })
}

// quote writes s as a ClickHouse string literal. Every byte that could end or continue a literal is escaped, so that
// any byte sequence comes back as it was.
func quote(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	appendQuoted(&b, s)
	return b.String()
}

func appendQuoted(b *strings.Builder, s string) {
	b.WriteByte('\'')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 0x20 || c == 0x7f || c == '?' || c == '$' || c == '@' || c == '{':
			// Control bytes; and what the client's own placeholder scanner may look for.
			fmt.Fprintf(b, `\x%02X`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
}

// instant writes t as a DateTime64(3, 'UTC') expression.
func instant(t time.Time) string {
	return fmt.Sprintf("fromUnixTimestamp64Milli(%d, 'UTC')", t.UnixMilli())
}

// quoteTime writes a whole second as ClickHouse reads a time in UTC.
func quoteTime(t time.Time) string { return quote(t.UTC().Format(time.DateTime)) }

// quoteList writes texts as literals with commas between.
func quoteList(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		appendQuoted(&b, s)
	}
	return b.String()
}
