package main

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/monev/number"
)

func numberCommand() *cobra.Command {
	var (
		f                          sendFlags
		since, until, center, asOf string
	)
	cmd := &cobra.Command{
		Use:   "number 80.7% --since 2023-01-01 --until 2023-11-01",
		Short: "Say which definitions give a published percentage",
		Long: `number lists every measure, and every usual pair of counts of calls, whose share of the days since <= day < until
rounds to the number at its precision, each with numerator, denominator and n, the nearest first. Where none does, it
says so and lists the nearest. A comma or a point may be written, with or without %; 0.807 is 80.7 %.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := number.Parse(args[0]); err != nil {
				return usagef("number: %s", err)
			}
			if since == "" || until == "" {
				return usagef("number: give --since and --until, such as --since 2023-01-01 --until 2023-11-01")
			}
			q := url.Values{"value": {args[0]}, "since": {since}, "until": {until}}
			if center != "" {
				q.Set("center", center)
			}
			if asOf != "" {
				q.Set("as_of", asOf)
			}
			c, err := f.admin()
			if err != nil {
				return err
			}
			var r number.Result
			if err := c.ask(cmd.Context(), http.MethodGet, "/v1/monev/number?"+q.Encode(), nil, &r); err != nil {
				return err
			}
			r.Write(cmd.OutOrStdout())
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&since, "since", "", "the first day, such as 2023-01-01")
	cmd.Flags().StringVar(&until, "until", "", "the day after the last, such as 2023-11-01")
	cmd.Flags().StringVar(&asOf, "as-of", "", "as things stood at this instant, from what is known now, such as "+
		"2023-10-31T23:59:59+07:00")
	cmd.Flags().StringVar(&center, "center", "", "code of the centre (default: the directory's)")
	return cmd
}
