package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/journal"
)

func journalCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Look into the journal, and give back what was refused",
	}
	cmd.PersistentFlags().StringVar(&data, "data", "data", "data folder of the service")
	dir := func() string { return filepath.Join(data, collector.JournalDir) }

	cmd.AddCommand(&cobra.Command{
		Use:   "verify",
		Short: "Check every checksum; may run beside the service",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := journal.Verify(nil, dir())
			if err != nil {
				return err
			}
			return printJSON(cmd, report)
		},
	})
	var full bool
	inspect := &cobra.Command{
		Use:   "inspect",
		Short: "Print the events of the journal, one a line, without callers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var line []byte
			_, err := journal.Inspect(nil, dir(), func(segment string, rec journal.Record) error {
				var e event.Event
				if err := event.DecodeBinary(rec.Payload, &e); err != nil {
					return fmt.Errorf("%s before %d: %w", segment, rec.End, err)
				}
				if full {
					line = event.AppendJSON(line[:0], &e)
				} else {
					line = fmt.Appendf(line[:0], "%d %s %s %s/%s %s", rec.End, rec.Time.UTC().Format(time.RFC3339), e.Type, e.Kind,
						e.Subject, e.ID)
				}
				_, err := cmd.OutOrStdout().Write(append(line, '\n'))
				return err
			})
			return err
		},
	}
	inspect.Flags().BoolVar(&full, "json", false, "whole events as JSON")
	cmd.AddCommand(inspect)

	kinds := map[string]string{"refused": quarantine.RejectedName, "dead": quarantine.DeadName}
	which := func(name string) (string, error) {
		if s, ok := kinds[name]; ok {
			return s, nil
		}
		return "", usagef("journal: %q: say refused (events that the door refused) or dead (rows that ClickHouse refused)",
			name)
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "list refused|dead",
		Short: "Print what was refused, one a line",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := which(args[0])
			if err != nil {
				return err
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			_, err = quarantine.Read(nil, filepath.Join(data, quarantine.FolderName), name, func(e quarantine.Entry) error {
				return enc.Encode(e)
			})
			return err
		},
	})
	cmd.AddCommand(&cobra.Command{
		Use:   "requeue refused|dead [ID...]",
		Short: "Ask the running service to try again what was refused; without ids all of it",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := which(args[0])
			if err != nil {
				return err
			}
			if err := quarantine.MarkIn(data, name, args[1:]...); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(),
				"marked: the service tries them again within seconds; what is refused again stays in the list")
			return err
		},
	})
	return cmd
}

func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
