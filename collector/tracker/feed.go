package tracker

import (
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// carrier holds what a source has said that it carries: the heartbeats that say so, and what withdraws or corrects
// them.
type carrier struct {
	events     []stored
	statements []event.Event // those that count, in the order in which they take effect
}

// Bounds of what is remembered of feeds; further sources are believed to carry everything.
const (
	maxFeeds      = 10_000
	maxFeedEvents = 64 // of a feed
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
	if slices.ContainsFunc(f.events, func(o stored) bool { return o.is(s.id, e) }) {
		return
	}
	f.events = append(slices.Clip(f.events), s)
	b.foldFeed(f)
}

// foldFeed reads the statements anew.
func (b *Board) foldFeed(f *carrier) {
	f.statements = nil
	evs := slices.Clone(b.scratch.decode(f.events))
	b.worked(len(evs))
	for len(evs) > maxFeedEvents {
		drop := leastOf(evs)
		e := evs[drop]
		evs = slices.Delete(evs, drop, drop+1)
		f.events = slices.DeleteFunc(slices.Clone(f.events), func(s stored) bool { return s.is(idHash(e), e) })
	}
	for _, e := range casefile.Standing(evs) {
		if len(e.Carries) > 0 {
			one := *e
			one.Detach() // the memory of the folder is used again
			f.statements = append(f.statements, one)
		}
	}
}

// leastOf says which of a feed's events is missed least: one that states nothing and takes back no statement, else a
// statement that was taken back, else one that repeats the one before, else the oldest. It sorts evs.
func leastOf(evs []*event.Event) int {
	void := casefile.Voided(evs)
	standing := slices.DeleteFunc(casefile.Standing(evs), func(e *event.Event) bool { return len(e.Carries) == 0 })
	stated := make(map[[2]string]bool, len(evs))
	for _, e := range evs {
		if len(e.Carries) > 0 {
			stated[[2]string{e.Source, e.ID}] = true
		}
	}
	for i, e := range evs {
		if len(e.Carries) == 0 && !stated[[2]string{e.Source, e.Replaces}] {
			return i
		}
	}
	for i, e := range evs {
		if void[e] {
			return i
		}
	}
	for i := 1; i < len(standing); i++ {
		if slices.Equal(standing[i-1].Carries, standing[i].Carries) {
			return slices.Index(evs, standing[i])
		}
	}
	if len(standing) == 0 {
		return 0
	}
	return slices.Index(evs, standing[0])
}

// Carries returns the types of event that a source of a centre carries at an instant, as it said last by then; nil
// where it said nothing: then it is believed to carry everything.
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
