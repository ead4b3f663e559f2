package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/ingest"
)

func callerKeyCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "caller-key",
		Short: "List, rotate or begin the key that hides callers' numbers",
		Long: `No caller's number is stored: a keyed hash (HMAC-SHA256) takes its place. Two hashes can be compared only
when they were made with the same key. A new key once a year limits what a stolen key can reveal.`,
	}
	cmd.PersistentFlags().StringVar(&data, "data", "data", "data folder of the service")
	var dryRun bool
	begin := &cobra.Command{
		Use:   "begin",
		Short: "Begin with new keys in the place of lost ones",
		Long: `begin makes a new file caller-keys in the place of one that is lost, damaged or of another installation. Look
for the right one first, in the secrets of a backup: with new keys an earlier caller counts as a new one, and an event
of before that is sent again looks like a conflict instead of a duplicate. What lies there is kept beside it. The file
known-keys.json records the step. Keys that are whole are refused: rotate is for them.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			aside, keys, err := ingest.BeginCallerKeys(data, time.Now(), dryRun)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			fmt.Fprintln(w, "lost: which calls came from one number, across this step; and that an event of before, sent "+
				"again, is a duplicate")
			tellAside(w, aside)
			if dryRun {
				return closing(w, true, "")
			}
			return closing(w, false, "caller key "+keys.CurrentID()+" begins: start the service, and take a backup with "+
				"--secrets")
		},
	}
	begin.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done and lost, change nothing")
	cmd.AddCommand(begin)
	cmd.AddCommand(&cobra.Command{
		Use:   "list",
		Short: "List the keys, without their secrets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keys, err := ingest.CallerKeys(data)
			if err != nil {
				return err
			}
			ids, created := keys.KeyIDs()
			return printKeys(cmd.OutOrStdout(), ids, created)
		},
	}, &cobra.Command{
		Use:   "rotate",
		Short: "Create a new current key; the service uses it after a restart",
		Long: `rotate adds a new current key to the file caller-keys in the data folder. A running service keeps the key
with which it started: restart it, best at the turn of a month. Caller concentration and block safety are computed
within one key: a caller from before the rotation counts as a new one afterwards. The earlier keys stay in the file,
because stored hashes name them; nothing is rewritten. Keep a backup of the file in another place than the database.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keys, err := ingest.RotateCallerKeys(data, time.Now())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "caller key %s is current; restart the service to use it\n",
				keys.CurrentID())
			return err
		},
	})
	return cmd
}

func tellAside(w io.Writer, aside string) {
	if aside != "" {
		fmt.Fprintf(w, "kept aside: what lay there, in %s\n", aside)
	}
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
