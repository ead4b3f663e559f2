package collector

import (
	"path/filepath"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/internal/disk"
)

// Names of the two stores of what could not go the usual way, in the folder QuarantineDir.
const (
	QuarantineDir = "quarantine"
	RefusedName   = "refused" // events that the door refused, pseudonymised
	DeadName      = "dead"    // rows that ClickHouse can never store
)

// kept holds what was refused, so that it can be looked at and tried again.
type kept struct {
	refused *quarantine.Store
	dead    *quarantine.Store
}

func openKept(dataDir string, maxBytes int64) (*kept, error) {
	dir := filepath.Join(dataDir, QuarantineDir)
	refused, err := quarantine.Open(quarantine.Options{Dir: dir, Name: RefusedName, MaxBytes: maxBytes})
	if err != nil {
		return nil, err
	}
	dead, err := quarantine.Open(quarantine.Options{Dir: dir, Name: DeadName, Fsync: true})
	if err != nil {
		_ = refused.Close()
		return nil, err
	}
	return &kept{refused, dead}, nil
}

func (k *kept) Close() error {
	err := k.refused.Close()
	if e := k.dead.Close(); err == nil {
		err = e
	}
	return err
}

func (k *kept) refusedCount() int { return k.refused.Len() }

// Add keeps a dead letter.
func (k *kept) Add(payload []byte, table, reason string, at time.Time) error {
	return k.dead.Add(quarantine.Entry{At: at, Table: table, Reason: reason, Payload: payload})
}

// Requeued gives back the dead letters that an operator marked.
func (k *kept) Requeued(again func(payload []byte, table string) error) (int, error) {
	return k.dead.Requeue(func(e quarantine.Entry) error { return again(e.Payload, e.Table) })
}

// refuse keeps refused events; decoder makes of each what may be kept.
func (k *kept) refuse(decoder *event.Decoder, refused []event.Refusal, at time.Time) error {
	entries := make([]quarantine.Entry, 0, len(refused))
	for i := range refused {
		r := &refused[i]
		entries = append(entries, quarantine.Entry{
			At: at, Source: r.Source, Field: string(r.Field), Reason: string(r.Reason), Event: decoder.Pseudonymised(r.Raw),
		})
	}
	return k.refused.Add(entries...)
}

// conflict keeps events that contradict an earlier one of the same source and id.
func (k *kept) conflict(events []*event.Event, at time.Time) error {
	entries := make([]quarantine.Entry, 0, len(events))
	for _, e := range events {
		entries = append(entries, quarantine.Entry{
			At: at, Source: e.Source, Field: string(event.FieldID), Reason: string(event.Conflict),
			Event: event.AppendReplayable(nil, e),
		})
	}
	return k.refused.Add(entries...)
}

// MarkRequeue asks a running service to try entries of one of the stores again; no ids means all.
func MarkRequeue(dataDir, name string, ids ...string) error {
	return quarantine.MarkRequeue(disk.OS{}, filepath.Join(dataDir, QuarantineDir), name, ids...)
}
