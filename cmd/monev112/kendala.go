package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/monev/kendala"
)

func kendalaCommand() *cobra.Command {
	var (
		f                                 sendFlags
		month, center, opd, against, asOf string
		check                             bool
	)
	cmd := &cobra.Command{
		Use:   "kendala --month 2026-10",
		Short: "Say why calls and tickets of a month were late",
		Long: `kendala tells of each indicator how many cases were late and why: each late case has exactly one cause, the first that
fits, so that the causes add up (docs/definitions.md). Beside it stands what changed against another month, split into
mix (more cases of another kind) and rate (the same kind became slower or faster).

--check recomputes every cause from the facts and compares it with the view; it exits with 1 where anything differs.
While an import stores cases that it compares it may only say that it must be asked again afterwards.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if month == "" {
				return usagef("kendala: --month is missing, for example --month 2026-10")
			}
			q := map[string]string{"month": month, "center": center, "opd": opd, "against": against, "as_of": asOf}
			if check {
				q["check"] = "true"
			}
			r, err := askOnce[kendala.Result](cmd.Context(), &f, http.MethodGet, "/v1/monev/kendala?"+filled(q), nil)
			if err != nil {
				return err
			}
			r.Write(cmd.OutOrStdout())
			if r.Check != nil && r.Check.Differences > 0 {
				return errors.New("view and function differ")
			}
			if check && r.Check == nil {
				return fmt.Errorf("%s did not check", f.server)
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&month, "month", "", "the month, such as 2026-10")
	cmd.Flags().StringVar(&center, "center", "", "code of the centre (default: the directory's)")
	cmd.Flags().StringVar(&opd, "opd", "", "only the tickets of this OPD, by its id")
	cmd.Flags().StringVar(&against, "against", "", "the month to explain the change from (default: the one before)")
	cmd.Flags().StringVar(&asOf, "as-of", "",
		"as things stood at this instant, from what is known now, such as 2026-10-31T23:59:59+07:00")
	cmd.Flags().BoolVar(&check, "check", false, "recompute every cause and compare; 1 where anything differs")
	return cmd
}
