package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/engine/chdb"
	"github.com/monev112/monev112/collector/engine/install"
)

// ErrLocked says that another process holds the data folder.
var ErrLocked = errors.New("another process uses this data folder")

// ErrBusy says that no connection became free in time.
var ErrBusy = errors.New("too many statements at once")

// Files in the data folder.
const (
	dataName   = "clickhouse" // ClickHouse's own folder
	configName = "clickhouse.xml"
	lockName   = "engine.lock"
)

// Database is an open data folder. Its methods may be called from several goroutines.
type Database struct {
	options Options
	lib     *chdb.Library
	lock    *flock.Flock
	key     string

	control *session // classifies and kills statements
	writers *pool
	readers *pool

	// connect makes a connection with these settings; bounds are those of them that it must have
	connect func(settings, bounds []setting) (*session, error)

	requests atomic.Uint64 // numbers statements, so that one can be found and killed
	instance string        // tells this process's statements from those of an earlier one
	closed   sync.Once
}

// Open opens the data folder, makes the key on first use, and connects. It gives ErrLocked when another process holds
// the folder and install.ErrMissing when libchdb.so is not installed. The process can hold one data folder; Close it
// before another.
func Open(options Options) (*Database, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(options.DataDir, dataName), 0o700); err != nil {
		return nil, fmt.Errorf("engine: make the data folder: %w", err)
	}
	// ClickHouse has its own lock, but reports a refusal on standard error only: ours tells it apart from other failures.
	lock := flock.New(filepath.Join(options.DataDir, lockName), flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("engine: lock the data folder %s: %w", options.DataDir, err)
	}
	if !held {
		return nil, fmt.Errorf("engine: %s: %w; stop that process or choose another folder", options.DataDir, ErrLocked)
	}
	d := &Database{options: options, lock: lock, instance: fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano())}
	if err := d.open(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Database) open() (err error) {
	o := d.options
	if d.key, err = engine.LoadOrCreateKey(o.DataDir); err != nil {
		return err
	}
	library, err := install.Find()
	if err != nil {
		return err
	}
	if d.lib, err = chdb.Load(library); err != nil {
		return err
	}
	configPath := filepath.Join(o.DataDir, configName)
	if err := os.WriteFile(configPath, []byte(config), 0o600); err != nil {
		return fmt.Errorf("engine: write ClickHouse's configuration: %w", err)
	}
	server := []string{
		"--path=" + filepath.Join(o.DataDir, dataName),
		"--config-file=" + configPath,
		fmt.Sprintf("--max_server_memory_usage=%d", o.MaxMemoryBytes+reservedBytes),
	}
	d.connect = func(settings, bounds []setting) (*session, error) {
		args := append([]string(nil), server...)
		for _, s := range settings {
			args = append(args, "--"+s.name+"="+s.value)
		}
		c, err := chdb.Connect(d.lib, args...)
		if err != nil {
			return nil, fmt.Errorf("engine: open %s: %w; what ClickHouse wrote to standard error says why", o.DataDir, err)
		}
		s := &session{conn: c, baseline: bounds, database: defaultDatabase}
		// An option that ClickHouse does not know is dropped in silence, and these are the reader's bounds: ask.
		if err := s.verifySettings(); err != nil {
			c.Close()
			return nil, err
		}
		return s, nil
	}
	open := func(settings []setting) (*session, error) { return d.connect(settings, settings) }
	if d.control, err = open(o.writerSettings()); err != nil {
		return err
	}
	if d.writers, err = newPool(o.Writers, func() (*session, error) { return open(o.writerSettings()) }); err != nil {
		return err
	}
	d.readers, err = newPool(readers, func() (*session, error) { return open(o.readerSettings()) })
	return err
}

// reservedBytes is what ClickHouse holds besides statements (caches, tables' primary keys), so that the limit on
// statements is not used up by an idle engine.
const reservedBytes = 512 << 20

const defaultDatabase = "default"

// Key is the secret that makes a request a writer's.
func (d *Database) Key() string { return d.key }

// Close ends the statements that run, closes the connections and unlocks the folder. It may be called twice.
func (d *Database) Close() error {
	var err error
	d.closed.Do(func() {
		if d.control != nil && d.control.conn != nil {
			// Waiting statements would keep close waiting: end them first. Inserts finish or are cancelled by their own request.
			_, _ = d.control.conn.Query("KILL QUERY WHERE query LIKE "+quoteString(likeLiteral(d.mark(""))+"%")+
				" AND query_kind = 'Select' ASYNC", "Null", nil)
		}
		if d.readers != nil {
			d.readers.close()
		}
		if d.writers != nil {
			d.writers.close()
		}
		if d.control != nil {
			d.control.conn.Close()
		}
		err = d.lock.Close()
	})
	return err
}

// mark is the comment that names a statement in system.processes.
func (d *Database) mark(request string) string { return "/* monev112 " + d.instance + " " + request }

func (d *Database) nextMark() string { return d.mark(fmt.Sprint(d.requests.Add(1))) + " */ " }

// kill ends the statement that carries mark; ClickHouse does so at the statement's next check, usually within 0.1 s.
func (d *Database) kill(mark string) {
	_, err := d.control.conn.Query("KILL QUERY WHERE query LIKE "+quoteString(likeLiteral(mark)+"%")+" ASYNC", "Null", nil)
	if err != nil {
		d.options.Log.Warn("statement not ended", "error", err)
	}
}

func likeLiteral(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// killInterval is how often an abandoned statement is looked for: it may not have begun when its client went away.
const killInterval = 100 * time.Millisecond

// killOnDone ends the marked statement when ctx is done before stop is called.
func (d *Database) killOnDone(ctx context.Context, mark string) (stop func()) {
	over := make(chan struct{})
	unregister := context.AfterFunc(ctx, func() {
		tick := time.NewTicker(killInterval)
		defer tick.Stop()
		for {
			d.kill(mark)
			select {
			case <-over:
				return
			case <-tick.C:
			}
		}
	})
	return func() {
		unregister()
		close(over)
	}
}

// config is what ClickHouse reads at its start. Merged parts replace their sources, which are deleted minutes later: a
// merge that a power cut tore must not be all there is. What an insert brings is one file and not two a column, each
// written and synced by itself; larger parts, which merges make, have their columns apart for those who read few.
const config = `<!-- Written at every start by monev112; changes are lost. -->
<clickhouse>
  <merge_tree>
    <fsync_after_insert>1</fsync_after_insert>
    <fsync_part_directory>1</fsync_part_directory>
    <min_rows_to_fsync_after_merge>1</min_rows_to_fsync_after_merge>
    <min_bytes_for_wide_part>33554432</min_bytes_for_wide_part>
  </merge_tree>
</clickhouse>
`
