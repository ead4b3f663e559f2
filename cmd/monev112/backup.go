package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector"
	"github.com/monev112/monev112/collector/alerting/delivery"
	"github.com/monev112/monev112/collector/alerting/notifications"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/monev/report"
	"github.com/monev112/monev112/collector/source/dropfolder"
	"github.com/monev112/monev112/collector/upkeep/backup"
	"github.com/monev112/monev112/collector/web"
)

// clickhouseFlags name a ClickHouse by its HTTP interface.
type clickhouseFlags struct{ url, user, passwordFile, database string }

func (f *clickhouseFlags) add(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&f.url, "clickhouse", "", "HTTP interface of "+what+", such as https://db.example:8443")
	cmd.Flags().StringVar(&f.user, "clickhouse-user", "", "user there (default \"default\")")
	cmd.Flags().StringVar(&f.passwordFile, "clickhouse-password-file", "", "file with the password")
	cmd.Flags().StringVar(&f.database, "clickhouse-database", "", "database there (default \"monev112\")")
}

func (f *clickhouseFlags) client() (*backup.Client, error) {
	if f.url == "" {
		if f.user != "" || f.passwordFile != "" || f.database != "" {
			return nil, usagef("--clickhouse-user, --clickhouse-password-file and --clickhouse-database need --clickhouse")
		}
		return nil, nil
	}
	password, err := backup.ReadPassword(f.passwordFile)
	if err != nil {
		return nil, err
	}
	c := &backup.Client{URL: f.url, User: f.user, Password: password, Database: f.database}
	if err := c.Check(); err != nil {
		return nil, &usageError{err}
	}
	return c, nil
}

func backupCommand() *cobra.Command {
	var (
		config, data, to, secrets, verify string
		ch                                clickhouseFlags
	)
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Take a backup; the service may be running",
		Long: `backup writes everything that the service stores into a new folder: the tables, the journal, the
quarantine. The service keeps running; the backup holds its state at the moment the backup ends. The folder gets its
name only when it is complete. It holds plain files (tab-separated rows packed with zstd, journal segments) and a
manifest with their checksums.

Secrets are not in it: the caller keys, which are needed to recognise later calls from the same number, and the API
keys. --secrets writes them to a separate file; keep it in another place. The configuration is not in it either.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			show, done := showProgress(os.Stderr)
			defer done()
			switch {
			case verify != "" && to != "":
				return usagef("backup: --verify checks a backup, --to takes one: give one of them")
			case verify != "":
				m, err := backup.Verify(cmd.Context(), verify, show)
				done()
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is complete: every checksum is right\n", verify)
				describe(cmd.OutOrStdout(), m)
				return err
			case to == "":
				return usagef("backup: name the new folder with --to")
			}
			file, err := readConfig(config)
			if err != nil {
				return err
			}
			take := backup.TakeConfig{To: to, SecretsTo: secrets, Progress: show}
			if take.Client, err = ch.client(); err != nil {
				return err
			}
			m, err := takeBackup(cmd.Context(), data, &file, take)
			done()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "backup taken: %s\n", to)
			describe(cmd.OutOrStdout(), m)
			if secrets == "" {
				fmt.Fprintln(os.Stderr, "the caller keys and API keys are not in it; --secrets FILE writes them to a separate file")
			}
			return err
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "configuration file of the service")
	cmd.Flags().StringVar(&data, "data", "data", "data folder of the service")
	cmd.Flags().StringVar(&to, "to", "", "folder to create")
	cmd.Flags().StringVar(&secrets, "secrets", "", "file to create for the caller keys and API keys")
	cmd.Flags().StringVar(&verify, "verify", "", "check every checksum of the backup in this folder; take no backup")
	ch.add(cmd, "the service's ClickHouse server, when its configuration names the native protocol")
	return cmd
}

// takeBackup takes a backup of the service in the folder data, which may run. take says where it goes; its Client is
// nil unless another ClickHouse than that of the configuration is to be read. What a backup leaves out follows from the
// rest (checkpoint, cursor, the engine's files), is under way (a rebuild: ask for it again) or holds what must not
// leave the folder (the spool of a followed log, which has raw numbers: the log is read again).
func takeBackup(ctx context.Context, data string, file *collector.File, take backup.TakeConfig) (_ *backup.Manifest,
	err error) {
	if take.DataDir, err = filepath.Abs(data); err != nil {
		return nil, fmt.Errorf("data folder %s: %w", data, err)
	}
	if take.Client == nil {
		if take.Client, err = backup.ClientOf(file.ClickHouse); err != nil {
			return nil, err
		}
	}
	take.Program, _, _ = build()
	take.Now, take.MinFree, take.EngineMemory = time.Now, file.Limits.MinFreeBytes, file.Limits.EngineMemory
	take.State = []string{
		quarantine.FolderName, dropfolder.FolderName, audit.FolderName, notifications.FolderName, delivery.FolderName,
		report.FolderName,
	}
	take.Secrets = []string{ingest.CallerKeysFile, auth.FileName, web.LinkKeysFile}
	return backup.Take(ctx, take)
}

func restoreCommand() *cobra.Command {
	var (
		cfg  backup.RestoreConfig
		from string
		ch   clickhouseFlags
	)
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Fill an empty folder, or an empty ClickHouse server, from a backup",
		Long: `restore checks a backup and fills an empty target from it: a data folder with --data (including the
embedded ClickHouse), a ClickHouse server with --clickhouse, or both: then the tables go to the server and the rest to
the folder. The number of rows of each table is compared with the backup. A folder gets its name only when it is
complete. If the restore of a server was interrupted, the same command continues it.

When the service starts on the folder it sends the backup's journal to ClickHouse again; events that are stored already
are recognised. To move a running service from the embedded ClickHouse to a server, see docs/scale.md.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if from == "" || cfg.DataDir == "" && ch.url == "" {
				return usagef("restore: name the backup with --from, and with --data or --clickhouse what to fill")
			}
			if cfg.NoTables && cfg.DataDir == "" {
				return usagef("restore: --no-tables needs --data")
			}
			if cfg.Client, err = ch.client(); err != nil {
				return err
			}
			show, done := showProgress(os.Stderr)
			defer done()
			cfg.From, cfg.Progress, cfg.Now = from, show, time.Now
			m, err := backup.Restore(cmd.Context(), cfg)
			done()
			if err != nil {
				return err
			}
			for _, place := range []string{cfg.DataDir, ch.url} {
				if place != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "restored into %s\n", place)
				}
			}
			describe(cmd.OutOrStdout(), m)
			return tellUnrecognised(os.Stderr, cfg)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "folder of the backup")
	cmd.Flags().StringVar(&cfg.DataDir, "data", "", "data folder to create; it must be empty or not exist")
	cmd.Flags().StringVar(&cfg.Secrets, "secrets", "", "file of secrets that was written with a backup")
	cmd.Flags().BoolVar(&cfg.NoTables, "no-tables", false,
		"create only the folder: the service's ClickHouse server has its tables already")
	ch.add(cmd, "the server to fill; its database must be empty or not exist")
	return cmd
}

