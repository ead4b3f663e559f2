package pager

import (
	"fmt"
	"time"
)

var months = [12]string{
	"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November",
	"Desember",
}

// span renders a length of time in its two greatest units: "2 jam 10 menit", "3 hari 4 jam", "kurang dari 1 menit".
// What is less than the lesser unit is cut off.
func span(d time.Duration) string {
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	two := func(a int, of string, b int, and string) string {
		if b == 0 {
			return fmt.Sprintf("%d %s", a, of)
		}
		return fmt.Sprintf("%d %s %d %s", a, of, b, and)
	}
	switch {
	case d < time.Minute:
		return "kurang dari 1 menit"
	case days > 0:
		return two(days, "hari", hours, "jam")
	case hours > 0:
		return two(hours, "jam", minutes, "menit")
	}
	return fmt.Sprintf("%d menit", minutes)
}

// moment renders an instant as people of the zone write it: "28 November 2026 07.30 WIB".
func moment(t time.Time, zone *time.Location) string {
	t = t.In(zone)
	return fmt.Sprintf("%d %s %d %s", t.Day(), months[t.Month()-1], t.Year(), t.Format("15.04 MST"))
}

// shortly is moment in at most 20 characters: the time alone on the day of ref, else with day and month.
func shortly(t, ref time.Time, zone *time.Location) string {
	t, ref = t.In(zone), ref.In(zone)
	if y, m, d := ref.Date(); t.Year() == y && t.Month() == m && t.Day() == d {
		return t.Format("15.04 MST")
	}
	return fmt.Sprintf("%d %.3s %s", t.Day(), months[t.Month()-1], t.Format("15.04 MST"))
}
