package main

import (
	"strings"
	"testing"
)

func TestAFigureIsFoundInTheTextOfABenchmark(t *testing.T) {
	out := []byte("goos: linux\n" +
		"BenchmarkRound/100_late-2      \t    1486\t    814303 ns/op\t       100.0 alerts\t     81920 bytes\t         0.8300 cpu-ms/op\n" +
		"BenchmarkRound/100000_late     \t       3\t 431000000 ns/op\t     20000 alerts\t 441.0 cpu-ms/op\nPASS\n")
	for _, c := range []struct {
		name, unit string
		want       float64
	}{
		{"BenchmarkRound/100_late", "cpu-ms/op", 0.83}, {"BenchmarkRound/100_late", "alerts", 100},
		{"BenchmarkRound/100000_late", "cpu-ms/op", 441}, {"BenchmarkRound/100000_late", "ns/op", 431_000_000},
	} {
		if got, err := benchmarked(out, c.name, c.unit); err != nil || got != c.want {
			t.Errorf("%s, %s: %v, %v, want %v", c.name, c.unit, got, err, c.want)
		}
	}
	for _, c := range [][2]string{{"BenchmarkRound/10_late", "alerts"}, {"BenchmarkRound/100_late", "B/op"}} {
		if got, err := benchmarked(out, c[0], c[1]); err == nil {
			t.Errorf("%s, %s: %v is found", c[0], c[1], got)
		}
	}
}

func TestSeriesAreAddedUp(t *testing.T) {
	const text = "# HELP a_total text\na_total{x=\"one two\",y=\"\"} 3\na_total{x=\"b\"} 1e2\na_total_more 7\nb 0\n"
	for names, want := range map[string]float64{"a_total": 103, "b": 0, "a_total b a_total_more": 110, "a": -1, "": -1} {
		if got := sumOf(strings.NewReader(text), strings.Fields(names)); got != want {
			t.Errorf("%s: %v, want %v", names, got, want)
		}
	}
}

func TestWhatADemoSaysIsFoundAcrossWrites(t *testing.T) {
	a := &awaited{text: demoReady, seen: make(chan struct{})}
	for i, part := range []string{"Open http://", "x\nCtrl-C sto", "ps the demo; ", demoReady} {
		if n, err := a.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
		select {
		case <-a.seen:
			if i < 2 {
				t.Errorf("found after %q", part)
			}
		default:
			if i >= 2 {
				t.Errorf("not found after %q", part)
			}
		}
	}
}
