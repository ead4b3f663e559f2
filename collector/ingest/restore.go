package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/journal"
)

// Restored says how Restore rebuilt the board.
type Restored struct {
	// Checkpoint tells whether one was read. Without it the board knows only what the journal still keeps.
	Checkpoint bool
	From, To   journal.Position // replayed
	Events     int              // replayed
	SeenIDs    int
	Took       time.Duration
}

// Restore reads the newest usable checkpoint and replays the journal from there, silently (live is false), or replays
// the whole journal when there is none. A checkpoint that is damaged, of another journal or from beyond the journal's
// end is ignored with a warning and renamed to *.ignored. Damage in the journal, or a record that is no event, is an
// error: an operator must decide.
func (l *Loop) Restore(ctx context.Context) (Restored, error) {
	began := l.cfg.Now()
	var res Restored
	first := l.jrn.Stats().First
	from, newest := first, false
	l.epoch = began
	for _, name := range []string{checkpointName, previousName} {
		head, err := l.readCheckpoint(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			l.cfg.Logger.Warn("checkpoint ignored", "file", name, "reason", err)
			// Out of the way, or the next checkpoint would keep this one as its predecessor instead of a good one.
			path := filepath.Join(l.cfg.Dir, name)
			if err := l.cfg.FS.Rename(path, path+ignoredSuffix); err != nil {
				l.cfg.Logger.Warn("ignored checkpoint not renamed", "file", name, "error", err)
			}
			continue
		}
		res.Checkpoint, from = true, head.position
		newest = name == checkpointName
		break
	}
	if !res.Checkpoint {
		var secret [32]byte
		if _, err := rand.Read(secret[:]); err != nil {
			return res, fmt.Errorf("make a key for remembered ids: %w", err)
		}
		l.seen, l.seenBase = newSeen(secret, l.cfg.SeenMax, l.cfg.SeenFor), 0
	}
	res.From, res.To = from, l.jrn.End()
	n, err := l.replay(ctx, from, res.To)
	res.Events, res.SeenIDs = n, l.seen.len()
	if err != nil {
		return res, err
	}
	l.applied, l.ckptFrom = res.To, from
	floor := first // until there are two again, everything is kept
	if newest {
		if f, head, _, err := openCheckpoint(l.cfg.FS, l.cfg.Dir, previousName); err == nil {
			_ = f.Close() // only read
			if l.usable(head) == nil {
				floor = head.position
			}
		}
	}
	l.ckptMu.Lock()
	l.floor, l.current = floor, from
	l.ckptMu.Unlock()
	l.keyer.Store(l.seen)
	l.restored = true
	res.Took = l.cfg.Now().Sub(began)
	l.cfg.Logger.Info("checkpoint restored", "checkpoint", res.Checkpoint, "replayed_events", res.Events, "took", res.Took)
	return res, nil
}

// replayGroup is how many events a replay applies at once.
const replayGroup = 1024

func (l *Loop) replay(ctx context.Context, from, to journal.Position) (events int, err error) {
	r, err := l.jrn.NewReader(from)
	if err != nil {
		return 0, fmt.Errorf("replay from %d: %w", from, err)
	}
	defer r.Close()
	now := l.seenNow()
	var (
		group    [replayGroup]event.Event
		refs     = make([]*event.Event, 0, replayGroup)
		payloads = make([][]byte, 0, replayGroup)
		ends     = make([]uint64, 0, replayGroup)
	)
	apply := func() {
		l.board.ApplyGroup(refs, payloads, ends, false)
		clear(payloads)
		refs, payloads, ends = refs[:0], payloads[:0], ends[:0]
	}
	for {
		rec, ok, err := r.TryNext()
		if err != nil {
			return events, fmt.Errorf("replay: %w", err)
		}
		if !ok || rec.End > to {
			apply()
			return events, nil
		}
		// The reader's memory is shared by many records, of which the board may keep one for weeks.
		payload := append(make([]byte, 0, len(rec.Payload)), rec.Payload...)
		e := &group[len(refs)]
		if err := event.DecodeBinary(payload, e); err != nil {
			return events, fmt.Errorf("replay: record before position %d: %w; start the version that wrote it", rec.End, err)
		}
		refs, payloads, ends = append(refs, e), append(payloads, payload), append(ends, uint64(rec.End))
		l.seen.add(l.seen.keyOf(e), digestOf(e), now)
		events++
		if len(refs) == replayGroup {
			apply()
			if ctx.Err() != nil {
				return events, ctx.Err()
			}
		}
	}
}
