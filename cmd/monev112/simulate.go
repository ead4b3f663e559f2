package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/source/simulate"
)

func simulateCommand() *cobra.Command {
	var (
		f                        sendFlags
		o                        simulate.RunOptions
		preset, from, to, totals string
		lines                    bool
	)
	cmd := &cobra.Command{
		Use:   "simulate --preset NAME",
		Short: "Send the events of a simulated Sidoarjo",
		Long: `simulate generates the events of a simulated call centre and sends them to a collector. The same seed
gives the same events. Presets: sidoarjo-2023 (January to October 2023, 40,318 calls), live (48 hours of history, then
real time, with every kind of call and fault), load (many small cases, for benchmarks).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			o.Preset, o.Totals = simulate.Preset(preset), totals
			if o.From, err = periodInstant(from); err != nil {
				return usagef("simulate: --from: %v", err)
			}
			if o.To, err = periodInstant(to); err != nil {
				return usagef("simulate: --to: %v", err)
			}
			if lines {
				o.Lines = cmd.OutOrStdout()
			} else {
				o.Server = f.server
				if o.Key, err = f.key(); err != nil {
					return err
				}
			}
			o.Progress, o.Terminal = os.Stderr, onTerminal(os.Stderr)
			return simulate.Run(cmd.Context(), o)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&preset, "preset", string(simulate.Live), "sidoarjo-2023, live or load")
	cmd.Flags().StringVar(&from, "from", "", "first instant, RFC 3339 or a day such as 2026-11-01 (WIB)")
	cmd.Flags().StringVar(&to, "to", "", "end (not included), in the same form")
	cmd.Flags().Float64Var(&o.Rate, "rate", 0, "multiplies the number of calls; 1 is the real Sidoarjo")
	cmd.Flags().Float64Var(&o.TimeScale, "time-scale", 0, "live: divides the durations of tickets")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "the same seed gives the same events")
	cmd.Flags().Int64Var(&o.Cases, "cases", 0, "load: how many cases")
	cmd.Flags().StringVar(&totals, "totals", "", "write the expected totals to this file, as JSON")
	cmd.Flags().BoolVar(&o.Recommendations, "recommendations", false,
		"sidoarjo-2023: also write the recommendations that it plants (needs a key with monev:write)")
	cmd.Flags().BoolVar(&lines, "lines", false, "print the events as NDJSON instead of sending them")
	return cmd
}
