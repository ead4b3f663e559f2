package metrics

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
	Name     string   // with Prefix
	Type     Type     //
	Labels   []string // in the order in which values are given; "center" first where a centre is meant
	Unit     string   // of the value: seconds, bytes, or what is counted
	Help     string   // one sentence; part of the exposition
	Audience string   // who looks at it: floor, opd, leadership, operations
}

// The people who look at a metric (domain: call-floor supervisor, OPD, leadership, Diskominfo operations).
const (
	floor      = "floor"
	opd        = "opd"
	leadership = "leadership"
	operations = "operations"
)

// Definitions returns every metric of monev112, sorted as they are shown in docs/metrics.md: calls, tickets, events,
// pipeline. The slice is the caller's own.
func Definitions() []Definition {
	d := []Definition{
		// Calls: counters.
		{"calls_received_total", Counter, []string{"center", "channel"}, "calls", "Calls that reached the trunk.", floor},
		{"calls_offered_total", Counter, []string{"center"}, "calls",
			"Calls that reached the queue and were neither blocked nor a test: the denominator of the strict service level.",
			floor},
		{"calls_answered_total", Counter, []string{"center"}, "calls", "Calls that a call taker answered.", floor},
		{"calls_within_target_total", Counter, []string{"center", "target"}, "calls",
			"Calls answered within the target, given in seconds; each call is compared with the target itself, not with a bucket.", floor},
		{"calls_abandoned_total", Counter, []string{"center", "short"}, "calls",
			"Calls whose caller hung up before an answer; short is true below the short-abandon limit.", floor},
		{"calls_unserved_total", Counter, []string{"center", "reason"}, "calls", "Calls that the centre failed to serve.",
			floor},
		{"calls_blocked_total", Counter, []string{"center"}, "calls", "Calls rejected because the number is blocked.", floor},
		{"calls_classified_total", Counter, []string{"center", "class"}, "calls",
			"Calls by their first class; a later opinion counts in calls_reclassified_total.", leadership},
		{"calls_reclassified_total", Counter, []string{"center", "from", "to"}, "calls", "Changes of a call's class.",
			leadership},

		// Calls: histograms.
		{"call_answer_seconds", Histogram, []string{"center"}, "seconds",
			"Time from the queue (from the trunk where no queue stamp exists) to the answer.", floor},
		{"call_classify_seconds", Histogram, []string{"center"}, "seconds",
			"Time from the answer to the first classification.", floor},
		{"call_talk_seconds", Histogram, []string{"center", "class"}, "seconds",
			"Time from the answer to the end of the talk, by class.", floor},

		// Calls: the board.
		{"calls_waiting", Gauge, []string{"center"}, "calls", "Callers who wait for an answer now.", floor},
		{"call_oldest_waiting_seconds", Gauge, []string{"center"}, "seconds",
			"How long the longest waiting caller has waited; 0 when nobody waits.", floor},
		{"calls_unclassified", Gauge, []string{"center"}, "calls",
			"Calls of the day that were answered, have ended and have no class.", floor},
		{"calls_to_call_back", Gauge, []string{"center"}, "calls", "Abandoned callers who were not called back.", floor},
		{"agents", Gauge, []string{"center", "state"}, "agents", "Call takers by state.", floor},
		{"ring_no_answer_recent", Gauge, []string{"center", "position"}, "rings",
			"Rings without an answer of the last 15 minutes, by position; positions without one are absent.", floor},
		{"window_calls", Gauge, []string{"center", "window", "measure"}, "calls",
			"Exact count of a measure in the current or previous hour or shift, or in the day.", floor},
		{"window_calls_within_target", Gauge, []string{"center", "window", "target"}, "calls",
			"Exact count of the calls answered within the target, given in seconds, in the same windows; the denominator is the measure offered of window_calls.", floor},
		{"calls_expected", Gauge, []string{"center", "stat"}, "calls",
			"Median and median absolute deviation of calls received in the same weekday and hour over 8 weeks; absent below 4 weeks of history.", floor},

		// Tickets: counters and histograms.
		{"tickets_opened_total", Counter, []string{"center", "opd", "priority"}, "tickets",
			"Tickets opened, by the OPD first known for them.", opd},
		{"ticket_bounces_total", Counter, []string{"center", "opd"}, "bounces",
			"Changes of OPD after the first assignment, by the OPD that lost the ticket.", opd},
		{"tickets_reopened_total", Counter, []string{"center", "opd"}, "reopenings",
			"Reopenings that follow a resolution or a closing.", opd},
		{"ticket_interval_seconds", Histogram, []string{"center", "interval", "opd"}, "seconds",
			"Intervals of a ticket's life. All share the union of the bounds of processing, acknowledgement, arrival and resolution, so that every threshold is a bound.", opd},
		{"clock_stopped_total", Counter, []string{"center", "clock", "opd", "priority", "result"}, "clocks",
			"SLA clocks that stopped, met or breached; the answer clock has no OPD (opd and priority none).", opd},

		// Tickets: the board.
		{"tickets_open", Gauge, []string{"center", "opd", "priority", "scope"}, "tickets",
			"Open tickets; every known OPD is present with 0.", opd},
		{"tickets_at_risk", Gauge, []string{"center", "opd", "scope"}, "tickets",
			"Open tickets with a running clock past 75 % of its target and not overdue; every known OPD is present with 0.",
			opd},
		{"tickets_overdue", Gauge, []string{"center", "opd", "clock", "priority", "scope"}, "tickets",
			"Open tickets past the due time of a running clock; every known OPD is present with 0. A ticket late on two clocks counts once in each.", opd},
		{"ticket_oldest_overdue_seconds", Gauge, []string{"center", "opd"}, "seconds",
			"How far the longest overdue ticket of an OPD is past its due time; 0 when none is.", opd},
		{"tickets_stale", Gauge, []string{"center"}, "tickets",
			"Open tickets without any event for 180 days: data quality, in none of the counts above.", operations},
		{"same_event_tickets", Gauge, []string{"center", "category", "kecamatan"}, "tickets",
			"Tickets of one category and kecamatan opened in the last 15 minutes; pairs without one are absent.", floor},

		// Events.
		{"events_total", Counter, []string{"result"}, "events",
			"Events that came to the door, by what became of them; backfilled is a share of accepted: older than the live window, moves no other counter.", operations},
		{"events_rejected_total", Counter, []string{"reason"}, "events", "Events refused, by reason.", operations},
		{"attributes_dropped_total", Counter, []string{"key"}, "attributes",
			"Attributes dropped because the configuration does not allow their key; the first keys seen have their name, the rest is other.", operations},
		{"source_last_event_timestamp_seconds", Gauge, []string{"source"}, "seconds",
			"Unix time of the latest event of a source, heartbeats included.", operations},
		{"board_complete", Gauge, nil, "1 or 0",
			"1 when the board knows every open case and the running windows; while 0, no other series of the board is exposed.",
			operations},

		// Pipeline.
		{"journal_bytes", Gauge, nil, "bytes", "Size of the journal on disk.", operations},
		{"journal_lag_bytes", Gauge, nil, "bytes", "Bytes of the journal that are not yet stored in ClickHouse.", operations},
		{"journal_lag_seconds", Gauge, nil, "seconds",
			"Age of the oldest journal record that is not yet stored in ClickHouse; 0 when all is.", operations},
		{"journal_append_seconds", Histogram, nil, "seconds", "Duration of one journal append with its fsync.", operations},
		{"disk_free_bytes", Gauge, nil, "bytes", "Free space of the file system that holds the journal.", operations},
		{"dead_letters_total", Counter, nil, "events",
			"Events set aside because ClickHouse refuses their values; journal requeue returns them.", operations},
		{"quarantine_events", Gauge, nil, "events", "Refused events that the quarantine holds now.", operations},
		{"store_insert_seconds", Histogram, []string{"table"}, "seconds", "Duration of one insert into ClickHouse.",
			operations},
		{"store_errors_total", Counter, []string{"kind"}, "errors", "Failed requests to ClickHouse, by kind.", operations},
		{"store_rows_total", Counter, []string{"table"}, "rows", "Rows that ClickHouse acknowledged.", operations},
		{"pager_last_push_timestamp_seconds", Gauge, nil, "seconds",
			"Unix time of the last push that Alertmanager accepted; absent while the pager is off.", operations},
		{"pager_alerts", Gauge, []string{"level"}, "alerts",
			"Ticket alerts in the last push, by level; absent while the pager is off.", operations},
		{"pager_failures_total", Counter, []string{"alertmanager"}, "requests",
			"Pushes that an Alertmanager did not take, by its host and port; absent while the pager is off.", operations},
		{"calendar_covered_until_timestamp_seconds", Gauge, nil, "seconds",
			"Unix time at which the known holidays end; absent without a calendar.", operations},
		{"http_requests_total", Counter, []string{"route", "code"}, "requests",
			"HTTP requests answered, by route and status.", operations},
		{"http_request_seconds", Histogram, []string{"route"}, "seconds", "Duration of an HTTP request.", operations},
		{"http_requests_in_flight", Gauge, nil, "requests", "HTTP requests being answered now.", operations},
		{"directory_info", Gauge, []string{"center", "label", "value", "name"}, "1",
			"Always 1; name is what the directory calls the value of a label: of opd, category or kecamatan.", operations},
		{"build_info", Gauge, []string{"version", "revision", "goversion"}, "1", "Always 1; the labels say which build runs.",
			operations},
	}
	for i := range d {
		d[i].Name = Prefix + d[i].Name
	}
	return d
}