// tellUnrecognised says what a restored folder will not recognise, because its keys were not restored.
func tellUnrecognised(w io.Writer, cfg backup.RestoreConfig) error {
	if cfg.DataDir == "" {
		return nil
	}
	lost, err := backup.NotRestored(cfg.DataDir)
	if err != nil {
		return err
	}
	for _, key := range []struct{ file, follows string }{
		{ingest.CallerKeysFile, "the next start makes new ones: an earlier caller counts as a new one, and an event of " +
			"before that is sent again looks like a conflict instead of a duplicate"},
		{web.LinkKeysFile, "the next start makes a new one: no link opens that was sent before"},
		{auth.FileName, "no key of before is known: the service does not start until others are created (monev112 key " +
			"create)"},
	} {
		if slices.Contains(lost, key.file) {
			fmt.Fprintf(w, "not restored: %s. It is not among the secrets (--secrets); %s. To have it recognised, restore "+
				"again with the secrets, or put the file into %s before the first start\n", key.file, key.follows, cfg.DataDir)
		}
	}
	return nil
}

func describe(w io.Writer, m *backup.Manifest) {
	fmt.Fprintf(w, "  taken %s, schema %03d, %d MiB\n", m.TakenAt.In(wib).Format("2006-01-02 15:04:05 MST"), m.Schema,
		(m.Bytes()+1<<20-1)>>20)
	for _, t := range m.Tables {
		fmt.Fprintf(w, "  %-16s %12d rows\n", t.Name, t.Rows)
	}
	fmt.Fprintf(w, "  %-16s %12d events, of which the tables have what lies before %d\n", "journal", m.Journal.Records,
		m.Journal.Shipped)
}

// newBar makes a bar over the width of a terminal, which is gone at its end.
func newBar(w io.Writer, total int64, more ...progressbar.Option) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total, append(more, progressbar.OptionSetWriter(w), progressbar.OptionFullWidth(),
		progressbar.OptionUseANSICodes(true), progressbar.OptionClearOnFinish())...)
}

// showProgress returns what shows progress on w: a bar on a terminal, else a line now and then; done ends it and may be
// called twice.
func showProgress(w *os.File) (show func(backup.Progress), done func()) {
	if !onTerminal(w) {
		last := time.Now()
		return func(p backup.Progress) {
			if time.Since(last) >= lineEvery {
				last = time.Now()
				fmt.Fprintf(w, "%s: %d of %d\n", p.Step, p.Done, p.Total)
			}
		}, func() {}
	}
	bar := newBar(w, 1)
	return func(p backup.Progress) {
			unit := "rows"
			if p.Bytes {
				unit = "bytes"
			}
			bar.Describe(fmt.Sprintf("%s %d of %d %s", p.Step, p.Done, p.Total, unit))
			bar.ChangeMax64(max(1, p.Total))
			_ = bar.Set64(min(p.Done, max(0, p.Total-1))) // a bar is no reason to fail
		}, func() {
			_ = bar.Clear() // likewise
		}
}
