package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// nightSizes are those of a comparison that may take a quarter of an hour.
var nightSizes = sizes{events: 300_000, singles: 15 * time.Second, singleRate: 1000, openTickets: 20_000}

// loss is by which share b is worse than a; negative when it is better. What was measured and is now nothing is lost
// whole, also where less is better: nothing takes no time.
func loss(a, b figure) float64 {
	switch {
	case a.value <= 0:
		return 0
	case b.value <= 0:
		return 1
	case a.more:
		return 1 - b.value/a.value
	default:
		return b.value/a.value - 1
	}
}

// pair is what both programs reached one after the other.
type pair struct{ old, now []figure }

// comparison is one measure over all pairs.
type comparison struct {
	measure, unit string
	old, now      []float64 // of each pair
	loss          float64   // the median of the pairs' losses
}

// compare takes the median of the losses of neighbours: what slows the machine down for minutes slows both of a pair.
func compare(pairs []pair) []comparison {
	var out []comparison
	for i, f := range pairs[0].old {
		c := comparison{measure: f.measure, unit: f.unit}
		var losses []float64
		for _, p := range pairs {
			c.old, c.now = append(c.old, p.old[i].value), append(c.now, p.now[i].value)
			losses = append(losses, loss(p.old[i], p.now[i]))
		}
		c.loss = median(losses)
		out = append(out, c)
	}
	return out
}

// median sorts values and returns the middle one, of an even number the mean of the two.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// runAgainst compares this tree with an older commit: both programs are built, and measured by this very program in
// turn, old new new old and so on. The error says what was lost.
func runAgainst(ctx context.Context, args []string) (err error) {
	b := &bench{sizes: nightSizes, clients: 8, batch: 500}
	fs := flag.NewFlagSet("monev112-bench against", flag.ContinueOnError)
	rev := fs.String("rev", "", "commit to compare with")
	pairs := fs.Int("pairs", 4, "how often each of the two is measured")
	allowed := fs.Float64("loss", 10, "per cent by which a measure may be worse")
	quick := fs.Bool("quick", false, "small sizes: whether everything works, not how fast it is")
	fs.StringVar(&b.dir, "dir", "",
		"folder for the data (default: a temporary one); the disk on which it lies is the one measured")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *rev == "" || *pairs < 1 || *pairs > 100 || *allowed <= 0 || fs.NArg() > 0 {
		return errors.New("against: give -rev COMMIT, -pairs from 1 to 100 and a -loss above 0")
	}
	if *quick {
		b.sizes = quickSizes
	}
	if b.dir, err = os.MkdirTemp(b.dir, "monev112-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	commit, old, err := buildRevision(ctx, b.dir, *rev)
	if err != nil {
		return err
	}
	now, err := build(ctx, b.dir)
	if err != nil {
		return err
	}
	var all []pair
	for i := range *pairs {
		var p pair
		turns := []struct {
			program string
			into    *[]figure
		}{{old, &p.old}, {now, &p.now}}
		if i%2 == 1 {
			slices.Reverse(turns)
		}
		for _, t := range turns {
			fmt.Fprintf(os.Stderr, "pair %d of %d, %s, load average %s ...\n", i+1, *pairs, filepath.Base(t.program),
				loadAverage())
			b.program = t.program
			if *t.into, err = b.figures(ctx); err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(t.program), err)
			}
		}
		all = append(all, p)
	}
	compared := compare(all)
	fmt.Printf("this tree beside %s (%s), %d pairs, %s events\n\n", *rev, commit, *pairs, thousands(int64(b.events)))
	return report(os.Stdout, compared, *allowed/100)
}

