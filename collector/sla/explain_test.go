package sla

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
)

var update = flag.Bool("update", false, "rewrite golden files")

// countedMS adds up the seconds of the windows that an explanation names.
func countedMS(t interface{ Fatalf(string, ...any) }, lines []string, lang string) int64 {
	prefix, unit, thousands, decimal := "Dihitung: ", " detik", ".", ","
	if lang == "en" {
		prefix, unit, thousands, decimal = "Counted: ", " seconds", ",", "."
	}
	var sum int64
	for _, l := range lines {
		if !strings.HasPrefix(l, prefix) {
			continue
		}
		n, ok := strings.CutSuffix(l[strings.LastIndex(l, ": ")+2:], unit)
		if !ok {
			t.Fatalf("no seconds at the end of %q", l)
		}
		whole, frac, _ := strings.Cut(strings.ReplaceAll(n, thousands, ""), decimal)
		v, err := strconv.ParseInt(whole+(frac + "000")[:3], 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		sum += v
	}
	return sum
}

func TestSecondsOfAnExplanationAddUpToWhatWasCounted(t *testing.T) {
	seen := map[string]*Calendar{}
	rapid.Check(t, func(t *rapid.T) {
		c, l := drawCalendar(t, seen), drawLine(t)
		l.Number = 1
		b := bookOf(c)
		l.profile.Lines = []*Line{l}
		b.profiles = []*Profile{l.profile}
		e := era{from: math.MinInt64}
		l.Clocks, l.Start, l.Stop = []string{Resolve}, []Fact{FactOpened}, []Fact{FactResolved}
		e.addLines(l.profile)
		b.fallback = &centerRules{calendar: c, zone: c.zone, eras: []era{e}}
		start := drawInstant(t, "start")
		tk := &casefile.Ticket{Key: ticketKey, OpenedAt: start, Pauses: drawPauses(t, start)}
		var stop time.Time
		if rapid.Bool().Draw(t, "stopped") {
			stop = start.Add(time.Duration(rapid.IntRange(0, 40*24*3600).Draw(t, "stop")) * time.Second)
		}
		k := clockOf(l, c, start, stop, tk.Pauses)
		now := start.Add(time.Duration(rapid.IntRange(0, 400*24*3600).Draw(t, "now")) * time.Second)
		for _, p := range tk.Pauses {
			// Before its end a pause that ended is not a fact yet. The stop ends a pause that runs.
			if !p.To.IsZero() && now.Before(p.To) {
				now = p.To
			}
			if p.To.IsZero() && now.Before(stop) {
				now = stop
			}
		}
		want := b.Used(&k, now).Net.Milliseconds()
		for _, lang := range []string{"id", "en"} {
			lines := b.Explain(&k, tk, ownScope, now, lang)
			if got := countedMS(t, lines, lang); got != want {
				t.Fatalf("%s: %d ms, want %d\n%s\n%+v", lang, got, want, strings.Join(lines, "\n"), k)
			}
			if len(lines) > 80 {
				t.Fatalf("%d lines", len(lines))
			}
		}
	})
}

func TestExplanations(t *testing.T) {
	b := shippedBook(t)
	pju := &casefile.Ticket{
		Key: ticketKey, ReceivedAt: at(t, "2026-03-13 14:55"), OpenedAt: at(t, "2026-03-13 15:00"), Category: "lainnya",
		Priority: "non_darurat", OPD: "dishub",
		Assignments: []casefile.Assignment{
			{OPD: "dlhk", At: at(t, "2026-03-13 15:05"), EndedAt: at(t, "2026-03-13 15:20")},
			{OPD: "dishub", At: at(t, "2026-03-13 15:20"), AcknowledgedAt: at(t, "2026-03-16 09:00")},
		},
		Pauses: []casefile.Pause{
			{From: at(t, "2026-03-16 10:00"), To: at(t, "2026-03-17 10:00"), Reason: "menunggu_pihak_lain"},
			{From: at(t, "2026-03-25 10:00"), To: at(t, "2026-03-25 11:00"), Reason: "rapat"},
		},
	}
	fire := &casefile.Ticket{
		Key: ticketKey, ReceivedAt: at(t, "2026-03-13 23:50:10"), OpenedAt: at(t, "2026-03-13 23:51"), Category: "kebakaran",
		Priority: "darurat", OPD: "damkar",
		ArrivedAt: at(t, "2026-03-14 00:06:40"),
		Pauses:    []casefile.Pause{{From: at(t, "2026-03-13 23:55"), To: at(t, "2026-03-14 00:05"), Reason: "cuaca"}},
	}
	waiting := *pju
	waiting.Pauses = []casefile.Pause{{From: at(t, "2026-03-16 10:00"), Reason: "menunggu_material"}}
	old := *pju
	old.OpenedAt, old.Category, old.Pauses = at(t, "2026-11-02 09:00"), "jalan_rusak", nil
	stated := *pju
	stated.Due = at(t, "2026-03-20 12:00")
	for _, tt := range []struct {
		file, clock, now string
		ticket           *casefile.Ticket
	}{
		{"working-days-paused", Resolve, "2026-03-27 12:00", pju},
		{"acknowledge-second-opd", Acknowledge, "2026-03-27 12:00", pju},
		{"emergency-late", Arrive, "2026-03-14 08:00", fire},
		{"pause-runs", Resolve, "2026-03-17 12:00", &waiting},
		{"long-overdue-not-decreed", Resolve, "2027-02-15 10:00", &old},
		{"stated", Given, "2026-03-21 12:00", &stated},
	} {
		t.Run(tt.file, func(t *testing.T) {
			seq := 1
			if tt.clock == Acknowledge {
				seq = 2
			}
			c := find(t, b.Ticket(tt.ticket, ownScope), tt.clock, seq)
			now := at(t, tt.now)
			got := "# id\n" + strings.Join(b.Explain(c, tt.ticket, ownScope, now, "id"), "\n") + "\n\n# en\n" +
				strings.Join(b.Explain(c, tt.ticket, ownScope, now, "en"), "\n") + "\n"
			path := filepath.Join("testdata", "explain", tt.file+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
