package child

import (
	"context"
	"errors"
	"fmt"
)

// With runs an engine on a folder as a child until use is done with it; addr and key are those of the engine.
func With(ctx context.Context, config Config, use func(addr, key string) error) error {
	config.Listen = "127.0.0.1:0"
	process, err := New(config)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- process.Run(running) }()
	addr, key, err := process.WaitReady(ctx)
	if err == nil {
		err = use(addr, key)
	}
	stop()
	if end := <-ended; end != nil && !errors.Is(err, end) {
		err = errors.Join(err, fmt.Errorf("the embedded ClickHouse: %w", end))
	}
	return err
}
