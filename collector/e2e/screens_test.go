package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/web"
	"github.com/monev112/monev112/collector/web/wall"
)

// wallboard reads the first event of the wallboard's stream.
func (s *service) wallboard(t *testing.T) (state wall.State) {
	t.Helper()
	r, err := http.Get("http://" + s.addr + wall.StreamPath)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		if text, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); ok {
			if err := json.Unmarshal(text, &state); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			return state
		}
	}
	t.Fatalf("%s: the stream ended before its first event", r.Status)
	return state
}

func (s *service) get(t *testing.T, address string) string {
	t.Helper()
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v\n%s", address, r.Status, err, body)
	}
	return string(body)
}

// screens compares every number of the wallboard, the home page and an OPD's page with the gauge, the view or the
// messages that define it.
func (h *liveHour) screens(t *testing.T) {
	t.Run("wallboard", h.wallboard)
	t.Run("home", h.home)
	t.Run("department", h.departmentPage)
}

func (h *liveHour) wallboard(t *testing.T) {
	const center = `center="35.15"`
	gauge := func(all map[string]float64, name string, labels ...string) float64 {
		v, ok := all[name+"{"+strings.Join(append([]string{center}, labels...), ",")+"}"]
		if !ok {
			t.Fatalf("there is no series %s %v", name, labels)
		}
		return v
	}
	var state wall.State
	h.settles(t, "the counts of the wallboard", func() (got, want any) {
		all := h.s.series()
		state = h.s.wallboard(t)
		c := state.Counts
		if c == nil || !state.Complete {
			return state, "counts"
		}
		shown, defined := map[string]int{}, map[string]int{}
		add := func(what string, n int, name string, labels ...string) {
			shown[what], defined[what] = n, int(gauge(all, name, labels...))
		}
		add("waiting", c.CallsWaiting, "monev112_calls_waiting")
		add("to call back", c.CallsToCallBack, "monev112_calls_to_call_back")
		add("late emergencies", c.EmergenciesOverdue, "monev112_emergencies_overdue")
		for _, a := range c.Agents {
			add("agents "+a.State, a.N, "monev112_agents", fmt.Sprintf("state=%q", a.State))
		}
		for window, w := range map[string]wall.Window{"hour": c.Hour, "shift": c.Shift} {
			for measure, n := range map[string]int{
				"received": w.Received, "offered": w.Offered, "within_target": w.WithinTarget, "answered": w.Answered,
				"abandoned": w.Abandoned, "hoax": w.Hoax, "ghost": w.Ghost, "unclassified": w.Unclassified,
				"classified": w.Hoax + w.Ghost + w.OtherClass,
			} {
				add(window+" "+measure, n, "monev112_window_calls", fmt.Sprintf("measure=%q", measure),
					fmt.Sprintf("window=%q", window))
			}
			add(window+" within", w.WithinTarget, "monev112_window_calls_within_target",
				fmt.Sprintf("target=%q", strconv.Itoa(int(c.TargetSeconds))), fmt.Sprintf("window=%q", window))
		}
		return shown, defined
	})
	if len(state.Counts.Agents) != len(event.AgentStates()) {
		t.Errorf("%d states of agents", len(state.Counts.Agents))
	}
	// What no gauge has, from the messages: since when the longest waits, and who is to be called back.
	var since time.Time
	type caller struct {
		id   string
		left time.Time
	}
	var back []caller
	for id, c := range h.calls {
		_, answered := c.first[event.CallAnswered]
		left, abandoned := c.first[event.CallAbandoned]
		_, unserved := c.first[event.CallUnserved]
		_, blocked := c.first[event.CallBlocked]
		_, ended := c.first[event.CallEnded]
		_, called := c.first[event.CallCalledBack]
		answered = answered || c.class != "" && c.class != "belum"
		at, queued := c.first[event.CallQueued]
		if !queued {
			at = c.first[event.CallReceived]
		}
		if blocked || answered || at.IsZero() {
			continue
		}
		if abandoned && !called {
			back = append(back, caller{id, left})
		}
		if !abandoned && !unserved && !ended && (since.IsZero() || at.Before(since)) {
			since = at
		}
	}
	if got := state.Counts.OldestWaitingSince; !got.Equal(since.Truncate(time.Millisecond)) {
		t.Errorf("the longest waits since %s, the messages say %s", got, since)
	}
	slices.SortFunc(back, func(a, b caller) int { return cmp.Or(a.left.Compare(b.left), cmp.Compare(a.id, b.id)) })
	var got, want []string
	for _, c := range back[:min(20, len(back))] {
		want = append(want, c.id)
	}
	for _, c := range state.CallBacks {
		got = append(got, c.Call)
	}
	if !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("to be called back: %v, the messages say %v", got, want)
	}
	if got, want := state.LastEventAt.UnixMilli(), int64(1000*h.latest()); got != want {
		t.Errorf("the latest event is of %d, the gauge says %d", got, want)
	}
}

