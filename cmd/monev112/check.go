package main

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/deploy"
)

func checkCommand() *cobra.Command {
	var (
		config, ticket string
		mappings       []string
	)
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check every configuration file, and show which policy applies to a ticket",
		Long: `check reads the files that serve would read and explains every mistake with file, line and remedy. With
--ticket it prints which policy line applies to each clock of such a ticket, and why:

  monev112 check --ticket category=pju,priority=non_darurat,opd=dishub`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			file, err := readConfig(config)
			if err != nil {
				return err
			}
			if err := file.Check(cmd.Context()); err != nil {
				return err
			}
			dir, err := file.LoadDirectory()
			if err != nil {
				return err
			}
			book, err := file.LoadBook(dir)
			if err != nil {
				return err
			}
			for _, m := range append(mapping.Builtin(deploy.Defaults), mappings...) {
				if _, err := mapping.Load(m, deploy.Defaults); err != nil {
					return err
				}
			}
			if ticket != "" {
				q, err := sla.ParseQuery(ticket, time.Now())
				if err != nil {
					return &usageError{err}
				}
				q.Center = cmp.Or(q.Center, dir.DefaultCenter())
				if q.OPD != "" {
					q.OPD, _ = dir.ResolveOPD(q.Center, q.OPD)
				}
				if q.Scope == "" && q.OPD != "" {
					q.Scope = string(dir.ScopeOf(q.Center, q.OPD))
				}
				if q.Category != "" {
					q.Category, _ = dir.ResolveCategory(q.Center, q.Category)
				}
				if q.Priority == "" && q.Category != "" {
					if q.Priority, _ = dir.DefaultPriority(q.Center, q.Category, q.At); q.Priority != "" {
						fmt.Fprintf(out, "priority %s: the default of category %s (flag %s)\n", q.Priority, q.Category,
							casefile.FlagPriorityFromCategory)
					}
				}
				w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "CLOCK\tPOLICY\tKIND\tTARGET\tDUE, STARTED NOW\tWHY")
				for _, m := range book.Match(q) {
					due := "-"
					if !m.DueAt.IsZero() {
						due = m.DueAt.Format("2006-01-02 15:04:05 MST")
					}
					policy := "-"
					if m.Policy != "" {
						policy = strings.TrimSuffix(m.Policy+"/"+m.PolicyVersion, "/")
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", m.Clock, policy, m.Kind, m.Target, due, m.Why)
				}
				return w.Flush()
			}
			if until, ok := book.CoveredUntil(dir.DefaultCenter()); ok {
				fmt.Fprintf(out, "calendar of %s: holidays known until %s\n", dir.DefaultCenter(), until.Format(time.DateOnly))
			}
			for _, text := range book.ToConfirm() {
				fmt.Fprintf(out, "to be confirmed: policy %s\n", text)
			}
			_, err = fmt.Fprintf(out, "%d centres, policies %v, calendars %v: no mistake found\n", len(dir.Centers()),
				book.ProfileNames(), book.CalendarNames())
			return err
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "configuration file (default: the built-in one)")
	cmd.Flags().StringVar(&ticket, "ticket", "", "what is known of a ticket: category=,priority=,opd=,center=, "+
		"and at= (2026-03-13 or an instant) for one that starts then")
	cmd.Flags().StringSliceVar(&mappings, "mapping", nil, "mapping files to check as well")
	return cmd
}
