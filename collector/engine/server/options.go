package server

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"time"
)

// Options configure Open. The zero value of every field but DataDir means its default.
type Options struct {
	// DataDir is the engine's folder: the tables, the key, the configuration ClickHouse reads. Made absolute: ClickHouse's
	// fsync fails on a relative path. Required.
	DataDir string
	// MaxMemoryBytes bounds what all statements together may use; default 2 GiB. A writer's statement may use all of it, a
	// reader's a quarter.
	MaxMemoryBytes int64
	// Writers is the number of connections for requests with the key; default 4.
	Writers int
	// Log gets what no answer carries; default slog.Default().
	Log *slog.Logger
}

// minMemoryBytes is the least that ClickHouse needs for statements.
const minMemoryBytes = 256 << 20

// Limits of readers.
const (
	readers        = 4 // connections, so the number of such statements at once
	readTimeout    = 30 * time.Second
	maxResultRows  = 1_000_000
	maxResultBytes = 256 << 20 // in ClickHouse's memory form
)

func (o Options) withDefaults() (Options, error) {
	if o.DataDir == "" {
		return o, errors.New("engine: no data folder given")
	}
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return o, fmt.Errorf("engine: data folder %s: %w", o.DataDir, err)
	}
	o.DataDir = dir
	o.MaxMemoryBytes = cmp.Or(o.MaxMemoryBytes, 2<<30)
	o.Writers = cmp.Or(o.Writers, 4)
	o.Log = cmp.Or(o.Log, slog.Default())
	if o.MaxMemoryBytes < minMemoryBytes {
		return o, fmt.Errorf("engine: memory limit %d bytes is below the 256 MiB that ClickHouse needs", o.MaxMemoryBytes)
	}
	if o.Writers < 1 {
		return o, fmt.Errorf("engine: %d connections for writers: at least 1 is needed", o.Writers)
	}
	return o, nil
}

// sessionSettings hold for every connection: answers do not depend on the host's time zone, and statements mean what
// they mean on a ClickHouse server.
func sessionSettings(maxMemoryBytes int64, threads int) []setting {
	return []setting{
		{"session_timezone", "UTC"},
		{"implicit_select", "0"},
		{"allow_introspection_functions", "0"},
		{"max_memory_usage", fmt.Sprint(maxMemoryBytes)},
		{"max_threads", fmt.Sprint(max(1, threads))},
	}
}

func (o Options) writerSettings() []setting {
	return sessionSettings(o.MaxMemoryBytes, runtime.NumCPU())
}

// readerSettings bound a reader; it gets half of the processors.
func (o Options) readerSettings() []setting {
	return append(sessionSettings(o.MaxMemoryBytes/4, runtime.NumCPU()/2),
		setting{"max_execution_time", fmt.Sprint(int(readTimeout / time.Second))},
		setting{"max_result_rows", fmt.Sprint(maxResultRows)},
		setting{"max_result_bytes", fmt.Sprint(maxResultBytes)},
		setting{"result_overflow_mode", "throw"},
		setting{"max_temporary_columns", "5000"},
		setting{"readonly", "1"},
	)
}
