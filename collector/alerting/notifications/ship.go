package notifications

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/store"
)

// Bounds of one insert, and the pause between two attempts at it, from and to.
const (
	maxNotifications = 256
	maxRows          = 10_000 // unless a single notification has more
	retryFrom        = time.Second
	retryTo          = time.Minute
)

const (
	cursorFile     = "cursor.json"
	maxCursorBytes = 4 << 10
)

// cursor is the content of cursorFile: how far the notifications of a journal were shipped.
type cursor struct {
	Journal  string           `json:"journal"` // its UUID
	Position journal.Position `json:"position"`
}

// Run brings the notifications to insert until ctx ends. insert may be called again with what it took before; an error
// of it is tried again for ever.
func (l *Log) Run(ctx context.Context, insert func(context.Context, []store.Notification) error) error {
	l.mu.Lock()
	at := l.shipped
	l.mu.Unlock()
	r, err := l.journal.NewReader(at)
	if err != nil {
		return fmt.Errorf("record of notifications: %w", err)
	}
	defer r.Close()
	for {
		rows, err := nextRows(ctx, r)
		switch {
		case ctx.Err() != nil || errors.Is(err, journal.ErrClosed):
			return nil
		case err != nil:
			// What was acknowledged is still there; the rest of the service needs none of it.
			l.log.Error("record of notifications cannot be read, notifications are kept but not shipped", "error", err)
			<-ctx.Done()
			return nil
		}
		for pause := retryFrom; ; pause = min(2*pause, retryTo) {
			err := insert(ctx, rows)
			if err == nil {
				break
			}
			if ctx.Err() == nil {
				l.log.Warn("notifications wait for ClickHouse", "rows", len(rows), "error", err)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
		}
		l.moveCursor(r.Position())
	}
}

// nextRows waits for a notification and returns its rows, with those of the notifications behind it.
func nextRows(ctx context.Context, r *journal.Reader) (rows []store.Notification, err error) {
	rec, err := r.Next(ctx)
	for n, ok := 0, true; err == nil && ok; {
		var in record
		if err = json.Unmarshal(rec.Payload, &in); err != nil {
			break
		}
		rows = in.Notification.appendRows(rows)
		if n++; n >= maxNotifications || len(rows)+maxAlerts > maxRows {
			break
		}
		rec, ok, err = r.TryNext()
	}
	return rows, err
}

// appendRows appends the rows of n as ClickHouse has them.
func (n *Notification) appendRows(out []store.Notification) []store.Notification {
	for _, r := range n.Rows {
		out = append(out, store.Notification{
			Center: r.Center, Kind: r.Kind, Subject: r.Subject, ToldAt: n.ToldAt, Message: n.ID,
			Fingerprint: r.Fingerprint, Receiver: n.Receiver, Alertname: r.Alertname, Level: r.Level, Status: r.Status,
			OPD: r.OPD, Priority: r.Priority, StartsAt: r.StartsAt, EndsAt: r.EndsAt, Alerts: n.Alerts,
		})
	}
	return out
}

// readCursor returns how far the notifications were shipped. Without a cursor all of them are shipped again, which
// changes nothing.
func (l *Log) readCursor() journal.Position {
	first := l.journal.Stats().First
	text, err := disk.ReadFile(disk.OS{}, filepath.Join(l.cfg.Dir, cursorFile), maxCursorBytes)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.log.Warn("cursor of notifications cannot be read, shipping all again", "error", err)
		}
		return first
	}
	var c cursor
	if err := json.Unmarshal(text, &c); err != nil || c.Journal != l.journal.UUID().String() ||
		c.Position > l.journal.End() || c.Position < first {
		return first
	}
	return c.Position
}

// moveCursor writes down how far the notifications were shipped, and removes what nobody needs any more.
func (l *Log) moveCursor(at journal.Position) {
	err := disk.Replace(disk.OS{}, filepath.Join(l.cfg.Dir, cursorFile), 0o600, func(w io.Writer) error {
		return json.MarshalWrite(w, cursor{l.journal.UUID().String(), at})
	})
	if err != nil { // they are shipped again after a restart
		l.log.Warn("cursor of notifications cannot be written", "error", err)
	}
	l.mu.Lock()
	l.shipped = at
	l.mu.Unlock()
	if _, err := l.journal.Retain(at, l.cfg.Now().Add(-keepShipped)); err != nil {
		l.log.Warn("old notifications cannot be removed", "error", err)
	}
}
