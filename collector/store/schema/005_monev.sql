-- The figures of monitoring and evaluation, each computed once for dashboards, reports, alerts and freezes alike.
-- All take days as they are in the centre's own time zone: since <= day < until; and step: day, week, month, year, or
-- all for one row over the whole range. Every share stands beside its numerator, its denominator and its 95 % interval
-- after Wilson (low, high); a share of nothing is NULL. docs/definitions.md gives each formula in words.

-- The same call, one row an interval: what a percentile is taken of. NULL seconds: one of the two ends is not known, or
-- they contradict each other.
CREATE VIEW IF NOT EXISTS case_intervals AS
SELECT center, day, '' AS opd, 'own' AS scope, ifNull(category, '') AS category, '' AS priority,
    i.1 AS interval, i.2 AS seconds
FROM calls_now
ARRAY JOIN
    [('answer', toNullable(answer_seconds)), ('classify', classify_seconds), ('talk', talk_seconds)] AS i
WHERE answered
UNION ALL
SELECT center, day, ifNull(opd, '') AS opd, ifNull(scope, 'own') AS scope, ifNull(category, '') AS category,
    ifNull(priority, '') AS priority, i.1 AS interval, i.2 AS seconds
FROM tickets_now
ARRAY JOIN
    [('dispatch', dispatch_seconds), ('acknowledge', acknowledge_seconds), ('turnout', turnout_seconds),
     ('travel', travel_seconds), ('respond', respond_seconds), ('own', own_seconds), ('resolve', resolve_seconds),
     ('resolve_net', resolve_net_seconds), ('confirm', confirm_seconds)] AS i
WHERE state != 'merged';

-- Three service levels, target and short in seconds.
CREATE VIEW IF NOT EXISTS monev_service_level AS
SELECT
    center, period, measure, numerator, denominator, offered AS n, stamped,
    -- Without any answer stamp there is nothing to measure, and 0 % would be a lie.
    if(denominator = 0 OR stamped = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period,
        sum(calls_hourly_now.offered) AS offered,
        sum(calls_hourly_now.stamped) AS stamped,
        sum(arrayCount(x -> x <= {target:UInt32} * 1000, answer_ms)) AS within,
        sum(arrayCount(x -> x < {short:UInt32} * 1000, abandon_ms)) AS short_abandoned
    FROM calls_hourly_now
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN
    ['ketat', 'standar', 'terjawab'] AS measure,
    [within, within, within] AS numerator,
    [toInt64(offered), toInt64(offered) - toInt64(short_abandoned), toInt64(stamped)] AS denominator;

-- rasio_hoaks, rasio_non_darurat and belum (the share of answered calls that nobody has classified yet).
CREATE VIEW IF NOT EXISTS monev_hoax AS
SELECT
    center, period, measure, numerator, denominator, answered AS n,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period,
        sum(calls_hourly_now.answered) AS answered,
        sum(calls_hourly_now.classified) AS classified,
        sum(calls_hourly_now.hoax) AS hoax,
        sum(ghost + pocket + informasi) AS other
    FROM calls_hourly_now
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN
    ['rasio_hoaks', 'rasio_non_darurat', 'belum'] AS measure,
    [toInt64(hoax), toInt64(hoax + other), toInt64(answered) - toInt64(classified)] AS numerator,
    [toInt64(classified), toInt64(classified), toInt64(answered)] AS denominator;

-- Where the calls went. Each call stands in exactly one stage, so that the stages add up to received (denominator).
CREATE VIEW IF NOT EXISTS monev_funnel AS
SELECT
    center, period, stage, numerator, denominator, denominator AS n,
    if(denominator = 0, NULL, numerator / denominator) AS share
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period,
        sum(received) AS denominator,
        sum(to_hoax) AS f1, sum(to_own) AS f2, sum(to_vertical) AS f3, sum(to_centre) AS f4, sum(to_none) AS f5,
        sum(to_unclassified) AS f6, sum(to_unanswered) AS f7
    FROM calls_hourly_now
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN
    ['hoax', 'own', 'vertical', 'centre', 'none', 'unclassified', 'unanswered'] AS stage,
    [f1, f2, f3, f4, f5, f6, f7] AS numerator;

-- Intervals of calls and tickets: nearest-rank percentiles, exact, of the cases that have both ends; coverage is their
-- share of all cases that could have them (answered calls; tickets that were not merged).
CREATE VIEW IF NOT EXISTS monev_intervals AS
SELECT
    center, period, interval, scope, numerator, denominator, numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, sorted[intDiv(n * 50 + 99, 100)]) AS median,
    if(n = 0, NULL, sorted[intDiv(n * 90 + 99, 100)]) AS p90,
    if(n = 0, NULL, sorted[intDiv(n * 95 + 99, 100)]) AS p95,
    if(n = 0, NULL, total / n) AS mean
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period, interval, scope,
        count(seconds) AS numerator, count() AS denominator,
        arraySort(groupArray(seconds)) AS sorted, sum(ifNull(seconds, 0)) AS total
    FROM (SELECT * FROM case_intervals WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0)
    GROUP BY center, period, interval, scope
);

-- The same by OPD, vertical agencies apart by scope.
CREATE VIEW IF NOT EXISTS monev_intervals_opd AS
SELECT
    center, period, interval, scope, opd, numerator, denominator, numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, sorted[intDiv(n * 50 + 99, 100)]) AS median,
    if(n = 0, NULL, sorted[intDiv(n * 90 + 99, 100)]) AS p90,
    if(n = 0, NULL, sorted[intDiv(n * 95 + 99, 100)]) AS p95,
    if(n = 0, NULL, total / n) AS mean
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period, interval, scope, opd,
        count(seconds) AS numerator, count() AS denominator,
        arraySort(groupArray(seconds)) AS sorted, sum(ifNull(seconds, 0)) AS total
    FROM (SELECT * FROM case_intervals WHERE opd != '' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0)
    GROUP BY center, period, interval, scope, opd
);

-- On time: of the clocks that started in the period and are decided (stopped, or past due), those that stopped in time.
-- A clock that still runs in time is in neither number. monev_on_time is the regency's own OPDs and the centre (opd '');
-- monev_on_time_outside is everything else: vertical agencies, and OPDs that the directory does not know.
CREATE VIEW IF NOT EXISTS monev_on_time AS
SELECT
    center, period, clock, opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period, clock, ifNull(clocks_now.opd, '') AS opd,
        countIf(state = 'met') AS numerator,
        countIf(state IN ('met', 'breached')) AS denominator,
        countIf(state = 'breached' AND stopped_at IS NOT NULL) AS stopped_late,
        countIf(state = 'breached' AND stopped_at IS NULL) AS open_late,
        countIf(state IN ('running', 'paused')) AS undecided
    FROM clocks_now
    WHERE NOT void AND ifNull(scope, 'own') = 'own' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock, opd
);

CREATE VIEW IF NOT EXISTS monev_on_time_outside AS
SELECT
    center, period, clock, scope, opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period, clock, scope, ifNull(clocks_now.opd, '') AS opd,
        countIf(state = 'met') AS numerator,
        countIf(state IN ('met', 'breached')) AS denominator,
        countIf(state = 'breached' AND stopped_at IS NOT NULL) AS stopped_late,
        countIf(state = 'breached' AND stopped_at IS NULL) AS open_late,
        countIf(state IN ('running', 'paused')) AS undecided
    FROM clocks_now
    WHERE NOT void AND ifNull(scope, 'own') != 'own' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock, scope, opd
);
