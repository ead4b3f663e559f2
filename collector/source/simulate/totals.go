package simulate

import (
	"maps"
	"slices"
	"time"
)

// Totals is the truth of a simulated world: what every view of it must show. Durations are milliseconds, percentiles
// are nearest-rank. A call belongs to the hour and month (WIB) in which it was received, a ticket to those in which it
// was opened.
type Totals struct {
	Preset    Preset    `json:"preset"`
	Seed      uint64    `json:"seed"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to,omitzero"`
	Rate      float64   `json:"rate"`
	TimeScale float64   `json:"time_scale"`
	// cases begun whose messages were not all handed over; they are in none of the figures below but Messages
	Pending  int64                    `json:"pending"`
	Messages MessageTotals            `json:"messages"`
	Centers  map[string]*CenterTotals `json:"centers"`
}

// MessageTotals counts what was handed over.
type MessageTotals struct {
	Sent         int64 `json:"sent"`
	Events       int64 `json:"events"`        // different source and id: sent less repetitions
	Repetitions  int64 `json:"repetitions"`   // the same event again
	SecondSource int64 `json:"second_source"` // the same fact by another source within 2 s
	Slips        int64 `json:"slips"`         // wrong facts, later replaced
	Corrections  int64 `json:"corrections"`   // events that replace a slip
	// handed over a minute or more after they happened, without being corrections
	Late   int64            `json:"late"`
	ByType map[string]int64 `json:"by_type"` // events by type, repetitions left out
}

// CenterTotals is the truth of one centre.
type CenterTotals struct {
	Calls   CallTotals      `json:"calls"`
	Tickets TicketTotals    `json:"tickets"`
	Months  map[string]Sums `json:"months"` // "2023-01"
	Hours   map[string]Sums `json:"hours"`  // "2023-01-31T18", WIB
}

// Sums are the counts that trends and rollups show.
type Sums struct {
	Received        int64 `json:"received"`
	Offered         int64 `json:"offered"`
	Answered        int64 `json:"answered"`
	Within10        int64 `json:"within_10"`
	Within15        int64 `json:"within_15"`
	Within20        int64 `json:"within_20"`
	Abandoned       int64 `json:"abandoned"`
	AbandonedShort  int64 `json:"abandoned_short"` // within 5 s
	Unserved        int64 `json:"unserved"`
	Blocked         int64 `json:"blocked"`
	Classified      int64 `json:"classified"`   // with a class, tests left out: the denominator of the hoax ratio
	Hoax            int64 `json:"hoax"`         // its numerator
	Unclassified    int64 `json:"unclassified"` // answered, without a class
	Ghost           int64 `json:"ghost"`
	Tests           int64 `json:"tests"` // also counted in received and answered, not in offered, within and classified
	TicketsOpened   int64 `json:"tickets_opened"`
	TicketsOwn      int64 `json:"tickets_own"`      // by the scope of the OPD that they were opened for
	TicketsVertical int64 `json:"tickets_vertical"` // likewise
}

// CallTotals is the truth of a centre's calls.
type CallTotals struct {
	Sums
	UnservedByReason map[string]int64     `json:"unserved_by_reason"`
	ByClass          map[string]int64     `json:"by_class"` // final class
	ByKecamatan      map[string]int64     `json:"by_kecamatan"`
	ByAgent          map[string]int64     `json:"by_agent"` // answered
	Reclassified     int64                `json:"reclassified"`
	RingNoAnswers    int64                `json:"ring_no_answers"`
	CalledBack       int64                `json:"called_back"`
	ToCallBack       int64                `json:"to_call_back"` // abandoned, not called back
	AnswerWait       Quantiles            `json:"answer_wait"`  // of answered calls, tests left out
	Classify         Quantiles            `json:"classify"`     // answered to first classification
	Talk             map[string]Quantiles `json:"talk"`         // by final class, "belum" without one
	HoaxTalk         int64                `json:"hoax_talk"`    // agents' time on hoax calls
}

// TicketTotals is the truth of a centre's tickets.
type TicketTotals struct {
	Opened      int64                           `json:"opened"`
	Open        int64                           `json:"open"`     // someone still has to work on them
	ByOPD       map[string]int64                `json:"by_opd"`   // current OPD; empty for the centre
	ByScope     map[string]int64                `json:"by_scope"` // scope of the current OPD; empty for the centre
	ByPriority  map[string]int64                `json:"by_priority"`
	ByCategory  map[string]int64                `json:"by_category"`
	ByKecamatan map[string]int64                `json:"by_kecamatan"`
	ByState     map[string]int64                `json:"by_state"`
	ByResult    map[string]int64                `json:"by_result"`
	Bounced     int64                           `json:"bounced"`  // tickets that changed OPD
	Bounces     int64                           `json:"bounces"`  // changes of OPD
	Rejected    int64                           `json:"rejected"` // rejections, answered or not
	Reopened    int64                           `json:"reopened"`
	Merged      int64                           `json:"merged"`
	Paused      int64                           `json:"paused"` // tickets with a pause
	PausedNow   int64                           `json:"paused_now"`
	PausedMS    int64                           `json:"paused_ms"`    // of pauses that ended
	Intervals   map[string]map[string]Quantiles `json:"intervals"`    // by interval and OPD; OPD "" is all of them
	FireArrived int64                           `json:"fire_arrived"` // category kebakaran: with both received and arrived
	FireInTime  int64                           `json:"fire_in_time"` // within 15 minutes of the call
}

// Quantiles describes a set of durations in milliseconds.
type Quantiles struct {
	N   int64 `json:"n"`
	Sum int64 `json:"sum"`
	P50 int64 `json:"p50"`
	P90 int64 `json:"p90"`
	P95 int64 `json:"p95"`
	Max int64 `json:"max"`
}

// durations counts durations by value: exact, and small because there are fewer values than calls.
type durations map[int64]int64

func (d durations) quantiles() Quantiles {
	values := slices.Sorted(maps.Keys(d))
	var q Quantiles
	for _, v := range values {
		q.N += d[v]
		q.Sum += v * d[v]
	}
	if q.N == 0 {
		return q
	}
	rank := func(percent int64) int64 {
		upTo := (percent*q.N + 99) / 100
		for _, v := range values {
			if upTo -= d[v]; upTo <= 0 {
				return v
			}
		}
		return values[len(values)-1]
	}
	q.P50, q.P90, q.P95, q.Max = rank(50), rank(90), rank(95), values[len(values)-1]
	return q
}
