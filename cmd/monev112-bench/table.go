package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// table collects what was measured and prints it once, at the end.
type table struct {
	head []string
	rows []row
	busy bool // the machine did other work too
}

type row struct{ measure, reached, limit, goal, note string }

func (t *table) add(measure, reached, limit, goal, note string) {
	t.rows = append(t.rows, row{measure, reached, limit, goal, note})
	t.look()
}

// look notes whether more waits for the processors than they can do. A run alone keeps them about full by itself: only
// what goes clearly beyond is other people's work.
func (t *table) look() {
	var one float64
	if _, err := fmt.Sscan(loadAverage(), &one); err == nil && one > 2.5*float64(runtime.NumCPU()) {
		t.busy = true
	}
}

func (t *table) header(b *bench) {
	t.head = []string{
		fmt.Sprintf("%s %s/%s, %d processors, load average %s at the start, %s", runtime.Version(), runtime.GOOS,
			runtime.GOARCH,
			runtime.NumCPU(), loadAverage(), time.Now().UTC().Format("2006-01-02 15:04 UTC")),
	}
	if b.quick {
		t.head = append(t.head, "-quick: small sizes; these figures say that everything works, not how fast it is")
	}
	t.look()
}

func (t *table) print(w io.Writer) {
	for _, line := range t.head {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "measure\treached\tlimit here\tgoal\tnote")
	fmt.Fprintln(tw, strings.Repeat("-\t", 4)+"-")
	for _, r := range t.rows {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.measure, r.reached, r.limit, r.goal, r.note)
	}
	_ = tw.Flush()
	fmt.Fprintf(w, "\nload average %s at the end\n", loadAverage())
	if t.busy {
		fmt.Fprintln(
			w, "DOUBTFUL: other programs kept the processors busy during this run. "+
				"Rates and latencies are lower bounds; shares of")
		fmt.Fprintln(w, "the limit and processor seconds suffer less. Repeat on a quiet machine before comparing.")
	}
}

// loadAverage is the first three figures of /proc/loadavg.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	f := strings.Fields(string(b))
	return strings.Join(f[:min(3, len(f))], " ")
}

func perSecond(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }

func rate(v float64) string { return thousands(int64(v)) + "/s" }

// thousands writes a number with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond)) }

func mib(bytes int64) string { return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20)) }
