package main

import (
	"context"
	"fmt"
	"io"
	"os"
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
		Short: "Run a simulated call centre: ten months of history, live traffic on top",
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

// demo serves, sends ten months of history, then live traffic until ctx ends.
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
		server := "http://" + app.Addr().String()
		fmt.Fprintf(
			out, "The collector listens on %s. First ten months of history (40,318 calls, 2023), then live traffic.\n\n", server)
		o := simulate.RunOptions{
			Preset: simulate.Sidoarjo2023, Server: server, Progress: os.Stderr, Terminal: onTerminal(os.Stderr),
		}
		if err := simulate.Run(ctx, o); err != nil {
			return err
		}
		for app.EngineAddr() == "" {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(100 * time.Millisecond):
			}
		}
		fmt.Fprintf(out, demoText, server, app.EngineAddr())
		o.Preset, o.Rate = simulate.Live, rate
		return simulate.Run(ctx, o)
	})
	return g.Wait()
}

const demoText = `
Where to look while live traffic runs (stop with Ctrl-C; a second start goes on where this one ended):

  metrics     curl -s %[1]s/metrics | grep ^monev112_
  board       curl -s %[1]s/v1/board
  late        curl -s '%[1]s/v1/tickets?overdue=true&limit=5'
  ClickHouse  curl -s 'http://%[2]s/?query=SELECT+count()+FROM+monev112.events'
  the funnel  curl -s http://%[2]s/ --data-binary "SELECT stage, numerator, denominator FROM
                monev112.monev_funnel(since = '2023-01-01', until = '2023-11-01', step = 'all') WHERE center = '35.15' FORMAT PrettyCompact"

`
