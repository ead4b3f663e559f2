package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/monev112/monev112/collector"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/engine/filepages"
	"github.com/monev112/monev112/collector/observability/telemetry"
)

// logFlags are the flags of every command that logs.
type logFlags struct{ level, format string }

func (l *logFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.level, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&l.format, "log-format", "", "text or json (default: text on a terminal, json elsewhere)")
}

func (l *logFlags) logger() (*slog.Logger, error) {
	level, err := telemetry.ParseLevel(l.level)
	if err != nil {
		return nil, &usageError{err}
	}
	name := l.format
	if name == "" {
		name = "json"
		if onTerminal(os.Stderr) {
			name = "text"
		}
	}
	format, err := telemetry.ParseLogFormat(name)
	if err != nil {
		return nil, &usageError{err}
	}
	return telemetry.NewLogger(os.Stderr, format, level), nil
}

// serveFlags say how the service runs.
type serveFlags struct {
	logFlags
	config, data, listen, engineListen string
}

func (f *serveFlags) collectorConfig() (collector.Config, error) {
	log, err := f.logger()
	if err != nil {
		return collector.Config{}, err
	}
	cfg := collector.Config{DataDir: f.data, Listen: f.listen, EngineListen: f.engineListen, Log: log}
	cfg.Version, cfg.Revision, cfg.GoVersion = build()
	if cfg.File, err = readConfig(f.config); err != nil {
		return collector.Config{}, err
	}
	return cfg, nil
}

// readConfig reads the configuration file; without a path it is the zero File, whose defaults are the embedded ones.
func readConfig(path string) (collector.File, error) {
	if path == "" {
		return collector.File{}, nil
	}
	return collector.ReadFile(path)
}

// readDirectory reads the configuration file and the directory that it names.
func readDirectory(config string) (file collector.File, dir *directory.Directory, err error) {
	if file, err = readConfig(config); err == nil {
		dir, err = file.LoadDirectory()
	}
	return file, dir, err
}

func (f *serveFlags) add(cmd *cobra.Command) {
	f.logFlags.add(cmd)
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file (default: the built-in one, for Sidoarjo)")
	cmd.Flags().StringVar(&f.data, "data", "data", "folder of the journal, the keys and the embedded ClickHouse")
	cmd.Flags().StringVar(&f.listen, "listen", collector.DefaultListen, "address of the service")
	cmd.Flags().StringVar(&f.engineListen, "engine-listen", engine.DefaultListen, "address of the embedded ClickHouse")
}

func serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service: accept events, store them in ClickHouse, export metrics to Prometheus",
		Long: `serve accepts events at POST /v1/events, acknowledges them when they are on disk, stores them in
ClickHouse, and answers at /metrics, /v1/board and /v1/tickets. Without a ClickHouse address in the configuration it
runs the embedded ClickHouse as a child process. It stops cleanly on SIGTERM and SIGINT. Acknowledged events are never
lost.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := f.collectorConfig()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(cmd.Context())
			var told sync.WaitGroup
			defer told.Wait()
			defer cancel()
			return serve(ctx, cfg, func(app *collector.App) { told.Go(func() { notifySystemd(ctx, cfg.Log, app.Ready) }) })
		},
	}
	f.add(cmd)
	return cmd
}

// endAtLast calls exit when more than stopWithin passes between the end of ctx and done: whatever a part of the program
// waits for (a disk, an engine, a file of years), the process ends, as safely as by a power loss. done may be called
// twice.
func endAtLast(ctx context.Context, log *slog.Logger, exit func(code int)) (done func()) {
	ended := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(stopWithin)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
			log.Error("stop takes too long, ending the process; what was acknowledged is on disk", "after", stopWithin)
			exit(exitFailure)
		}
	})
	return sync.OnceFunc(func() { unwatch(); close(ended) })
}

// serve runs the service until ctx ends; started, if not nil, is called once it listens.
func serve(ctx context.Context, cfg collector.Config, started func(*collector.App)) error {
	defer endAtLast(ctx, cfg.Log, os.Exit)()
	go filepages.UnmapAfterStart(ctx, cfg.Log)
	app, err := collector.New(ctx, cfg)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // stopped while the journal was replayed: as clean an end as any
	}
	if err != nil {
		return err
	}
	if started != nil {
		started(app)
	}
	return cmp.Or(app.Run(ctx), app.Close())
}
