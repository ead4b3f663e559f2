package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/source/simulate"
)

// compare holds the totals of a simulation against the views, for the cases of the days that where names.
func (s *service) compare(t *testing.T, totals simulate.Totals, where string) {
	c := totals.Centers["35.15"]
	same := func(name string, want map[string]int64, sql string) {
		t.Helper()
		got := s.counts(strings.ReplaceAll(sql, "$where", where+" AND center = '35.15'"))
		maps.DeleteFunc(got, func(_ string, n int64) bool { return n == 0 })
		want = maps.Clone(want)
		maps.DeleteFunc(want, func(_ string, n int64) bool { return n == 0 })
		if maps.Equal(got, want) {
			return
		}
		shown := 0
		for k := range want {
			if got[k] != want[k] && shown < 5 {
				t.Errorf("%s: %q is %d, the simulation made %d", name, k, got[k], want[k])
				shown++
			}
		}
		for k := range got {
			if _, ok := want[k]; !ok && shown < 8 {
				t.Errorf("%s: %q is %d, the simulation made none", name, k, got[k])
				shown++
			}
		}
	}

	// Calls: the hourly rollup, by month and by hour, in local time. It has no test calls.
	for step, periods := range map[string]map[string]simulate.Sums{"%Y-%m": c.Months, "%Y-%m-%dT%H": c.Hours} {
		want, columns := map[string]int64{}, ""
		for column, of := range map[string]func(simulate.Sums) int64{
			"received":                               func(x simulate.Sums) int64 { return x.Received - x.Tests },
			"offered":                                func(x simulate.Sums) int64 { return x.Offered },
			"answered":                               func(x simulate.Sums) int64 { return x.Answered - x.Tests },
			"arrayCount(x -> x <= 10000, answer_ms)": func(x simulate.Sums) int64 { return x.Within10 },
			"arrayCount(x -> x <= 15000, answer_ms)": func(x simulate.Sums) int64 { return x.Within15 },
			"arrayCount(x -> x <= 20000, answer_ms)": func(x simulate.Sums) int64 { return x.Within20 },
			"abandoned":                              func(x simulate.Sums) int64 { return x.Abandoned },
			"arrayCount(x -> x < 5000, abandon_ms)":  func(x simulate.Sums) int64 { return x.AbandonedShort },
			"unserved":                               func(x simulate.Sums) int64 { return x.Unserved },
			"blocked":                                func(x simulate.Sums) int64 { return x.Blocked },
			"classified":                             func(x simulate.Sums) int64 { return x.Classified },
			"hoax":                                   func(x simulate.Sums) int64 { return x.Hoax },
			"answered - classified":                  func(x simulate.Sums) int64 { return x.Unclassified },
			"ghost":                                  func(x simulate.Sums) int64 { return x.Ghost },
		} {
			for k, sums := range periods {
				want[column+" "+k] = of(sums)
			}
			columns += fmt.Sprintf(", ('%s', toInt64(sum(%s)))", column, column)
		}
		same("calls by "+step, want, fmt.Sprintf(`SELECT concat(x.1, ' ', p), x.2 FROM (
			SELECT formatDateTime(toTimeZone(hour, 'Asia/Jakarta'), '%s') AS p, [%s] AS a FROM calls_hourly_now WHERE $where
			GROUP BY p
		) ARRAY JOIN a AS x`, step, columns[2:]))
		opened := map[string]int64{}
		for k, sums := range periods {
			opened[k] = sums.TicketsOpened
		}
		same("tickets opened by "+step, opened, fmt.Sprintf(
			"SELECT formatDateTime(toTimeZone(opened_at, 'Asia/Jakarta'), '%s') AS p, count() FROM tickets_now WHERE $where "+
				"GROUP BY p", step))
	}

	classes := maps.Clone(c.Calls.ByClass)
	delete(classes, "uji")
	same("class", classes, "SELECT ifNull(class, 'belum') AS k, count() FROM calls_now WHERE $where AND answered GROUP "+
		"BY k")
	same("test calls", map[string]int64{"uji": c.Calls.Tests},
		"SELECT 'uji', count() FROM calls FINAL WHERE $where AND class = 'uji'")
	same("unserved", c.Calls.UnservedByReason,
		"SELECT ifNull(unserved_reason, '') AS k, count() FROM calls_now WHERE $where AND unserved GROUP BY k")
	// With the test calls, as the simulation counts them.
	same("kecamatan", c.Calls.ByKecamatan,
		"SELECT assumeNotNull(kecamatan) AS k, count() FROM calls FINAL WHERE $where AND k != '' AND answered_at IS NOT "+
			"NULL GROUP BY k")
	same("agent", c.Calls.ByAgent,
		"SELECT ifNull(agent, '') AS k, count() FROM calls FINAL WHERE $where AND answered_at IS NOT NULL GROUP BY k")
	same("called back", map[string]int64{"yes": c.Calls.CalledBack, "no": c.Calls.ToCallBack},
		"SELECT if(called_back_at IS NULL, 'no', 'yes') AS k, count() FROM calls_now WHERE $where AND abandoned GROUP BY k")

	quantiles := func(name string, want simulate.Quantiles, seconds, from string) {
		t.Helper()
		same(name, map[string]int64{
			"n": want.N, "sum": want.Sum, "p50": want.P50, "p90": want.P90, "p95": want.P95, "max": want.Max,
		}, fmt.Sprintf(`
			SELECT q.1, q.2 FROM (
				SELECT arraySort(groupArray(toInt64(round(1000 * assumeNotNull(%s))))) AS v, toInt64(length(v)) AS n FROM %s AND %s
				IS NOT NULL
			) ARRAY JOIN [('n', n), ('sum', arraySum(v)), ('p50', v[intDiv(n * 50 + 99, 100)]), ('p90', v[intDiv(n * 90 + 99,
			100)]),
				('p95', v[intDiv(n * 95 + 99, 100)]), ('max', v[-1])] AS q`, seconds, from, seconds))
	}
	quantiles("answer wait", c.Calls.AnswerWait, "answer_seconds", "calls_now WHERE $where")
	for class, want := range c.Calls.Talk {
		if class != "uji" {
			quantiles("talk of "+class, want, "talk_seconds", "calls_now WHERE $where AND ifNull(class, 'belum') = '"+class+"'")
		}
	}
	if c.Calls.Tests == 0 { // the simulation's includes them
		quantiles("classify", c.Calls.Classify, "classify_seconds", "calls_now WHERE $where")
		s.monev(t, c)
	}

	k := c.Tickets
	for column, want := range map[string]map[string]int64{
		"ifNull(opd, '')": k.ByOPD, "if(opd IS NULL, '', ifNull(scope, '?'))": k.ByScope,
		"ifNull(priority, '')": k.ByPriority,
		"ifNull(category, '')": k.ByCategory, "state": k.ByState,
	} {
		same("tickets by "+column, want, "SELECT "+column+" AS k, count() FROM tickets_now WHERE $where GROUP BY k")
	}
	same("tickets by result", k.ByResult,
		"SELECT assumeNotNull(result) AS k, count() FROM tickets_now WHERE $where AND result IS NOT NULL GROUP BY k")
	same("tickets by kecamatan", k.ByKecamatan,
		"SELECT assumeNotNull(kecamatan) AS k, count() FROM tickets_now WHERE $where AND kecamatan IS NOT NULL GROUP BY k")
	same("tickets", map[string]int64{
		"opened": k.Opened, "open": k.Open, "bounced": k.Bounced, "bounces": k.Bounces, "reopened": k.Reopened,
		"merged": k.Merged, "paused": k.Paused,
		"paused now": k.PausedNow, "paused ms": k.PausedMS, "fire arrived": k.FireArrived, "fire in time": k.FireInTime,
	}, `SELECT x.1, x.2 FROM (SELECT [
			('opened', toInt64(count())), ('open', toInt64(countIf(open))), ('bounced', toInt64(countIf(bounces > 0))),
			('bounces', toInt64(sum(bounces))),
			('reopened', toInt64(sum(reopened))), ('merged', toInt64(countIf(state = 'merged'))), ('paused',
			toInt64(countIf(notEmpty(pauses.since)))),
			('paused now', toInt64(countIf(paused))),
			('paused ms', toInt64(sum(arraySum((a, b) -> ifNull(dateDiff('millisecond', a, b), 0), pauses.since,
			pauses.until)))),
			('fire arrived', toInt64(countIf(category = 'kebakaran' AND respond_seconds IS NOT NULL))),
			('fire in time', toInt64(countIf(category = 'kebakaran' AND respond_seconds <= 900)))] AS a
		FROM tickets_now WHERE $where) ARRAY JOIN a AS x`)
	for interval, byOPD := range k.Intervals {
		if interval == "acknowledge" { // the simulation counts each stay at an OPD
			quantiles(interval, byOPD[""], "seconds",
				`(SELECT center, day, a.2 AS opd, dateDiff('millisecond', a.1, assumeNotNull(a.3)) / 1000 AS seconds
				FROM tickets_now ARRAY JOIN arrayZip(stays.at, stays.opd, stays.acknowledged_at) AS a WHERE a.3 IS NOT NULL) WHERE
				$where`)
			continue
		}
		for opd, want := range byOPD {
			which := "1"
			switch {
			case opd != "" && interval == "dispatch": // counts for the first OPD
				which = "stays.opd[1] = '" + opd + "'"
			case opd != "":
				which = "opd = '" + opd + "'"
			}
			quantiles(interval+" of "+opd, want, interval+"_seconds", "tickets_now WHERE $where AND "+which)
		}
	}
}

