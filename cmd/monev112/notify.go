package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"time"
)

// notifier tells systemd how the service is, as sd_notify(3) describes: a datagram to the socket that NOTIFY_SOCKET
// names. Without that variable nothing is told.
type notifier struct {
	socket   string
	watchdog time.Duration // systemd ends a service that was silent for so long; 0 is never
	log      *slog.Logger
}

// notifyPoll is how often a service that is not ready yet is asked again.
const notifyPoll = 50 * time.Millisecond

// newNotifier reads what systemd says in the environment. WATCHDOG_PID names the process that is meant: a child
// inherits the variables and is not.
func newNotifier(getenv func(string) string, pid int, log *slog.Logger) notifier {
	n := notifier{socket: getenv("NOTIFY_SOCKET"), log: log}
	micros, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if meant := getenv("WATCHDOG_PID"); err == nil && micros > 0 && (meant == "" || meant == strconv.Itoa(pid)) {
		n.watchdog = time.Duration(micros) * time.Microsecond
	}
	return n
}

// run says READY once ready gives nil, then WATCHDOG at half the interval as long as ready returns, whatever it says: a
// disk that is full is no reason to be killed, a service that answers nobody is. It says STOPPING and returns when ctx
// ends.
func (n notifier) run(ctx context.Context, ready func() error) {
	if n.socket == "" {
		return
	}
	wait := time.NewTicker(notifyPoll)
	defer wait.Stop()
	for ready() != nil {
		select {
		case <-ctx.Done():
			n.tell("STOPPING=1")
			return
		case <-wait.C:
		}
	}
	n.tell("READY=1")
	var alive <-chan time.Time
	if n.watchdog > 0 {
		ticker := time.NewTicker(n.watchdog / 2)
		defer ticker.Stop()
		alive = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			n.tell("STOPPING=1")
			return
		case <-alive:
			_ = ready()
			n.tell("WATCHDOG=1")
		}
	}
}

func (n notifier) tell(state string) {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err == nil {
		_, err = conn.Write([]byte(state))
		err = errors.Join(err, conn.Close())
	}
	if err != nil {
		n.log.Warn("systemd was not told", "state", state, "error", err)
	}
}
