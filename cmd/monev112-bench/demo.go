package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// demoReady stands in what the demo says once the picture is complete: the history is in ClickHouse with its published
// funnel, and live traffic is on the board.
const demoReady = "Ctrl-C stops the demo"

// demo measures how long a user who starts the demo on a fresh folder waits for the complete picture.
func (b *bench) demo(ctx context.Context) (err error) {
	p := &process{dir: filepath.Join(b.dir, "demo")}
	args, err := p.args("demo")
	if err != nil {
		return err
	}
	cmd := exec.Command(b.program, args...)
	said := &awaited{text: demoReady, seen: make(chan struct{})}
	cmd.Stdout = said
	began := time.Now()
	if err := p.start(cmd); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.until(ctx, "the demo shows a complete picture", 10*time.Millisecond, func() bool {
		select {
		case <-said.seen:
			return true
		default:
			return false
		}
	}); err != nil {
		return err
	}
	took := time.Since(began)
	self, child := p.used()
	b.table.add(figure{"demo, to a complete picture", took.Seconds(), "s", false}, 20, "",
		fmt.Sprintf("program built and engine installed; %.1f s of processor time of the demo, %.1f s of its engine",
			self.cpu.Seconds(), child.cpu.Seconds()))
	return nil
}

// awaited is a Writer that closes seen once text was written.
type awaited struct {
	text string
	seen chan struct{}
	all  []byte
	done bool
}

func (a *awaited) Write(p []byte) (int, error) {
	if !a.done {
		a.all = append(a.all, p...)
		if a.done = bytes.Contains(a.all, []byte(a.text)); a.done {
			close(a.seen)
		}
	}
	return len(p), nil
}