// latest is the time of the latest event of any source, by the gauge.
func (h *liveHour) latest() (at float64) {
	for name, v := range h.s.series() {
		if strings.HasPrefix(name, "monev112_source_last_event_timestamp_seconds{") {
			at = max(at, v)
		}
	}
	return at
}

func (h *liveHour) home(t *testing.T) {
	body := h.s.get(t, "http://"+h.s.addr+"/")
	if h.s.metric("monev112_board_complete") != 1 || !strings.Contains(body, "Data lengkap") {
		t.Errorf("whether data is complete: %s", body)
	}
	if until := indonesian.Date(time.UnixMilli(int64(1000 * h.latest())).In(wib)); !strings.Contains(body,
		"<dt>Data sampai</dt><dd>"+until+"</dd>") {
		t.Errorf("data until %s is not said: %s", until, body)
	}
	for name, v := range h.s.series() {
		source, ok := strings.CutPrefix(name, `monev112_source_last_event_timestamp_seconds{source="`)
		if !ok {
			continue
		}
		row := `<th scope="row">` + strings.TrimSuffix(source, `"}`) + `</th><td>` +
			indonesian.Date(time.UnixMilli(int64(1000*v)).In(wib)) + `</td>`
		if !strings.Contains(body, row) {
			t.Errorf("no row %q in %s", row, body)
		}
	}
	if address := "https://grafana.example/d/monev112-live"; !strings.Contains(body, `href="`+address+`"`) {
		t.Errorf("the home page does not lead to %s: %s", address, body)
	}
}

var countOnPage = regexp.MustCompile(`<b>([\d.]+)</b> (terlambat|mendekati batas waktu|tiket terbuka)`)

// departmentPage compares the page behind the link of the OPD with the most open tickets.
func (h *liveHour) departmentPage(t *testing.T) {
	open := map[string]int{}
	for _, k := range h.tickets {
		if k.open() && k.opd != "" {
			open[k.opd]++
		}
	}
	opd := slices.MaxFunc(slices.Sorted(maps.Keys(open)), func(a, b string) int { return cmp.Compare(open[a], open[b]) })
	links, err := web.NewLinks(web.LinkConfig{
		File: filepath.Join(h.s.dir, web.LinkKeysFile), PublicURL: "http://" + h.s.addr,
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	address := links.List("35.15", opd, time.Now())
	h.settles(t, "the page of "+opd, func() (got, want any) {
		body := h.s.get(t, address)
		shown, defined := map[string]int{}, map[string]int{}
		for _, m := range countOnPage.FindAllStringSubmatch(body, -1) {
			shown[m[2]], _ = strconv.Atoi(strings.ReplaceAll(m[1], ".", ""))
		}
		clocks := map[string]int{}
		for name, v := range h.s.series() {
			if !strings.Contains(name, `center="35.15"`) || !strings.Contains(name, `opd="`+opd+`"`) {
				continue
			}
			switch metric, _, _ := strings.Cut(name, "{"); metric {
			case "monev112_tickets_open":
				defined["tiket terbuka"] += int(v)
			case "monev112_tickets_at_risk":
				defined["mendekati batas waktu"] += int(v)
			case "monev112_tickets_overdue":
				clocks[name] += int(v)
			}
		}
		late := h.s.query(fmt.Sprintf(`SELECT uniqExact(subject) FROM clocks_now AS c
			INNER JOIN (SELECT id FROM tickets_now WHERE center = '35.15' AND opd = '%s' AND open) AS t ON t.id = c.subject
			WHERE center = '35.15' AND subject_kind = 'ticket' AND stopped_at IS NULL AND NOT void AND overdue`, opd))
		defined["terlambat"], _ = strconv.Atoi(late)
		// By clock: each ticket once in each.
		sum := 0
		for _, n := range clocks {
			sum += n
		}
		defined["by clock"] = sum
		_, text, _ := strings.Cut(body, "Terlambat menurut batas waktu:")
		text, _, _ = strings.Cut(text, "Satu tiket dapat terlambat")
		for _, m := range regexp.MustCompile(`([\d.]+)[,.]?\s`).FindAllStringSubmatch(text+" ", -1) {
			n, _ := strconv.Atoi(strings.TrimRight(m[1], "."))
			shown["by clock"] += n
		}
		if sum == 0 {
			shown["by clock"] = 0
		}
		return shown, defined
	})
}
