package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/source/importer"
	"github.com/monev112/monev112/collector/source/send"
)

func withdrawCommand() *cobra.Command {
	var (
		f            sendFlags
		w            withdrawing
		since, until string
		state        string
	)
	cmd := &cobra.Command{
		Use:   "withdraw --source SOURCE [--since DAY] [--until DAY]",
		Short: "Take a whole mistaken import back",
		Long: `withdraw takes back, through a running service, every call's and ticket's event of a source that stands: each gets
an event monev112.event.withdrawn beside it. Nothing is deleted; what was withdrawn counts for nothing, and the cases
say so (flag event_withdrawn). With --since and --until it takes back what happened in between; they take a day
(2026-10-15) or a month (2026-10) in WIB, or an instant (2026-10-15T08:00:00+07:00), and --until is not included.

It says first how many events there are and of what, and asks; without a terminal it needs --yes. A run that was stopped
goes on when the same command is run again; a run after the last changes nothing. Events that are not in ClickHouse yet
(the last seconds) are not seen.

The same file imported again afterwards is sent anew. Imports of this user (--state) and the drop folders of the service
know it at once; a state folder on another computer must be removed first.

An open ticket whose opening was withdrawn stays listed, flagged opening_withdrawn, until somebody confirms with
'monev112 withdraw confirm' that it never was: no emergency vanishes by a mistake in a file. The API key needs the scope
admin.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if w.source == "" {
				return usagef("withdraw: name a source with --source; GET /v1/board lists them")
			}
			if w.since, err = periodInstant(since); err != nil {
				return usagef("withdraw: --since: %v", err)
			}
			if w.until, err = periodInstant(until); err != nil {
				return usagef("withdraw: --until: %v", err)
			}
			if !w.since.IsZero() && !w.until.IsZero() && !w.since.Before(w.until) {
				return usagef("withdraw: --until lies before --since, or at it")
			}
			if w.client, err = f.admin(); err != nil {
				return err
			}
			if state == "" {
				if state, err = stateFolder(); err != nil {
					return err
				}
			}
			w.state, w.out, w.in, w.terminal = state, cmd.OutOrStdout(), cmd.InOrStdin(), onTerminal(os.Stdin)
			return w.run(cmd.Context())
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&w.source, "source", "", "the source whose events are taken back")
	cmd.Flags().StringVar(&w.center, "center", "", "only of this centre (default: all)")
	cmd.Flags().StringVar(&since, "since", "", "first day, month or instant")
	cmd.Flags().StringVar(&until, "until", "", "day, month or instant after the last")
	cmd.Flags().StringVar(&state, "state", "", "folder in which imports remember what they sent, or none "+
		"(default: monev112 in the user's state folder)")
	cmd.Flags().BoolVar(&w.dryRun, "dry-run", false, "say what would be taken back, and take nothing back")
	cmd.Flags().BoolVar(&w.yes, "yes", false, "do not ask")
	cmd.AddCommand(withdrawConfirmCommand())
	return cmd
}

func withdrawConfirmCommand() *cobra.Command {
	var (
		f      sendFlags
		center string
	)
	cmd := &cobra.Command{
		Use:   "confirm TICKET...",
		Short: "Confirm that tickets whose opening was withdrawn never were",
		Long: `confirm says of open tickets whose every opening was withdrawn (flag opening_withdrawn) that they never were: they
leave every list. What is said of such a ticket afterwards brings it back. The confirmation is an event with the id of
the API key, and stands in the record of reads with the key's name. With - ticket ids are read from standard input, one
a line. The API key needs the scope admin.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, tickets []string) error {
			c, err := f.admin()
			if err != nil {
				return err
			}
			if slices.Equal(tickets, []string{"-"}) {
				if tickets, err = readLines(cmd.InOrStdin()); err != nil {
					return err
				}
			}
			return confirmTickets(cmd.Context(), c, center, tickets, cmd.OutOrStdout())
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&center, "center", "", "centre of the tickets, where several have such an id")
	return cmd
}

