package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// pager measures a round of the pager over 100,000 open tickets by the benchmark that stands beside its code.
func (b *bench) pager(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkRound$", "-benchtime", "3s",
		"github.com/monev112/monev112/collector/alerting/pager").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test: %w\n%.2000s", err, out)
	}
	for _, c := range []struct {
		late int
		goal float64
	}{{100, 5}, {100_000, 500}} {
		cpu, err := benchmarked(out, fmt.Sprintf("BenchmarkRound/%d_late", c.late), "cpu-ms/op")
		if err != nil {
			return err
		}
		alerts, err := benchmarked(out, fmt.Sprintf("BenchmarkRound/%d_late", c.late), "alerts")
		if err != nil {
			return err
		}
		b.table.add(figure{fmt.Sprintf("round of the pager, %s tickets late", thousands(int64(c.late))), cpu, "ms", false},
			c.goal, "", fmt.Sprintf("processor time; 100,000 tickets open, %s alerts", thousands(int64(alerts))))
	}
	return nil
}

// benchmarked finds a figure in what `go test -bench` says.
func benchmarked(out []byte, name, unit string) (float64, error) {
	for line := range bytes.Lines(out) {
		f := strings.Fields(string(line))
		if len(f) == 0 || strings.TrimRight(strings.TrimRight(f[0], "0123456789"), "-") != name {
			continue
		}
		for i := 3; i < len(f); i += 2 {
			if f[i] == unit {
				return strconv.ParseFloat(f[i-1], 64)
			}
		}
	}
	return 0, fmt.Errorf("go test says no %s of %s:\n%.2000s", unit, name, out)
}
