package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/httpapi/auth"
)

// validity says until when something opens, or did; alive is what it is while it does.
func validity(alive string, revokedAt, expiresAt, now time.Time) string {
	switch {
	case !revokedAt.IsZero():
		return "revoked " + revokedAt.Format(time.DateOnly)
	case expiresAt.IsZero():
		return alive
	case !now.Before(expiresAt):
		return "expired " + expiresAt.Format(time.DateOnly)
	}
	return alive + " until " + expiresAt.Format(time.DateOnly)
}

func keyCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Create, list and revoke API keys",
		Long: `key changes the file api-keys.json in the data folder. A running service reads the file again within a
second. As soon as the first key exists, every request needs a key.`,
	}
	cmd.PersistentFlags().StringVar(&data, "data", "data", "data folder of the service")
	file := func() auth.File { return auth.FileIn(data) }

	var (
		want   auth.Key
		scopes []string
		valid  time.Duration
	)
	create := &cobra.Command{
		Use:   "create NAME --scope SCOPE",
		Short: "Create a key and print it once",
		Long: `Scopes: events:write (send events), board:read (board, tickets, calls), opd:read:<opd> (one OPD's tickets
only), alerts:log (for Alertmanager: deliver its notifications), monev:write (pages of the meeting: read them, write
recommendations and remarks), admin (rebuild, freeze, retention, and on pages everything).`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			want.Name = args[0]
			for _, s := range scopes {
				want.Scopes = append(want.Scopes, auth.Scope(s))
			}
			now := time.Now()
			if valid > 0 {
				want.ExpiresAt = now.Add(valid)
			}
			key, secret, err := file().Create(want, now)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", secret)
			fmt.Fprintf(cmd.ErrOrStderr(), "key %s (%s) created; it is shown only once and stored nowhere\n", key.ID, key.Name)
			return err
		},
	}
	create.Flags().StringSliceVar(&scopes, "scope", nil, "what the key may do; may be given several times")
	create.Flags().StringVar(&want.Source, "source", "", "the only source whose events the key may send")
	create.Flags().StringVar(&want.Center, "center", "", "the only centre that the key may read")
	create.Flags().DurationVar(&valid, "valid", 0, "how long it is valid, for example 8760h (default: until revoked)")
	cmd.AddCommand(create, &cobra.Command{
		Use:   "list",
		Short: "List the keys, without their secrets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keys, err := file().List()
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tNAME\tSCOPES\tSOURCE\tCENTER\tCREATED\tSTATE")
			now := time.Now()
			for i := range keys {
				k := &keys[i]
				var names []string
				for _, s := range k.Scopes {
					names = append(names, string(s))
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, strings.Join(names, ","), k.Source, k.Center,
					k.CreatedAt.Format(time.DateOnly), validity("live", k.RevokedAt, k.ExpiresAt, now))
			}
			return w.Flush()
		},
	}, &cobra.Command{
		Use:   "revoke ID|NAME",
		Short: "Revoke a key at once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := file().Revoke(args[0], time.Now())
			if err == nil {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "key %s (%s) is revoked\n", key.ID, key.Name)
			}
			return err
		},
	})
	return cmd
}
