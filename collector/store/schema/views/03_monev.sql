-- The figures of monitoring and evaluation, each computed once for dashboards, reports, alerts and freezes alike.
-- All take days as they are in the centre's own time zone: since <= day < until; and step: day, week, month, year, or
-- all for one row over the whole range; and as_of, which may be left out: an instant in RFC 3339 at which the figures are
-- to be read, from what is known today. Every share stands beside its numerator, its denominator and its 95 % interval
-- after Wilson (low, high); a share of nothing is NULL. docs/definitions.md gives each formula in words.

{{- /* The first day of the step that a day lies in. */}}
{{define "period"}}multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}){{end}}

{{- /* The arguments that views of figures hand on. */}}
{{define "days"}}since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}{{end}}
{{define "steps"}}{{template "days"}}, step = {step:String}{{end}}
{{define "whole"}}{{template "days"}}, step = 'all'{{end}}
{{define "answers"}}{{template "whole"}}, target = {target:UInt32}, short = {short:UInt32}{{end}}

{{- /* The condition that every view of figures has. */}}
{{define "range"}}day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0{{end}}

{{- /* One interval: its name, the cases that have both ends, the element of each percentile, and the sum. quantilesExact
takes the element number floor(level * n) from 0, the nearest rank is ceil(level * n) from 1: a level that is smaller by
less than 1 / n makes them one. */}}
{{define "interval"}}('{{.}}', count({{.}}), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)({{.}}), ifNull(sum({{.}}), 0)){{end}}

{{- define "ticket intervals"}}[
            {{template "interval" "dispatch"}},
            {{template "interval" "acknowledge"}},
            {{template "interval" "turnout"}},
            {{template "interval" "travel"}},
            {{template "interval" "respond"}},
            {{template "interval" "own"}},
            {{template "interval" "resolve"}},
            {{template "interval" "resolve_net"}},
            {{template "interval" "confirm"}}]{{end}}

{{- /* What is shown of an interval, in seconds. */}}
{{define "percentiles"}}numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, figures.3[1] / 1000) AS median,
    if(n = 0, NULL, figures.3[2] / 1000) AS p90,
    if(n = 0, NULL, figures.3[3] / 1000) AS p95,
    if(n = 0, NULL, figures.4 / n / 1000) AS mean{{end}}

-- One row a case and interval: what a percentile is taken of. NULL seconds: one of the two ends is not known, or they
-- contradict each other.
CREATE OR REPLACE VIEW {{db}}.case_intervals AS
SELECT center, day, '' AS opd, 'own' AS scope, ifNull(category, '') AS category, '' AS priority,
    i.1 AS interval, i.2 AS seconds
FROM {{db}}.calls_now
ARRAY JOIN
    [('answer', toNullable(answer_seconds)), ('classify', classify_seconds), ('talk', talk_seconds)] AS i
WHERE answered
UNION ALL
SELECT center, day, ifNull(opd, '') AS opd, ifNull(scope, 'own') AS scope, ifNull(category, '') AS category,
    ifNull(priority, '') AS priority, i.1 AS interval, i.2 AS seconds
FROM {{db}}.tickets_now
ARRAY JOIN
    [('dispatch', dispatch_seconds), ('acknowledge', acknowledge_seconds), ('turnout', turnout_seconds),
     ('travel', travel_seconds), ('respond', respond_seconds), ('own', own_seconds), ('resolve', resolve_seconds),
     ('resolve_net', resolve_net_seconds), ('confirm', confirm_seconds)] AS i
WHERE state != 'merged';

-- Three service levels, target and short in seconds. Offered calls with an answer stamp are `stamped`; those of them whose
-- wait is known are `timed`. The rest contradict themselves and are in neither number.
CREATE OR REPLACE VIEW {{db}}.monev_service_level AS
SELECT
    center, period, measure, numerator, denominator, offered AS n, stamped,
    -- Without any answer stamp there is nothing to measure, and 0 % would be a lie.
    if(denominator = 0 OR stamped = 0, NULL, numerator / denominator) AS share,
    {{wilson "numerator" "if(stamped = 0, 0, denominator)"}}
