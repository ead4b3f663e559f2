package sla

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/internal/yamlfile"
)

func TestIndonesianCalendar(t *testing.T) {
	c := shippedBook(t).Calendar("35.15")
	// Public holidays and joint leave of each year, polling days included.
	want := map[int][2]int{2023: {16, 11}, 2024: {19, 10}, 2025: {17, 11}, 2026: {17, 8}}
	got := map[int][2]int{}
	for day, d := range c.off {
		y, _, _ := dateOf(day)
		n := got[y]
		if d.Joint {
			n[1]++
		} else {
			n[0]++
		}
		got[y] = n
		if d.Decree == "" || d.NameEn == d.Name {
			t.Errorf("%s: %+v", dayText(day), d)
		}
	}
	for y, n := range want {
		if got[y] != n {
			t.Errorf("%d has %v days off, want %v", y, got[y], n)
		}
	}
	for day, open := range map[string]bool{
		// amended twice
		"2023-04-18": true, "2023-04-19": false, "2023-04-26": true, "2023-06-02": false, "2023-06-30": false,
		"2024-02-14": false, "2024-11-27": false, "2024-09-16": false, // polling days; Maulid
		"2025-08-18": false, "2025-06-09": false,
		"2026-03-17": true, "2026-03-18": false, "2026-03-24": false, "2026-03-25": true, "2026-06-16": false,
		"2026-06-17": true, "2026-08-25": false, "2026-08-26": true, "2026-12-24": false,
		"2026-07-04": false, // a Saturday
	} {
		if got := c.Open(at(t, day+" 10:00")); got != open {
			t.Errorf("%s at 10.00 open: %v, want %v", day, got, open)
		}
	}
	for s, open := range map[string]bool{
		"2026-07-06 07:29": false, "2026-07-06 07:30": true, "2026-07-06 15:59": true, "2026-07-06 16:00": false,
		"2026-07-10 16:29": true,
		// Ramadan begins on the 19th
		"2026-03-05 07:45": false, "2026-03-05 08:00": true, "2026-03-05 15:00": false, "2026-03-06 15:29": true,
		"2026-02-18 07:45": true,
	} {
		if got := c.Open(at(t, s)); got != open {
			t.Errorf("%s open: %v, want %v", s, got, open)
		}
	}
	same(t, "covered until", c.CoveredUntil(), "2027-01-01 00:00")
	if d, ok := c.DayOffOn(at(t, "2026-03-18 09:00")); !ok || !d.Joint || !strings.Contains(d.Decree, "1497/2025") {
		t.Errorf("18 March 2026: %+v", d)
	}
	// 20 years ahead costs no more than a day ahead, and lands on an open instant.
	due, ok := c.AddOpen(at(t, "2026-07-06 08:00"), 20*2000*time.Hour)
	if !ok || due.Year() < 2040 || !c.Open(due.Add(-time.Millisecond)) {
		t.Errorf("20 years ahead: %s %v", due, ok)
	}
	if _, ok := c.AddOpen(due, 200*2000*time.Hour); ok {
		t.Error("an instant after the year 2100 is known")
	}
	if _, ok := c.NthClosing(time.Date(2150, 1, 1, 0, 0, 0, 0, time.UTC), 1); ok {
		t.Error("a closing after the year 2100 is known")
	}
	if _, ok := c.NthClosing(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), 1); ok {
		t.Error("a closing in the year 1 is known")
	}
}

// Where both community lists name a working day as a day off, the calendar has it too, up to 2026; what it leaves out
// of either is known and stands in the file with its reason.
func TestCalendarAgainstTheComparedLists(t *testing.T) {
	path := filepath.Join("..", "..", "..", "shared", "data", "holidays-id-2023-2027-compared.csv")
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("no compared lists at %s: %v", path, err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	c := shippedBook(t).Calendar("35.15")
	leftOut := map[string]bool{
		"2023-04-26": true, "2024-09-15": true, "2026-05-02": true, "2026-06-17": true, "2026-08-26": true,
	}
	listed := map[int32]bool{}
	for _, r := range rows[1:] {
		d, err := time.Parse(time.DateOnly, r[0])
		if err != nil {
			t.Fatal(err)
		}
		if d.Year() > 2026 {
			continue
		}
		day := dayOf(d.UnixMilli())
		listed[day] = true
		if _, off := c.off[day]; off == leftOut[r[0]] {
			t.Errorf("%s (%s / %s) is a day off: %v", r[0], r[1], r[2], off)
		}
	}
	for day := range c.off {
		if s := dayText(day); !listed[day] && s != "2023-06-30" && s != "2024-11-27" {
			t.Errorf("%s is in neither list", s)
		}
	}
}

// mustCalendar reads the calendar of a text.
func mustCalendar(t interface{ Fatalf(string, ...any) }, text string) *Calendar {
	f := yamlfile.Parse("test", []byte(text), MaxFileBytes)
	c := readCalendar(f)
	if c == nil {
		t.Fatalf("%v\n%s", f.Problems, text)
	}
	return c
}

func TestDaylightSaving(t *testing.T) {
	load := func(zoneName, windows string) *Calendar {
		return mustCalendar(t, "calendar: test\nversion: \"1\"\nzone: "+zoneName+
			"\nvalid_from: 2000-01-01\ncovered_until: 2030-12-31\nweekly:\n  - from: 2000-01-01\n    windows:\n      mon-sun: "+
			windows+"\n")
	}
	for _, tt := range []struct {
		zone, windows, day string
		hours              float64
	}{
		{"America/New_York", "[00:00-24:00]", "2025-03-09", 23}, {"America/New_York", "[00:00-24:00]", "2025-11-02", 25},
		{"America/New_York", "[00:00-24:00]", "2025-07-01", 24},
		{"America/New_York", "[01:00-01:30]", "2025-11-02", 1}, // comes twice
		{"America/New_York", "[02:00-03:00]", "2025-03-09", 0}, // does not come
		{"America/New_York", "[08:00-16:00]", "2025-03-09", 8},
		{"Europe/Amsterdam", "[00:00-24:00]", "2025-03-30", 23}, {"Europe/Amsterdam", "[00:00-24:00]", "2025-10-26", 25},
		{"Europe/Amsterdam", "[02:30-04:00]", "2025-03-30", 1},
		{"Asia/Jakarta", "[00:00-24:00]", "2025-03-30", 24},
	} {
		c := load(tt.zone, tt.windows)
		d, _ := time.ParseInLocation(time.DateOnly, tt.day, c.Zone())
		next := d.AddDate(0, 0, 1)
		if got := c.OpenBetween(d, next).Hours(); got != tt.hours {
			t.Errorf("%s %s on %s: %v h, want %v", tt.zone, tt.windows, tt.day, got, tt.hours)
		}
	}
	// A working day that the change skips has no closing; one that is cut short closes at the change.
	c := load("America/New_York", "[02:00-03:00]")
	if got, _ := c.NthClosing(time.Date(2025, 3, 8, 12, 0, 0, 0, c.Zone()), 1); got.In(c.Zone()).Day() != 10 {
		t.Errorf("the closing after 8 March is %s", got.In(c.Zone()))
	}
}
