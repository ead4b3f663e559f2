package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
)

// envName marks a process started by Process: its standard input is held by the parent and ends with it, and file
// descriptor addrFD takes the address once it serves.
const (
	envName = "MONEV112_ENGINE_CHILD"
	addrFD  = 3
)

// niceness is how far the child gives way to its parent: acknowledging an event does not wait behind a merge or a
// panel. Where nobody else wants the processors it costs nothing. Further down, the child would keep its parent waiting
// for what it holds in the file system.
const niceness = 10

// Attach is the child's side of Process. In a process that a Process started it lowers the priority, gives a context
// that ends with the parent, and announce tells the parent the address. In any other process it changes nothing.
func Attach(ctx context.Context, log *slog.Logger) (_ context.Context, announce func(addr string) error) {
	if os.Getenv(envName) == "" {
		return ctx, func(string) error { return nil }
	}
	if err := lowerPriority(); err != nil {
		log.Warn("priority not lowered", "error", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return ctx, func(addr string) error {
		pipe := os.NewFile(addrFD, "address")
		if pipe == nil {
			return nil
		}
		_, err := io.WriteString(pipe, addr+"\n")
		if err = errors.Join(err, pipe.Close()); err != nil {
			return fmt.Errorf("engine: tell the parent the address: %w", err)
		}
		return nil
	}
}
