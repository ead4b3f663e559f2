package notifications

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/monev112/monev112/collector/journal"
)

// FolderName is the name, in the data folder, of the folder of the messages that Alertmanager reported.
const FolderName = "notifications"

// Bounds of the journal.
const (
	segmentBytes = 4 << 20
	maxBytes     = 512 << 20      // that ClickHouse has not taken; the notifications of a month have less than a tenth
	keepShipped  = 24 * time.Hour // so that a repetition is known after a restart
)

// ErrUnavailable says that a notification cannot be kept now: the disk is full or fails, or ClickHouse has been away
// for too long. Alertmanager sends it again.
var ErrUnavailable = errors.New("the notification cannot be kept now")

// Config is what a Log is made of. Dir and Now are required.
type Config struct {
	Dir          string
	MinFreeBytes int64 // disk that is left free; 0 is the journal's default, below 0 no floor
	Now          func() time.Time
	Logger       *slog.Logger // nil discards
}

// Log is the record of notifications on its way to ClickHouse. It is safe for concurrent use.
type Log struct {
	cfg     Config
	log     *slog.Logger
	journal *journal.Journal

	mu      sync.Mutex                // held over the append: what is known and what is durable move together
	recent  map[contentHash]time.Time // when a content first arrived
	shipped journal.Position          // ClickHouse has everything before it
}

// record is a notification in the journal.
type record struct {
	Content      string       `json:"content"` // contentHash in hexadecimal digits
	Notification Notification `json:"message"`
}

// Open opens the journal in cfg.Dir and learns the recent notifications again.
func Open(cfg Config) (*Log, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Log{cfg: cfg, log: cfg.Logger.With("component", "notifications"), recent: map[contentHash]time.Time{}}
	var err error
	l.journal, err = journal.Open(journal.Options{
		Dir: cfg.Dir, SegmentBytes: segmentBytes, MinFreeBytes: cfg.MinFreeBytes, Now: cfg.Now, Logger: l.log,
	})
	if err != nil {
		return nil, fmt.Errorf("record of notifications: %w", err)
	}
	l.shipped = l.readCursor()
	if err := l.learnRecent(); err != nil {
		_ = l.journal.Close()
		return nil, fmt.Errorf("record of notifications: %w", err)
	}
	return l, nil
}

func (l *Log) learnRecent() error {
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
			return fmt.Errorf("a notification in the journal cannot be read: %w", err)
		}
		hash, err := hex.DecodeString(in.Content)
		if err == nil && len(hash) == sha256.Size && isRecent(in.Notification.ToldAt, now) {
			l.recent[contentHash(hash)] = in.Notification.ToldAt
		}
	}
}

// isRecent reports whether the same content at now is a repetition of what arrived at. A time far in the future was
// written by a clock that was wrong.
func isRecent(at, now time.Time) bool { return now.Sub(at).Abs() < duplicateWindow }

// Add keeps a notification and returns when it is durable; duplicate says that it was kept before. Errors are
// ErrPayload and ErrUnavailable.
func (l *Log) Add(body []byte) (n Notification, duplicate bool, err error) {
	n, hash, err := decode(body)
	if err != nil {
		return n, false, err
	}
	now := l.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, at := range l.recent {
		if !isRecent(at, now) {
			delete(l.recent, k)
		}
	}
	if at, ok := l.recent[hash]; ok {
		n.identify(hash, at)
		return n, true, nil
	}
	n.identify(hash, now)
	if l.journal.End()-l.shipped > maxBytes {
		return n, false, fmt.Errorf("%w: %d bytes wait for ClickHouse, which is the limit", ErrUnavailable, maxBytes)
	}
	text, err := json.Marshal(record{hex.EncodeToString(hash[:]), n})
	if err != nil {
		return n, false, fmt.Errorf("encode a notification: %w", err)
	}
	if _, _, err := l.journal.Append([][]byte{text}); err != nil {
		return n, false, errors.Join(ErrUnavailable, err)
	}
	l.recent[hash] = n.ToldAt
	return n, false, nil
}

// Close closes the journal. It may be called twice.
func (l *Log) Close() error { return l.journal.Close() }
