package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/source/send"
)

// RunOptions says what the simulate command does. Preset and Server (or Lines) are required.
type RunOptions struct {
	Options
	Preset Preset
	Server string    // base address of the collector
	Key    string    // API key; empty where none is asked for
	Lines  io.Writer // when set, messages are written here, one a line, and nothing is sent
	Totals string    // file for the totals as JSON, written at the end; empty means none
	// Recommendations sends those that Sidoarjo2023 plants as well, when everything else is sent; the key needs
	// monev:write.
	Recommendations bool

	Progress io.Writer // where progress goes; nil means nowhere
	Terminal bool      // Progress is a terminal: one line that is written over
	Clock    Clock
	Client   send.Config // further settings of the sender; Server and Key above win
}

// runTimeScale is the time scale of Live when none is given: whole lives of tickets within an evening.
const runTimeScale = 20

// Run simulates and sends until everything is sent, the range has ended or ctx ends; the last is how a live simulation
// is stopped, and no error. It returns an error when an option is wrong, the server cannot be reached for long or
// refused events, or the totals cannot be written.
func Run(ctx context.Context, o RunOptions) error {
	o.Clock = o.Clock.withDefaults()
	g, err := o.generator()
	if err != nil {
		return err
	}
	p := &progress{w: o.Progress, terminal: o.Terminal, now: o.Clock.Now, from: g.o.From, to: g.o.To, began: o.Clock.Now()}
	if o.Lines != nil {
		err = runLines(ctx, g, o, p)
	} else {
		err = runSend(ctx, g, o, p)
	}
	p.end()
	if o.Totals != "" {
		err = errors.Join(err, writeTotals(o.Totals, g.Totals()))
	}
	return err
}

// generator makes the generator, with the defaults that depend on the present.
func (o *RunOptions) generator() (*Generator, error) {
	if (o.Server == "") == (o.Lines == nil) {
		return nil, fmt.Errorf("%w: name one destination, a server or a file of lines", ErrOptions)
	}
	if o.Recommendations && (o.Preset != Sidoarjo2023 || o.Lines != nil) {
		return nil, fmt.Errorf("%w: recommendations are planted in %s, and sent to a server", ErrOptions, Sidoarjo2023)
	}
	now := o.Clock.Now()
	switch o.Preset {
	case Live:
		if o.From.IsZero() {
			o.From = now.Add(-48 * time.Hour).Truncate(time.Minute)
		}
		if o.TimeScale == 0 {
			o.TimeScale = runTimeScale
		}
	case Load:
		if o.From.IsZero() {
			o.From = now.Add(-24 * time.Hour).Truncate(time.Minute)
		}
	}
	return New(o.Preset, o.Options)
}

func runLines(ctx context.Context, g *Generator, o RunOptions, p *progress) error {
	var line []byte
	err := Pace(ctx, g, o.Clock, func(m *Message) error {
		line = append(m.Draft.AppendCloudEvent(line[:0]), '\n')
		p.add(m.At)
		_, err := o.Lines.Write(line)
		return err
	}, func() error {
		p.look()
		return nil
	})
	return unlessStopped(ctx, err)
}

func runSend(ctx context.Context, g *Generator, o RunOptions, p *progress) error {
	cfg := o.Client
	cfg.Server, cfg.Key = o.Server, o.Key
	if o.To.IsZero() && o.Preset == Live && cfg.Total == 0 {
		cfg.Total = -1 // a live feed outlives its collector
	}
	client, err := send.New(cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	var refused int
	var first event.Refusal
	stream := send.NewStream(ctx, client, send.Batching{}, func(id string, r event.Refusal) {
		if refused++; refused == 1 {
			first = r
			first.ID = id
		}
	})
	var body []byte
	err = Pace(ctx, g, o.Clock, func(m *Message) error {
		body = m.Draft.AppendCloudEvent(body[:0])
		p.add(m.At)
		return stream.Add(body, m.Draft.ID)
	}, func() error {
		p.look()
		return stream.Flush()
	})
	if err == nil && o.Recommendations && ctx.Err() == nil {
		for _, d := range Recommendations(g.o.Center) {
			if err = stream.Add(d.AppendCloudEvent(body[:0]), d.ID); err != nil {
				break
			}
		}
	}
	totals, closeErr := stream.Close()
	p.sent(totals)
	if closeErr != nil {
		err = closeErr
	}
	if err := unlessStopped(ctx, err); err != nil {
		return fmt.Errorf("send to %s: %w", o.Server, err)
	}
	if refused > 0 {
		return fmt.Errorf("%s refused %d events, first %s: %s: %s", o.Server, refused, first.ID, first.Field, first.Reason)
	}
	return nil
}

// unlessStopped drops the error of a context that was ended from outside.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return nil
	}
	return err
}

// writeTotals writes a whole file or none.
func writeTotals(file string, t Totals) error {
	err := disk.Replace(disk.OS{}, file, 0o644, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(t)
	})
	if err != nil {
		return fmt.Errorf("write totals: %w", err)
	}
	return nil
}
