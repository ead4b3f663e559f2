package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/engine/child"
)

// Config configures Run.
type Config struct {
	Options
	// Listen is the address; default 127.0.0.1:8123. Port 0 takes a free one.
	Listen string
	// Patience is how long Run waits for a folder or a port that another process, usually an engine about to end, still
	// holds; default 15 s.
	Patience time.Duration
}

const (
	waitPoll         = 100 * time.Millisecond
	shutdownPatience = 5 * time.Second
)

// Run is the body of the command `monev112 engine`: it opens the data folder, serves it, and closes it when ctx ends,
// on SIGTERM or SIGINT, or when standard input ends. The address stands in the file engine.addr of the data folder
// while it serves.
func Run(ctx context.Context, config Config) error {
	config.Listen = cmp.Or(config.Listen, engine.DefaultListen)
	config.Patience = cmp.Or(config.Patience, 15*time.Second)
	config.Log = cmp.Or(config.Log, slog.Default()).With("component", "engine")
	if err := checkListen(config.Listen); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	ctx, announce := child.Attach(ctx, config.Log)

	listener, err := listen(ctx, config.Listen, config.Patience)
	if err != nil {
		return err
	}
	defer listener.Close()
	database, err := retry(ctx, config.Patience, func() (*Database, error) { return Open(config.Options) },
		func(err error) bool { return errors.Is(err, ErrLocked) })
	if err != nil {
		return err
	}
	defer database.Close()
	handler, err := database.Handler(HTTPOptions{})
	if err != nil {
		return err
	}
	server := NewHTTPServer(handler)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	removeAddr, err := engine.WriteAddr(database.options.DataDir, listener.Addr().String())
	if err != nil {
		return err
	}
	defer removeAddr()
	config.Log.Info("listening", "addr", listener.Addr().String(), "data", database.options.DataDir)
	if err := announce(listener.Addr().String()); err != nil {
		return err
	}
	select {
	case err = <-served:
		return fmt.Errorf("engine: serve %s: %w", config.Listen, err)
	case <-ctx.Done():
	}
	config.Log.Info("stopping")
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		_ = server.Close()
	}
	return database.Close()
}

// checkListen refuses an address that other machines can reach: whoever does not know the key may still read.
func checkListen(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("engine: listen on %q: %w: write host:port, for example %s", listen, err, engine.DefaultListen)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf(
			"engine: %s can be reached from other machines, where nobody may ask: listen on loopback, for example %s",
			listen, engine.DefaultListen)
	}
	return nil
}

// NewHTTPServer returns a server that bounds what a slow or hostile client can hold. Bodies and answers have limits of
// their own, for an INSERT or a result may rightly take long.
func NewHTTPServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    1 << 20, // parameters travel in the URL
	}
}

func listen(ctx context.Context, addr string, patience time.Duration) (net.Listener, error) {
	listener, err := retry(ctx, patience, func() (net.Listener, error) {
		return new(net.ListenConfig).Listen(ctx, "tcp", addr)
	}, func(err error) bool { return errors.Is(err, syscall.EADDRINUSE) })
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("engine: the port of %s is taken by another program: stop it or choose another address: %w",
			addr, err)
	}
	if err != nil {
		return nil, fmt.Errorf("engine: listen: %w", err)
	}
	return listener, nil
}

// retry calls try until it succeeds, fails for another reason than again names, or patience is over.
func retry[T any](ctx context.Context, patience time.Duration, try func() (T, error), again func(error) bool) (T,
	error) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		value, err := try()
		if err == nil || !again(err) {
			return value, err
		}
		select {
		case <-time.After(waitPoll):
		case <-deadline.C:
			return value, err
		case <-ctx.Done():
			return value, errors.Join(context.Cause(ctx), err)
		}
	}
}
