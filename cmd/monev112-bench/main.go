// Command monev112-bench measures the goals of the service on the machine at hand and prints one table: what was
// reached, the goal, and the limit of this machine measured beside it in the same run. It starts the real program on
// data folders of its own, on free ports of loopback, and removes everything at its end. docs/performance.md explains
// the figures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/monev112/monev112/collector/engine/install"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "monev112-bench:", err)
		os.Exit(1)
	}
}

// run is main without the process around it. The first argument may name a part that runs in a process of its own.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "serve":
			return serveProfiled(ctx, args[1:])
		case "engine":
			return runEngine(ctx, args[1:])
		case "soak":
			return runSoak(ctx, args[1:])
		case "rage":
			return runRage(ctx, args[1:])
		case "wall":
			return runWall(ctx, args[1:])
		case "against":
			return runAgainst(ctx, args[1:])
		}
	}
	b, err := parse(args)
	if err != nil {
		return err
	}
	return b.run(ctx)
}

// sizes say how much is measured.
type sizes struct {
	events      int           // of the main measurement and of its limit
	singles     time.Duration // how long single events are offered
	singleRate  int           // a second
	openTickets int
	replay      int // events after the checkpoint
	importRows  int
	visibleFor  time.Duration // how long events come whose way to the eye is timed
	settles     time.Duration // how long a service is left alone before its memory counts
	held        int           // events after which its memory counts, those of open tickets included
	heldOpen    int           // tickets of them that stay open
	calls       int           // of the year over which the dashboards' statements run and reports are made
	centers     int           // of which the report of a month is made
}

var (
	fullSizes = sizes{
		events: 600_000, singles: 15 * time.Second, singleRate: 1000, openTickets: 100_000, replay: 1_000_000,
		importRows: 60_000, visibleFor: 30 * time.Second, settles: 30 * time.Second, held: 1_000_000, heldOpen: 20_000,
		calls: 15_000_000, centers: countryCenters,
	}
	quickSizes = sizes{
		events: 60_000, singles: 3 * time.Second, singleRate: 1000, openTickets: 10_000, replay: 50_000, importRows: 5_000,
		visibleFor: 5 * time.Second, settles: 3 * time.Second, held: 50_000, heldOpen: 1_000, calls: 120_000, centers: 10,
	}
)

// maxEvents bounds -events: every body is kept encoded in memory.
const maxEvents = 5_000_000

const maxRuns = 100

// Bounds of -calls: fewer leave days without any, more do not fit the disk of a usual machine (200 bytes a call).
const minCalls, maxCalls = 12_000, 100_000_000

// bench is one run.
type bench struct {
	sizes
	quick     bool
	only      []string
	runs      int
	wallboard walls
	clients   int
	batch     int
	collector string  // path of an OpenTelemetry Collector
	profile   string  // where the CPU profile of the service goes
	country   string  // an engine's folder that holds a year of calls or gets one, and is kept
	top       string  // everything of this run, unless the user named another folder
	dir       string  // of the part at hand
	program   string  // path of the binary
	stored    float64 // events a second that the part ingest stored in this round; 0: it was not run
	table     table
}

