package metrics

import (
	"slices"
	"time"
)

// Prefix stands before every metric name of monev112.
const Prefix = "monev112_"

// Type is the kind of a metric in Prometheus's words.
type Type string

// The kinds of metric in use.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Definition describes one metric: what a dashboard or an alert may rely on.
type Definition struct {
	Name     string    // with Prefix
	Type     Type      //
	Board    bool      // a gauge that exists only while the board is complete
	Labels   []string  // in the order in which values are given; "center" first where a centre is meant
	Unit     string    // of the value: seconds, bytes, or what is counted
	Buckets  []float64 // classic bucket bounds of a histogram, in seconds
	Help     string    // one sentence; part of the exposition
	Audience string    // who looks at it: floor, opd, leadership, operations
}

// The people who look at a metric: call-floor supervisor, heads of departments, monev meeting, Diskominfo.
const (
	floor      = "floor"
	opd        = "opd"
	leadership = "leadership"
	operations = "operations"
)

func counter(name, unit, audience, help string, labels ...string) Definition {
	return Definition{Name: Prefix + name, Type: Counter, Unit: unit, Audience: audience, Help: help, Labels: labels}
}

func gauge(name, unit, audience, help string, labels ...string) Definition {
	return Definition{Name: Prefix + name, Type: Gauge, Unit: unit, Audience: audience, Help: help, Labels: labels}
}

func boardGauge(name, unit, audience, help string, labels ...string) Definition {
	d := gauge(name, unit, audience, help, labels...)
	d.Board = true
	return d
}

func histogram(name string, buckets []float64, audience, help string, labels ...string) Definition {
	return Definition{
		Name: Prefix + name, Type: Histogram, Unit: "seconds", Buckets: buckets, Audience: audience, Help: help,
		Labels: labels,
	}
}

