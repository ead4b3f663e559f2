package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector"
)

func callerKeyCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "caller-key",
		Short: "The key that replaces callers' numbers: list, rotate",
		Long: `A caller's number never passes the door: its keyed hash (HMAC-SHA256) does. Two hashes can be compared only when they were
made with one key. A new key, once a year, bounds what a stolen one could tell.`,
	}
	cmd.PersistentFlags().StringVar(&data, "data", "data", "data folder of the service")
	cmd.AddCommand(&cobra.Command{
		Use:   "list",
		Short: "List the keys, without their secrets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keys, err := collector.CallerKeys(data)
			if err != nil {
				return err
			}
			ids, created := keys.KeyIDs()
			return printKeys(cmd.OutOrStdout(), ids, created)
		},
	}, &cobra.Command{
		Use:   "rotate",
		Short: "Make a new current key; the service takes it up when it is started again",
		Long: `rotate adds a new current key to the file caller-keys of the data folder. A running service keeps the key that it started
with: restart it, best at the turn of a month, for caller concentration and block safety are computed within one key, and
a caller of the days before counts as another from then on. The earlier keys stay in the file: they name the key of the
hashes that are stored, and nothing is rewritten. Back the file up apart from the database.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keys, err := collector.RotateCallerKeys(data, time.Now())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "caller key %s is current; restart the service to take it up\n",
				keys.CurrentID())
			return err
		},
	})
	return cmd
}

func linkKeyCommand() *cobra.Command {
	var (
		data string
		drop bool
	)
	cmd := &cobra.Command{
		Use:   "link-key",
		Short: "The key that signs the links of alerts: list, rotate",
		Long:  `link-key works on the file link-keys.json of a data folder; a running service reads it again within a second.`,
	}
	cmd.PersistentFlags().StringVar(&data, "data", "data", "data folder of the service")
	rotate := &cobra.Command{
		Use:   "rotate",
		Short: "Sign new links with a new key",
		Long: `rotate makes a new key for the links that are sent from now on. Links that were sent open until they expire; with --drop
they all die at once, which is for a file or a link that fell into wrong hands. The next message has a new link.`,
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
	rotate.Flags().BoolVar(&drop, "drop", false, "drop the earlier keys: every link that was sent dies")
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

// printKeys prints a table of keys, oldest first; the last one is the current one.
func printKeys(out io.Writer, ids []string, created []time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tCREATED\tSTATE")
	for i, id := range ids {
		state := "earlier"
		if i == len(ids)-1 {
			state = "current"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", id, created[i].Format(time.DateOnly), state)
	}
	return w.Flush()
}
