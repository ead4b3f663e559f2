package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/monev/kendala"
	monthly "github.com/monev112/monev112/collector/monev/report"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/deploy"
)

// reportGoal is how many seconds the report of a month may take, in all its formats.
const reportGoal = 5

// report measures the monthly report over a country's year: of each month of the largest centre, and of one month of
// every centre. Reports are made in this process, by the code that makes them in the service.
func (b *bench) report(ctx context.Context) error {
	c, err := b.openCountry(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	list, err := c.p.query("SELECT center FROM monev112.calls GROUP BY center ORDER BY center = '35.15' DESC, count() " +
		"DESC")
	if err != nil {
		return err
	}
	centers := strings.Fields(list)
	dir, err := countryDirectory(centers)
	if err != nil {
		return err
	}
	runner, err := monthly.New(monthly.Config{
		DataDir: filepath.Join(b.dir, "report"), Database: &store.Sink{Store: c.store}, Directory: dir, Now: time.Now,
		Prepared: func() bool { return true }, Kendala: kendala.NewRunner(c.store, dir, time.Now).Result,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	var year []made
	last := store.MonthStart(c.until.AddDate(0, 0, -1))
	for m := range countryMonths {
		year = append(year, made{centers[0], last.AddDate(0, m+1-countryMonths, 0)})
	}
	if err := b.makeReports(ctx, c.p, runner, "report of a month, the largest centre", year); err != nil {
		return err
	}
	var month []made
	for _, center := range centers[:min(len(centers), b.centers)] {
		month = append(month, made{center, last.AddDate(0, -2, 0)})
	}
	return b.makeReports(ctx, c.p, runner, fmt.Sprintf("reports of one month, %d centres", len(month)), month)
}

// made names a report.
type made struct {
	center string
	month  time.Time
}

// makeReports makes reports one after the other, each in all formats, and adds a row of what that cost.
func (b *bench) makeReports(ctx context.Context, p *process, runner *monthly.Runner, measure string,
	list []made) error {
	pids := append(childrenOf(p.cmd.Process.Pid), p.cmd.Process.Pid)
	resetPeak(append(pids, os.Getpid()))
	before, _ := p.used()
	var times []time.Duration
	bytes := 0
	for i, m := range list {
		began := time.Now()
		a, err := runner.Report(ctx, monthly.Request{Center: m.center, Month: m.month.Format("2006-01"), Draft: true,
			Fresh: true, Wait: patience})
		for _, format := range monthly.Formats {
			if err == nil {
				var file []byte
				file, err = runner.File(a, format)
				bytes += len(file)
			}
		}
		if err != nil {
			return fmt.Errorf("centre %s, %s: %w", m.center, m.month.Format("2006-01"), err)
		}
		if times = append(times, time.Since(began)); i%50 == 49 {
			fmt.Fprintf(os.Stderr, "  %d of %d reports made\n", i+1, len(list))
		}
	}
	after, _ := p.used()
	total := time.Duration(0)
	for _, t := range times {
		total += t
	}
	slices.Sort(times)
	b.table.add(figure{measure + ", slowest", times[len(times)-1].Seconds(), "s", false}, reportGoal, "",
		fmt.Sprintf("median %.2f s; %d reports in %.0f s, %s each; engine %.2f s of processor time each; peak memory %s "+
			"here, %s of the engine", times[len(times)/2].Seconds(), len(times), total.Seconds(),
			mib(int64(bytes/len(times))), (after.cpu-before.cpu).Seconds()/float64(len(times)), mib(peakOf(os.Getpid())),
			mib(peakOf(pids...))))
	return nil
}

// countryDirectory is the shipped directory with further centres, whose OPDs are those of its default centre.
func countryDirectory(centers []string) (*directory.Directory, error) {
	shipped, err := directory.Load("directory.yaml", []byte(deploy.Directory))
	if err != nil {
		return nil, err
	}
	var opds strings.Builder
	for _, o := range shipped.OPDs(shipped.DefaultCenter()) {
		fmt.Fprintf(&opds, "      - {id: %s, name: %q, scope: %s, hours: %s}\n", o.ID, o.Name, o.Scope, o.Hours)
	}
	text := "version: 1\ndefault_center: \"35.15\"\ncenters:\n"
	for _, code := range centers {
		text += fmt.Sprintf("  - code: %q\n    name: Kabupaten %s\n    timezone: Asia/Jakarta\n    opds:\n%s", code, code,
			&opds)
	}
	return directory.Load("country.yaml", []byte(text))
}

// resetPeak makes the kernel measure the peak memory of processes from now on.
func resetPeak(pids []int) {
	for _, pid := range pids {
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) // else since their start
	}
}

// peakOf is the peak resident memory of processes since resetPeak, added up.
func peakOf(pids ...int) (bytes int64) {
	for _, pid := range pids {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range strings.Lines(string(status)) {
			var kib int64
			if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
				bytes += kib << 10
			}
		}
	}
	return bytes
}
