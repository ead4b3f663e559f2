package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is one result of a run.
type figure struct {
	measure string
	value   float64 // notMeasured; never where it was not reached at all
	unit    string
	more    bool // more is better
}

var notMeasured, never = math.NaN(), math.Inf(1)

func (f figure) String() string {
	switch {
	case math.IsNaN(f.value):
		return "not measured"
	case math.IsInf(f.value, 1):
		return "not reached"
	}
	switch f.unit {
	case "/s":
		return thousands(int64(f.value)) + f.unit
	case "bytes", "events", "rows":
		return thousands(int64(f.value)) + " " + f.unit
	case "MiB", "%":
		return fmt.Sprintf("%.0f %s", f.value, f.unit)
	default:
		return fmt.Sprintf("%.2f %s", f.value, f.unit)
	}
}

func (f figure) worse(than float64) bool {
	if f.more {
		return f.value < than
	}
	return f.value > than
}

// row is a figure with its goal, the limit of this machine measured in the same run, and what else there is to say.
type row struct {
	figure
	goal        float64 // in the figure's unit; noGoal
	limit, note string
	runs        []string // the figures of all runs, of which it is the worst
}

const noGoal = -1

func (r row) cells() []string {
	goal, met := "", ""
	if r.goal != noGoal {
		bound := "at most"
		if r.more {
			bound = "at least"
		}
		goal = fmt.Sprintf("%s %v %s", bound, r.goal, r.unit)
		switch {
		case math.IsNaN(r.value):
		case r.worse(r.goal):
			met = "MISSED"
		default:
			met = "met"
		}
	}
	runs := ""
	if len(r.runs) > 1 {
		runs = strings.Join(r.runs, ", ")
	}
	return []string{r.measure, r.String(), goal, met, runs, r.limit, r.note}
}

// table collects what was measured and prints it once, at the end.
type table struct {
	head []string
	rows []row
	busy bool // the machine did other work too
}

func (t *table) add(f figure, goal float64, limit, note string) {
	t.rows = append(t.rows, row{figure: f, goal: goal, limit: limit, note: note})
	t.look()
}

// worst are the rows by measure, in the order in which they were first measured: of several runs the worst.
func (t *table) worst() (out []row) {
	for _, r := range t.rows {
		i := slices.IndexFunc(out, func(o row) bool { return o.measure == r.measure })
		if i < 0 {
			i, out = len(out), append(out, r)
		}
		runs := append(out[i].runs, r.String())
		if r.worse(out[i].value) {
			out[i] = r
		}
		out[i].runs = runs
	}
	return out
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
			runtime.GOARCH, runtime.NumCPU(), loadAverage(), time.Now().UTC().Format("2006-01-02 15:04 UTC")),
	}
	if b.runs > 1 {
		t.head = append(t.head, fmt.Sprintf("the worst of %d runs, with what was measured beside it", b.runs))
	}
	if b.quick {
		t.head = append(t.head, "-quick: small sizes; these figures say that everything works, not how fast it is")
	}
	t.look()
}

// print writes the table in Markdown.
func (t *table) print(w io.Writer) {
	for _, line := range t.head {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 4, 1, ' ', 0)
	line := func(cells []string) { fmt.Fprintln(tw, "| "+strings.Join(cells, "\t| ")+"\t|") }
	head := []string{"measure", "reached", "goal", "", "runs", "limit here", "note"}
	line(head)
	line(slices.Repeat([]string{"---"}, len(head)))
	for _, r := range t.worst() {
		line(r.cells())
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

// thousands writes a number with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func inMS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func inMiB(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", inMS(d)) }

func mib(bytes int64) string { return fmt.Sprintf("%.0f MiB", inMiB(bytes)) }
