package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/engine/child"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/upkeep/backup"
	"github.com/monev112/monev112/collector/web"
)

// backupState are the folders of a data folder that a backup takes as they are. What it leaves out follows from the
// rest (checkpoint, cursor, the engine's files), is under way (a rebuild: ask for it again) or holds what must not
// leave the folder (the spool of a followed log, which has raw numbers: the log is read again).
func backupState() []string {
	return []string{quarantine.FolderName, importsDir, auditDir, messagesDir}
}

// backupSecrets are the files that go into a file of their own.
func backupSecrets() []string { return []string{callerKeysFile, auth.FileName, web.LinkKeysFile} }

// Backup takes a backup of the service in cfg.DataDir, which may run. client is its ClickHouse; nil is the embedded
// one: the engine that serves the folder, or one that runs for the time of the backup.
func Backup(ctx context.Context, cfg Config, to, secretsTo string, client *backup.Client,
	progress func(backup.Progress)) (m *backup.Manifest, err error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	if info, err := os.Stat(filepath.Join(cfg.DataDir, JournalDir)); err != nil || !info.IsDir() {
		return nil, errors.Join(fmt.Errorf("%s is not the data folder of a service: it has no journal", cfg.DataDir), err)
	}
	take := func(c *backup.Client) (err error) {
		m, err = backup.Take(ctx, backup.TakeConfig{
			To: to, DataDir: cfg.DataDir, Client: c, State: backupState(), Secrets: backupSecrets(), SecretsTo: secretsTo,
			Program: cfg.Version, MinFree: cfg.File.Limits.MinFreeBytes, Now: cfg.Now, Progress: progress,
		})
		return err
	}
	if client == nil {
		client, err = cfg.File.ClickHouse.backupClient(&cfg.File)
		if err != nil {
			return nil, err
		}
	}
	if client != nil {
		return m, take(client)
	}
	dir := filepath.Join(cfg.DataDir, engineDir)
	if addr := engine.ReadAddr(ctx, dir); addr != "" {
		key, err := engine.ReadKey(dir)
		if err != nil {
			return nil, err
		}
		return m, take(&backup.Client{URL: "http://" + addr, Password: key})
	}
	return m, withEngine(ctx, dir, cfg.File.Limits.EngineMemory, take)
}

// backupClient is the HTTP interface of the server that the configuration names, nil when it names none.
func (c *ClickHouse) backupClient(f *File) (*backup.Client, error) {
	if c.Address == "" {
		return nil, nil
	}
	if c.Protocol != "http" {
		return nil, errors.New(
			"the configuration reaches ClickHouse by its native protocol; a backup goes through the HTTP interface: name it " +
				"with --clickhouse, such as https://db.example:8443")
	}
	scheme := "http://"
	if c.TLS.Enabled {
		scheme = "https://"
	}
	password, err := backup.ReadPassword(f.path(c.PasswordFile))
	return &backup.Client{URL: scheme + c.Address, User: c.User, Password: password, Database: c.Database}, err
}

// withEngine runs the embedded engine on a folder for the time of use.
func withEngine(ctx context.Context, dir string, memory int64, use func(*backup.Client) error) error {
	config := child.Config{DataDir: dir, MaxMemoryBytes: memory, Log: slog.New(slog.DiscardHandler)}
	err := child.With(ctx, config, func(addr, key string) error {
		return use(&backup.Client{URL: "http://" + addr, Password: key})
	})
	return err
}

// Restore fills cfg.DataDir, a ClickHouse, or both, from the backup in from; see backup.RestoreConfig.
func Restore(ctx context.Context, cfg backup.RestoreConfig) (*backup.Manifest, error) {
	cfg.EngineDir = engineDir
	cfg.Engine = func(ctx context.Context, dir string, use func(*backup.Client) error) error {
		return withEngine(ctx, dir, 0, use)
	}
	if cfg.DataDir == "" && cfg.Client == nil {
		return nil, errors.New("nothing to restore into: name an empty data folder, a ClickHouse server, or both")
	}
	return backup.Restore(ctx, cfg)
}
