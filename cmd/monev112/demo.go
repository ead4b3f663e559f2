package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/monev112/monev112/collector"
	"github.com/monev112/monev112/collector/engine/install"
	"github.com/monev112/monev112/collector/source/simulate"
)

func demoCommand() *cobra.Command {
	var f serveFlags
	var rate float64
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a simulated call centre: ten months of history, then live traffic",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := install.Fetch(cmd.Context(),
				install.Options{Progress: func(step string) { fmt.Fprintln(os.Stderr, step) }}); err != nil {
				return err
			}
			cfg, err := f.collectorConfig()
			if err != nil {
				return err
			}
			return demo(cmd.Context(), cfg, rate, cmd.OutOrStdout())
		},
	}
	f.add(cmd)
	_ = cmd.Flags().Set("data", "data/demo")
	_ = cmd.Flags().Set("log-level", "warn")
	cmd.Flags().Float64Var(&rate, "rate", 40, "how many times busier than the real Sidoarjo the live traffic is")
	return cmd
}

// demo serves, sends ten months of history, then live traffic until ctx ends. It says where to look once there is
// something to see: everything has arrived in ClickHouse, the board is complete, and the funnel is the published one.
func demo(ctx context.Context, cfg collector.Config, rate float64, out io.Writer) error {
	started := make(chan *collector.App, 1)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serve(ctx, cfg, func(a *collector.App) { started <- a }) })
	g.Go(func() error {
		var app *collector.App
		select {
		case app = <-started:
		case <-ctx.Done():
			return nil
		}
		w := &demoWait{server: "http://" + app.Addr().String(), engine: app.EngineAddr, progress: os.Stderr,
			terminal: onTerminal(os.Stderr)}
		fmt.Fprintf(out, "Open %s/ in a browser. First ten months of history (40,318 calls, 2023), then live traffic.\n\n",
			w.server)
		o := simulate.RunOptions{
			Preset: simulate.Sidoarjo2023, Server: w.server, Progress: w.progress, Terminal: w.terminal,
			Totals: filepath.Join(cfg.DataDir, "history.json"), Recommendations: true,
		}
		if err := simulate.Run(ctx, o); err != nil || ctx.Err() != nil {
			return err
		}
		var history simulate.Totals
		if text, err := os.ReadFile(o.Totals); err != nil {
			return err
		} else if err := json.Unmarshal(text, &history); err != nil {
			return fmt.Errorf("totals of the history: %w", err)
		}
		g.Go(func() error {
			return simulate.Run(ctx, simulate.RunOptions{
				Preset: simulate.Live, Server: w.server, Options: simulate.Options{Rate: rate},
			})
		})
		w.until(ctx, func(ctx context.Context) string { return w.historyStored(ctx, history.Messages.Events) })
		w.until(ctx, w.liveVisible)
		if ctx.Err() == nil {
			fmt.Fprintf(out, demoText, w.server, w.engine())
		}
		return nil
	})
	return g.Wait()
}

// demoText names the commands of the README's "Try it", in their order.
const demoText = `
The pages are at %[1]s/ (the wallboard at %[1]s/papan, the report of a month with troubles that the simulation planted
at %[1]s/monev/2023-10), the embedded ClickHouse on http://%[2]s.
While live traffic runs, try:

  curl -s %[1]s/metrics | grep ^monev112_window_calls
  curl -s '%[1]s/v1/tickets?overdue=true&limit=3'
  curl -s http://%[2]s/ --data-binary "
    SELECT stage, numerator, denominator
    FROM monev112.monev_funnel(since = '2023-01-01', until = '2023-11-01', step = 'all')
    WHERE center = '35.15' FORMAT PrettyCompact"

Ctrl-C stops the demo; the next start continues where this one ended.
`

// demoWait waits for what the demo promises, and tells what it waits for.
type demoWait struct {
	server   string        // base URL of the service
	engine   func() string // address of the embedded ClickHouse, empty before it answers
	progress io.Writer
	terminal bool
}

// How often a wait looks at most, which share of the time looking may take, since what is waited for needs the
// processors, and how often it tells where nothing can be written over.
const (
	demoLookEvery = 200 * time.Millisecond
	demoLookShare = 10 // one part in so many
	demoTellEvery = 10 * time.Second
)