func readLines(from io.Reader) (lines []string, err error) {
	s := bufio.NewScanner(from)
	for s.Scan() {
		if line := strings.TrimSpace(s.Text()); line != "" {
			lines = append(lines, line)
		}
	}
	return lines, s.Err()
}

func confirmTickets(ctx context.Context, c *adminClient, center string, tickets []string, out io.Writer) error {
	refused := 0
	for _, ticket := range tickets {
		var done struct {
			Openings int `json:"openings"`
		}
		err := patiently(ctx, c.server, out, func() error {
			return c.ask(ctx, http.MethodPost, "/v1/admin/confirmations", map[string]string{"center": center, "ticket": ticket},
				&done)
		})
		var no *refusal
		switch {
		case err == nil && done.Openings > 0:
			fmt.Fprintf(out, "%s: confirmed, it never was\n", ticket)
		case err == nil:
			fmt.Fprintf(out, "%s: nothing to confirm, it is not listed\n", ticket)
		case errors.As(err, &no) && (no.status == http.StatusNotFound || no.status == http.StatusBadRequest):
			refused++
			fmt.Fprintf(out, "%s: %s\n", ticket, no.detail)
		default:
			return fmt.Errorf("%s: %w", ticket, err)
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d tickets were not confirmed", refused, len(tickets))
	}
	return nil
}

// periodInstant reads a day or month, as its first instant in WIB, or an instant; empty is the zero time.
func periodInstant(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, wib); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a day (2026-10-15), a month (2026-10) nor an instant "+
		"(2026-10-15T08:00:00+07:00)", s)
}

// withdrawing is one run of withdraw.
type withdrawing struct {
	client         *adminClient
	source, center string
	since, until   time.Time
	state          string
	dryRun, yes    bool
	out            io.Writer
	in             io.Reader
	terminal       bool // in is one
}

// standing is an event as the service lists it.
type standing struct {
	Center  string    `json:"center"`
	Kind    string    `json:"kind"`
	Subject string    `json:"subject"`
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	Time    time.Time `json:"time"`
}

// about names the events behind cursor.
func (w *withdrawing) about(cursor string) map[string]string {
	q := map[string]string{"source": w.source, "center": w.center, "cursor": cursor}
	for name, t := range map[string]time.Time{"since": w.since, "until": w.until} {
		if !t.IsZero() {
			q[name] = t.Format(time.RFC3339Nano)
		}
	}
	return q
}