// monev compares the interval views with a simulation in which no ticket is merged, passed on or tested.
func (s *service) monev(t *testing.T, c *simulate.CenterTotals) {
	t.Helper()
	if c.Tickets.Merged+c.Tickets.Bounces > 0 {
		return
	}
	got := map[string]string{}
	for l := range strings.Lines(s.query(
		`SELECT interval, opd, numerator, toInt64(round(1000 * median)), toInt64(round(1000 * p90)), toInt64(round(1000 *
			p95))
		FROM monev_intervals_opd(since = '2023-01-01', until = '2023-11-01', step = 'all') WHERE center = '35.15'`)) {
		f := strings.SplitN(strings.TrimSuffix(l, "\n"), "\t", 3)
		got[f[0]+" "+f[1]] = f[2]
	}
	compared := 0
	for interval, byOPD := range c.Tickets.Intervals {
		for opd, q := range byOPD {
			if opd == "" {
				continue
			}
			compared++
			if want := fmt.Sprintf("%d\t%d\t%d\t%d", q.N, q.P50, q.P90, q.P95); got[interval+" "+opd] != want {
				t.Errorf("monev_intervals_opd: %s of %s is %q, the simulation made %q", interval, opd, got[interval+" "+opd], want)
			}
		}
	}
	if compared == 0 {
		t.Error("no interval was compared")
	}
}
