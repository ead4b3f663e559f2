package importer

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
)

// announce tells the collector, before any row is sent, what each file carries: the types of event that at least one
// row of it gives, and those that an earlier file of the mapping gave, since a day may pass without one. A mapped
// column that never had a filled cell carries nothing. The statement holds from the file's first row on; sent again it
// is the same.
func (r *run) announce(ctx context.Context) error {
	if !r.announces() {
		return nil
	}
	ever := carried{since: map[event.Type]int64{}}
	if r.corrector != nil {
		ever = r.corrector.memory.carries(r.mapping)
	}
	for _, f := range r.carries {
		ever.add(f)
	}
	for _, f := range r.carries {
		f.types = ever.at(f.first)
		beat := event.RawEvent{
			Source: r.mapping.Source, Subject: r.mapping.Source, Type: event.FeedHeartbeat, Center: r.mapping.Center,
			Time: time.UnixMilli(f.first).UTC(), Carries: f.types.Names(),
		}
		beat.Revision = uint32(len(beat.Carries)) // of two statements of one instant the one that says more counts
		sum := sha256.Sum256([]byte(beat.Center + "\x00" + beat.Time.String() + "\x00" + strings.Join(beat.Carries, " ")))
		beat.ID = "carries-" + event.Letters(sum[:12])
		if _, err := r.o.Collector.Submit(ctx, append(beat.AppendCloudEvent(nil), '\n'), 1); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var already *send.CollectorError
			if errors.As(err, &already) {
				return err
			}
			return &send.CollectorError{Cause: err}
		}
	}
	if r.corrector != nil && len(ever.since) > 0 {
		r.corrector.memory.carried[r.mapping.Name] = ever
	}
	return nil
}

// announces reports whether the mapping makes tickets, whose clocks need to know what is carried.
func (r *run) announces() bool {
	return r.o.Collector != nil && slices.ContainsFunc(r.mapping.Types(), func(t string) bool {
		return t == event.TicketOpened.String() || t == event.TicketAssigned.String()
	})
}

// statement is what a file carries, from the time of its first row on.
type statement struct {
	types event.TypeSet
	first int64 // milliseconds since 1970
}

// carried is what the files of one version of a mapping ever had, each type since when. It only grows.
type carried struct {
	version string
	since   map[event.Type]int64
}

func (c *carried) add(f statement) {
	for _, t := range event.Types() {
		if old, ok := c.since[t]; f.types.Has(t) && (!ok || f.first < old) {
			c.since[t] = f.first
		}
	}
}

// at returns what is carried at an instant.
func (c *carried) at(unix int64) (types event.TypeSet) {
	for t, since := range c.since {
		if since <= unix {
			types = types.With(t)
		}
	}
	return types
}

// types is since as the state file holds it.
func (c *carried) types() string {
	var out []string
	for t, since := range c.since {
		out = append(out, t.String()+"="+strconv.FormatInt(since, 10))
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

// carries returns what earlier files of a mapping had; nothing when the mapping has changed since.
func (m *memory) carries(by *mapping.Mapping) carried {
	if c, ok := m.carried[by.Name]; ok && c.version == by.Version() {
		return c
	}
	return carried{by.Version(), map[event.Type]int64{}}
}

// carriesLine begins a line of the state file that says what a mapping's files had.
const carriesLine = "carries "

func (m *memory) loadCarried(text string) bool {
	parts := strings.SplitN(text, " ", 4)
	if len(parts) != 4 {
		return false
	}
	by, err := strconv.Unquote(parts[3])
	if err != nil {
		return false
	}
	c := carried{parts[1], map[event.Type]int64{}}
	for _, one := range strings.Split(parts[2], ",") {
		name, since, _ := strings.Cut(one, "=")
		t, ok := event.ParseType(event.TypePrefix + name)
		at, err := strconv.ParseInt(since, 10, 64)
		if !ok || err != nil {
			return false
		}
		c.since[t] = at
	}
	m.carried[by] = c
	return true
}
