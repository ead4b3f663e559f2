package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/monev/freeze"
)

func freezeCommand() *cobra.Command {
	var (
		f      sendFlags
		r      freeze.Request
		report bool
		asOf   string
	)
	cmd := &cobra.Command{
		Use:   "freeze --month 2026-10",
		Short: "Keep a month's figures as they were reported",
		Long: `freeze stores every monev figure of a month that is over: numerator, denominator, n, and the versions of
definition, policy and calendar. Frozen figures never change. --report compares them with today's figures and says why
they differ. A month is frozen again only with --again and --reason; the earlier revision is kept.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if r.Month == "" && !report {
				return usagef("freeze: --month is missing, for example --month 2026-10")
			}
			if asOf != "" {
				var err error
				if r.AsOf, err = time.Parse(time.RFC3339, asOf); err != nil {
					return usagef("freeze: --as-of %q: give an instant such as 2026-10-31T23:59:59+07:00", asOf)
				}
			}
			c, err := f.admin()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if report {
				if r.Again || r.Reason != "" {
					return usagef("freeze: --report freezes nothing; leave --again and --reason out")
				}
				reports, err := compareFrozen(cmd.Context(), c, r.Center, r.Month, asOf)
				if err != nil {
					return err
				}
				if len(reports) == 0 {
					fmt.Fprintln(out, "no month is frozen")
				}
				for i := range reports {
					if i > 0 {
						fmt.Fprintln(out)
					}
					reports[i].Write(out, 0, wib)
				}
				return nil
			}
			var answer freeze.Frozen
			if err := c.ask(cmd.Context(), http.MethodPost, "/v1/admin/freezes", r, &answer); err != nil {
				return err
			}
			for _, k := range answer.Frozen {
				fmt.Fprintf(out, "%s, centre %s: %d figures frozen as revision %d, definition %s, policies %s, calendars %s\n",
					k.Month, k.Center, k.Figures,
					k.Revision, k.DefinitionVersion, strings.Join(k.Policies, " "), strings.Join(k.Calendars, " "))
			}
			for _, no := range answer.Refused {
				fmt.Fprintf(cmd.ErrOrStderr(), "centre %s: %s\n", no.Center, no.Reason)
			}
			if len(answer.Refused) > 0 {
				return errors.New("not every centre was frozen")
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&r.Month, "month", "", "the month, such as 2026-10")
	cmd.Flags().StringVar(&r.Center, "center", "", "only this centre (default: every centre with a board)")
	cmd.Flags().BoolVar(&r.Again, "again", false, "freeze a frozen month once more, as a new revision")
	cmd.Flags().StringVar(&r.Reason, "reason", "", "why it is frozen again")
	cmd.Flags().StringVar(&asOf, "as-of", "",
		"figures as they stood at this instant, from what is known now, such as 2026-10-31T23:59:59+07:00")
	cmd.Flags().BoolVar(&report, "report", false, "compare what is frozen with the figures as they are now")
	return cmd
}
