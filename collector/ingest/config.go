package ingest

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
)

// Config holds the limits of the loop. Zero values mean the defaults named beside them; Dir must be set.
type Config struct {
	// Dir is where the checkpoint lies. It must exist.
	Dir string

	GroupEvents int   // a group takes no further request at this many events; default 8192
	GroupBytes  int   // nor at this many bytes; default 4 MiB
	QueueEvents int   // events that may wait; more are refused with ErrBusy; default 65536
	QueueBytes  int64 // bytes that may wait; default 64 MiB

	// SeenFor is how long an id is remembered, reckoned in time that this program ran: neither a step of the clock nor an
	// outage makes it forget. Default 24 h.
	SeenFor time.Duration
	// SeenMax is how many ids are remembered; beyond it the oldest are forgotten first, and a repeat of one of them is
	// accepted again and absorbed further on, by the board and by ClickHouse. Default 2,000,000, about 72 MB when full.
	SeenMax int

	CheckpointBytes int64         // of journal between two checkpoints; default 64 MiB
	CheckpointEvery time.Duration // a checkpoint is due after this time when anything was appended; default 5 min
	ProbeEvery      time.Duration // how often a journal that cannot write is tried again; default 1 s

	// Admit says which of some new events their cases have room for, as tracker.Board.Admit does; nil: all have.
	Admit func([]*event.Event) []*event.Event

	FS     disk.FS          // of the checkpoint; nil means disk.OS
	Now    func() time.Time // nil means time.Now; should carry a monotonic reading
	Logger *slog.Logger     // nil discards
}

func (c *Config) setDefaults() error {
	def(&c.GroupEvents, 8192)
	def(&c.GroupBytes, 4<<20)
	def(&c.QueueEvents, 65536)
	def(&c.QueueBytes, 64<<20)
	def(&c.SeenFor, 24*time.Hour)
	def(&c.SeenMax, 2_000_000)
	def(&c.CheckpointBytes, 64<<20)
	def(&c.CheckpointEvery, 5*time.Minute)
	def(&c.ProbeEvery, time.Second)
	c.FS = cmp.Or[disk.FS](c.FS, disk.OS{})
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Dir == "" {
		return fmt.Errorf("ingest: Dir is empty; name the folder of the checkpoint")
	}
	for _, l := range []struct {
		name  string
		value int64
	}{
		{"GroupEvents", int64(c.GroupEvents)}, {"GroupBytes", int64(c.GroupBytes)},
		{"QueueEvents", int64(c.QueueEvents)}, {"QueueBytes", c.QueueBytes},
		{"SeenFor", int64(c.SeenFor)}, {"SeenMax", int64(c.SeenMax)},
		{"CheckpointBytes", c.CheckpointBytes}, {"CheckpointEvery", int64(c.CheckpointEvery)},
		{"ProbeEvery", int64(c.ProbeEvery)},
	} {
		if l.value < 0 {
			return fmt.Errorf("ingest: %s is %d; it must be positive", l.name, l.value)
		}
	}
	if c.SeenMax > maxSeen {
		return fmt.Errorf("ingest: SeenMax is %d; at most %d", c.SeenMax, maxSeen)
	}
	return nil
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
