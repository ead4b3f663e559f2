package main

import (
	"slices"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// The limit is honest only while it reads everything of the load that the service keeps.
func TestTheDecodingLimitReadsWhatTheServiceReads(t *testing.T) {
	bodies, err := encode(30_000, 500, 1)
	if err != nil {
		t.Fatal(err)
	}
	want, err := decode(bodies)
	if err != nil {
		t.Fatal(err)
	}
	var d plainDecoder
	var got []*event.Event
	for _, b := range bodies {
		if got, err = d.decode(got, b.bytes); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i := range want {
		w, g := &want[i], got[i]
		if (w.Caller.Key == "") != (g.Caller.Key == "") {
			t.Fatalf("event %d: caller %q, want one as in %+v", i, g.Caller.Key, w.Caller)
		}
		w.Caller, w.Digest, w.ReceivedAt = event.Caller{}, event.Digest{}, time.Time{}
		g.Caller, g.ReceivedAt, g.OccurredAt = event.Caller{}, time.Time{}, g.OccurredAt.UTC()
		if a, b := event.AppendJSON(nil, g), event.AppendJSON(nil, w); !slices.Equal(a, b) {
			t.Fatalf("event %d:\n%s\nwant\n%s", i, a, b)
		}
	}
}
