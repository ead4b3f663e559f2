package collector

import (
	"fmt"

	"github.com/monev112/monev112/collector/alerting/pager"
)

// checkPager tells the first mistake of the section and makes its paths relative to the configuration file.
func (f *File) checkPager() error {
	if !f.Pager.Set() {
		return nil
	}
	f.Pager.Resolve(f.path)
	if err := f.Pager.Check(); err != nil {
		return fmt.Errorf("pager.%w", err)
	}
	return nil
}

// openPager prepares the pager, if an Alertmanager is configured. Without one its metrics are absent, which is how the
// rules know.
func (a *App) openPager() (err error) {
	if !a.cfg.File.Pager.Set() {
		return nil
	}
	opt := pager.Options{
		Config: a.cfg.File.Pager, Dir: a.cfg.DataDir, Board: a.board, Directory: a.dir,
		Pushed: a.metrics.Pager.Pushed, Failed: a.metrics.Pager.Failed, Now: a.cfg.Now, Log: a.cfg.Log,
		Tracer: a.tracing.Tracer("monev112/pager"),
	}
	if a.pageLinks != nil {
		opt.Links = a.pageLinks
	}
	a.pager, err = pager.New(opt)
	return err
}
