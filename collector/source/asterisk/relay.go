package asterisk

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/send"
)

// Relay brings the events of a Spool to a collector, in order, one request at a time, for as long as it takes.
type Relay struct {
	spool  *Spool
	client *send.Client
	log    *slog.Logger
	wait   func(context.Context, time.Duration) error

	mu        sync.Mutex
	heartbeat []byte // the latest that waits; an older one says nothing any more
	beaten    chan struct{}
	totals    send.Totals
}

// RelayOptions are what a Relay needs. Send.Total and Send.LongestWait have defaults of their own here: for ever, and 5
// s.
type RelayOptions struct {
	Send send.Config
	Log  *slog.Logger
	Wait func(ctx context.Context, d time.Duration) error // default a timer
}

const (
	relayEvents  = 500
	relayBytes   = 256 << 10
	relayPause   = 10 * time.Second // after an answer that repeating does not better, such as a key that is not known
	relayLongest = 5 * time.Second
)

// NewRelay returns a Relay of a spool. It opens no connection.
func NewRelay(spool *Spool, o RelayOptions) (*Relay, error) {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if o.Wait == nil {
		o.Wait = send.Sleep
	}
	o.Send.Total = cmp.Or(o.Send.Total, -1)
	o.Send.LongestWait = cmp.Or(o.Send.LongestWait, relayLongest)
	o.Send.Timeout = cmp.Or(o.Send.Timeout, 20*time.Second)
	o.Send.OnRetry = func(r send.Retry) {
		if r.Try == 1 || r.Try%60 == 0 {
			o.Log.Warn("events kept, collector does not accept them", "tries", r.Try, "waiting_bytes", spool.Waiting(),
				"error", r.Cause)
		}
	}
	client, err := send.New(o.Send)
	if err != nil {
		return nil, err
	}
	return &Relay{spool: spool, client: client, log: o.Log, wait: o.Wait, beaten: make(chan struct{}, 1)}, nil
}

// Beat keeps a heartbeat until the spool is empty: then the collector has everything up to that time. It is
// FollowerOptions.Beat.
func (r *Relay) Beat(_ context.Context, d event.RawEvent) error {
	r.mu.Lock()
	r.heartbeat = d.AppendCloudEvent(nil)
	r.mu.Unlock()
	select {
	case r.beaten <- struct{}{}:
	default:
	}
	return nil
}

// Run sends until ctx ends. No answer makes it give an event up but the collector's refusal of that event, which the
// collector keeps in its quarantine.
func (r *Relay) Run(ctx context.Context) {
	defer r.client.Close()
	for ctx.Err() == nil {
		sent, err := r.step(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			r.log.Error("events kept, sending failed", "error", err, "waiting_bytes", r.spool.Waiting())
			_ = r.wait(ctx, relayPause)
		case !sent:
			select {
			case <-ctx.Done():
			case <-r.spool.More():
			case <-r.beaten:
				r.spool.Prune()
			}
		}
	}
}

// step sends one request, if there is anything to send.
func (r *Relay) step(ctx context.Context) (sent bool, err error) {
	p, err := r.spool.Next(relayEvents, relayBytes)
	if err != nil {
		return false, err
	}
	if p.Count > 0 {
		if err := r.send(ctx, p.Body, p.Count); err != nil {
			return false, err
		}
		r.spool.Take()
		return true, nil
	}
	r.mu.Lock()
	beat := r.heartbeat
	r.heartbeat = nil
	r.mu.Unlock()
	if beat == nil {
		return false, nil
	}
	return true, r.send(ctx, append(beat, '\n'), 1)
}

func (r *Relay) send(ctx context.Context, body []byte, n int) error {
	a, err := r.client.Submit(ctx, body, n)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &r.totals
	t.Sent, t.Requests = t.Sent+n, t.Requests+1
	t.Accepted, t.Duplicates, t.Refused = t.Accepted+a.Accepted, t.Duplicates+a.Duplicates, t.Refused+len(a.Rejected)
	if a.Tries > 1 {
		t.Retried++
		r.log.Info("collector accepts events again", "waiting_bytes", r.spool.Waiting())
	}
	for i, f := range a.Rejected {
		if i == 5 {
			break
		}
		r.log.Warn("event rejected, see monev112 journal list refused", "field", f.Field, "reason", f.Reason,
			"refused", len(a.Rejected))
	}
	return nil
}

// Totals returns what became of the events sent so far.
func (r *Relay) Totals() send.Totals {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.totals
}
