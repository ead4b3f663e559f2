package importer

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress is where an import stands.
type Progress struct {
	File       string // being read; empty once all are read
	Rows       int
	Refused    int
	Answered   int   // events that the server has answered
	Events     int   // events to send, as far as they are known
	DryRun     bool  // nothing is sent: Answered counts events that were made
	Done, Size int64 // bytes of the files as they lie on the disk; Size 0 when it is not known
}

// plainEvery is how often a line is written where no terminal shows a bar.
const plainEvery = 5 * time.Second

// showProgress shows where the import stands until ctx ends: a bar on a terminal, a line now and then elsewhere.
func showProgress(ctx context.Context, out io.Writer, terminal bool, at func() Progress) {
	if out == nil {
		return
	}
	every := plainEvery
	var bar *progressbar.ProgressBar
	if terminal {
		every = 200 * time.Millisecond
		bar = progressbar.NewOptions64(1000,
			progressbar.OptionSetWriter(out),
			progressbar.OptionFullWidth(),
			progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionClearOnFinish())
	}
	start := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
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
}

// share of the work done, 0 to 1: reading and sending count alike.
func (p Progress) share() float64 {
	if p.Size <= 0 {
		return 0
	}
	read := min(float64(p.Done)/float64(p.Size), 1)
	if p.Events == 0 {
		return read / 2
	}
	return read * (1 + float64(p.Answered)/float64(p.Events)) / 2
}

// line is one line: rows, rate, refusals, time left; beside a bar, which shows the percentage, without it.
func (p Progress) line(elapsed time.Duration, bar bool) string {
	rate := 0.0
	if s := elapsed.Seconds(); s > 0 {
		rate = float64(p.Rows) / s
	}
	text := fmt.Sprintf("%s rows, %s/s, %s events", group(p.Rows), group(int(rate)), group(p.Answered))
	if !p.DryRun {
		text += " answered"
	}
	if p.Refused > 0 {
		text += fmt.Sprintf(", %s refused", group(p.Refused))
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