// report prints the comparison; its error names what lost more than is allowed.
func report(w io.Writer, all []comparison, allowed float64) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "measure\tbefore\tnow\tloss\t\n-\t-\t-\t-\t-")
	var lost []string
	for _, c := range all {
		mark := ""
		if c.loss > allowed {
			mark = "LOST"
			lost = append(lost, fmt.Sprintf("%s: %.0f %%", c.measure, 100*c.loss))
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%+.1f %%\t%s\n", c.measure, spread(c.old, c.unit), spread(c.now, c.unit), 100*c.loss,
			mark)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if len(lost) > 0 {
		return fmt.Errorf("lost more than %.0f %%: %s", 100*allowed, strings.Join(lost, "; "))
	}
	return nil
}

// spread is the middle of some values, with the least and the greatest.
func spread(values []float64, unit string) string {
	s := slices.Clone(values)
	middle := median(s)
	write := func(v float64) string {
		if v >= 1000 {
			return thousands(int64(v))
		}
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%s (%s to %s) %s", write(middle), write(s[0]), write(s[len(s)-1]), unit)
}

// buildRevision builds the program as a commit has it, below dir, and brings the engine that it needs.
func buildRevision(ctx context.Context, dir, rev string) (commit, program string, err error) {
	run := func(in io.Reader, at, name string, args ...string) ([]byte, error) {
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = at, in, &out, &errs
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), args[0], err, errs.Bytes())
		}
		return out.Bytes(), nil
	}
	out, err := run(nil, "", "git", "rev-parse", "--verify", "--short", rev+"^{commit}")
	if err != nil {
		return "", "", fmt.Errorf("-rev %s is no commit of this repository: %w", rev, err)
	}
	commit = strings.TrimSpace(string(out))
	top, err := run(nil, "", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return "", "", err
	}
	archive, err := run(nil, strings.TrimSpace(string(top)), "git", "archive", commit)
	if err != nil {
		return "", "", err
	}
	source := filepath.Join(dir, "source")
	if err := os.MkdirAll(source, 0o700); err != nil {
		return "", "", err
	}
	if _, err := run(bytes.NewReader(archive), source, "tar", "-xf", "-"); err != nil {
		return "", "", err
	}
	program = filepath.Join(dir, "monev112-"+commit)
	if _, err := run(nil, source, "go", "build", "-trimpath", "-o", program, "./cmd/monev112"); err != nil {
		return "", "", err
	}
	if _, err := run(nil, dir, program, "engine", "install"); err != nil {
		return "", "", err
	}
	return commit, program, os.RemoveAll(source)
}

// figures measures the program once, on data folders of its own.
func (b *bench) figures(ctx context.Context) (out []figure, err error) {
	one := *b
	if one.dir, err = os.MkdirTemp(b.dir, "run-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(one.dir)) }()
	bodies, err := encode(one.events, one.batch, 1)
	if err != nil {
		return nil, err
	}
	in, err := one.take(ctx, bodies)
	if err != nil {
		return nil, err
	}
	singles, err := one.singleTimes(ctx)
	if err != nil {
		return nil, err
	}
	opds, categories, err := names()
	if err != nil {
		return nil, err
	}
	scrapes, _, err := one.scrapeWith(ctx, "scrape", openTicketBodies(one.openTickets, one.batch, opds, categories))
	if err != nil {
		return nil, err
	}
	million := 1e6 / float64(in.events)
	return []figure{
		{"events accepted", perSecond(in.events, in.accepted), "/s", true},
		{"events stored, cases upserted", perSecond(in.events, in.stored), "/s", true},
		{"processor time of a million events, service", in.self.cpu.Seconds() * million, "s", false},
		{"processor time of a million events, engine", in.child.cpu.Seconds() * million, "s", false},
		{"memory after it, service", inMiB(in.self.rssBytes), "MiB", false},
		{"single event acknowledged, p50", inMS(quantile(singles.took, 0.5)), "ms", false},
		{"single event acknowledged, p99", inMS(quantile(singles.took, 0.99)), "ms", false},
		{"scrape of /metrics, p50", inMS(quantile(scrapes, 0.5)), "ms", false},
	}, nil
}
