package routing

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/sla"
)

// lastYear ends the open-ended intervals; the calendars know no later one.
const lastYear = 2100

// timeInterval is a named set of times in Alertmanager's form: their union.
type timeInterval struct {
	Name      string     `yaml:"name"`
	Intervals []interval `yaml:"time_intervals"`
}

// interval is the intersection of its fields.
type interval struct {
	Times    []clockRange `yaml:"times"`
	Weekdays []string     `yaml:"weekdays,omitempty,flow"`
	Days     []string     `yaml:"days_of_month,omitempty,flow"`
	Months   []string     `yaml:"months,omitempty,flow"`
	Years    []string     `yaml:"years,omitempty,flow"`
	Location string       `yaml:"location"`
}

type clockRange struct {
	Start string `yaml:"start_time"`
	End   string `yaml:"end_time"`
}

// openHours writes the open hours of a calendar from the month of an instant on. Alertmanager knows no holidays, so
// each month that the calendar covers is written out: the days that share the same windows, with these windows. Later
// years follow the usual week without any day off, as the calendar itself does; without them every message would be
// held for ever once the list ends.
func openHours(name string, c *sla.Calendar, from time.Time) timeInterval {
	zone := c.Zone()
	first := from.In(zone)
	month := time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, zone)
	end := time.Date(max(c.CoveredUntil().Add(-time.Second).In(zone).Year(), first.Year())+1, 1, 1, 0, 0, 0, 0, zone)
	out := timeInterval{Name: name}
	for ; month.Before(end); month = month.AddDate(0, 1, 0) {
		for _, g := range sameWindows(c, month, month.AddDate(0, 1, 0)) {
			i := interval{Times: g.windows, Days: dayRanges(g.days), Location: zone.String()}
			i.Months, i.Years = []string{strconv.Itoa(int(month.Month()))}, []string{strconv.Itoa(month.Year())}
			out.Intervals = append(out.Intervals, i)
		}
	}
	if end.Year() > lastYear {
		return out
	}
	for _, g := range sameWindows(c, end, end.AddDate(0, 0, 7)) {
		i := interval{Times: g.windows, Location: zone.String(), Years: []string{fmt.Sprintf("%d:%d", end.Year(), lastYear)}}
		for _, d := range g.days {
			i.Weekdays = append(i.Weekdays, strings.ToLower(end.AddDate(0, 0, d-end.Day()).Weekday().String()))
		}
		out.Intervals = append(out.Intervals, i)
	}
	return out
}

// group is a set of days (of the month) with the same windows.
type group struct {
	days    []int
	windows []clockRange
}

// sameWindows gathers the days of a stretch within one month by their windows, in order of the first day. Closed days
// are in no group.
func sameWindows(c *sla.Calendar, from, to time.Time) []group {
	byDay := map[int][]clockRange{}
	for _, w := range c.WindowsBetween(from, to) {
		byDay[w.Open.Day()] = append(byDay[w.Open.Day()], clockRange{w.Open.Format("15:04"), closing(w)})
	}
	var out []group
	index := map[string]int{}
	for day := 1; day <= 31; day++ {
		windows := byDay[day]
		if len(windows) == 0 {
			continue
		}
		key := fmt.Sprint(windows)
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, group{windows: windows})
		}
		out[i].days = append(out[i].days, day)
	}
	return out
}

// closing writes the end of a window; midnight at the end of the day is 24:00.
func closing(w sla.Window) string {
	if w.Close.Day() != w.Open.Day() {
		return "24:00"
	}
	return w.Close.Format("15:04")
}

// dayRanges writes ascending days as Alertmanager does: "2:6", "9".
func dayRanges(days []int) []string {
	var out []string
	for i := 0; i < len(days); {
		j := i
		for j+1 < len(days) && days[j+1] == days[j]+1 {
			j++
		}
		if i == j {
			out = append(out, strconv.Itoa(days[i]))
		} else {
			out = append(out, fmt.Sprintf("%d:%d", days[i], days[j]))
		}
		i = j + 1
	}
	return out
}
