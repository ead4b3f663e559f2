package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/upkeep/retention"
)

func retentionCommand() *cobra.Command {
	var (
		f                  sendFlags
		apply, deadLetters bool
	)
	cmd := &cobra.Command{
		Use:   "retention",
		Short: "Show personal data that is due for deletion, and delete it",
		Long: `retention asks a running service which personal data is older than its configuration allows (retention:
caller_months, attributes_months, refused_days). It prints what is due, where, how much and since when. Nothing is
deleted without --apply. With --apply the data is deleted and counted again, and the deletion is recorded in the table
retention and in retention.jsonl in the data folder. The service also does this by itself once a day.

Events and cases are kept: only callers and attributes are blanked in them. No figure changes but those about callers.

Dead letters and conflicts are the only copy of accepted events. Those older than refused_days are shown, and stay
unless --dead-letters is given with --apply; the service itself never deletes them. Look at them first: journal list
dead, journal list conflicts.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := askOnce[retention.Report](cmd.Context(), &f, http.MethodPost, "/v1/admin/retention",
				map[string]bool{"apply": apply, "dead_letters": deadLetters})
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if err := r.Write(out, wib); err != nil {
				return err
			}
			if kept := r.Kept(); kept > 0 {
				fmt.Fprintf(out, "%d old dead letters and conflicts stay: they are the only copy of accepted events; "+
					"--apply --dead-letters deletes them\n", kept)
			}
			switch {
			case apply:
				_, err = fmt.Fprintf(out, "deleted %d, left %d; recorded\n", r.Due()-r.Left(), r.Left())
			case r.Due() > 0:
				_, err = fmt.Fprintln(out, "nothing was deleted; --apply deletes what is due")
			default:
				_, err = fmt.Fprintln(out, "nothing is due")
			}
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&apply, "apply", false, "delete what is due")
	cmd.Flags().BoolVar(&deadLetters, "dead-letters", false, "with --apply: delete old dead letters and conflicts too")
	return cmd
}
