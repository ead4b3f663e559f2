package collector

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace/noop"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/tracker"
)

func TestARequestThatNeverFitsIsNotToldToComeBack(t *testing.T) {
	j, err := journal.Open(journal.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	board := tracker.New(tracker.Config{Center: func(string) (tracker.Center,
		bool) {
		return tracker.Center{Historical: true}, true
	}})
	ready := make(chan struct{})
	loop, err := ingest.New(ingest.Config{Dir: t.TempDir(), QueueEvents: 2}, j, board,
		ingest.Observer{Ready: func(reason error) {
			if reason == nil {
				close(ready)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- loop.Run(ctx) }()
	defer func() { cancel(); <-done }()
	<-ready
	var events []*event.Event
	for i := range 3 {
		events = append(events, &event.Event{
			Source: "s", ID: fmt.Sprint(i), Kind: event.KindCall, Type: event.CallReceived, Subject: "c", OccurredAt: time.Now(),
		})
	}
	in := &submitter{loop: loop, board: board, traced: &traced{}, tracer: noop.NewTracerProvider().Tracer("")}
	if _, err := in.Submit(ctx, events); !errors.Is(err, httpapi.ErrTooLarge) || errors.Is(err, httpapi.ErrBusy) {
		t.Errorf("three events where two fit: %v", err)
	}
}
