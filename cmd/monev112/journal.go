package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/upkeep/repair"
)

func journalCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Inspect or repair the journal, and retry refused events",
	}
	cmd.PersistentFlags().StringVar(&data, "data", "data", "data folder of the service")
	dir := func() string { return filepath.Join(data, journal.FolderName) }

	cmd.AddCommand(&cobra.Command{
		Use:   "verify",
		Short: "Check every checksum; the service may be running",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := journal.Verify(dir())
			if err != nil {
				return err
			}
			return printJSON(cmd, report)
		},
	})
	var full bool
	inspect := &cobra.Command{
		Use:   "inspect",
		Short: "Print the events of the journal, one per line, without callers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var line []byte
			_, err := journal.Inspect(dir(), func(segment string, rec journal.Record) error {
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

	kinds := map[string]string{
		"refused": quarantine.RejectedName, "dead": quarantine.DeadName, "conflicts": quarantine.ConflictsName,
	}
	which := func(name string) (string, error) {
		if s, ok := kinds[name]; ok {
			return s, nil
		}
		return "", usagef("journal: %q: say refused (events that the service refused), dead (rows that ClickHouse refused) "+
			"or conflicts (accepted events that contradict an earlier one)", name)
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "list refused|dead|conflicts",
		Short: "Print refused events, rows that ClickHouse refused (dead) or conflicts, one per line",
		Long: `list prints entries of the quarantine, one per line as JSON: refused events; rows that ClickHouse refused (dead);
conflicts, which are events that were accepted and later found to contradict an earlier one of their source and id.
Beside the payload of dead letters and conflicts, which is the journal's, it prints the event without its caller.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := which(args[0])
			if err != nil {
				return err
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			_, err = quarantine.Read(filepath.Join(data, quarantine.FolderName), name, func(e quarantine.Entry) error {
				var of event.Event
				if len(e.Event) == 0 && event.DecodeBinary(e.Payload, &of) == nil {
					of.Caller = event.Caller{}
					e.Event = event.AppendJSON(nil, &of)
				}
				return enc.Encode(e)
			})
			return err
		},
	})
	cmd.AddCommand(&cobra.Command{
		Use:   "requeue refused|dead|conflicts [ID...]",
		Short: "Ask the running service to retry refused entries: those named, or all",
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
				"marked: the service retries them within seconds; entries that are refused again stay in the list")
			return err
		},
	})
	cmd.AddCommand(repairCommands(&data)...)
	return cmd
}

// repairCommands are skip and renew. Both refuse while a service has the folder, unless they only say what they would
// do.
func repairCommands(data *string) []*cobra.Command {
	var dryRun bool
	var at uint64
	skip := &cobra.Command{
		Use:   "skip --at POSITION",
		Short: "Skip one damaged place in the journal; stop the service first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := repair.Journal(*data, dryRun)
			if err != nil {
				return err
			}
			rep, err := journal.SkipDamage(r, journal.Position(at))
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			switch {
			case rep.Repeated:
				_, err = fmt.Fprintf(w, "nothing to do: positions %d to %d were skipped before\n", rep.From, rep.To)
				return err
			case rep.From == rep.To:
				fmt.Fprintf(
					w, "damage: the header of segment %s: %s\nlost: nothing; the header is written anew from the file's name\n",
					rep.Segment, rep.Reason)
			default:
				fmt.Fprintf(w, "damage: segment %s, position %d: %s\nlost: positions %d to %d, %d bytes", rep.Segment, rep.From,
					rep.Reason, rep.From, rep.To, rep.To-rep.From)
				if n := min(rep.To, max(rep.From, rep.Shipped)) - rep.From; n > 0 {
					fmt.Fprintf(w, ", of which ClickHouse has the records of %d bytes", n)
				}
				fmt.Fprintln(w)
				fmt.Fprintln(w, checkpointNote)
			}
			fmt.Fprintf(w, "kept aside: the damaged bytes, in %s\n", filepath.Join(r.Dir, rep.Aside))
			fmt.Fprintf(w, "readable behind it: %d records, of which ClickHouse has %d\n", rep.Behind.Records,
				rep.Behind.Shipped)
			return closing(w, dryRun, "skipped: run journal verify for further damage, then start the service")
		},
	}
	skip.Flags().Uint64Var(&at, "at", 0, "position of the damage, as journal verify or the log names it")
	_ = skip.MarkFlagRequired("at") // the flag exists
	renew := &cobra.Command{
		Use:   "renew",
		Short: "Start a new journal with everything readable in the damaged one; stop the service first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := repair.Journal(*data, dryRun)
			if err != nil {
				return err
			}
			rep, err := journal.Renew(r)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			fmt.Fprintf(w, "brought over: %d records, of which ClickHouse has %d; positions %d to %d\n", rep.Kept.Records,
				rep.Kept.Shipped, rep.First, rep.End)
			for _, c := range rep.Lost {
				fmt.Fprintf(w, "lost: positions %d to %d, %d bytes: %s\n", c.Position, c.To, c.To-c.Position, c.Reason)
			}
			if rep.TailBytes > 0 {
				fmt.Fprintf(w, "lost: %d bytes at the end, an unfinished write or a damaged last group\n", rep.TailBytes)
			}
			if rep.Loses() {
				fmt.Fprintln(w, checkpointNote)
			} else {
				fmt.Fprintln(w, "lost: nothing")
			}
			fmt.Fprintf(w, "kept aside: the old journal, in %s\n", rep.Aside)
			return closing(w, dryRun, fmt.Sprintf("renewed as journal %s: start the service", rep.UUID))
		},
	}
	for _, c := range []*cobra.Command{skip, renew} {
		c.Flags().BoolVar(&dryRun, "dry-run", false,
			"print what would be done and lost, change nothing; the service may be running")
	}
	return []*cobra.Command{skip, renew}
}

// checkpointNote tells what the loss of records means for the next start.
const checkpointNote = "set aside: the checkpoint; the next start reads the open cases back from ClickHouse, " +
	"and sources may send again what was lost"

func closing(w io.Writer, dryRun bool, done string) error {
	if dryRun {
		done = "dry run: nothing was changed"
	}
	_, err := fmt.Fprintln(w, done)
	return err
}

func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
