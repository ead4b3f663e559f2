package quarantine

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/monev112/monev112/collector/event"
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
		accepted, err := r.Requeue(0, func(e Entry) error {
			tried++
			return retry(ctx, e.replayable())
		})
		if tried > 0 || err != nil {
			log.Info("rejected events retried", "accepted", accepted, "rejected", tried-accepted)
		}
	}
}

// replayable returns the event of an entry with no other caller than one that this service replaced itself.
func (e *Entry) replayable() []byte {
	if text, ok := withoutCaller(e.Event); ok && e.Format < formatOwnTokens {
		return text
	}
	return e.Event
}

// withoutCaller returns a pseudonymised event without its caller; it is false when it has none.
func withoutCaller(text []byte) ([]byte, bool) {
	var of, data map[string]json.RawMessage
	if json.Unmarshal(text, &of) != nil || json.Unmarshal(of["data"], &data) != nil {
		return nil, false
	}
	if _, ok := data[string(event.FieldCaller)]; !ok {
		return nil, false
	}
	delete(data, string(event.FieldCaller))
	rest, err := json.Marshal(data)
	if err != nil {
		return nil, false
	}
	of["data"] = rest
	text, err = json.Marshal(of)
	return text, err == nil
}
