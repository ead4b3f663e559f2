package simulate

import (
	"fmt"
	"io"
	"time"

	"github.com/monev112/monev112/collector/source/send"
)

// How often progress is told: often on a terminal, where it writes over itself, seldom elsewhere.
const (
	terminalEvery = 200 * time.Millisecond
	linesEvery    = 10 * time.Second
	lookEvery     = 256 // messages between two looks at the clock
)

// progress tells how far a simulation has come.
type progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time
	from, to time.Time
	began    time.Time
	told     time.Time
	n        int64
	at       time.Time
	answered *send.Totals
}

func (p *progress) add(at time.Time) {
	p.n++
	p.at = at
	if p.n%lookEvery == 0 {
		p.look()
	}
}

// look tells how far it is when the last time lies back long enough.
func (p *progress) look() {
	if p.w == nil {
		return
	}
	every := linesEvery
	if p.terminal {
		every = terminalEvery
	}
	if now := p.now(); now.Sub(p.told) >= every {
		p.told = now
		p.tell(now)
	}
}

// sent adds what the server answered to the last line.
func (p *progress) sent(t send.Totals) { p.answered = &t }

func (p *progress) end() {
	if p.w == nil {
		return
	}
	p.tell(p.now())
	if p.terminal {
		p.print("\n")
	}
}

func (p *progress) tell(now time.Time) {
	took := now.Sub(p.began)
	line := fmt.Sprintf("%d events", p.n)
	if seconds := took.Seconds(); seconds >= 1 {
		line += fmt.Sprintf(", %.0f/s", float64(p.n)/seconds)
	}
	if !p.at.IsZero() {
		line += ", up to " + p.at.In(wib()).Format("2006-01-02 15:04:05 WIB")
	}
	switch end := p.until(now); {
	case p.answered != nil:
		line += fmt.Sprintf("; accepted %d, known before %d, refused %d", p.answered.Accepted, p.answered.Duplicates,
			p.answered.Refused)
	case p.at.IsZero() || !p.at.Before(end):
	default:
		if done := float64(p.at.Sub(p.from)) / float64(end.Sub(p.from)); done > 0.01 {
			left := time.Duration(float64(took) * (1 - done) / done)
			line += fmt.Sprintf(" (%.0f %%, %s left)", 100*done, left.Round(time.Second))
		}
	}
	if p.terminal {
		p.print("\r\x1b[K" + line)
		return
	}
	p.print(line + "\n")
}

// until is where the part that is sent at once ends.
func (p *progress) until(now time.Time) time.Time {
	if p.to.IsZero() || p.to.After(now) {
		return now
	}
	return p.to
}

// print drops the error of a progress line: a simulation does not end because nobody can watch.
func (p *progress) print(s string) { _, _ = io.WriteString(p.w, s) }
