package store

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/event"
)

var update = flag.Bool("update", false, "write testdata/event_columns.txt anew")

// TestEventColumnsSendWhatTheyAlwaysSent holds the bytes that each column of the table events sends for an event with
// every field and for one with none. They were written before the columns followed from the fields of event.Event.
func TestEventColumnsSendWhatTheyAlwaysSent(t *testing.T) {
	const path = "testdata/event_columns.txt"
	lat, lon, ring, wait := -7.5, 112.5, int64(300), int64(0)
	full := event.Event{
		Source: "urn:s", ID: "é-1", Type: event.TicketConfirmed, Kind: event.KindTicket, Subject: "T 1", Center: "35.15",
		OccurredAt: time.UnixMilli(1_700_000_000_123).UTC(), ReceivedAt: time.UnixMilli(1_700_000_001_000).UTC(),
		Digest: event.Digest{0xd1, 15: 0x0f}, Caller: event.Caller{KeyID: "k1", Key: "h1", Last3: "890"},
		Agent: "ag", Queue: "qu", Position: "po", Channel: "ch", Class: "cl", Category: "ca", Priority: "pr", OPD: "op",
		Kecamatan: "ke", Reason: "re", Result: "rs", Calls: []string{"c1", "c2"}, Master: "m",
		Due: time.UnixMilli(1_700_000_002_000).UTC(), Lat: &lat, Lon: &lon, RingMS: &ring, WaitMS: &wait, Replaces: "rp",
		Revision: 3, Attributes: map[string]string{"shift": "pagi"}, Blanked: []string{"unit"},
		Record: map[string]string{"text": "t"}, ChangedBy: "by", Outcome: "oc",
	}
	blk := eventBlock([]*event.Event{&full, {Type: event.CallReceived, Kind: event.KindCall, OccurredAt: full.OccurredAt,
		ReceivedAt: full.ReceivedAt}})
	var lines []string
	for i, col := range blankColumns(t, blk) {
		c := blk.columns[i]
		if err := c.append(memoryColumn{col}); err != nil {
			t.Fatal(err)
		}
		var out proto.Buffer
		col.Encode(&out)
		lines = append(lines, fmt.Sprintf("%s %s %x\n", c.name, c.wire, out.Buf))
	}
	slices.Sort(lines)
	got := strings.Join(lines, "")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}