func parse(args []string) (*bench, error) {
	b := &bench{sizes: fullSizes, wallboard: fullWall, runs: 1, clients: 8, batch: 500}
	fs := flag.NewFlagSet("monev112-bench", flag.ContinueOnError)
	fs.BoolVar(&b.quick, "quick", false, "small sizes: whether everything works, not how fast it is")
	only := fs.String("only", "", "comma-separated parts: "+strings.Join(partNames(), ", ")+
		" (default: all but queries and report, which need 5 GB of disk and half an hour: make bench-country)")
	fs.IntVar(&b.runs, "runs", b.runs, "how often each part is measured; the table has the worst")
	events := fs.Int("events", 0, "events of the main measurement (default 600000)")
	calls := fs.Int("calls", 0, "calls of the year over which the parts queries and report run (default 15000000)")
	fs.StringVar(&b.country, "country", "",
		"folder that keeps the year of calls between runs of the parts queries and report (default: made anew and removed)")
	fs.IntVar(&b.clients, "clients", b.clients, "concurrent clients of the main measurement")
	fs.IntVar(&b.batch, "batch", b.batch, "events in one request of the main measurement")
	fs.StringVar(&b.collector, "otelcol", filepath.Join(".tools", "bin", "otelcol"),
		"an OpenTelemetry Collector to compare with, as make otelcol builds it")
	fs.StringVar(&b.profile, "cpuprofile", "",
		"write a CPU profile of the service during the main measurement to this file")
	fs.StringVar(&b.dir, "dir", "",
		"folder for the data (default: a temporary one); the disk on which it lies is the one measured")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if b.quick {
		b.sizes, b.wallboard = quickSizes, quickWall
	}
	if *events != 0 {
		b.events = *events
	}
	if *calls != 0 {
		b.calls = *calls
	}
	if b.calls < minCalls || b.calls > maxCalls {
		return nil, fmt.Errorf("sizes: -calls from %d to %d", minCalls, maxCalls)
	}
	if b.events < b.batch || b.events > maxEvents || b.clients < 1 || b.clients > 256 || b.batch < 1 || b.batch > 10_000 {
		return nil, fmt.Errorf("sizes: -events from one batch to %d, -clients from 1 to 256, -batch from 1 to 10000",
			maxEvents)
	}
	if b.runs < 1 || b.runs > maxRuns {
		return nil, fmt.Errorf("-runs from 1 to %d", maxRuns)
	}
	if *only != "" {
		b.only = strings.Split(*only, ",")
		for _, name := range b.only {
			if !slices.Contains(partNames(), name) {
				return nil, fmt.Errorf("no part %q; there are %s", name, strings.Join(partNames(), ", "))
			}
		}
	}
	return b, nil
}

// part is one measurement; it adds rows to the table.
type part struct {
	name string
	do   func(*bench, context.Context) error
}

func parts() []part {
	return append([]part{
		{"ingest", (*bench).ingest}, {"otelcol", (*bench).otelcol}, {"single", (*bench).single},
		{"visible", (*bench).visible}, {"scrape", (*bench).scrape}, {"restart", (*bench).restart},
		{"resident", (*bench).resident}, {"memory", (*bench).memory}, {"pager", (*bench).pager}, {"demo", (*bench).demo},
		{"import", (*bench).importTable}, {"storm", (*bench).storm}, {"wall", (*bench).wall},
	}, countryParts()...)
}

// countryParts need a country's year, and are measured only where they are named.
func countryParts() []part {
	return []part{{"queries", (*bench).queries}, {"report", (*bench).report}}
}

func partNames() []string {
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// chosen are the parts of -only, or those that need no country.
func (b *bench) chosen() []part {
	all := parts()
	if len(b.only) == 0 {
		return all[:len(all)-len(countryParts())]
	}
	return slices.DeleteFunc(all, func(p part) bool { return !slices.Contains(b.only, p.name) })
}

func (b *bench) run(ctx context.Context) (err error) {
	if _, err := install.Find(); err != nil {
		return err
	}
	if b.top, err = os.MkdirTemp(b.dir, "monev112-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.top)) }()
	if b.program, err = build(ctx, b.top); err != nil {
		return err
	}
	b.table.header(b)
	defer func() { b.table.print(os.Stdout) }() // what was measured until an error, too
	for round := range b.runs {
		b.stored = 0
		for _, p := range b.chosen() {
			began := time.Now()
			fmt.Fprintf(os.Stderr, "%s, run %d of %d ...\n", p.name, round+1, b.runs)
			if err := b.measure(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			fmt.Fprintf(os.Stderr, "%s took %s, load average %s\n", p.name, time.Since(began).Round(100*time.Millisecond),
				loadAverage())
		}
	}
	return nil
}

// measure does a part once, in a folder of its own that is removed after it.
func (b *bench) measure(ctx context.Context, p part) (err error) {
	if b.dir, err = os.MkdirTemp(b.top, p.name+"-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	return p.do(b, ctx)
}

// folder makes a folder of the part's own.
func (b *bench) folder(name string) (string, error) {
	dir := filepath.Join(b.dir, name)
	return dir, os.MkdirAll(dir, 0o700)
}
