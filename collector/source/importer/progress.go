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

// How often a bar moves, and a line is written where no terminal shows one.
const (
	barEvery   = 200 * time.Millisecond
	plainEvery = 5 * time.Second
)

// showProgress shows where an import stands, as a bar on a terminal, as a line now and then elsewhere, until stop is
// called.
func showProgress(out io.Writer, terminal bool, at func() progress) (stop func()) {
	if out == nil {
		return func() {}
	}
	begun := time.Now()
	if !terminal {
		return every(plainEvery, func() { fmt.Fprintln(out, at().line(time.Since(begun), false)) })
	}
	bar := progressbar.NewOptions64(1000, progressbar.OptionSetWriter(out), progressbar.OptionFullWidth(),
		progressbar.OptionUseANSICodes(true), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish())
	still := every(barEvery, func() {
		p := at()
		bar.Describe(p.line(time.Since(begun), true))
		_ = bar.Set64(min(int64(1000*p.share()), 999)) // a bar that stands still is no reason to fail
	})
	return func() {
		still()
		_ = bar.Clear() // nor one that stays
	}
}

// every calls do at intervals until stop is called, which waits for a call that runs.
func every(interval time.Duration, do func()) (stop func()) {
	tick := time.NewTicker(interval)
	ended, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				do()
			}
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
	return every(tellEvery, func() {
		p := r.progress()
		r.o.Progress(p.rows, p.share())
	})
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
