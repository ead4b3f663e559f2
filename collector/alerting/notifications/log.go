package notifications

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/store"
)

// Bounds of the journal of messages.
const (
	segmentBytes = 4 << 20
	maxBytes     = 512 << 20      // what ClickHouse has not taken; a month of messages has less than a tenth
	keepShipped  = 24 * time.Hour // so that a repetition is known after a restart
	maxMessages  = 256            // of one insert
	maxRows      = 10_000         // of one insert, unless a single message has more
	cursorFile   = "cursor.json"
)

// ErrUnavailable says that a message cannot be kept now: the disk is full or fails, or ClickHouse has been away for too
// long. Alertmanager sends it again.
var ErrUnavailable = errors.New("the message cannot be kept now")

// Config is what a Log is made of; Dir is required.
type Config struct {
	Dir          string
	MinFreeBytes int64            // disk that is left free; 0 is the journal's default, below 0 no floor
	Now          func() time.Time // nil is time.Now
	Logger       *slog.Logger     // nil discards
}

// Log is the record of messages on its way to ClickHouse. It is safe for concurrent use.
type Log struct {
	cfg     Config
	journal *journal.Journal
	shipped journal.Position // guarded by mu

	mu     sync.Mutex                      // held over the append: what is known and what is durable move together
	recent map[[sha256.Size]byte]time.Time // content to when it was first told
}

// record is a message as the journal has it.
type record struct {
	Content string  `json:"content"`
	Message Message `json:"message"`
}

type cursor struct {
	Journal  string           `json:"journal"`
	Position journal.Position `json:"position"`
}

// Open opens the journal in cfg.Dir and learns the recent messages again.
func Open(cfg Config) (*Log, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	j, err := journal.Open(journal.Options{
		Dir: cfg.Dir, SegmentBytes: segmentBytes, MinFreeBytes: cfg.MinFreeBytes, Now: cfg.Now, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("record of messages: %w", err)
	}
	l := &Log{cfg: cfg, journal: j, recent: map[[sha256.Size]byte]time.Time{}, shipped: j.Stats().First}
	if at, ok := l.readCursor(); ok {
		l.shipped = at
	}
	if err := l.learn(); err != nil {
		_ = j.Close()
		return nil, fmt.Errorf("record of messages: %w", err)
	}
	return l, nil
}

// readCursor returns how far the messages were shipped. Without a cursor all of them are shipped again, which changes
// nothing.
func (l *Log) readCursor() (journal.Position, bool) {
	text, err := disk.ReadFile(disk.OS{}, filepath.Join(l.cfg.Dir, cursorFile), 4<<10)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.cfg.Logger.Warn("the cursor of the record of messages cannot be read; what is there is shipped again", "error",
				err)
		}
		return 0, false
	}
	var c cursor
	if err := json.Unmarshal(text, &c); err != nil || c.Journal != l.journal.UUID().String() ||
		c.Position > l.journal.End() || c.Position < l.journal.Stats().First {
		return 0, false
	}
	return c.Position, true
}

func (l *Log) learn() error {
	r, err := l.journal.NewReader(l.journal.Stats().First)
	if err != nil {
		return err
	}
	defer r.Close()
	now := l.cfg.Now()
	for {
		rec, ok, err := r.TryNext()
		if err != nil || !ok {
			return err
		}
		var in record
		if err := json.Unmarshal(rec.Payload, &in); err != nil {
			return fmt.Errorf("a message of the journal cannot be read: %w", err)
		}
		content, err := hex.DecodeString(in.Content)
		if err == nil && len(content) == sha256.Size && now.Sub(in.Message.ToldAt).Abs() < SameMessage {
			l.recent[[sha256.Size]byte(content)] = in.Message.ToldAt
		}
	}
}

