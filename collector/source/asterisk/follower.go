package asterisk

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/source/send"
)

// FollowerOptions say what a Follower reads and where its events go.
type FollowerOptions struct {
	Config Config // what it leaves out has its default
	// Directory must know the centre that Config names; nil: any centre is right.
	Directory *directory.Directory
	Dir       string // of the position and the key for names; one Follower a folder
	// To takes the events; what it has answered is safe on a disk. After an error they are submitted again, for ever.
	To send.Submitter
	// Beat takes a heartbeat: everything in the log was delivered. Default: it is submitted like any event.
	Beat func(ctx context.Context, heartbeat event.RawEvent) error

	Log  *slog.Logger                                     // default none
	Now  func() time.Time                                 // default time.Now
	Wait func(ctx context.Context, d time.Duration) error // default a timer
}

// Follower tails a queue_log. The place in the log is remembered once its events are delivered, so that no line is left
// out; a line that is read twice, after a crash, gives events with the same ids.
type Follower struct {
	o        FollowerOptions
	mapper   *Mapper
	tail     tail
	lock     io.Closer
	resumeAt mark
	resumed  bool

	skipping bool // the rest of a line that is too long
	drafts   []event.RawEvent
	body     []byte // of the last submission
	dirty    bool   // the position is ahead of the position file
	savedAt  time.Time
	beatAt   time.Time
	trouble  string // what was logged last, so that one trouble is told once
	toldAt   time.Time
	told     int
}

// Times of a Follower.
const (
	pollEvery    = 200 * time.Millisecond // a waiting caller shows within a second of the line
	saveEvery    = time.Second
	retryEvery   = time.Second
	reportEvery  = time.Minute
	deliverAtOne = 500 // events
)

// NameKeyFile, in FollowerOptions.Dir, holds the key of hashed names.
const (
	NameKeyFile = "agent-names.key"
	lockName    = "lock"
)

// NewFollower returns a Follower that goes on at the position in its folder, which it locks. The log itself may still
// be missing.
func NewFollower(o FollowerOptions) (_ *Follower, err error) {
	o.Config = o.Config.WithDefaults()
	if err := o.Config.Check(); err != nil {
		return nil, err
	}
	if center := o.Config.Center; center != "" && o.Directory != nil {
		if _, known := o.Directory.Center(center); !known {
			return nil, fmt.Errorf("center: %q is not in the directory; leave it out for the default centre %s", center,
				o.Directory.DefaultCenter())
		}
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = send.Sleep
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the position: %w; choose one that this user may write to", err)
	}
	f := &Follower{o: o}
	if o.Beat == nil {
		f.o.Beat = func(ctx context.Context, heartbeat event.RawEvent) error { return f.submit(ctx, heartbeat) }
	}
	if f.lock, err = (disk.OS{}).Lock(filepath.Join(o.Dir, lockName)); err != nil {
		return nil, fmt.Errorf("folder %s: %w; each follower needs a folder of its own", o.Dir, err)
	}
	defer func() {
		if err != nil {
			f.lock.Close()
		}
	}()
	key, err := LoadNameKey(filepath.Join(o.Dir, NameKeyFile))
	if err != nil {
		return nil, err
	}
	at, ok, err := readPosition(disk.OS{}, o.Dir)
	if err != nil {
		return nil, err
	}
	f.mapper = NewMapper(o.Config, NewNames(o.Config, key))
	if ok {
		f.mapper.restore(at)
		f.resumeAt = at.File
	}
	f.tail = tail{path: o.Config.QueueLog, log: o.Log.Warn}
	return f, nil
}

// Close lets go of files and folder.
func (f *Follower) Close() error {
	f.tail.close()
	if f.lock == nil {
		return nil
	}
	err := f.lock.Close()
	f.lock = nil
	return err
}

// Run follows the log until ctx ends, and then remembers the place. A log that is missing or unreadable is waited for.
// Without a Follower it does nothing.
func (f *Follower) Run(ctx context.Context) error {
	if f == nil {
		return nil
	}
	for ctx.Err() == nil {
		caughtUp, err := f.Step(ctx)
		pause := time.Duration(0)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			f.complain(err)
			pause = retryEvery
		case caughtUp:
			f.trouble = ""
			f.beat(ctx)
			pause = pollEvery
		}
		if pause > 0 && f.o.Wait(ctx, pause) != nil {
			break
		}
	}
	if !f.dirty {
		return nil
	}
	return f.save()
}

// complain logs a trouble when it is new, and once a minute.
func (f *Follower) complain(err error) {
	now := f.o.Now()
	if text := err.Error(); text != f.trouble || now.Sub(f.toldAt) >= reportEvery {
		f.trouble, f.toldAt = text, now
		f.o.Log.Warn("queue log not followed", "error", err)
	}
}

