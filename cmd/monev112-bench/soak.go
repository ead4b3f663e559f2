package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/monev112/monev112/collector/engine/install"
	"github.com/monev112/monev112/collector/source/simulate"
)

// soak is a long run at an even rate, with scrapes, reads and queries beside it, that asks one question: does anything
// grow that should not?
type soak struct {
	bench
	duration, warmUp time.Duration
	rate             int // events a second
	sent             atomic.Int64
	late             atomic.Int64 // batches that waited for every client: the service did not keep up
	failed           atomic.Int64 // reads and queries
	began            time.Time
	samples          []sample
}

// sample is what was seen at one instant.
type sample struct {
	at                            time.Duration
	serve, engine                 float64 // resident memory, MiB
	goroutines, files, engineOpen float64
	lagSeconds                    float64
	perEvent                      float64 // bytes of journal and tables
	sent                          int64
}

const (
	soakBatch       = 100
	soakClients     = 16
	soakSampleEvery = 10 * time.Second
	// The board keeps half of so many cases beside open tickets, so that it is full within the warm-up.
	soakConfig = "limits:\n  max_cases: 40000\n"
)

// runSoak runs a soak as args say, prints its table by the minute, and returns an error when something grows.
func runSoak(ctx context.Context, args []string) (err error) {
	s := &soak{}
	flags := flag.NewFlagSet("monev112-bench soak", flag.ContinueOnError)
	flags.DurationVar(&s.duration, "duration", 30*time.Minute, "how long events are sent")
	flags.DurationVar(&s.warmUp, "warm-up", 0,
		"what is left out of the verdict (default: 60 % of the duration: the list of recent ids fills up)")
	flags.IntVar(&s.rate, "rate", 2000, "events a second")
	flags.StringVar(&s.dir, "dir", "", "folder for the data (default: a temporary one)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s.warmUp = cmp.Or(s.warmUp, s.duration*6/10)
	if s.rate < soakBatch || s.duration < 10*soakSampleEvery || s.warmUp >= s.duration {
		return fmt.Errorf("soak: -rate from %d, -duration from %s, -warm-up below it", soakBatch, 10*soakSampleEvery)
	}
	if _, err := install.Find(); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp(s.dir, "monev112-soak-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	if s.program, err = build(ctx, s.dir); err != nil {
		return err
	}
	config := filepath.Join(s.dir, "monev112.yaml")
	if err := os.WriteFile(config, []byte(soakConfig), 0o600); err != nil {
		return err
	}
	p, err := s.serveNew(ctx, "data", "", "--config", config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	return s.run(ctx, p)
}

func (s *soak) run(ctx context.Context, p *process) error {
	s.began = time.Now()
	sending, stop := context.WithDeadline(ctx, s.began.Add(s.duration))
	defer stop()
	var all sync.WaitGroup
	sendErr := error(nil)
	all.Go(func() {
		if sendErr = s.send(sending, p); sendErr != nil {
			stop()
		}
	})
	every := func(d time.Duration, do func()) {
		all.Go(func() {
			tick := time.NewTicker(d)
			defer tick.Stop()
			for {
				select {
				case <-sending.Done():
					return
				case <-tick.C:
					do()
				}
			}
		})
	}
	every(15*time.Second, func() { s.get(p, "/metrics") })
	every(time.Second, func() { s.get(p, "/v1/board") })
	every(2*time.Second, func() { s.get(p, "/v1/tickets?limit=100") })
	queries := []string{
		"SELECT count() FROM monev112.events",
		"SELECT state, count() FROM monev112.tickets_now GROUP BY state",
		"SELECT hour, sum(received), sum(answered) FROM monev112.calls_hourly_now GROUP BY hour ORDER BY hour",
	}
	n := 0
	every(5*time.Second, func() {
		n++
		if _, err := p.query(queries[n%len(queries)]); err != nil {
			s.failed.Add(1)
		}
	})
	every(soakSampleEvery, func() { s.sample(p) })
	all.Wait()
	s.print()
	if err := errors.Join(ctx.Err(), sendErr); err != nil {
		return err
	}
	if _, err := p.shipped(ctx); err != nil {
		return err
	}
	stored, err := p.query("SELECT count(), uniqExact(source, id) FROM monev112.events")
	if err != nil {
		return err
	}
	fmt.Printf("acknowledged %d, rows and different events in ClickHouse: %s; %d batches late, %d reads failed\n",
		s.sent.Load(), strings.ReplaceAll(stored, "\t", ", "), s.late.Load(), s.failed.Load())
	return s.verdict(stored)
}

// send offers events at the rate, as several clients would.
func (s *soak) send(ctx context.Context, p *process) error {
	// Simulated time goes by as real time does, hours before it: the last ticket of each batch is closed by now.
	events, err := simulated(simulate.Options{Seed: 1, From: since(0), Rate: float64(s.rate) / 6 / 1000})
	if err != nil {
		return err
	}
	every := time.Second * soakBatch / time.Duration(s.rate)
	_, err = offer(ctx, batches(events, soakBatch), load{clients: soakClients, every: every, queue: soakClients},
		func(ctx context.Context, client *http.Client, b body, due time.Time) error {
			if time.Since(due) > soakClients*every {
				s.late.Add(1)
			}
			// What is under way at the end is waited for: what is not acknowledged could not be counted.
			_, err := p.deliver(context.WithoutCancel(ctx), client, b)
			if err == nil {
				s.sent.Add(soakBatch)
			}
			return err
		})
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return nil // the end of the run
	}
	return err
}

func (s *soak) get(p *process, path string) {
	r, err := http.Get("http://" + p.addr + path)
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	if err != nil || r.StatusCode != http.StatusOK {
		s.failed.Add(1)
	}
}

func (s *soak) sample(p *process) {
	self, child := p.used()
	tables := int64(0)
	_ = filepath.WalkDir(p.dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil { // a merge may have removed it
				tables += info.Size()
			}
		}
		return nil
	})
	engineOpen := 0
	for _, pid := range childrenOf(p.cmd.Process.Pid) {
		open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		engineOpen += len(open)
	}
	sent := s.sent.Load()
	s.samples = append(s.samples, sample{
		at: time.Since(s.began), serve: float64(self.rssBytes) / (1 << 20), engine: float64(child.rssBytes) / (1 << 20),
		goroutines: p.metric("go_goroutines"), files: p.metric("process_open_fds"), engineOpen: float64(engineOpen),
		lagSeconds: p.metric("monev112_journal_lag_seconds"), perEvent: float64(tables) / float64(max(1, sent)), sent: sent,
	})
}

