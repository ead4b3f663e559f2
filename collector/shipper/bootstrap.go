package shipper

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// versionGap is left between the greatest version found and the first one used, in case an insert of an earlier process
// is still on its way to a server.
const versionGap = 1_000_000

// bootstrapReach is how far back calls are read for the running windows.
const bootstrapReach = 48 * time.Hour

// bootstrapCases is how many cases are read back at once.
const bootstrapCases = 5_000

// prepare brings schema, version and board up to date from ClickHouse.
func (s *Shipper) prepare(ctx context.Context) error {
	if s.cursorDirty {
		if err := s.writeCursor(s.cursor); err != nil {
			return err
		}
		s.cursorDirty = false
	}
	if err := s.sink.Prepare(ctx); err != nil {
		return err
	}
	if err := s.checkDatabase(ctx); err != nil {
		return err
	}
	if err := s.rememberKept(); err != nil {
		return err
	}
	if s.resetBoard {
		if err := s.reset(ctx); err != nil {
			return fmt.Errorf("replay the journal: %w", err)
		}
		s.resetBoard = false
	}
	greatest, err := s.sink.MaxVersion(ctx)
	if err != nil {
		return err
	}
	s.version = greatest + versionGap
	if !s.board.FilterTrusted() {
		subjects := 0
		if err := s.sink.Subjects(ctx, func(keys []event.Key) error {
			s.board.AddSubjects(keys)
			subjects += len(keys)
			return ctx.Err()
		}); err != nil {
			return err
		}
		s.board.TrustFilter()
		if greatest == 0 && subjects == 0 && !s.cursor.sentAny() {
			s.board.LoadNew() // at a first start an import may already be under way
		}
	}
	if s.board.Complete() {
		// Cases that only the journal behind the checkpoint spoke of, and that no batch will bring again.
		return s.load(ctx, s.board.UnknownCases(uint64(s.cursor.Start)))
	}
	open, err := s.sink.OpenCases(ctx, s.cfg.Now().Add(-bootstrapReach))
	if err != nil {
		return err
	}
	open = append(open, s.board.UnknownCases(uint64(s.cursor.Start))...)
	s.progress.reading(len(open))
	if err := s.load(ctx, open); err != nil {
		return err
	}
	s.completeAt = s.journal.End()
	s.cfg.Log.Info("open cases loaded", "cases", len(open))
	return nil
}

// reset makes the board anew from every event that the journal holds.
func (s *Shipper) reset(ctx context.Context) error {
	r, err := s.journal.NewReader(s.journal.Stats().First)
	if err != nil {
		return err
	}
	defer r.Close()
	return s.board.Reset(func(apply func(e *event.Event, payload []byte, end uint64)) error {
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			rec, ok, err := r.TryNext()
			if err != nil || !ok {
				return err
			}
			var e event.Event
			payload := bytes.Clone(rec.Payload) // the board keeps it
			if err := event.DecodeBinary(payload, &e); err != nil {
				return fmt.Errorf("record before position %d: %w", rec.End, err)
			}
			apply(&e, payload, uint64(rec.End))
		}
	})
}

// load completes cases, and those linked with them, from ClickHouse.
func (s *Shipper) load(ctx context.Context, keys []event.Key) error {
	for chunk := range slices.Chunk(keys, bootstrapCases) {
		for missing := s.board.MissingCases(chunk); len(missing) > 0; missing = s.board.MissingCases(chunk) {
			loaded, err := s.readCases(ctx, missing)
			if err != nil {
				return err
			}
			s.board.Load(loaded)
		}
		s.progress.read(len(chunk))
	}
	return nil
}
