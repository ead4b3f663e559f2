package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"runtime/pprof"

	"github.com/monev112/monev112/collector"
	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/engine/server"
)

// serveProfiled is the service of this very build, with a CPU profile over its whole life and a log that says what
// each batch took: the program that users get has no way to be profiled from outside.
func serveProfiled(ctx context.Context, args []string) (err error) {
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	cfg := collector.Config{Version: "bench"}
	fs.StringVar(&cfg.DataDir, "data", "", "")
	fs.StringVar(&cfg.Listen, "listen", "", "")
	fs.StringVar(&cfg.EngineListen, "engine-listen", "", "")
	profile := fs.String("cpuprofile", "", "")
	if err := fs.Parse(args); err != nil {
		return err
	}
	f, err := os.Create(*profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines, err := os.Create(*profile + ".log")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lines.Close()) }()
	cfg.Log = slog.New(slog.NewTextHandler(lines, &slog.HandlerOptions{Level: slog.LevelDebug})) // what each batch took
	app, err := collector.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return app.Run(ctx)
}

// runEngine is what serveProfiled starts as its child.
func runEngine(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("engine", flag.ContinueOnError)
	var o server.Options
	listen := fs.String("listen", engine.DefaultListen, "")
	fs.StringVar(&o.DataDir, "data", "", "")
	fs.Int64Var(&o.MaxMemoryBytes, "memory", 0, "")
	if err := fs.Parse(args); err != nil {
		return err
	}
	return server.Run(ctx, server.Config{Options: o, Listen: *listen})
}
