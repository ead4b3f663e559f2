package collector

import (
	"fmt"
	"path/filepath"

	"github.com/monev112/monev112/collector/source/asterisk"
)

// asteriskDir is where the place in a followed queue_log is remembered.
const asteriskDir = "asterisk"

// openAsterisk prepares the follower of a telephone system's log, if the configuration names one.
func (a *App) openAsterisk() error {
	if a.cfg.File.Asterisk == nil {
		return nil
	}
	c := a.cfg.File.Asterisk.WithDefaults()
	if _, known := a.dir.Center(c.Center); c.Center != "" && !known {
		return fmt.Errorf("asterisk: center: %q is not in the directory; leave it out for the default centre %s", c.Center,
			a.dir.DefaultCenter())
	}
	log := a.log("asterisk").With("source", c.Source)
	f, err := asterisk.NewFollower(asterisk.FollowerOptions{
		Config: c, Dir: filepath.Join(a.cfg.DataDir, asteriskDir), Now: a.cfg.Now, Log: log, To: local{app: a},
	})
	if err != nil {
		return fmt.Errorf("asterisk: %w", err)
	}
	a.follower = f
	a.cleanup("queue log", f.Close)
	log.Info("the queue log is followed", "queue_log", c.QueueLog)
	return nil
}
