package collector

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/source/asterisk"
)

// asteriskDir is where the place in a followed queue_log is remembered.
const asteriskDir = "asterisk"

// openAsterisk prepares the follower of a telephone system's log, if the configuration names one. Its events go through
// d like any sender's.
func (a *App) openAsterisk(d *door) error {
	if a.cfg.File.Asterisk == nil {
		return nil
	}
	c := a.cfg.File.Asterisk.WithDefaults()
	if _, known := a.dir.Center(c.Center); c.Center != "" && !known {
		return fmt.Errorf("asterisk: center: %q is not in the directory; leave it out for the default centre %s", c.Center,
			a.dir.DefaultCenter())
	}
	log := a.cfg.Log.With("source", c.Source)
	deliver := func(ctx context.Context, events []event.Draft) error {
		n, err := a.takeIn(ctx, d, events)
		if n > 0 {
			log.Warn("events of the queue log were refused; they are in the quarantine", "refused", n)
		}
		return err
	}
	f, err := asterisk.NewFollower(asterisk.FollowerOptions{
		Config: c, Dir: filepath.Join(a.cfg.DataDir, asteriskDir), Now: a.cfg.Now, Log: log, Deliver: deliver,
		Beat: func(ctx context.Context, heartbeat event.Draft) error { return deliver(ctx, []event.Draft{heartbeat}) },
	})
	if err != nil {
		return fmt.Errorf("asterisk: %w", err)
	}
	a.follower = f
	a.cleanup("queue log", f.Close)
	log.Info("the queue log is followed", "queue_log", c.QueueLog)
	return nil
}

// followLog follows the telephone system's log until ctx ends.
func (a *App) followLog(ctx context.Context) error {
	if a.follower == nil {
		return nil
	}
	return a.follower.Run(ctx)
}

// takeIn lets events of this process through the door: judged, made pseudonymous and in the journal when it returns
// nil. The refused are kept in the quarantine and counted, as those of any sender are.
func (a *App) takeIn(ctx context.Context, d *door, drafts []event.Draft) (refused int, err error) {
	var body []byte
	for i := range drafts {
		body = append(drafts[i].AppendCloudEvent(body), '\n')
	}
	now := a.cfg.Now()
	decoded, err := d.Decode(httpapi.NDJSON, body, now)
	if err != nil {
		return 0, err
	}
	done, err := a.submit.Submit(ctx, decoded.Events)
	if err != nil {
		return 0, err
	}
	for i := range decoded.Refused {
		a.metrics.CountRejected(string(decoded.Refused[i].Reason))
	}
	if len(decoded.Refused) > 0 {
		if err := a.kept.refuse(d.decoder, decoded.Refused, now); err != nil {
			a.cfg.Log.Warn("refused events could not be kept", "error", err)
		}
	}
	return len(decoded.Refused) + len(done.Conflicts), nil
}

// checkAsterisk tells the first mistake of the section and makes its path absolute to the configuration file.
func (f *File) checkAsterisk() error {
	if f.Asterisk == nil {
		return nil
	}
	f.Asterisk.QueueLog = f.path(f.Asterisk.QueueLog)
	if err := f.Asterisk.Check(); err != nil {
		return errors.New("asterisk: " + err.Error())
	}
	return nil
}