FROM
(
    SELECT
        center, {{template "period"}} AS period,
        sum(c.offered) AS offered,
        sum(c.stamped) AS stamped,
        sum(length(answer_ms)) AS timed,
        sum(arrayCount(x -> x <= {target:UInt32} * 1000, answer_ms)) AS within,
        sum(arrayCount(x -> x < {short:UInt32} * 1000, abandon_ms)) AS short_abandoned
    FROM {{db}}.calls_counted({{template "days"}}) AS c
    WHERE {{template "range"}}
    GROUP BY center, period
)
ARRAY JOIN
    ['ketat', 'standar', 'terjawab'] AS measure,
    [within, within, within] AS numerator,
    [toInt64(offered - stamped + timed), toInt64(offered - stamped + timed - short_abandoned), toInt64(timed)] AS denominator;

-- rasio_hoaks, rasio_non_darurat and belum (the share of answered calls that nobody has classified yet).
CREATE OR REPLACE VIEW {{db}}.monev_hoax AS
SELECT
    center, period, measure, numerator, denominator, answered AS n, classified,
    -- The share of the answered calls that a class says something of: what the two ratios rest on.
    if(answered = 0, NULL, classified / answered) AS coverage,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    {{wilson "numerator" "denominator"}}
FROM
(
    SELECT
        center, {{template "period"}} AS period,
        sum(c.answered) AS answered,
        sum(c.classified) AS classified,
        sum(c.hoax) AS hoax,
        sum(ghost + pocket + informasi) AS other
    FROM {{db}}.calls_counted({{template "days"}}) AS c
    WHERE {{template "range"}}
    GROUP BY center, period
)
ARRAY JOIN
    ['rasio_hoaks', 'rasio_non_darurat', 'belum'] AS measure,
    [toInt64(hoax), toInt64(hoax + other), toInt64(answered) - toInt64(classified)] AS numerator,
    [toInt64(classified), toInt64(classified), toInt64(answered)] AS denominator;

-- Where the calls went. Each call stands in exactly one stage, so that the stages add up to received (denominator).
CREATE OR REPLACE VIEW {{db}}.monev_funnel AS
SELECT
    center, period, stage, numerator, denominator, denominator AS n,
    if(denominator = 0, NULL, numerator / denominator) AS share
FROM
(
    SELECT
        center, {{template "period"}} AS period,
        sum(received) AS denominator,
        sum(to_hoax) AS f1, sum(to_own) AS f2, sum(to_vertical) AS f3, sum(to_centre) AS f4, sum(to_none) AS f5,
        sum(to_unclassified) AS f6, sum(to_unanswered) AS f7
    FROM {{db}}.calls_counted({{template "days"}}) AS c
    WHERE {{template "range"}}
    GROUP BY center, period
)
ARRAY JOIN
    ['hoax', 'own', 'vertical', 'centre', 'none', 'unclassified', 'unanswered'] AS stage,
    [f1, f2, f3, f4, f5, f6, f7] AS numerator;

-- Intervals of calls and of tickets: nearest-rank percentiles, exact, of the cases that have both ends; coverage is their
-- share of all cases that could have them (answered calls; tickets that were not merged).
CREATE OR REPLACE VIEW {{db}}.monev_intervals_calls AS
SELECT
    center, period, figures.1 AS interval, 'own' AS scope, figures.2 AS numerator, denominator,
    {{template "percentiles"}}
FROM
(
    SELECT
        center, {{template "period"}} AS period,
        count() AS denominator,
        [
            {{template "interval" "answer"}},
            {{template "interval" "classify"}},
            {{template "interval" "talk"}}] AS list
    FROM
    (
        SELECT center, day, answered, answer_ms AS answer, toInt64(round(1000 * classify_seconds)) AS classify,
            toInt64(round(1000 * talk_seconds)) AS talk
        FROM {{template "calls as of"}}
    )
    WHERE answered AND {{template "range"}}
    GROUP BY center, period
)
ARRAY JOIN list AS figures;

CREATE OR REPLACE VIEW {{db}}.monev_intervals_tickets AS
SELECT
    center, period, figures.1 AS interval, scope, figures.2 AS numerator, denominator,
    {{template "percentiles"}}
FROM
(
    SELECT
        center, {{template "period"}} AS period, scope,
        count() AS denominator,
        {{template "ticket intervals"}} AS list
    FROM {{db}}.tickets_counted({{template "days"}})
    ARRAY JOIN dispatch_ms AS dispatch, acknowledge_ms AS acknowledge, turnout_ms AS turnout,
        travel_ms AS travel, respond_ms AS respond, own_ms AS own, resolve_ms AS resolve, resolve_net_ms AS resolve_net,
        confirm_ms AS confirm
    WHERE {{template "range"}}
    GROUP BY center, period, scope
)
ARRAY JOIN list AS figures;

