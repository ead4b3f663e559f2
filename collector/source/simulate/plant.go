package simulate

import (
	"slices"
	"strconv"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// plant is a trouble of one month of Sidoarjo2023, named by the cause that monev must find: on Days, between two
// minutes of the day in WIB; without days all month.
type plant struct {
	Cause  string     `yaml:"cause"`
	Month  time.Month `yaml:"month"`
	Days   []int      `yaml:"days"`
	From   int64      `yaml:"from"`
	To     int64      `yaml:"to"`
	Calls  int        `yaml:"calls"` // moved to each of the days
	OPD    string     `yaml:"opd"`
	Slower int64      `yaml:"slower"`
}

// The causes that are planted.
const (
	plantStaff  = "petugas"
	plantHoax   = "hoaks"
	plantOutage = "data"
	plantSlow   = "terima"
)

// window is the plant's time on a day of its month.
func (p *plant) window(d int) (from, to int64) {
	start := time.Date(2023, p.Month, d, 0, 0, 0, 0, wib()).UnixMilli()
	return start + p.From*minute, start + p.To*minute
}

// planted returns the plant of a cause that is under way at an instant, and its window.
func (g *Generator) planted(cause string, at int64) (p *plant, from, to int64) {
	if g.preset != Sidoarjo2023 {
		return nil, 0, 0
	}
	t := g.moment(at)
	for i := range figures().Planted {
		if p := &figures().Planted[i]; p.Cause == cause && p.Month == t.Month() && t.Year() == 2023 {
			if len(p.Days) == 0 {
				return p, 0, 0
			}
			if from, to := p.window(t.Day()); slices.Contains(p.Days, t.Day()) && from <= at && at < to {
				return p, from, to
			}
		}
	}
	return nil, 0, 0
}

// crowd moves calls of a month to the days of the plants that ask for it.
func crowd(at []int64, s stream) {
	for i := range figures().Planted {
		p := &figures().Planted[i]
		if p.Calls == 0 {
			continue
		}
		start := time.Date(2023, p.Month, 1, 0, 0, 0, 0, wib())
		first, _ := slices.BinarySearch(at, start.UnixMilli())
		end, _ := slices.BinarySearch(at, start.AddDate(0, 1, 0).UnixMilli())
		for _, d := range p.Days {
			from, to := p.window(d)
			for range p.Calls {
				at[first+s.IntN(end-first)] = from + s.Int64N(to-from)
			}
		}
		slices.Sort(at[first:end])
	}
}

// callAway sends the agents of a roster but the first to a long break, where staff is short.
func (g *Generator) callAway(roster []*agent) {
	for i, a := range roster {
		p, from, to := g.planted(plantStaff, (a.on+a.off)/2)
		if p == nil || i == 0 {
			continue
		}
		a.pauseFrom, a.pauseTo = max(a.on+minute, from), to
	}
}

// heartbeats of the month in which the feed falls silent: without any, nobody could tell silence from a quiet night.
const plantBeatEvery = 5 * minute

func (g *Generator) plantedBeats(at int64) {
	for ; g.beat <= at && g.moment(g.beat).Month() == time.September; g.beat += plantBeatEvery {
		if p, _, _ := g.planted(plantOutage, g.beat); p != nil || g.beat < g.o.From.UnixMilli() {
			continue
		}
		g.tell(event.RawEvent{
			Source: g.source, ID: g.tag + ".beat-" + strconv.FormatInt(g.beat/minute, 36), Type: event.FeedHeartbeat,
			Subject: string(g.preset), Time: g.moment(g.beat), Center: g.o.Center,
		}, g.beat)
	}
}

// talkOf is how long a call of a class that came at an instant lasts.
func (g *Generator) talkOf(class string, at int64) spread {
	if p, _, _ := g.planted(plantHoax, at); p != nil && class == event.ClassPrank {
		return seconds(1200, 1320, 1560, 1740, 1900, 2000)
	}
	return talk(class)
}

// pickupOf is how long a telephone rings until it is picked up.
func (g *Generator) pickupOf(at int64) spread {
	if p, _, _ := g.planted(plantOutage, at); p != nil {
		return seconds(9, 13, 18, 26, 34, 40)
	}
	return pickup()
}

// slow makes an OPD acknowledge slower.
func (r *ticketRun) slow(opd string) {
	p, _, _ := r.g.planted(plantSlow, r.t.opened)
	if p == nil || p.OPD != opd {
		return
	}
	for i := range r.how.Acknowledge {
		r.how.Acknowledge[i] *= p.Slower
	}
}