func (s *soak) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "minute\tevents\tserve MiB\tengine MiB\tgoroutines\tfiles\tengine files\tlag s\tbytes an event\t")
	minute := time.Duration(0)
	for _, x := range s.samples {
		if x.at < minute {
			continue
		}
		minute = x.at.Truncate(time.Minute) + time.Minute
		fmt.Fprintf(w, "%d\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f\t%.0f\t\n", int(x.at.Minutes()), x.sent, x.serve, x.engine,
			x.goroutines, x.files, x.engineOpen, x.lagSeconds, x.perEvent)
	}
	_ = w.Flush()
}

// flat are the figures that must not grow once warm: by no more than a share of their mean, or so much, over the time
// that is judged, along the line of least squares.
var flat = []struct {
	name        string
	of          func(sample) float64
	share, most float64
}{
	{"memory of serve, MiB", func(x sample) float64 { return x.serve }, 0.10, 24},
	{"memory of the engine, MiB", func(x sample) float64 { return x.engine }, 0.15, 64},
	{"goroutines", func(x sample) float64 { return x.goroutines }, 0, 10},
	{"open files", func(x sample) float64 { return x.files }, 0, 10},
	{"open files of the engine", func(x sample) float64 { return x.engineOpen }, 0.20, 20},
	{"lag of the journal, s", func(x sample) float64 { return x.lagSeconds }, 0, 5},
	{"bytes an event on disk", func(x sample) float64 { return x.perEvent }, 0.05, 10},
}

// verdict says of each figure how it grew, and fails when one grew too much or an event is missing or doubled.
func (s *soak) verdict(stored string) error {
	var errs []error
	if want := fmt.Sprintf("%d\t%d", s.sent.Load(), s.sent.Load()); stored != want {
		errs = append(errs, fmt.Errorf("acknowledged and stored differ: %q, want %q", stored, want))
	}
	var judged []sample
	for _, x := range s.samples {
		if x.at >= s.warmUp {
			judged = append(judged, x)
		}
	}
	if len(judged) < 3 {
		return errors.Join(append(errs, errors.New("too few samples to judge"))...)
	}
	span := judged[len(judged)-1].at - judged[0].at
	fmt.Printf("growth over the last %s, after a warm-up of %s:\n", span.Round(time.Second), s.warmUp)
	for _, f := range flat {
		slope, mean := line(judged, f.of)
		grown, allowed := slope*span.Minutes(), max(f.share*mean, f.most)
		word := "flat"
		if grown > allowed {
			word = "GROWS"
			errs = append(errs, fmt.Errorf("%s grew by %.1f from about %.1f, more than %.1f", f.name, grown, mean, allowed))
		}
		fmt.Printf("  %-26s %+8.1f  mean %8.1f  allowed %6.1f  %s\n", f.name, grown, mean, allowed, word)
	}
	return errors.Join(errs...)
}

// line fits a line by least squares and returns its slope a minute and the mean.
func line(samples []sample, of func(sample) float64) (slope, mean float64) {
	var x, y, xx, xy float64
	for _, s := range samples {
		m, v := s.at.Minutes(), of(s)
		x, y, xx, xy = x+m, y+v, xx+m*m, xy+m*v
	}
	n := float64(len(samples))
	if d := n*xx - x*x; math.Abs(d) > 1e-12 {
		slope = (n*xy - x*y) / d
	}
	return slope, y / n
}
