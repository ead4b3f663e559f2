package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector"
)

func linkKeyCommand() *cobra.Command {
	var (
		data string
		drop bool
	)
	cmd := &cobra.Command{
		Use:   "link-key",
		Short: "The key that signs the links of alerts: list, rotate",
		Long: `link-key works on the file link-keys.json in the data folder; a running service reads it again within
a second.`,
	}
	cmd.PersistentFlags().StringVar(&data, "data", "data", "data folder of the service")
	rotate := &cobra.Command{
		Use:   "rotate",
		Short: "Sign new links with a new key",
		Long: `rotate makes a new key for the links that are sent from now on. Links sent earlier open until they
expire. With --drop none of them opens any more: use it when the file or a link fell into the wrong hands. The next notification
carries a new link.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := collector.LinkKeys(data).Rotate(time.Now(), drop)
			if err != nil {
				return err
			}
			what := "links sent before open until they expire"
			if drop {
				what = "no link sent before opens any more"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "link key %s signs from now on; %s\n", key.ID, what)
			return err
		},
	}
	rotate.Flags().BoolVar(&drop, "drop", false, "drop the earlier keys: no link sent before opens any more")
	cmd.AddCommand(rotate, &cobra.Command{
		Use:   "list",
		Short: "List the keys, without their secrets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keys, err := collector.LinkKeys(data).List()
			if err != nil {
				return err
			}
			var (
				ids     []string
				created []time.Time
			)
			for _, k := range keys {
				ids, created = append(ids, k.ID), append(created, k.CreatedAt)
			}
			return printKeys(cmd.OutOrStdout(), ids, created)
		},
	})
	return cmd
}