// Definitions returns every metric of monev112, sorted as they are shown in docs/metrics.md: calls, tickets, events,
// pipeline. The slice is the caller's own.
func Definitions() []Definition {
	return []Definition{
		// Calls: counters.
		counter("calls_received_total", "calls", floor, "Calls that reached the trunk.", "center", "channel"),
		counter("calls_offered_total", "calls", floor,
			"Calls that reached the queue and were neither blocked nor a test: the denominator of the strict service "+
				"level.", "center"),
		counter("calls_answered_total", "calls", floor, "Calls that a call taker answered.", "center"),
		counter("calls_within_target_total", "calls", floor,
			"Calls answered within the target, given in seconds; each call is compared with the target itself, not with a "+
				"bucket.", "center", "target"),
		counter("calls_abandoned_total", "calls", floor,
			"Calls whose caller hung up before an answer; short is true below the short-abandon limit.", "center", "short"),
		counter("calls_unserved_total", "calls", floor, "Calls that the centre failed to serve.", "center", "reason"),
		counter("calls_blocked_total", "calls", floor, "Calls rejected because the number is blocked.", "center"),
		counter("calls_classified_total", "calls", leadership,
			"Calls by their first class; a later opinion counts in calls_reclassified_total.", "center", "class"),
		counter("calls_reclassified_total", "calls", leadership, "Changes of a call's class.", "center", "from", "to"),

		// Calls: histograms.
		histogram("call_answer_seconds", answerBounds(), floor,
			"Time from the queue (from the trunk where no queue stamp exists) to the answer.", "center"),
		histogram("call_classify_seconds", processingBounds(), floor,
			"Time from the answer to the first classification.", "center"),
		histogram("call_talk_seconds", talkBounds(), floor,
			"Time from the answer to the end of the talk, by class.", "center", "class"),

		// Calls: the board.
		boardGauge("calls_waiting", "calls", floor, "Callers who wait for an answer now.", "center"),
		boardGauge("call_oldest_waiting_seconds", "seconds", floor,
			"How long the longest waiting caller has waited; 0 when nobody waits.", "center"),
		boardGauge("calls_unclassified", "calls", floor,
			"Calls of the day that were answered, have ended and have no class.", "center"),
		boardGauge("calls_to_call_back", "calls", floor, "Abandoned callers who were not called back.", "center"),
		boardGauge("agents", "agents", floor, "Call takers by state.", "center", "state"),
		boardGauge("ring_no_answer_recent", "rings", floor,
			"Rings without an answer of the last 15 minutes, by position; positions without one are absent.",
			"center", "position"),
		boardGauge("window_calls", "calls", floor,
			"Exact count of a measure in the current or previous hour or shift, or in the day.",
			"center", "window", "measure"),
		boardGauge("window_calls_within_target", "calls", floor,
			"Exact count of the calls answered within the target, given in seconds, in the same windows; the denominator "+
				"is the measure offered of window_calls.", "center", "window", "target"),
		gauge("calls_expected", "calls", floor,
			"Median and median absolute deviation of calls received in the same weekday and hour over 8 weeks; absent "+
				"below 4 weeks of history.", "center", "stat"),

		// Tickets: counters and histograms.
		counter("tickets_opened_total", "tickets", opd,
			"Tickets opened, by the OPD first known for them.", "center", "opd", "priority"),
		counter("ticket_bounces_total", "bounces", opd,
			"Changes of OPD after the first assignment, by the OPD that lost the ticket.", "center", "opd"),
		counter("tickets_reopened_total", "reopenings", opd,
			"Reopenings that follow a resolution or a closing.", "center", "opd"),
		histogram("ticket_interval_seconds", ticketBounds(), opd,
			"Intervals of a ticket's life. All share the union of the bounds of processing, acknowledgement, arrival and "+
				"resolution, so that every threshold is a bound.", "center", "interval", "opd"),
		counter("clock_stopped_total", "clocks", opd,
			"SLA clocks that stopped, met or breached; the answer clock has no OPD (opd and priority none).",
			"center", "clock", "opd", "priority", "result"),

		// Tickets: the board.
		boardGauge("tickets_open", "tickets", opd,
			"Open tickets; every known OPD is present with 0.", "center", "opd", "priority", "scope"),
		boardGauge("tickets_at_risk", "tickets", opd,
			"Open tickets with a running clock past 75 % of its target and not overdue; every known OPD is present with "+
				"0.", "center", "opd", "scope"),
		boardGauge("tickets_overdue", "tickets", opd,
			"Open tickets past the due time of a running clock; every known OPD is present with 0. A ticket late on two "+
				"clocks counts once in each.", "center", "opd", "clock", "priority", "scope"),
		boardGauge("ticket_oldest_overdue_seconds", "seconds", opd,
			"How far the longest overdue ticket of an OPD is past its due time; 0 when none is.", "center", "opd"),
		boardGauge("tickets_stale", "tickets", operations,
			"Open tickets without any event for 180 days: data quality, in none of the counts above.", "center"),
		boardGauge("same_event_tickets", "tickets", floor,
			"Tickets of one category and kecamatan opened in the last 15 minutes; pairs without one are absent.",
			"center", "category", "kecamatan"),

		// Events.
		counter("events_total", "events", operations,
			"Events received, by result; backfilled is a share of accepted: older than the live "+
				"window, moves no other counter.", "result"),
		counter("events_rejected_total", "events", operations, "Events refused, by reason.", "reason"),
		counter("attributes_dropped_total", "attributes", operations,
			"Attributes dropped because the configuration does not allow their key; the first keys seen have their name, "+
				"the rest is other.", "key"),
		boardGauge("source_last_event_timestamp_seconds", "seconds", operations,
			"Unix time of the latest event of a source, heartbeats included.", "source"),
		gauge("board_complete", "1 or 0", operations,
			"1 when the board knows every open case and the running windows; while 0, no other series of the board is "+
				"exposed."),

		// Pipeline.
		gauge("journal_bytes", "bytes", operations, "Size of the journal on disk."),
		gauge("journal_lag_bytes", "bytes", operations, "Bytes of the journal that are not yet stored in ClickHouse."),
		gauge("journal_lag_seconds", "seconds", operations,
			"Age of the oldest journal record that is not yet stored in ClickHouse; 0 when all is."),
		gauge("journal_damaged", "1 or 0", operations,
			"1 while reading the journal stands at damage: nothing behind it reaches ClickHouse; journal skip passes over it."),
		histogram("journal_append_seconds", ioBounds(), operations, "Duration of one journal append with its fsync."),
		gauge("disk_free_bytes", "bytes", operations, "Free space of the file system that holds the journal."),
		counter("dead_letters_total", "events", operations,
			"Events set aside because ClickHouse refuses their values; journal requeue returns them."),
		gauge("quarantine_events", "events", operations, "Refused events that the quarantine holds now."),
		histogram("store_insert_seconds", ioBounds(), operations, "Duration of one insert into ClickHouse.", "table"),
		counter("store_errors_total", "errors", operations, "Failed requests to ClickHouse, by kind.", "kind"),
		counter("store_rows_total", "rows", operations, "Rows that ClickHouse acknowledged.", "table"),
		gauge("pager_last_push_timestamp_seconds", "seconds", operations,
			"Unix time of the last push that Alertmanager accepted; absent while the pager is off."),
		gauge("pager_alerts", "alerts", operations,
			"Ticket alerts in the last push, by level; absent while the pager is off.", "level"),
		counter("pager_failures_total", "requests", operations,
			"Pushes that an Alertmanager did not take, by its host and port; absent while the pager is off.", "alertmanager"),
		gauge("calendar_covered_until_timestamp_seconds", "seconds", operations,
			"Unix time at which the known holidays end; absent without a calendar."),
		counter("http_requests_total", "requests", operations,
			"HTTP requests answered, by route and status.", "route", "code"),
		histogram("http_request_seconds", ioBounds(), operations, "Duration of an HTTP request.", "route"),
		gauge("http_requests_in_flight", "requests", operations, "HTTP requests being answered now."),
		gauge("directory_info", "1", operations,
			"Always 1; name is what the directory calls the value of a label: of opd, category or kecamatan.",
			"center", "label", "value", "name"),
		gauge("build_info", "1", operations,
			"Always 1; the labels say which build runs.", "version", "revision", "goversion"),
	}
}

