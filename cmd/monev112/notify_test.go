package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
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
			env := map[string]string{"NOTIFY_SOCKET": socket}
			if name == "a watcher" {
				env["WATCHDOG_USEC"], env["WATCHDOG_PID"] = "20000", "7"
			}
			n := newNotifier(func(k string) string { return env[k] }, 7, slog.New(slog.DiscardHandler))
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var asked atomic.Int64
			done := make(chan struct{})
			go func() {
				defer close(done)
				n.run(ctx, func() error {
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

func TestTheWatchdogOfAnotherProcessIsNotOurs(t *testing.T) {
	for _, c := range []struct {
		usec, pid string
		want      time.Duration
	}{{"", "", 0}, {"x", "", 0}, {"-1", "", 0}, {"2000000", "", 2 * time.Second}, {
		"2000000", "7", 2 * time.Second,
	}, {"2000000", "8", 0}} {
		env := map[string]string{"WATCHDOG_USEC": c.usec, "WATCHDOG_PID": c.pid}
		if n := newNotifier(func(k string) string { return env[k] }, 7, nil); n.watchdog != c.want {
			t.Errorf("%+v: %v", c, n.watchdog)
		}
	}
}

func TestAStopBeforeReadinessIsTold(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	heard := systemd(t, socket)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	notifier{socket: socket, log: slog.New(slog.DiscardHandler)}.run(ctx, func() error { return errors.New("replaying") })
	if got := heard(); got != "STOPPING=1" {
		t.Errorf("told %q", got)
	}
}