CREATE OR REPLACE VIEW {{db}}.monev_intervals AS
SELECT center, period, interval, scope, numerator, denominator, n, coverage, median, p90, p95, mean
FROM {{db}}.monev_intervals_calls({{template "steps"}})
UNION ALL
SELECT center, period, interval, scope, numerator, denominator, n, coverage, median, p90, p95, mean
FROM {{db}}.monev_intervals_tickets({{template "steps"}});

-- The same by OPD, vertical agencies apart by scope.
CREATE OR REPLACE VIEW {{db}}.monev_intervals_opd AS
SELECT
    center, period, figures.1 AS interval, scope, opd, figures.2 AS numerator, denominator,
    {{template "percentiles"}}
FROM
(
    SELECT
        center, {{template "period"}} AS period, scope, opd,
        count() AS denominator,
        {{template "ticket intervals"}} AS list
    FROM {{db}}.tickets_counted({{template "days"}})
    ARRAY JOIN opds AS opd, dispatch_ms AS dispatch, acknowledge_ms AS acknowledge, turnout_ms AS turnout,
        travel_ms AS travel, respond_ms AS respond, own_ms AS own, resolve_ms AS resolve, resolve_net_ms AS resolve_net,
        confirm_ms AS confirm
    WHERE opd != '' AND {{template "range"}}
    GROUP BY center, period, scope, opd
)
ARRAY JOIN list AS figures;

-- On time: of the clocks that started in the period and are decided (stopped, or past due), those that stopped in time.
-- A clock that still runs in time is in neither number, nor is one that nobody can stop (unobserved): where all are such,
-- the share is NULL, "tidak tercatat". monev_on_time_tickets has the clocks of tickets (of an OPD of the
-- regency, or of none: opd ''), monev_on_time these and the answer clock of calls; monev_on_time_outside everything else:
-- vertical agencies, and OPDs that the directory does not know.
CREATE OR REPLACE VIEW {{db}}.monev_on_time_tickets AS
SELECT
    center, period, clock, opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided, unobserved,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    {{wilson "numerator" "denominator"}}
FROM
(
    SELECT
        center, {{template "period"}} AS period, clock, o.opd AS opd,
        sum(o.met) AS numerator,
        sum(o.met + o.stopped_late + o.open_late) AS denominator,
        sum(o.stopped_late) AS stopped_late,
        sum(o.open_late) AS open_late,
        sum(o.undecided) AS undecided,
        sum(o.unobserved) AS unobserved
    FROM {{db}}.clocks_counted({{template "days"}}) AS o
    WHERE scope = 'own' AND {{template "range"}}
    GROUP BY center, period, clock, opd
);

CREATE OR REPLACE VIEW {{db}}.monev_on_time AS
SELECT center, period, clock, opd, numerator, denominator, n, stopped_late, open_late, undecided, unobserved, share, low, high
FROM {{db}}.monev_on_time_tickets({{template "steps"}})
UNION ALL
SELECT
    center, period, clock, '' AS opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided, unobserved,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    {{wilson "numerator" "denominator"}}
FROM
(
    SELECT
        center, {{template "period"}} AS period, clock,
{{template "outcomes"}}, met AS numerator, met + stopped_late + open_late AS denominator
    FROM {{template "clocks judged"}}
    WHERE subject_kind = 'call' AND NOT void AND {{template "range"}}
    GROUP BY center, period, clock
);

CREATE OR REPLACE VIEW {{db}}.monev_on_time_outside AS
SELECT
    center, period, clock, scope, opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided, unobserved,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    {{wilson "numerator" "denominator"}}
FROM
(
    SELECT
        center, {{template "period"}} AS period, clock, o.scope AS scope, o.opd AS opd,
        sum(o.met) AS numerator,
        sum(o.met + o.stopped_late + o.open_late) AS denominator,
        sum(o.stopped_late) AS stopped_late,
        sum(o.open_late) AS open_late,
        sum(o.undecided) AS undecided,
        sum(o.unobserved) AS unobserved
    FROM {{db}}.clocks_counted({{template "days"}}) AS o
    WHERE scope != 'own' AND {{template "range"}}
    GROUP BY center, period, clock, scope, opd
);

-- monev_figures: every figure of the monev meeting in one shape, from the views that each states it. What a freeze keeps
-- and what a later month is compared with. coverage: what share of the cases a figure could be taken of.
CREATE OR REPLACE VIEW {{db}}.monev_figures AS
SELECT center, 'funnel' AS figure, concat('stage=', stage) AS dims, toFloat64(numerator) AS numerator,
    toFloat64(denominator) AS denominator, toUInt64(n) AS n, share AS value
