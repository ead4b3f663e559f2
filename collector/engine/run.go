package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Config configures Run.
type Config struct {
	Options
	// Server configures the HTTP side.
	Server ServerOptions
	// Listen is the address; default 127.0.0.1:8123. Port 0 takes a free one.
	Listen string
	// StdinCloses ends Run when standard input ends, so that the engine does not outlive the process that started it. A
	// process started by a Child does so without being told.
	StdinCloses bool
	// Stdin is read when StdinCloses is set; default os.Stdin.
	Stdin io.Reader
	// Patience is how long Run waits for a folder or a port that another process, usually an engine about to end, still
	// holds; default 15 s.
	Patience time.Duration
	// Ready is told the address once requests are answered; nil for none.
	Ready func(addr net.Addr)
}

// DefaultListen is where the embedded ClickHouse listens: ClickHouse's HTTP port, on loopback.
const DefaultListen = "127.0.0.1:8123"

const (
	waitPoll         = 100 * time.Millisecond
	shutdownPatience = 5 * time.Second
)

// childNice is how far the child gives way to its parent: acknowledging an event does not wait behind a merge or a
// panel. Where nobody else wants the processors it costs nothing. Further down, the child would keep its parent waiting
// for what it holds in the file system.
const childNice = 10

// Run is the body of the command `monev112 engine`: it opens the data folder, serves it, and closes it when ctx ends,
// on SIGTERM or SIGINT, or when standard input ends. The address stands in the file engine.addr of the data folder
// while it serves.
func Run(ctx context.Context, config Config) error {
	if config.Listen == "" {
		config.Listen = DefaultListen
	}
	if config.Patience == 0 {
		config.Patience = 15 * time.Second
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if err := checkListen(config.Listen, config.Server.Hosts); err != nil {
		return err
	}
	if !isLoopback(config.Listen) {
		config.Log.Warn("the embedded ClickHouse listens beyond this machine: whoever reaches it may read every table",
			"addr", config.Listen)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	child := os.Getenv(childEnv) != ""
	if child {
		if err := giveWay(); err != nil {
			config.Log.Warn("the embedded ClickHouse keeps the priority of its parent", "error", err)
		}
	}
	if config.StdinCloses || child {
		if config.Stdin == nil {
			config.Stdin = os.Stdin
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go func() {
			_, _ = io.Copy(io.Discard, config.Stdin)
			cancel()
		}()
	}

	listener, err := listenPatiently(ctx, config.Listen, config.Patience)
	if err != nil {
		return err
	}
	defer listener.Close()
	engine, err := openPatiently(ctx, config.Options, config.Patience)
	if err != nil {
		return err
	}
	defer engine.Close()
	handler, err := engine.Handler(config.Server)
	if err != nil {
		return err
	}
	server := NewHTTPServer(handler)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	addrPath := filepath.Join(engine.options.DataDir, addrName)
	if err := writeFileSynced(addrPath, []byte(listener.Addr().String()+"\n"), 0o600); err != nil {
		return fmt.Errorf("engine: write the address: %w", err)
	}
	defer os.Remove(addrPath)
	config.Log.Info("the embedded ClickHouse listens", "addr", listener.Addr().String(), "data", engine.options.DataDir)
	if child {
		if err := tellParent(listener.Addr().String()); err != nil {
			return fmt.Errorf("engine: tell the parent the address: %w", err)
		}
	}
	if config.Ready != nil {
		config.Ready(listener.Addr())
	}
	select {
	case err = <-served:
		return fmt.Errorf("engine: serve %s: %w", config.Listen, err)
	case <-ctx.Done():
	}
	config.Log.Info("the embedded ClickHouse stops")
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		_ = server.Close()
	}
	return engine.Close()
}

// checkListen refuses an address on which every request would be refused for the host it names.
func checkListen(listen string, hosts []string) error {
	if _, _, err := net.SplitHostPort(listen); err != nil {
		return fmt.Errorf("engine: listen on %q: %w: write host:port, for example %s", listen, err, DefaultListen)
	}
	if !isLoopback(listen) && len(hosts) == 0 {
		return fmt.Errorf(
			"engine: %s can be reached from other machines, and no host names are configured under which it may be asked: name them, or listen on %s", listen, DefaultListen)
	}
	return nil
}

func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

const addrName = "engine.addr"

// NewHTTPServer bounds what a slow or hostile client can hold. Bodies and answers have limits of their own, for an
// INSERT or a result may rightly take long.
func NewHTTPServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    1 << 20, // parameters travel in the URL
	}
}

func listenPatiently(ctx context.Context, addr string, patience time.Duration) (net.Listener, error) {
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

func openPatiently(ctx context.Context, options Options, patience time.Duration) (*Engine, error) {
	return retry(ctx, patience, func() (*Engine, error) {
		return Open(options)
	}, func(err error) bool { return errors.Is(err, ErrLocked) })
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
