package tracker

import (
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// carrier holds what a source has said that it carries: the heartbeats that say so, and what withdraws or corrects them.
type carrier struct {
	events     []stored
	statements []event.Event // those that count, in the order in which they take effect
}

// Bounds of what is remembered of feeds; further sources are believed to carry everything.
const (
	maxFeeds      = 10_000
	maxFeedEvents = 1000 // of a feed; the latest
)

func (b *Board) applyFeed(e *event.Event, s stored) {
	if len(e.Carries) == 0 && e.Replaces == "" {
		return // a heartbeat that says no more than that the feed lives
	}
	key := e.Key()
	f := b.feeds[key]
	if f == nil {
		if len(b.feeds) >= maxFeeds {
			return
		}
		f = &carrier{}
		b.feeds[event.Key{Center: strings.Clone(key.Center), Kind: key.Kind, ID: strings.Clone(key.ID)}] = f
	}
	if slices.ContainsFunc(f.events, func(o stored) bool { return o.id == s.id }) {
		return
	}
	f.events = append(slices.Clip(f.events), s)
	b.foldFeed(f)
}

// foldFeed reads the statements anew.
func (b *Board) foldFeed(f *carrier) {
	f.statements = nil
	for _, e := range casefile.Standing(b.scratch.decode(f.events)) {
		if len(e.Carries) > 0 {
			one := *e
			one.Detach() // the memory of the folder is used again
			f.statements = append(f.statements, one)
		}
	}
	if len(f.events) > maxFeedEvents && len(f.statements) > 0 {
		oldest := idHash(&f.statements[0])
		f.events = slices.DeleteFunc(slices.Clone(f.events), func(s stored) bool { return s.id == oldest })
	}
}

// Carries returns the types of event that a source of a centre carries at an instant, as it said last by then; nil where
// it said nothing: then it is believed to carry everything.
func (b *Board) Carries(center, source string, at time.Time) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	f := b.feeds[event.Key{Center: center, Kind: event.KindFeed, ID: source}]
	if f == nil {
		return nil
	}
	for i := range slices.Backward(f.statements) {
		if s := &f.statements[i]; !s.OccurredAt.After(at) {
			return s.Carries
		}
	}
	return nil
}

// loadFeed takes in what ClickHouse has of a feed.
func (b *Board) loadFeed(l *Loaded) {
	if b.feeds[l.Key] == nil {
		b.feeds[l.Key] = &carrier{}
	}
	for _, e := range l.Events {
		b.applyFeed(e, stored{id: idHash(e), digest: [8]byte(e.Digest[:8]), payload: event.AppendBinary(nil, e)})
	}
}
