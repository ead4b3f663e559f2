package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func generator(t testing.TB, p Preset, o Options) *Generator {
	t.Helper()
	g, err := New(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// noon is a fixed instant that the tests of Live and Load start from.
func noon() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, wib()) }

func liveDay(t testing.TB) *Generator {
	return generator(t, Live, Options{From: noon(), To: noon().Add(24 * time.Hour), TimeScale: 30})
}

func drain(g *Generator) (n int) {
	for range g.All() {
		n++
	}
	return n
}

func TestFunnelOf2023ClosesExactly(t *testing.T) {
	for _, seed := range []uint64{2, 99} {
		g := generator(t, Sidoarjo2023, Options{Seed: seed})
		if seed == 2 {
			decode(t, g, func(*Message, *event.Event) {}) // the door takes every message of the ten months
		} else {
			drain(g)
		}
		totals := g.Totals()
		c := totals.Centers["35.15"]
		got := map[string]int64{
			"pending": totals.Pending, "received": c.Calls.Received, "offered": c.Calls.Offered, "answered": c.Calls.Answered,
			"classified": c.Calls.Classified, "hoax": c.Calls.Hoax, "prank": c.Calls.ByClass["prank"],
			"palsu": c.Calls.ByClass["prank_palsu"], "unclassified": c.Calls.Unclassified,
			"abandoned": c.Calls.Abandoned, "tickets": c.Tickets.Opened, "own": c.Tickets.ByScope[scopeOwn],
			"vertical": c.Tickets.ByScope[scopeVertical], "at the centre": c.Tickets.ByOPD[""],
			"pju":                      c.Tickets.ByCategory["pju"],
			"pju at dishub and lights": c.Tickets.ByOPD["dishub"],
		}
		want := map[string]int64{
			"pending": 0, "received": 40_318, "offered": 40_318, "answered": 40_318, "classified": 40_318, "hoax": 32_543,
			"prank": 32_543, "palsu": 0, "unclassified": 0, "abandoned": 0, "tickets": 7_775, "own": 1_597, "vertical": 6_178,
			"at the centre": 0, "pju": 430, "pju at dishub and lights": 482,
		}
		for k, n := range want {
			if got[k] != n {
				t.Errorf("seed %d: %s: got %d, want %d", seed, k, got[k], n)
			}
		}
		if got["hoax"]+got["own"]+got["vertical"] != got["received"] {
			t.Errorf("seed %d: the funnel does not close", seed)
		}
	}
}

func TestOutputIsTheSameOnEveryMachine(t *testing.T) {
	file := filepath.Join("testdata", "golden.json")
	got := map[Preset]string{}
	for p, g := range map[Preset]*Generator{
		Sidoarjo2023: generator(t, Sidoarjo2023, Options{}),
		Live:         liveDay(t),
		Load:         generator(t, Load, Options{From: noon(), Cases: 5000}),
	} {
		h := sha256.New()
		var line []byte
		for m := range g.All() {
			line = append(m.Draft.AppendCloudEvent(line[:0]), '\n')
			h.Write(line)
		}
		totals, err := json.Marshal(g.Totals())
		if err != nil {
			t.Fatal(err)
		}
		h.Write(totals)
		got[p] = hex.EncodeToString(h.Sum(nil))
	}
	if *update {
		b, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(b, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want map[Preset]string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for p, sum := range want {
		if got[p] != sum {
			t.Errorf("%s: sha256 of all messages and totals is %s, want %s; if the change is meant, run the test with -update",
				p, got[p], sum)
		}
	}
}

// Memory follows the cases that are open, not the days that have passed.
func TestMemoryIsBoundedByOpenCases(t *testing.T) {
	g := generator(t, Live, Options{From: noon(), Rate: 5, TimeScale: 30})
	after := map[int]int{} // slots by days
	for m := range g.All() {
		days := int(m.At.Sub(noon()) / (24 * time.Hour))
		if days == 12 {
			break
		}
		after[days] = len(g.planned.heap)
	}
	if after[11] > after[3]*2 {
		t.Errorf("%d slots after four days, %d after twelve", after[3], after[11])
	}
	if n := len(g.shifts.agents); n > 3*g.shifts.perShift {
		t.Errorf("%d agents are remembered", n)
	}
}