FROM {{db}}.monev_funnel({{template "whole"}})
UNION ALL
SELECT center, s.1, s.2, s.3, s.4, s.5, s.6
FROM {{db}}.monev_service_level({{template "answers"}})
ARRAY JOIN arrayConcat(
    [('service_level', concat('measure=', measure, ',target=', toString({target:UInt32})),
        toFloat64(numerator), toFloat64(denominator), toUInt64(n), toNullable(share))],
    if(measure = 'ketat', [('coverage', 'measure=answer_stamp', toFloat64(stamped), toFloat64(n), toUInt64(n),
        if(n = 0, NULL, stamped / n))], [])) AS s
UNION ALL
SELECT center, s.1, s.2, s.3, s.4, s.5, s.6
FROM {{db}}.monev_hoax({{template "whole"}})
ARRAY JOIN arrayConcat(
    [('hoax', concat('measure=', measure), toFloat64(numerator), toFloat64(denominator), toUInt64(n), toNullable(share))],
    if(measure = 'rasio_hoaks', [('coverage', 'measure=class', toFloat64(classified), toFloat64(n), toUInt64(n),
        toNullable(coverage))], [])) AS s
UNION ALL
SELECT center, s.1, concat('interval=', interval, ',scope=', scope),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), s.2
FROM {{db}}.monev_intervals({{template "whole"}})
ARRAY JOIN [('interval_median', median), ('interval_p90', p90), ('interval_p95', p95), ('interval_mean', mean),
    ('coverage', toNullable(coverage))] AS s
UNION ALL
SELECT center, s.1, concat('interval=', interval, ',opd=', opd, ',scope=', scope),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), s.2
FROM {{db}}.monev_intervals_opd({{template "whole"}})
ARRAY JOIN [('interval_median', median), ('interval_p90', p90), ('interval_p95', p95), ('interval_mean', mean),
    ('coverage', toNullable(coverage))] AS s
UNION ALL
SELECT center, 'on_time', concat('clock=', clock, ',opd=', opd, ',scope=own'),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), share
FROM {{db}}.monev_on_time({{template "whole"}})
UNION ALL
SELECT center, 'on_time', concat('clock=', clock, ',opd=', opd, ',scope=', ifNull(scope, '')),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), share
FROM {{db}}.monev_on_time_outside({{template "whole"}});

-- monev_not_recorded: what is not recorded, by OPD and source: the clocks of tickets that began in the range, how many of
-- them nobody can stop, and of how many the fact that stops them is known (recorded). Where a source is believed to carry
-- it, and none came in 60 days and 20 tickets, never is true. The sources that brought a ticket together are one row.
CREATE OR REPLACE VIEW {{db}}.monev_not_recorded AS
SELECT
    center, opd, scope, clock, source,
    countIf(unseen) AS unobserved,
    count() AS n,
    countIf(fact IS NOT NULL) AS recorded,
    min(begun) AS since, max(begun) AS until,
    (countIf(NOT unseen) >= 20 AND countIf(NOT unseen AND fact IS NOT NULL) = 0
        AND minIf(begun, NOT unseen) <= any(until_now) - INTERVAL 60 DAY)::Bool AS never
FROM
(
    SELECT
        c.center AS center, ifNull(c.opd, '')::String AS opd, ifNull(c.scope, 'own')::String AS scope,
        c.clock::String AS clock, arrayStringConcat(c.sources, ' ') AS source,
        assumeNotNull(c.started_at) AS begun, c.unobserved AS unseen, c.at AS until_now,
        multiIf(
            clock = 'acknowledge', coalesce(if(empty(t.`stays.at`), t.acknowledged_at, t.`stays.acknowledged_at`[-1]), t.departed_at, t.arrived_at),
            clock = 'arrive', t.arrived_at,
            clock = 'confirm', t.confirmed_at,
            coalesce(t.resolved_at, t.closed_at, t.first_closed_at)) AS fact
    FROM {{template "clocks judged"}} AS c
    INNER JOIN {{template "tickets as of"}} AS t ON t.center = c.center AND t.id = c.subject
    WHERE c.subject_kind = 'ticket' AND NOT c.void AND c.started_at IS NOT NULL
        AND c.day >= {since:Date} AND c.day < {until:Date}
)
GROUP BY center, opd, scope, clock, source;
