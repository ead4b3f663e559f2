// Package enginetest gives tests a real embedded ClickHouse.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/gofrs/flock"

	"github.com/monev112/monev112/collector/engine/install"
	"github.com/monev112/monev112/collector/engine/server"
)

// shared is the engine of this test binary: a process can hold one data folder.
var shared struct {
	once      sync.Once
	database  *server.Database
	addr, key string
	err       error
	databases atomic.Int64
}

// installTimeout bounds the one download of the library.
const installTimeout = 5 * time.Minute

// Start gives the address and key of the test binary's engine, started at the first call on a free loopback port and
// stopped when the binary ends. Tests share it: make a database of your own with Database. When the library is neither
// installed nor can be brought, the test is skipped with a message.
func Start(t testing.TB) (addr, key string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a ClickHouse: not with -short")
	}
	if _, err := install.Find(); err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), installTimeout)
		defer cancel()
		if _, err := install.Fetch(ctx, install.Options{}); err != nil {
			t.Skipf("the embedded ClickHouse is not available: %v", err)
		}
	}
	shared.once.Do(func() { shared.addr, shared.key, shared.err = start() })
	if shared.err != nil {
		t.Fatalf("start the embedded ClickHouse: %v", shared.err)
	}
	return shared.addr, shared.key
}

// Shared gives the test binary's engine itself, for tests that serve it in their own way. It must not be closed.
func Shared(t testing.TB) *server.Database {
	t.Helper()
	Start(t)
	return shared.database
}

// prefix names the data folders in the temporary folder.
const prefix = "monev112-enginetest-"

func start() (addr, key string, err error) {
	sweep()
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return "", "", err
	}
	e, err := server.Open(server.Options{DataDir: dir, Writers: 8})
	if err != nil {
		return "", "", err
	}
	handler, err := e.Handler(server.HTTPOptions{})
	if err != nil {
		return "", "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	shared.database = e
	go func() { _ = server.NewHTTPServer(handler).Serve(listener) }()
	return listener.Addr().String(), e.Key(), nil
}

// sweep removes the folders of test binaries that have ended: nothing runs at a test binary's end that could.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < time.Minute { // another binary may be about to lock it
			continue
		}
		lock := flock.New(filepath.Join(dir, "engine.lock"))
		if held, err := lock.TryLock(); err == nil && held {
			_ = os.RemoveAll(dir)
			_ = lock.Close()
		}
	}
}

// Options connects clickhouse-go to the engine with the key, over HTTP, database "default".
func Options(t testing.TB) *clickhouse.Options {
	t.Helper()
	addr, key := Start(t)
	return &clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{addr},
		Auth:        clickhouse.Auth{Database: "default", Username: "default", Password: key},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
	}
}

// Database makes an empty database with a name of its own and drops it when the test ends.
func Database(t testing.TB) (name string) {
	t.Helper()
	conn, err := clickhouse.Open(Options(t))
	if err != nil {
		t.Fatal(err)
	}
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(t.Name()))
	name = fmt.Sprintf("t%d_%.60s", shared.databases.Add(1), clean)
	if err := conn.Exec(context.Background(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" SYNC"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
		_ = conn.Close()
	})
	return name
}

// Post sends a statement over HTTP to the engine at addr, with body as its rows; settings may be nil.
func Post(addr, key, sql, body string, settings url.Values) (string, error) {
	if settings == nil {
		settings = url.Values{}
	}
	settings.Set("query", sql)
	r, err := http.NewRequest(http.MethodPost, "http://"+addr+"/?"+settings.Encode(), strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("X-ClickHouse-Key", key)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(string(text))
	}
	return string(text), err
}