func (w *withdrawing) run(ctx context.Context) error {
	total, centers, err := w.count(ctx)
	if err != nil || total == 0 || w.dryRun {
		return err
	}
	if !w.yes {
		if !w.terminal {
			return errors.New("nothing was taken back: say --yes, since there is no terminal to ask at")
		}
		fmt.Fprintf(w.out, "take %d events back? Type yes: ", total)
		line, err := bufio.NewReader(w.in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if answer := strings.ToLower(strings.TrimSpace(line)); answer != "yes" && answer != "ya" {
			return errors.New("nothing was taken back")
		}
	}
	return w.withdraw(ctx, total, centers)
}

// count says how many events would be taken back, and of what.
func (w *withdrawing) count(ctx context.Context) (total int, centers []string, err error) {
	types, cases := map[string]int{}, 0
	var first, last time.Time
	var before standing
	for cursor := ""; ; {
		var page struct {
			Events []standing `json:"events"`
			Next   string     `json:"next"`
		}
		err := patiently(ctx, w.client.server, w.out, func() error {
			return w.client.ask(ctx, http.MethodGet, "/v1/admin/events?"+filled(w.about(cursor)), nil, &page)
		})
		if err != nil {
			return 0, nil, err
		}
		for _, e := range page.Events {
			if total++; e.Center != before.Center {
				centers = append(centers, e.Center)
			}
			types[e.Type]++
			if e.Center != before.Center || e.Kind != before.Kind || e.Subject != before.Subject {
				cases++
			}
			before = e
			if first.IsZero() || e.Time.Before(first) {
				first = e.Time
			}
			if e.Time.After(last) {
				last = e.Time
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if total == 0 {
		_, err = fmt.Fprintf(w.out, "no event of the source %q stands in this time; nothing to take back\n", w.source)
		return 0, nil, err
	}
	fmt.Fprintf(w.out, "source %s: %d events of %d calls and tickets, from %s to %s\n", w.source, total, cases,
		first.In(wib).Format("2006-01-02 15:04"), last.In(wib).Format("2006-01-02 15:04 WIB"))
	for _, t := range slices.Sorted(maps.Keys(types)) {
		fmt.Fprintf(w.out, "  %-22s %d\n", t, types[t])
	}
	if w.dryRun {
		fmt.Fprintln(w.out, "dry run: nothing was taken back")
	}
	return total, centers, nil
}

// withdraw takes the events back, portion by portion.
func (w *withdrawing) withdraw(ctx context.Context, total int, centers []string) (err error) {
	memories := map[string]*importer.Memory{} // what imports of this user remember, by centre; true wherever the run ends
	defer func() {
		for _, m := range memories {
			err = errors.Join(err, m.Save())
			m.Close()
		}
	}()
	for _, center := range centers {
		if w.state == "none" {
			break
		}
		m, err := importer.OpenMemory(w.state, w.client.server, w.source, center)
		if err != nil {
			return err
		}
		memories[center] = m
	}
	var withdrawn, already, refused int
	said := time.Now()
	for cursor := ""; ; {
		var done struct {
			Events             []standing `json:"events"`
			Withdrawn, Already int
			Rejected           []struct {
				Index  int
				Detail string
			}
			Next string
		}
		err := patiently(ctx, w.client.server, w.out, func() error {
			return w.client.ask(ctx, http.MethodPost, "/v1/admin/withdrawals", w.about(cursor), &done)
		})
		if ctx.Err() != nil {
			return fmt.Errorf("stopped after %d of %d events; run the same command again to go on", withdrawn+already, total)
		}
		if err != nil {
			return fmt.Errorf("after %d of %d events: %w; run the same command again to go on", withdrawn+already, total, err)
		}
		withdrawn, already, refused = withdrawn+done.Withdrawn, already+done.Already, refused+len(done.Rejected)
		rejected := map[int]bool{}
		for _, r := range done.Rejected {
			if rejected[r.Index] = true; len(rejected) <= 3 && r.Index < len(done.Events) {
				fmt.Fprintf(w.out, "%s was not taken back: %s\n", done.Events[r.Index].ID, r.Detail)
			}
		}
		for i, e := range done.Events {
			if m := memories[e.Center]; m != nil && !rejected[i] {
				m.Withdrawn(e.ID, e.Kind+"/"+e.Subject, e.Time)
			}
		}
		if cursor = done.Next; cursor == "" {
			break
		}
		if time.Since(said) >= lineEvery {
			said = time.Now()
			fmt.Fprintf(w.out, "%d of %d events\n", withdrawn+already, total)
		}
	}
	fmt.Fprintf(w.out, "taken back: %d events", withdrawn)
	if already > 0 {
		fmt.Fprintf(w.out, ", %d more were before", already)
	}
	fmt.Fprintln(w.out, "\nopen tickets whose opening was taken back stay listed, flagged opening_withdrawn, until "+
		"'monev112 withdraw confirm TICKET...'")
	if refused > 0 {
		return fmt.Errorf("%d events could not be taken back", refused)
	}
	return nil
}

// patiently repeats a request that the service cannot answer now, or while it is away, and says to out that it waits.
func patiently(ctx context.Context, server string, out io.Writer, ask func() error) error {
	p := send.Patience{Total: away, LongestWait: 10 * time.Second}
	p.OnRetry = func(r send.Retry) {
		if r.Try == 1 {
			fmt.Fprintf(out, "waiting for %s, for %s at most: %v\n", server, away, r.Cause)
		}
	}
	_, err := p.Do(ctx, func() error {
		err := ask()
		var no *refusal
		if err == nil || errors.As(err, &no) && !no.passes() {
			return err
		}
		return &send.Temporary{Cause: err}
	})
	return err
}