// The classic bucket bounds, in seconds. Each set contains the thresholds of its interval exactly, so that "within
// 15 s" is a bucket's count and no estimate. They are functions and not variables, so that nobody can change them.

func answerBounds() []float64      { return []float64{5, 10, 15, 20, 30, 40, 60, 90, 120} }
func processingBounds() []float64  { return []float64{30, 60, 64, 90, 120, 180} }
func acknowledgeBounds() []float64 { return []float64{60, 120, 180, 300, 600, 900, 1800, 3600} }
func arrivalBounds() []float64     { return []float64{300, 420, 600, 900, 1200, 1800, 2700, 3600} }

func resolutionBounds() []float64 {
	const hour, day = 3600, 24 * 3600
	return []float64{
		0.5 * hour, 1 * hour, 2 * hour, 4 * hour, 8 * hour, 24 * hour, 3 * day, 5 * day, 14 * day, 30 * day, 60 * day,
	}
}

// talkBounds has no law behind it: talks of a few seconds (silent, dropped) apart from those of minutes.
func talkBounds() []float64 { return []float64{5, 15, 30, 60, 120, 180, 300, 600, 900, 1800} }

// ticketBounds is the union of the bounds of all intervals of a ticket. One histogram name must have one bucket set,
// else a sum over the interval label would add buckets that do not mean the same.
func ticketBounds() []float64 {
	b := slices.Concat(processingBounds(), acknowledgeBounds(), arrivalBounds(), resolutionBounds())
	slices.Sort(b)
	return slices.Compact(b)
}

// ioBounds suits fsyncs, inserts and requests: 0.5 ms to 30 s.
func ioBounds() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
}

// Native histograms: about 10 % between neighbouring bounds, at most 160 buckets, then resolution is halved.
const (
	nativeFactor     = 1.1
	nativeMaxBuckets = 160
	nativeMinReset   = time.Hour
)
