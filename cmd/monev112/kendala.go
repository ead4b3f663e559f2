package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/monev/kendala"
)

func kendalaCommand() *cobra.Command {
	var (
		f     sendFlags
		q     = url.Values{}
		flags = map[string]*string{}
		check bool
	)
	cmd := &cobra.Command{
		Use:   "kendala --month 2026-10",
		Short: "Say why calls and tickets of a month were late",
		Long: `kendala tells of each indicator how many cases were late and why: each late case has exactly one cause, the first that
fits, so that the causes add up (docs/definitions.md). Beside it stands what changed against another month, split into
mix (more cases of another kind) and rate (the same kind became slower or faster).

--check recomputes every cause from the facts and compares it with the view; it exits with 1 where anything differs.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if *flags["month"] == "" {
				return usagef("kendala: --month is missing, for example --month 2026-10")
			}
			for name, value := range flags {
				if *value != "" {
					q.Set(name, *value)
				}
			}
			if check {
				q.Set("check", "true")
			}
			c, err := f.admin()
			if err != nil {
				return err
			}
			var r kendala.Result
			if err := c.ask(cmd.Context(), http.MethodGet, "/v1/monev/kendala?"+q.Encode(), nil, &r); err != nil {
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
	for _, o := range [][2]string{
		{"month", "the month, such as 2026-10"}, {"center", "code of the centre (default: the directory's)"},
		{"opd", "only the tickets of this OPD, by its id"},
		{"against", "the month to explain the change from (default: the one before)"},
		{"as_of", "as things stood at this instant, from what is known now, such as 2026-10-31T23:59:59+07:00"},
	} {
		name := o[0]
		if name == "as_of" {
			name = "as-of"
		}
		flags[o[0]] = cmd.Flags().String(name, "", o[1])
	}
	cmd.Flags().BoolVar(&check, "check", false, "recompute every cause and compare; 1 where anything differs")
	return cmd
}
