package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// notifyPoll is how often a service that is not ready yet is asked again.
const notifyPoll = 50 * time.Millisecond

// notifySystemd tells systemd how the service is, where systemd started it: READY once ready gives nil, then WATCHDOG
// at half the interval as long as ready returns, whatever it says: a disk that is full is no reason to be killed, a
// service that answers nobody is. It tells STOPPING and returns when ctx ends.
func notifySystemd(ctx context.Context, log *slog.Logger, ready func() error) {
	tell := func(state string) {
		if _, err := daemon.SdNotify(false, state); err != nil {
			log.Warn("systemd not notified", "component", "systemd", "state", state, "error", err)
		}
	}
	defer tell(daemon.SdNotifyStopping)
	wait := time.NewTicker(notifyPoll)
	defer wait.Stop()
	for ready() != nil {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
	}
	tell(daemon.SdNotifyReady)
	var alive <-chan time.Time // never without a watchdog
	if limit, err := daemon.SdWatchdogEnabled(false); err != nil {
		log.Warn("systemd watchdog not served", "component", "systemd", "error", err)
	} else if limit > 0 {
		ticker := time.NewTicker(limit / 2)
		defer ticker.Stop()
		alive = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-alive:
			_ = ready()
			tell(daemon.SdNotifyWatchdog)
		}
	}
}
