package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
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

// A thread of the parent asks for the processor for shortSlice at once, the least that Linux takes; one of the child
// for longSlice, which is Linux's own where there are many processors. Who is woken and asks for less need not wait
// until the slice of whoever has the processor is over: an event is handed from thread to thread some six times until
// it is acknowledged, and would wait milliseconds each time that the child is at work.
const (
	shortSlice = 100 * time.Microsecond
	longSlice  = 3 * time.Millisecond
)

// Attach makes an engine the child of the Process that started it: it lowers the priority and returns a context that
// ends with the parent, and announce tells the parent the engine's address. In any other process it changes nothing.
func Attach(ctx context.Context, log *slog.Logger) (_ context.Context, announce func(addr string) error) {
	if os.Getenv(envName) == "" {
		return ctx, func(string) error { return nil }
	}
	if err := lowerPriority(); err != nil {
		log.Warn("priority not lowered", "error", err)
	}
	if err := setSlice(longSlice); err != nil {
		log.Warn("time slices not lengthened", "error", err)
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
