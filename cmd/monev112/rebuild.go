package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/upkeep/rebuild"
)

func rebuildCommand() *cobra.Command {
	var (
		f        sendFlags
		spec     rebuild.Spec
		from, to string
		stop     bool
	)
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Recompute a period after a change of policy, calendar or directory",
		Long: `rebuild asks a running service to recompute the cases of a period from their events, with the policies
and calendars that the service runs with now, and to store what changed. It prints what changed, and how frozen months
compare with the new figures. The service accepts live events meanwhile. A rebuild that was stopped continues when you
run the same command again. --from and --to take a month (2026-10) or a day (2026-10-15) in the centre's own time; the
end is not included. Without them the whole past is rebuilt.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if spec.Since, err = periodDay(from); err != nil {
				return usagef("rebuild: --from: %v", err)
			}
			if spec.Until, err = periodDay(to); err != nil {
				return usagef("rebuild: --to: %v", err)
			}
			c, err := f.admin()
			if err != nil {
				return err
			}
			r := rebuilding{client: c, out: cmd.OutOrStdout(), progress: os.Stderr, terminal: onTerminal(os.Stderr)}
			if stop {
				return r.stop(cmd.Context())
			}
			return r.run(cmd.Context(), spec)
		},
	}
	f.add(cmd)
	cmd.Flags().StringSliceVar(&spec.Centers, "center", nil, "only this centre; may be given several times (default: all)")
	cmd.Flags().StringVar(&from, "from", "", "first month or day")
	cmd.Flags().StringVar(&to, "to", "", "month or day after the last")
	cmd.Flags().BoolVar(&spec.DryRun, "dry-run", false, "write nothing; print what would change")
	cmd.Flags().BoolVar(&stop, "stop", false, "stop the rebuild that is running")
	return cmd
}

// periodDay reads a day, or a month as its first day; empty stays empty.
func periodDay(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(time.DateOnly), nil
		}
	}
	return "", fmt.Errorf("%q is neither a month (2026-10) nor a day (2026-10-15)", s)
}

// rebuilding follows a rebuild of the service.
type rebuilding struct {
	client   *adminClient
	out      io.Writer // what changed
	progress io.Writer
	terminal bool
}

// How often the service is asked how far it is, and how often a line is written where there is no terminal.
const (
	askEvery  = 250 * time.Millisecond
	lineEvery = 5 * time.Second
)

// away is how long the service may be out of reach before the client gives up. A restart takes less, also one in which
// ClickHouse has to be waited for; and a single request that is not answered may take a minute.
const away = 5 * time.Minute

func (r *rebuilding) stop(ctx context.Context) error {
	var j rebuild.Job
	if err := r.client.ask(ctx, http.MethodDelete, "/v1/admin/rebuilds/latest", nil, &j); err != nil {
		return err
	}
	fmt.Fprintf(r.out, "rebuild %s is %s after %d of %d cases\n", j.ID, j.Status, j.Done, j.Total)
	return nil
}

func (r *rebuilding) run(ctx context.Context, spec rebuild.Spec) error {
	var j rebuild.Job
	if err := r.client.ask(ctx, http.MethodPost, "/v1/admin/rebuilds", spec, &j); err != nil {
		if _, refused := errors.AsType[*refusal](err); refused {
			return err
		}
		return fmt.Errorf("ask for the rebuild: %w; once the service answers, ask for the same again to go on", err)
	}
	fmt.Fprintf(r.progress, "rebuild %s of %s", j.ID, j.Spec.Period())
	switch {
	case j.Done > 0 && j.Resumed > 0:
		fmt.Fprintf(r.progress, " goes on after %d of %d cases", j.Done, j.Total)
	case j.Restarted > 0:
		fmt.Fprint(r.progress, " starts from the beginning: the rules have changed since it was stopped")
	}
	fmt.Fprintln(r.progress)
	j, err := r.follow(ctx, j)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "rebuild %s of %s: %s, %d cases folded\n", j.ID, j.Spec.Period(), j.Status, j.Done)
	j.Findings.Write(r.out, j.Spec.DryRun)
	if j.Status != rebuild.Done {
		return fmt.Errorf("the rebuild was stopped after %d of %d cases; ask for the same again to go on", j.Done, j.Total)
	}
	if j.Spec.DryRun {
		return nil
	}
	return r.frozen(ctx, j.Spec)
}

// follow waits for the end of a job and shows how far it is. A client that is stopped leaves the service at work.
func (r *rebuilding) follow(ctx context.Context, j rebuild.Job) (rebuild.Job, error) {
	var bar *progressbar.ProgressBar
	if r.terminal {
		bar = newBar(r.progress, 1000, progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
		defer func() { _ = bar.Clear() }() // a bar that stays is no reason to fail
	}
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	began, first := time.Now(), j.Done
	line, answered := began, began
	for {
		if bar != nil {
			bar.Describe(progressLine(j, j.Done-first, time.Since(began)))
			_ = bar.Set64(min(1000*j.Done/max(1, j.Total), 999)) // likewise
		} else if time.Since(line) >= lineEvery {
			line = time.Now()
			fmt.Fprintln(r.progress, progressLine(j, j.Done-first, time.Since(began)))
		}
		if j.Status != rebuild.Running {
			return j, nil
		}
		select {
		case <-ctx.Done():
			return j, errors.New(
				"the client was stopped; the service goes on with the rebuild: " +
					"ask for the same again to follow it, or stop it with --stop")
		case <-tick.C:
		}
		var next rebuild.Job
		err := r.client.ask(ctx, http.MethodGet, "/v1/admin/rebuilds/"+url.PathEscape(j.ID), nil, &next)
		var no *refusal
		switch {
		case err == nil:
			j, answered = next, time.Now()
		case ctx.Err() != nil: // said above
		case errors.As(err, &no) && !no.passes(), time.Since(answered) > away:
			return j, fmt.Errorf("follow the rebuild: %w; ask for the same again to go on", err)
		default: // shown until the service answers again
			j.Error = fmt.Sprintf("no answer for %s, given up after %s: %v", time.Since(answered).Round(time.Second), away, err)
		}
	}
}

func progressLine(j rebuild.Job, done int64, elapsed time.Duration) string {
	text := fmt.Sprintf("%d of %d cases, %d changed", j.Done, j.Total, j.Cases)
	if s := elapsed.Seconds(); s > 0 && done > 0 {
		rate := float64(done) / s
		text += fmt.Sprintf(", %.0f/s", rate)
		if left := float64(j.Total-j.Done) / rate; left >= 1 {
			text += fmt.Sprintf(", about %s left", (time.Duration(left) * time.Second).String())
		}
	}
	if j.Center != "" {
		text += ", centre " + j.Center
	}
	if j.Error != "" {
		text += "; waits: " + j.Error
	}
	return text
}

// shownDifferences bounds how many differences of a month a rebuild prints.
const shownDifferences = 20

// frozen prints what became of frozen months.
func (r *rebuilding) frozen(ctx context.Context, spec rebuild.Spec) error {
	var reports []freeze.Report
	centers := spec.Centers
	if len(centers) == 0 {
		centers = []string{""}
	}
	for _, center := range centers {
		more, err := compareFrozen(ctx, r.client, center, "", "")
		if err != nil {
			return fmt.Errorf("compare with frozen months: %w", err)
		}
		reports = append(reports, more...)
	}
	for i := range reports {
		fmt.Fprintln(r.out)
		reports[i].Write(r.out, shownDifferences, wib)
	}
	return nil
}

// compareFrozen asks for the reports on frozen months; an empty centre or month is all of them, an empty asOf is now.
func compareFrozen(ctx context.Context, c *adminClient, center, month, asOf string) ([]freeze.Report, error) {
	q := filled(map[string]string{"center": center, "month": month, "as_of": asOf})
	var answer struct {
		Reports []freeze.Report `json:"reports"`
	}
	err := c.ask(ctx, http.MethodGet, "/v1/admin/freezes?"+q, nil, &answer)
	return answer.Reports, err
}

// wib is Asia/Jakarta, in which times are shown to operators.
var wib = time.FixedZone("WIB", 7*3600)
