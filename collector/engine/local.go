package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ReadAddr gives the address of the engine that serves the data folder dataDir, empty when none does or none answers
// there.
func ReadAddr(ctx context.Context, dataDir string) string {
	b, err := os.ReadFile(filepath.Join(dataDir, addrName))
	if err != nil {
		return ""
	}
	addr := strings.TrimSpace(string(b))
	if ping(ctx, addr) != nil {
		return ""
	}
	return addr
}

// While runs an engine on a folder as a child until use is done with it; addr and key are those of the engine.
func While(ctx context.Context, config ChildConfig, use func(addr, key string) error) error {
	config.Listen = "127.0.0.1:0"
	child, err := NewChild(config)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- child.Run(running) }()
	addr, key, err := child.WaitReady(ctx)
	if err == nil {
		err = use(addr, key)
	}
	stop()
	if end := <-ended; end != nil && !errors.Is(err, end) {
		err = errors.Join(err, fmt.Errorf("the embedded ClickHouse: %w", end))
	}
	return err
}
