package main

import (
	"net/http"

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
			r, err := askOnce[number.Result](cmd.Context(), &f, http.MethodGet, "/v1/monev/number?"+filled(map[string]string{
				"value": args[0], "since": since, "until": until, "center": center, "as_of": asOf,
			}), nil)
			if err == nil {
				r.Write(cmd.OutOrStdout())
			}
			return err
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