// Step reads what is there, up to 256 KiB, delivers it and returns. caughtUp is true when everything in the log was
// delivered, but for a line that is not complete yet.
func (f *Follower) Step(ctx context.Context) (caughtUp bool, err error) {
	if !f.resumed {
		if err := f.tail.resume(f.resumeAt); err != nil {
			return false, err
		}
		f.resumed = true
	}
	text, final, done, err := f.tail.read()
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("%w; it appears with the first call, if the path is right", err)
		}
		return false, err
	}
	used := 0
	for used < len(text) {
		n := bytes.IndexByte(text[used:], '\n')
		line, size := text[used:], len(text)-used
		switch {
		case n >= 0:
			line, size = text[used:used+n], n+1
		case final:
		case size > MaxLineBytes:
			if !f.skipping {
				f.malformed(LineTooLong, f.tail.offset+int64(used))
				f.mapper.Reject(LineTooLong)
			}
			f.skipping = true
			used += size
			continue
		default: // the rest of the line is to come
			if err := f.deliver(ctx, used); err != nil {
				return false, err
			}
			return done, f.saveSometimes()
		}
		if f.skipping {
			f.skipping = false
		} else if f.drafts, err = f.mapper.MapText(f.drafts, line); err != nil {
			parse, _ := errors.AsType[ParseError](err)
			f.malformed(parse, f.tail.offset+int64(used))
		}
		used += size
		if len(f.drafts) >= deliverAtOne {
			if err := f.deliver(ctx, used); err != nil {
				return false, err
			}
			text, used = text[used:], 0
		}
	}
	if err := f.deliver(ctx, used); err != nil {
		return false, err
	}
	return done, f.saveSometimes()
}

// malformed logs the place of a malformed line, the first few of each minute.
func (f *Follower) malformed(e ParseError, offset int64) {
	const most = 10
	if now := f.o.Now(); now.Sub(f.toldAt) >= reportEvery {
		f.toldAt, f.told = now, 0
	}
	if f.told++; f.told <= most {
		f.o.Log.Warn("queue log line malformed, left out", "reason", string(e), "offset", offset)
	}
}

// deliver hands over what was mapped from the first n bytes of the last read, however long it takes: the mapper has
// moved on and cannot go back. Only the end of ctx ends it; the position on disk is then that of an earlier line.
func (f *Follower) deliver(ctx context.Context, n int) error {
	for left := f.drafts; len(left) > 0; {
		portion := left[:min(len(left), deliverAtOne)]
		err := f.submit(ctx, portion...)
		if err == nil {
			left = left[len(portion):]
			continue
		}
		if ctx.Err() == nil {
			f.complain(fmt.Errorf("events wait to be delivered: %w", err))
			err = f.o.Wait(ctx, retryEvery)
		}
		if ctx.Err() != nil || err != nil {
			f.dirty = false // what is in memory was not delivered
			return context.Cause(ctx)
		}
	}
	f.drafts = f.drafts[:0]
	if n > 0 {
		f.tail.take(n)
		f.dirty = true
	}
	return nil
}

func (f *Follower) submit(ctx context.Context, drafts ...event.RawEvent) error {
	f.body = f.body[:0]
	for i := range drafts {
		f.body = append(drafts[i].AppendCloudEvent(f.body), '\n')
	}
	answer, err := f.o.To.Submit(ctx, f.body, len(drafts))
	if n := len(answer.Rejected); n > 0 {
		f.o.Log.Warn("events of the queue log rejected, see monev112 journal list refused", "rejected", n)
	}
	return err
}

func (f *Follower) saveSometimes() error {
	if now := f.o.Now(); f.dirty && (now.Sub(f.savedAt) >= saveEvery || now.Before(f.savedAt)) {
		return f.save()
	}
	return nil
}

func (f *Follower) save() error {
	if err := writePosition(disk.OS{}, f.o.Dir, f.mapper.position(f.tail.mark(0))); err != nil {
		return err
	}
	f.dirty, f.savedAt = false, f.o.Now()
	return nil
}

// beat says, twice a minute, that the feed lives and that the data is complete up to now.
func (f *Follower) beat(ctx context.Context) {
	now := f.o.Now()
	if !f.beatAt.IsZero() && now.Sub(f.beatAt) < HeartbeatEvery && !now.Before(f.beatAt) {
		return
	}
	f.beatAt = now
	if err := f.o.Beat(ctx, f.heartbeat(now)); err != nil && ctx.Err() == nil {
		f.o.Log.Debug("heartbeat not accepted", "error", err)
	}
}

func (f *Follower) heartbeat(now time.Time) event.RawEvent {
	c := f.mapper.cfg
	return event.RawEvent{
		Source: c.Source, Center: c.Center, Type: event.FeedHeartbeat, Subject: c.Feed, Time: now.UTC(),
		ID: "heartbeat." + c.Feed + "." + strconv.FormatInt(now.UnixMilli(), 10),
	}
}

// Tally returns what was counted since the start of the Follower; not while Run runs.
func (f *Follower) Tally() Tally { return f.mapper.Tally() }
