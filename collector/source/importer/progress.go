package importer

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress is where an import stands.
type progress struct {
	rows       int
	refused    int
	answered   int // events that the collector has answered; of a dry run that were made
	events     int // to send, as far as they are known
	dryRun     bool
	done, size int64 // bytes of the files as they lie on the disk; size 0 when it is not known
}

// plainEvery is how often a line is written where no terminal shows a bar.
const plainEvery = 5 * time.Second

// showProgress shows where an import stands, as a bar on a terminal, as a line now and then elsewhere, until stop is
// called.
func showProgress(out io.Writer, terminal bool, at func() progress) (stop func()) {
	if out == nil {
		return func() {}
	}
	every := plainEvery
	var bar *progressbar.ProgressBar
	if terminal {
		every = 200 * time.Millisecond
		bar = progressbar.NewOptions64(1000, progressbar.OptionSetWriter(out), progressbar.OptionFullWidth(),
			progressbar.OptionUseANSICodes(true), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish())
	}
	start := time.Now()
	tick := time.NewTicker(every)
	ended, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				if bar != nil {
					_ = bar.Clear() // a bar that stays is no reason to fail
				}
				return
			case <-tick.C:
			}
			p := at()
			if bar == nil {
				fmt.Fprintln(out, p.line(time.Since(start), false))
				continue
			}
			bar.Describe(p.line(time.Since(start), true))
			_ = bar.Set64(min(int64(1000*p.share()), 999))
		}
	}()
	return func() {
		close(ended)
		<-finished
	}
}

// tellEvery is how often Options.Progress is called.
const tellEvery = 300 * time.Millisecond

// tell calls Options.Progress now and then until stop is called.
func (r *run) tell() (stop func()) {
	if r.o.Progress == nil {
		return func() {}
	}
	tick := time.NewTicker(tellEvery)
	ended, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				p := r.progress()
				r.o.Progress(p.rows, p.share())
			}
		}
	}()
	return func() {
		close(ended)
		<-finished
	}
}

// share of the work done, 0 to 1: reading and sending count alike.
func (p progress) share() float64 {
	if p.size <= 0 {
		return 0
	}
	read := min(float64(p.done)/float64(p.size), 1)
	if p.events == 0 {
		return read / 2
	}
	return read * (1 + float64(p.answered)/float64(p.events)) / 2
}

// line is one line: rows, rate, refusals, time left; beside a bar, which shows the percentage, without it.
func (p progress) line(elapsed time.Duration, bar bool) string {
	rate := 0.0
	if s := elapsed.Seconds(); s > 0 {
		rate = float64(p.rows) / s
	}
	text := fmt.Sprintf("%s rows, %s/s, %s events", group(p.rows), group(int(rate)), group(p.answered))
	if !p.dryRun {
		text += " answered"
	}
	if p.refused > 0 {
		text += fmt.Sprintf(", %s refused", group(p.refused))
	}
	if share := p.share(); share > 0.01 && share < 1 {
		left := time.Duration(float64(elapsed) * (1 - share) / share)
		if !bar {
			text += fmt.Sprintf(", %.0f %%", 100*share)
		}
		text += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	return text
}

// group writes a whole number with a comma between thousands.
func group(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
