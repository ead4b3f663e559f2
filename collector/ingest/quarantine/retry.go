package quarantine

import (
	"context"
	"log/slog"
	"time"
)

// retryEvery is how often the service looks for rejected events that an operator marked.
const retryEvery = 2 * time.Second

// RunRetries gives the rejected events that an operator marked to retry until ctx ends. While ready returns an error
// the marks wait. An event is removed once retry returns nil: the vocabulary, the directory or the clock now let it in.
func (r *Rejected) RunRetries(ctx context.Context, ready func() error, retry func(context.Context, []byte) error,
	log *slog.Logger) {
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if ready() != nil {
			continue
		}
		tried := 0
		accepted, err := r.Requeue(func(e Entry) error {
			tried++
			return retry(ctx, e.Event)
		})
		if tried > 0 || err != nil {
			log.Info("rejected events retried", "accepted", accepted, "rejected", tried-accepted)
		}
	}
}