// Take keeps a message and returns when it is durable; again says that it was kept before. Errors are ErrPayload and
// ErrUnavailable.
func (l *Log) Take(body []byte) (m Message, again bool, err error) {
	m, content, err := decode(body)
	if err != nil {
		return m, false, err
	}
	now := l.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, at := range l.recent {
		if now.Sub(at).Abs() >= SameMessage { // also one that a clock told that was ahead
			delete(l.recent, k)
		}
	}
	if at, ok := l.recent[content]; ok {
		m.name(content, at)
		return m, true, nil
	}
	m.name(content, now)
	if l.journal.End()-l.shipped > maxBytes {
		return m, false, fmt.Errorf("%w: %d bytes wait for ClickHouse, which is the limit", ErrUnavailable, maxBytes)
	}
	text, err := json.Marshal(record{hex.EncodeToString(content[:]), m})
	if err != nil {
		return m, false, fmt.Errorf("write a message: %w", err)
	}
	if _, _, err := l.journal.Append([][]byte{text}); err != nil {
		return m, false, errors.Join(ErrUnavailable, err)
	}
	l.recent[content] = m.ToldAt
	return m, false, nil
}

// Pause between two attempts at an insert, from and to.
const (
	retryFrom = time.Second
	retryTo   = time.Minute
)

// Run brings the messages to insert until ctx ends. insert may be called again with what it took before; an error of it
// is tried again for ever.
func (l *Log) Run(ctx context.Context, insert func(context.Context, []store.Notification) error) error {
	l.mu.Lock()
	at := l.shipped
	l.mu.Unlock()
	r, err := l.journal.NewReader(at)
	if err != nil {
		return fmt.Errorf("record of messages: %w", err)
	}
	defer r.Close()
	for {
		batch, err := l.batch(ctx, r)
		switch {
		case ctx.Err() != nil || errors.Is(err, journal.ErrClosed):
			return nil
		case err != nil:
			// What was acknowledged is still there; the rest of the service needs none of it.
			l.cfg.Logger.Error("the record of messages cannot be read; messages are kept and not brought to ClickHouse", "error",
				err)
			<-ctx.Done()
			return nil
		}
		for pause := retryFrom; ; pause = min(2*pause, retryTo) {
			err := insert(ctx, rows(batch))
			if err == nil {
				break
			}
			if ctx.Err() == nil {
				l.cfg.Logger.Warn("messages wait for ClickHouse", "messages", len(batch), "error", err)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
		}
		l.done(r.Position())
	}
}

// batch waits for a message and takes what else is there.
func (l *Log) batch(ctx context.Context, r *journal.Reader) (batch []Message, err error) {
	rec, err := r.Next(ctx)
	for ok := true; err == nil && ok; {
		var in record
		if err = json.Unmarshal(rec.Payload, &in); err != nil {
			break
		}
		batch = append(batch, in.Message)
		rows := 0
		for i := range batch {
			rows += len(batch[i].Rows)
		}
		if len(batch) >= maxMessages || rows+MaxAlerts > maxRows {
			break
		}
		rec, ok, err = r.TryNext()
	}
	return batch, err
}

// done remembers how far the messages were shipped, and removes what nobody needs any more.
func (l *Log) done(at journal.Position) {
	text, err := json.Marshal(cursor{l.journal.UUID().String(), at})
	if err == nil {
		err = disk.Replace(disk.OS{}, filepath.Join(l.cfg.Dir, cursorFile), 0o600, func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		})
	}
	if err != nil { // they are shipped again after a restart
		l.cfg.Logger.Warn("the cursor of the record of messages was not written", "error", err)
	}
	l.mu.Lock()
	l.shipped = at
	l.mu.Unlock()
	if _, err := l.journal.Retain(at, l.cfg.Now().Add(-keepShipped)); err != nil {
		l.cfg.Logger.Warn("old messages were not removed", "error", err)
	}
}

// Waiting returns the bytes that ClickHouse does not have yet.
func (l *Log) Waiting() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(l.journal.End() - l.shipped)
}

// Close closes the journal. It may be called twice.
func (l *Log) Close() error { return l.journal.Close() }

// rows are the rows of messages as ClickHouse has them.
func rows(messages []Message) (out []store.Notification) {
	for i := range messages {
		m := &messages[i]
		for _, r := range m.Rows {
			out = append(out, store.Notification{
				Center: r.Center, Kind: r.Kind, Subject: r.Subject, ToldAt: m.ToldAt, Message: m.ID,
				Fingerprint: r.Fingerprint, Receiver: m.Receiver, Alertname: r.Alertname, Level: r.Level, Status: r.Status,
				OPD: r.OPD, Priority: r.Priority, StartsAt: r.StartsAt, EndsAt: r.EndsAt, Alerts: m.Alerts,
			})
		}
	}
	return out
}
