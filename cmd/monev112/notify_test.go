package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// systemd listens as systemd does and gives what it is told, one state a call.
func systemd(t *testing.T, name string) func() string {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return func() string {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		state := make([]byte, 256)
		n, err := conn.Read(state)
		if err != nil {
			t.Fatal(err)
		}
		return string(state[:n])
	}
}

func TestSystemdIsToldWhatTheServiceIs(t *testing.T) {
	for name, socket := range map[string]string{
		"a file":    filepath.Join(t.TempDir(), "notify"),
		"no file":   "@monev112-test-" + strconv.Itoa(int(time.Now().UnixNano())),
		"a watcher": filepath.Join(t.TempDir(), "notify"),
	} {
		t.Run(name, func(t *testing.T) {
			heard := systemd(t, socket)
			t.Setenv("NOTIFY_SOCKET", socket)
			if name == "a watcher" {
				t.Setenv("WATCHDOG_USEC", "20000")
				t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var asked atomic.Int64
			done := make(chan struct{})
			go func() {
				defer close(done)
				notifySystemd(ctx, slog.New(slog.DiscardHandler), func() error {
					if asked.Add(1) < 3 {
						return errors.New("replaying")
					}
					return nil
				})
			}()
			if got := heard(); got != "READY=1" || asked.Load() < 3 {
				t.Fatalf("told %q after %d looks", got, asked.Load())
			}
			if name == "a watcher" {
				for range 3 {
					if got := heard(); got != "WATCHDOG=1" {
						t.Fatalf("told %q", got)
					}
				}
			}
			stop()
			<-done
			for got := heard(); got != "STOPPING=1"; got = heard() {
				if got != "WATCHDOG=1" {
					t.Fatalf("told %q", got)
				}
			}
		})
	}
}

func TestTheWatchdogOfAnotherProcessIsNotServed(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	heard := systemd(t, socket)
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "2000")
	t.Setenv("WATCHDOG_PID", "1")                                      // a child inherits the variables and is not meant
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond) // ten times the interval
	defer stop()
	notifySystemd(ctx, slog.New(slog.DiscardHandler), func() error { return nil })
	if first, second := heard(), heard(); first != "READY=1" || second != "STOPPING=1" {
		t.Errorf("told %q, then %q", first, second)
	}
}

func TestAStopBeforeReadinessIsTold(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	heard := systemd(t, socket)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	t.Setenv("NOTIFY_SOCKET", socket)
	notifySystemd(ctx, slog.New(slog.DiscardHandler), func() error { return errors.New("replaying") })
	if got := heard(); got != "STOPPING=1" {
		t.Errorf("told %q", got)
	}
}
