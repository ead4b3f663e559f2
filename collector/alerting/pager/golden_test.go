package pager

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/monev112/monev112/collector/event"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixedLinks stand for the signed ones.
type fixedLinks struct{}

func (fixedLinks) List(center, opd string, _ time.Time) string {
	return "https://monev112.example.go.id/p/list-" + center + "-" + opd
}

func (fixedLinks) Ticket(center, opd, id string, _ time.Time) string {
	return "https://monev112.example.go.id/p/ticket-" + center + "-" + opd + "-" + id
}

// TestAPushAsItIsSent writes down one push with everything in it. The tests of alerts/templates render the same file.
func TestAPushAsItIsSent(t *testing.T) {
	f := newTestBoard()
	seven := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC) // 07.00 WIB
	now := seven.Add(-time.Minute)
	open := func(id, office string, ago time.Duration, category, priority string) {
		f.apply(event.TicketOpened, id, now.Add(-ago), of(category, priority))
		if office != "" {
			f.apply(event.TicketAssigned, id, now.Add(-ago), opd(office))
			f.apply(event.TicketAcknowledged, id, now.Add(-ago))
		}
	}
	open("SDA-2026-00001", "dishub", 50*time.Minute, "pju", "non_darurat")
	open("SDA-2026-00002", "dishub", 62*time.Minute, "lampu_lalu_lintas", "mendesak")
	open("SDA-2026-00003", "dishub", 70*time.Minute, "pju", "non_darurat")
	open("SDA-2026-00004", "dishub", 80*time.Minute, "pju", "non_darurat") // closed below
	open("SDA-2026-00005", "dp3akb", 65*time.Minute, "kdrt", "darurat")
	open("SDA-2026-00006", "dpubmsda", 26*time.Hour, "jalan_rusak", "non_darurat")
	open("SDA-2026-00007", "", 100*time.Minute, "", "") // at the centre, and nothing is known of it
	open("SDA-2026-00008", "dishub", 88*time.Minute, "pju", "non_darurat")

	o := options(t, f, func() time.Time { return now }, "http://127.0.0.1:1")
	o.Links = fixedLinks{}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p.pushAccepted(p.round())
	f.apply(event.TicketClosed, "SDA-2026-00004", now.Add(30*time.Second))
	now = seven.Add(90 * time.Second) // 00008 is escalated meanwhile
	push := p.round()
	if len(push.bodies) != 1 {
		t.Fatalf("%d bodies", len(push.bodies))
	}
	got := jsontext.Value(push.bodies[0])
	if err := got.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const golden = "testdata/push.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the push differs from %s; look at it, then write it anew with -update:\n%s", golden, got)
	}
}
