package simulate

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// plant is a trouble of one month of Sidoarjo2023, named by the cause that monev must find: on Days, between two
// minutes of the day in WIB; without days all month.
type plant struct {
	Cause       string     `yaml:"cause"`
	Month       time.Month `yaml:"month"`
	Days        []int      `yaml:"days"`
	From        int64      `yaml:"from"`
	To          int64      `yaml:"to"`
	Calls       int        `yaml:"calls"` // moved to each of the days
	OPD         string     `yaml:"opd"`
	Acknowledge spread     `yaml:"acknowledge"`
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

// slow makes an OPD acknowledge late.
func (r *ticketRun) slow(opd string) {
	if p, _, _ := r.g.planted(plantSlow, r.t.opened); p != nil && p.OPD == opd {
		r.how.Acknowledge = p.Acknowledge
	}
}

// recommendation is one that a meeting of 2023 made; the texts are as an event has them.
type recommendation struct {
	ID        string `yaml:"id"`
	Text      string `yaml:"text"`
	Owner     string `yaml:"owner"`
	Month     string `yaml:"month"`
	Due       string `yaml:"due"`
	Status    string `yaml:"status"`
	Completed string `yaml:"completed"`
	Indicator string `yaml:"indicator"`
	OPD       string `yaml:"opd"`
	Priority  string `yaml:"priority"`
	Baseline  string `yaml:"baseline"`
	Slower    int64  `yaml:"slower"` // confirmations before its completion
}

// Recommendations are those that Sidoarjo2023 plants, as events of the office: one that works, one that does not, and
// one that is still open. No preset sends them, because they need the scope monev:write: Run does where it is asked to.
func Recommendations(center string) (out []event.RawEvent) {
	for i := range figures().Recommendations {
		r := &figures().Recommendations[i]
		record := map[string]string{
			event.RecordText: r.Text, event.RecordOwner: r.Owner, event.RecordMonth: r.Month, event.RecordDue: r.Due,
			event.RecordStatus: r.Status, event.RecordCompleted: r.Completed, event.RecordIndicator: r.Indicator,
			event.RecordOPD: r.OPD, event.RecordPriority: r.Priority, event.RecordBaseline: r.Baseline,
		}
		maps.DeleteFunc(record, func(_, v string) bool { return v == "" })
		month, _ := time.ParseInLocation("2006-01", r.Month, wib())
		out = append(out, event.RawEvent{
			Source: officeSource, ID: "rekomendasi-" + r.ID, Type: event.RTLSet, Subject: r.ID, Center: center, Record: record,
			Time: month.AddDate(0, 1, 3).Add(9 * time.Hour), // the meeting, on the fourth of the month after
		})
	}
	return out
}

// officeSource is no source of calls and tickets: what an office writes is not part of a world's totals.
const officeSource = "simulate-office"

// confirmOf is how long confirming takes a ticket of an OPD that was resolved at an instant.
func (g *Generator) confirmOf(d spread, opd string, at int64) spread {
	if g.preset != Sidoarjo2023 {
		return d
	}
	for i := range figures().Recommendations {
		r := &figures().Recommendations[i]
		if r.Slower == 0 || r.OPD != opd || g.moment(at).Format(time.DateOnly) > r.Completed {
			continue
		}
		for j := range d {
			d[j] *= r.Slower
		}
	}
	return d
}

// answer says what came of a question about a public service.
func (g *Generator) answer(d *event.RawEvent, n nature) {
	q := question{Answered: 150, Referred: 700, Unknown: 100, OPD: n.work.OPD} // of those that a ticket passes on
	if n.scope == "" {
		q = figures().Questions[g.questions.spin(g.outcomes)]
		d.Category = q.Topic
	}
	switch of := g.outcomes.IntN(1000); {
	case of < q.Answered:
		d.Outcome = event.OutcomeDijawab
	case of < q.Answered+q.Referred:
		d.Outcome, d.OPD = event.OutcomeDirujuk, q.OPD
	case of < q.Answered+q.Referred+q.Unknown:
		d.Outcome = event.OutcomeTidakTahu
	}
}
