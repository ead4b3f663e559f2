package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Statement says what a source carries from a time on: a section of the configuration file. It is journalled as
// feed.heartbeat, and holds for calls and tickets that begin from then on. What was said stays: what is true later is
// said with a later Since.
type Statement struct {
	Source string   `yaml:"source"`
	Center string   `yaml:"center"` // empty: the default centre
	Since  string   `yaml:"since"`  // a day in the centre's time zone, or an instant
	Types  []string `yaml:"types"`  // such as ticket.opened; see docs/clocks.md
}

// Statements are what the configuration says of sources.
type Statements []Statement

// Check reports the first thing that is wrong.
func (s Statements) Check() error {
	seen := map[[3]string]bool{}
	for i, one := range s {
		at, key := fmt.Sprintf("carries[%d]", i), [3]string{one.Source, one.Center, one.Since}
		if one.Source == "" {
			return fmt.Errorf("%s.source: it is missing; name the source of the events", at)
		}
		if _, err := one.since(time.UTC); err != nil {
			return fmt.Errorf("%s.since: %w", at, err)
		}
		if len(one.Types) == 0 {
			return fmt.Errorf("%s.types: it is empty; list the types of event that the source sends", at)
		}
		for _, t := range one.Types {
			if typ, ok := event.ParseType(event.TypePrefix + t); !ok || typ == event.FeedHeartbeat ||
				typ == event.EventWithdrawn {
				return fmt.Errorf("%s.types: %q is no type of a fact; write such as ticket.arrived", at, t)
			}
		}
		if seen[key] {
			return fmt.Errorf("%s.since: %q says two things since %s; keep one", at, one.Source, one.Since)
		}
		seen[key] = true
	}
	return nil
}

func (s *Statement) since(zone *time.Location) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s.Since, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write a day such as 2026-12-01 or an instant such as "+
		"2026-12-01T08:00:00+07:00", s.Since)
}

// stateWithin is how long State tries while nothing can be accepted.
const stateWithin = 10 * time.Second

// State journals what the configuration says of sources; what was said before is a duplicate. It fails where something
// else was said of the same time. While nothing can be accepted for long it gives up with a line in the log: the next
// start says it.
func (in *Intake) State(ctx context.Context, all Statements) error {
	for i := range all {
		s := &all[i]
		center := s.Center
		if center == "" {
			center = in.cfg.Directory.DefaultCenter()
		}
		c, known := in.cfg.Directory.Center(center)
		if !known {
			return fmt.Errorf("carries: the directory has no centre %q; name one that it has", center)
		}
		since, err := s.since(c.Location)
		if err != nil {
			return fmt.Errorf("carries: %w", err)
		}
		if since.After(in.cfg.Now()) {
			return fmt.Errorf("carries: of source %q something is stated since %s, which is to come; add it then", s.Source,
				s.Since)
		}
		types := slices.Compact(slices.Sorted(slices.Values(s.Types)))
		e := event.RawEvent{
			Source: s.Source, Subject: s.Source, Type: event.FeedHeartbeat, Center: center, Time: since, Carries: types,
			ID: statementID(center, s.Source, since), Revision: 1 << 20, // it counts before what an import says of that instant
		}
		receipt, err := in.stateOne(ctx, e)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrBusy), errors.Is(err, ErrUnavailable):
			in.cfg.Log.Error("what a source carries could not be journalled, the next start does it", "source", s.Source,
				"error", err)
			continue
		case err != nil:
			return err
		case len(receipt.Rejected) > 0 && receipt.Rejected[0].Reason != event.Conflict:
			return fmt.Errorf("carries: the statement on source %q was refused: %w", s.Source, &receipt.Rejected[0])
		}
		now := slices.Sorted(slices.Values(in.cfg.Board.Carries(center, s.Source, since)))
		if len(receipt.Rejected) > 0 || !slices.Equal(now, types) {
			return fmt.Errorf("carries: of source %q other types were stated since %s before, and tickets are judged by them; "+
				"leave that as it was, and write what is true now with a later since", s.Source, s.Since)
		}
		in.cfg.Log.Info("what a source carries", "source", s.Source, "center", center, "since", since, "types", types,
			"new", receipt.Accepted > 0)
	}
	return nil
}

func (in *Intake) stateOne(ctx context.Context, e event.RawEvent) (r event.Receipt, err error) {
	for wait, began := 50*time.Millisecond, time.Now(); ; wait *= 2 {
		r, err = in.SubmitDrafts(ctx, e)
		if !errors.Is(err, ErrBusy) && !errors.Is(err, ErrUnavailable) || time.Since(began) > stateWithin {
			return r, err
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// statementID is the same whatever is stated.
func statementID(center, source string, since time.Time) string {
	sum := sha256.Sum256([]byte(center + "\x00" + source + "\x00" + since.UTC().String()))
	return "configured-" + event.Letters(sum[:12])
}
