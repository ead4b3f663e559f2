package collector

import (
	"context"
	"path/filepath"

	"github.com/monev112/monev112/collector/alerting/notifications"
	"github.com/monev112/monev112/collector/store"
)

// messagesDir holds, below Config.DataDir, the journal of messages that Alertmanager reported.
const messagesDir = "notifications"

func (a *App) openMessages() (*notifications.Log, error) {
	return notifications.Open(notifications.Config{
		Dir: filepath.Join(a.cfg.DataDir, messagesDir), MinFreeBytes: a.cfg.File.Limits.MinFreeBytes, Now: a.cfg.Now,
		Logger: a.cfg.Log,
	})
}

// shipMessages brings messages to ClickHouse until ctx ends; the function that it returns waits for that.
func (a *App) shipMessages(ctx context.Context, st *store.Store) (wait func()) {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := a.messages.Run(ctx, st.InsertNotifications); err != nil {
			a.cfg.Log.Error("messages are kept and not brought to ClickHouse", "error", err)
		}
	}()
	return func() { stop(); <-done }
}
