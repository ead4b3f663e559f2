package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector/source/asterisk"
	"github.com/monev112/monev112/collector/source/send"
)

// followFlags say which log goes where.
type followFlags struct {
	sendFlags
	logFlags
	config, spool string
	spoolMiB      int64
	once          bool
	log           asterisk.Config
}

func followCommand() *cobra.Command {
	var f followFlags
	cmd := &cobra.Command{
		Use:   "follow --queue-log FILE [--once FILE...]",
		Short: "Follow an Asterisk queue_log and send its events to a collector",
		Long: `follow runs on the telephone system's machine, reads its queue_log across rotations and restarts, and
sends the events to a collector. While the collector cannot be reached, events wait in the spool folder. --once reads
whole files, sends their events and ends; reading a file twice changes nothing. The codes of agents and positions are in
the configuration file, section asterisk.`,
		RunE: func(cmd *cobra.Command, files []string) error {
			c, err := f.asterisk(files)
			if err != nil {
				return err
			}
			key, err := f.key()
			if err != nil {
				return err
			}
			to := send.Config{Server: f.server, Key: key}
			if f.once {
				return f.sendOnce(cmd.Context(), c, files, to)
			}
			return f.follow(cmd.Context(), c, to)
		},
	}
	f.sendFlags.add(cmd)
	f.logFlags.add(cmd)
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file with a section asterisk")
	cmd.Flags().StringVar(&f.log.QueueLog, "queue-log", "", "the log to follow, usually /var/log/asterisk/queue_log")
	cmd.Flags().StringVar(&f.log.Source, "source", "", `source of the events (default "asterisk")`)
	cmd.Flags().StringVar(&f.log.Center, "center", "", "code of the centre (default: the collector's)")
	cmd.Flags().StringVar(&f.log.Feed, "feed", "", `name of the feed (default "asterisk")`)
	cmd.Flags().StringVar(&f.spool, "spool", "monev112-follow",
		"folder for the position in the log and for waiting events")
	cmd.Flags().Int64Var(&f.spoolMiB, "spool-mib", asterisk.DefaultSpoolBytes>>20,
		"largest size of the waiting events, in MiB")
	cmd.Flags().BoolVar(&f.once, "once", false, "read the given files from beginning to end, then stop")
	return cmd
}

// asterisk is the section of the configuration file, the flags in the place of what they name.
func (f *followFlags) asterisk(files []string) (asterisk.Config, error) {
	var c asterisk.Config
	file, err := readConfig(f.config)
	if err != nil {
		return c, err
	}
	if file.Asterisk != nil {
		c = *file.Asterisk
	}
	for _, o := range []struct{ to, from *string }{
		{&c.QueueLog, &f.log.QueueLog}, {&c.Source, &f.log.Source}, {&c.Center, &f.log.Center}, {&c.Feed, &f.log.Feed},
	} {
		if *o.from != "" {
			*o.to = *o.from
		}
	}
	switch {
	case f.once && len(files) == 0 && c.QueueLog == "":
		return c, usagef("follow: --once reads the files that are named; name one")
	case !f.once && len(files) > 0:
		return c, usagef("follow: files are read with --once; the log to follow is named by --queue-log")
	case f.once && c.QueueLog == "":
		c.QueueLog = files[0]
	case f.spoolMiB <= 0 || f.spoolMiB > 1<<20:
		return c, usagef("follow: --spool-mib %d; at least 1", f.spoolMiB)
	}
	if err := c.Check(); err != nil {
		return c, usagef("follow: %v", err)
	}
	return c, nil
}

func (f *followFlags) sendOnce(ctx context.Context, c asterisk.Config, files []string, to send.Config) error {
	if len(files) == 0 {
		files = []string{c.QueueLog}
	}
	key, err := asterisk.LoadNameKey(filepath.Join(f.spool, asterisk.NameKeyFile))
	if err != nil {
		return err
	}
	return asterisk.SendOnce(ctx, asterisk.OnceOptions{Config: c, Files: files, Names: asterisk.NewNames(c, key)}, to,
		os.Stderr)
}

func (f *followFlags) follow(ctx context.Context, c asterisk.Config, to send.Config) error {
	log, err := f.logger()
	if err != nil {
		return err
	}
	spool, err := asterisk.OpenSpool(asterisk.SpoolOptions{Dir: f.spool, MaxBytes: f.spoolMiB << 20, Log: log})
	if err != nil {
		return err
	}
	defer spool.Close()
	relay, err := asterisk.NewRelay(spool, asterisk.RelayOptions{Send: to, Log: log})
	if err != nil {
		return err
	}
	follower, err := asterisk.NewFollower(asterisk.FollowerOptions{
		Config: c, Dir: f.spool, To: spool, Beat: relay.Beat, Log: log,
	})
	if err != nil {
		return err
	}
	defer follower.Close()
	log.Info("the queue log is followed", "queue_log", c.QueueLog, "server", f.server, "waiting_bytes", spool.Waiting())
	relayed := make(chan struct{})
	go func() {
		defer close(relayed)
		relay.Run(ctx)
	}()
	err = follower.Run(ctx)
	<-relayed
	t, seen := relay.Totals(), follower.Tally()
	log.Info("the queue log is followed no longer", "accepted", t.Accepted, "known", t.Duplicates, "refused", t.Refused,
		"waiting_bytes", spool.Waiting(), "outbound_calls", seen.Outbound, "outbound_answered", seen.OutboundAnswered)
	if err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	return nil
}
