package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/web"
)

func linkKeyCommand() *cobra.Command {
	var (
		data string
		drop bool
	)
	cmd := &cobra.Command{
		Use:   "link-key",
		Short: "List, rotate or begin the key that signs the links in alerts",
		Long: `link-key changes the file link-keys.json in the data folder. A running service reads the file again
within a second.`,
	}
	cmd.PersistentFlags().StringVar(&data, "data", "data", "data folder of the service")
	rotate := &cobra.Command{
		Use:   "rotate",
		Short: "Sign new links with a new key",
		Long: `rotate creates a new key for the links that are sent from now on. Links sent earlier open until they
expire. With --drop they stop working at once: use it when the file or a link fell into the wrong hands. The next
notification carries a new link.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := web.LinkKeysIn(data).Rotate(time.Now(), drop)
			if err != nil {
				return err
			}
			what := "links sent before work until they expire"
			if drop {
				what = "links sent before no longer work"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "link key %s signs from now on; %s\n", key.ID, what)
			return err
		},
	}
	var dryRun bool
	begin := &cobra.Command{
		Use:   "begin",
		Short: "Begin with a new key in the place of lost ones",
		Long: `begin makes a new file link-keys.json in the place of one that is lost, damaged or of another installation.
No link opens that was sent before; the next notification carries a new one. What lies there is kept beside it. The
file known-keys.json records the step.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			aside, key, err := web.LinkKeysIn(data).Begin(time.Now(), dryRun)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			fmt.Fprintln(w, "lost: the links that were sent before open no more")
			tellAside(w, aside)
			return closing(w, dryRun, "link key "+key.ID+" signs from now on")
		},
	}
	begin.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done and lost, change nothing")
	cmd.AddCommand(begin)
	rotate.Flags().BoolVar(&drop, "drop", false, "delete the earlier keys: links sent before stop working")
	cmd.AddCommand(rotate, &cobra.Command{
		Use:   "list",
		Short: "List the keys, without their secrets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keys, err := web.LinkKeysIn(data).List()
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
