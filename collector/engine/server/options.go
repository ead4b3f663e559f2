package server

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"time"

	"github.com/monev112/monev112/collector/engine/install"
)

// Options configure Open. The zero value of every field but DataDir means its default.
type Options struct {
	// DataDir is the engine's folder: the tables, the key, the configuration ClickHouse reads. Made absolute: ClickHouse's
	// fsync fails on a relative path. Required.
	DataDir string
	// Library is the path of libchdb.so; default install.Find().
	Library string
	// MaxMemoryBytes bounds what all statements together may use; default 2 GiB. A writer's statement may use all of it, a
	// reader's a quarter.
	MaxMemoryBytes int64
	// Threads is the number of threads of one statement; default the number of processors, for readers half of it.
	Threads int
	// Writers is the number of connections for requests with the key; default 4.
	Writers int
	// Readers is the number of connections for requests without it, so the number of such statements at once; default 4.
	Readers int
	// ReadTimeout bounds a reader's statement; default 30 s.
	ReadTimeout time.Duration
	// MaxResultRows bounds a reader's result; default 1,000,000.
	MaxResultRows int64
	// MaxResultBytes bounds a reader's result in ClickHouse's memory form; default 256 MiB.
	MaxResultBytes int64
	// Log gets what no answer carries; default slog.Default().
	Log *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.DataDir == "" {
		return o, fmt.Errorf("engine: no data folder given")
	}
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return o, fmt.Errorf("engine: data folder %s: %w", o.DataDir, err)
	}
	o.DataDir = dir
	if o.Library == "" {
		if o.Library, err = install.Find(); err != nil {
			return o, err
		}
	}
	if o.MaxMemoryBytes == 0 {
		o.MaxMemoryBytes = 2 << 30
	}
	if o.Threads == 0 {
		o.Threads = runtime.NumCPU()
	}
	if o.Writers == 0 {
		o.Writers = 4
	}
	if o.Readers == 0 {
		o.Readers = 4
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = 30 * time.Second
	}
	if o.MaxResultRows == 0 {
		o.MaxResultRows = 1_000_000
	}
	if o.MaxResultBytes == 0 {
		o.MaxResultBytes = 256 << 20
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	switch {
	case o.MaxMemoryBytes < 256<<20:
		return o, fmt.Errorf("engine: memory limit %d bytes is below the 256 MiB that ClickHouse needs", o.MaxMemoryBytes)
	case o.Threads < 1, o.Writers < 1, o.Readers < 1, o.ReadTimeout < time.Second, o.MaxResultRows < 1,
		o.MaxResultBytes < 1:
		return o, fmt.Errorf("engine: threads, writers, readers and the reader's limits must be at least 1 (the timeout 1 s)")
	}
	return o, nil
}

// sessionSettings hold for every connection: answers do not depend on the host's time zone, and statements mean what
// they mean on a ClickHouse server.
func (o Options) sessionSettings() []setting {
	return []setting{
		{"session_timezone", "UTC"},
		{"implicit_select", "0"},
		{"allow_introspection_functions", "0"},
	}
}

func (o Options) writerSettings() []setting {
	return append(o.sessionSettings(),
		setting{"max_memory_usage", fmt.Sprint(o.MaxMemoryBytes)},
		setting{"max_threads", fmt.Sprint(o.Threads)},
	)
}

func (o Options) readerSettings() []setting {
	return append(o.sessionSettings(),
		setting{"max_memory_usage", fmt.Sprint(o.MaxMemoryBytes / 4)},
		setting{"max_threads", fmt.Sprint(max(1, o.Threads/2))},
		setting{"max_execution_time", fmt.Sprint(max(1, int(o.ReadTimeout/time.Second)))},
		setting{"max_result_rows", fmt.Sprint(o.MaxResultRows)},
		setting{"max_result_bytes", fmt.Sprint(o.MaxResultBytes)},
		setting{"result_overflow_mode", "throw"},
		setting{"max_temporary_columns", "5000"},
		setting{"readonly", "1"},
	)
}