// until looks until missing says that nothing is, or ctx ends.
func (w *demoWait) until(ctx context.Context, missing func(context.Context) string) {
	var told time.Time
	for {
		began := time.Now()
		what := missing(ctx)
		if ctx.Err() != nil {
			return
		}
		if w.terminal {
			fmt.Fprintf(w.progress, "\r%-100s\r", what)
		} else if what != "" && time.Since(told) >= demoTellEvery {
			told = time.Now()
			fmt.Fprintln(w.progress, what)
		}
		if what == "" {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(demoLookEvery, demoLookShare*time.Since(began))):
		}
	}
}

// The published funnel of January to October 2023: calls received, and those of its stages that are not empty.
const publishedFunnel = "40318\thoax\t32543\n40318\town\t1597\n40318\tvertical\t6178\n"

// historyStored says what of the history is not in ClickHouse yet. It first asks what takes no time, since it is asked
// while ClickHouse is busy.
func (w *demoWait) historyStored(ctx context.Context, events int64) string {
	stored, err := w.count(ctx, "SELECT count() FROM monev112.events")
	switch {
	case err != nil:
		return "waiting for ClickHouse"
	case stored < events: // with those of anything else
		return fmt.Sprintf("waiting for ClickHouse: %d of %d events are stored", stored, events)
	}
	counting := fmt.Sprintf("waiting for the funnel of %d events: its calls are being counted", events)
	hours, err := w.count(ctx, "SELECT count() FROM monev112.hours_pending FINAL WHERE NOT done AND hour < '2024-01-01'")
	if err != nil || hours > 0 {
		return counting
	}
	funnel, err := w.query(ctx, `SELECT denominator, stage, numerator
		FROM monev112.monev_funnel(since = '2023-01-01', until = '2023-11-01', step = 'all')
		WHERE center = '35.15' AND numerator > 0 ORDER BY stage`)
	if err != nil || funnel != publishedFunnel {
		return counting
	}
	stored, err = w.count(ctx,
		"SELECT uniqExact(source, id) FROM monev112.events WHERE startsWith(source, 'simulate/sidoarjo-2023')")
	if err != nil || stored != events {
		return fmt.Sprintf("waiting for ClickHouse: %d of %d events are stored", stored, events)
	}
	return ""
}

// count asks a question whose answer is a number.
func (w *demoWait) count(ctx context.Context, sql string) (n int64, err error) {
	text, err := w.query(ctx, sql)
	if err == nil {
		_, err = fmt.Sscan(text, &n)
	}
	return n, err
}

// liveVisible says what of the live traffic cannot be seen yet.
func (w *demoWait) liveVisible(ctx context.Context) string {
	metrics, err := w.get(ctx, "/metrics")
	switch {
	case err != nil || !bytes.Contains(metrics, []byte("\nmonev112_board_complete 1\n")):
		return "waiting for the board: it is not complete yet"
	case !callsOfTheDay(metrics):
		return "waiting for live traffic: calls of today"
	}
	var late struct {
		Tickets []json.RawMessage `json:"tickets"`
	}
	text, err := w.get(ctx, "/v1/tickets?overdue=true&limit=1")
	if err != nil || json.Unmarshal(text, &late) != nil || len(late.Tickets) == 0 {
		return "waiting for live traffic: the first late ticket"
	}
	return ""
}

// callsOfTheDay reports whether the board counts a call of the day.
func callsOfTheDay(metrics []byte) bool {
	for line := range bytes.Lines(metrics) {
		if bytes.HasPrefix(line, []byte(`monev112_window_calls{center="35.15",measure="received",window="day"}`)) {
			return !bytes.HasSuffix(line, []byte(" 0\n"))
		}
	}
	return false
}

func (w *demoWait) query(ctx context.Context, sql string) (string, error) {
	text, err := fetch(ctx, http.MethodPost, "http://"+w.engine()+"/", strings.NewReader(sql))
	return string(text), err
}

func (w *demoWait) get(ctx context.Context, path string) ([]byte, error) {
	return fetch(ctx, http.MethodGet, w.server+path, nil)
}

func fetch(ctx context.Context, method, url string, body io.Reader) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", url, response.Status)
	}
	return text, err
}
