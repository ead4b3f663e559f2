package quarantine

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
)

// The folder of the service's two stores, below its data folder, and their names.
const (
	FolderName   = "quarantine"
	RejectedName = "refused" // events that the intake did not accept, pseudonymised
	DeadName     = "dead"    // rows that ClickHouse can never store
)

// Rejected is the store of events that the intake did not accept.
type Rejected struct{ *Store }

// OpenRejected opens the rejected events of a data folder; the oldest are dropped when they take more than maxBytes.
func OpenRejected(dataDir string, maxBytes int64) (*Rejected, error) {
	s, err := Open(Options{Dir: filepath.Join(dataDir, FolderName), Name: RejectedName, MaxBytes: maxBytes})
	return &Rejected{s}, err
}

// AddRefusals keeps refused events; decoder makes of each what may be kept.
func (r *Rejected) AddRefusals(decoder *event.Decoder, refused []event.Refusal, at time.Time) error {
	entries := make([]Entry, 0, len(refused))
	for i := range refused {
		f := &refused[i]
		entries = append(entries, Entry{
			At: at, Source: f.Source, Field: string(f.Field), Reason: string(f.Reason), Event: decoder.Pseudonymise(f.Raw),
		})
	}
	return r.Add(entries...)
}

// AddConflicts keeps events that contradict an earlier one of the same source and id.
func (r *Rejected) AddConflicts(events []*event.Event, at time.Time) error {
	entries := make([]Entry, 0, len(events))
	for _, e := range events {
		entries = append(entries, Entry{
			At: at, Source: e.Source, Field: string(event.FieldID), Reason: string(event.Conflict),
			Event: event.AppendPseudonymised(nil, e),
		})
	}
	return r.Add(entries...)
}

// DeadLetters is the store of rows that ClickHouse can never store. They exist nowhere else, so each is made durable.
type DeadLetters struct{ *Store }

// OpenDeadLetters opens the dead letters of a data folder.
func OpenDeadLetters(dataDir string) (*DeadLetters, error) {
	s, err := Open(Options{Dir: filepath.Join(dataDir, FolderName), Name: DeadName, Fsync: true})
	return &DeadLetters{s}, err
}

// Add keeps a row of table.
func (d *DeadLetters) Add(payload []byte, table, reason string, at time.Time) error {
	return d.Store.Add(Entry{At: at, Table: table, Reason: reason, Payload: payload})
}

// Requeued gives the dead letters that an operator marked to retry, as Store.Requeue does; later is
// ErrLater.
func (d *DeadLetters) Requeued(retry func(payload []byte, table string) (later bool, err error)) (int, error) {
	return d.Requeue(func(e Entry) error {
		later, err := retry(e.Payload, e.Table)
		if later {
			err = fmt.Errorf("%w: %w", ErrLater, err)
		}
		return err
	})
}

// MarkIn is MarkRequeue for a store of the service whose data folder is dataDir.
func MarkIn(dataDir, name string, ids ...string) error {
	return MarkRequeue(disk.OS{}, filepath.Join(dataDir, FolderName), name, ids...)
}
