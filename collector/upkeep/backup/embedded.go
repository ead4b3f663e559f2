package backup

import (
	"context"
	"log/slog"
	"path/filepath"

	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/engine/child"
)

// withEmbedded uses the embedded engine of a service: the one that serves its data folder now, else one that runs for
// the time of use.
func withEmbedded(ctx context.Context, dataDir string, memory int64, use func(*Client) error) error {
	dir := filepath.Join(dataDir, engine.FolderName)
	if addr := engine.ReadAddr(ctx, dir); addr != "" {
		key, err := engine.ReadKey(dir)
		if err != nil {
			return err
		}
		return use(&Client{URL: "http://" + addr, Password: key})
	}
	return withEngine(ctx, dir, memory, use)
}

// withEngine runs the embedded engine on a folder for the time of use.
func withEngine(ctx context.Context, dir string, memory int64, use func(*Client) error) error {
	config := child.Config{DataDir: dir, MaxMemoryBytes: memory, Log: slog.New(slog.DiscardHandler)}
	return child.With(ctx, config, func(addr, key string) error {
		return use(&Client{URL: "http://" + addr, Password: key})
	})
}
