-- tickets_daily: the intervals of the tickets that were opened on a day, one row a centre, day and scope, recomputed whole
-- with clocks_daily. Parallel arrays, one element a ticket that was not merged, so that a country's percentiles are exact
-- and are taken without reading its millions of tickets. Milliseconds; NULL: one of the two ends is not known, or they
-- contradict each other.
CREATE TABLE IF NOT EXISTS tickets_daily
(
    center         LowCardinality(String),
    day            Date CODEC(Delta(2), ZSTD(1)),
    scope          LowCardinality(String),
    version        UInt64 CODEC(Delta(8), ZSTD(1)),
    -- '' where there is none; a ticket without an OPD is the centre's own.
    opds           Array(LowCardinality(String)),
    priorities     Array(LowCardinality(String)),
    dispatch_ms    Array(Nullable(Int64)),
    acknowledge_ms Array(Nullable(Int64)),
    turnout_ms     Array(Nullable(Int64)),
    travel_ms      Array(Nullable(Int64)),
    respond_ms     Array(Nullable(Int64)),
    own_ms         Array(Nullable(Int64)),
    resolve_ms     Array(Nullable(Int64)),
    resolve_net_ms Array(Nullable(Int64)),
    confirm_ms     Array(Nullable(Int64))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (center, day, scope);

-- tickets_rollup states how a row of tickets_daily is computed, and gives an empty row for one that stands there and has no
-- ticket any more. Its arguments are those of clocks_rollup.
CREATE VIEW IF NOT EXISTS tickets_rollup AS
SELECT
    center, day, scope,
    arrayMap(t -> t.1, list) AS opds,
    arrayMap(t -> t.2, list) AS priorities,
    arrayMap(t -> t.3, list) AS dispatch_ms,
    arrayMap(t -> t.4, list) AS acknowledge_ms,
    arrayMap(t -> t.5, list) AS turnout_ms,
    arrayMap(t -> t.6, list) AS travel_ms,
    arrayMap(t -> t.7, list) AS respond_ms,
    arrayMap(t -> t.8, list) AS own_ms,
    arrayMap(t -> t.9, list) AS resolve_ms,
    arrayMap(t -> t.10, list) AS resolve_net_ms,
    arrayMap(t -> t.11, list) AS confirm_ms
FROM
(
    SELECT center, day, scope, arraySort(t -> (t.1, t.2), groupArrayIf(ticket, counts)) AS list
    FROM
    (
        SELECT center, assumeNotNull(day) AS day, ifNull(t.scope, 'own')::String AS scope, true AS counts,
            (ifNull(opd, '')::String, ifNull(priority, '')::String,
             toInt64(round(1000 * dispatch_seconds)), toInt64(round(1000 * acknowledge_seconds)), toInt64(round(1000 * turnout_seconds)),
             toInt64(round(1000 * travel_seconds)), toInt64(round(1000 * respond_seconds)), toInt64(round(1000 * own_seconds)),
             toInt64(round(1000 * resolve_seconds)), toInt64(round(1000 * resolve_net_seconds)), toInt64(round(1000 * confirm_seconds))) AS ticket
        FROM tickets_now AS t
        WHERE t.center IN {centers:Array(String)} AND t.state != 'merged' AND t.day IS NOT NULL
            AND (t.center, assumeNotNull(t.day)) IN {days:Array(Tuple(String, Date))}
        UNION ALL
        SELECT center, day, scope, false,
            ('', '', NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64),
             NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64))
        FROM tickets_daily
        WHERE center IN {centers:Array(String)} AND (center, day) IN {days:Array(Tuple(String, Date))}
    )
    GROUP BY center, day, scope
);

-- Intervals of calls and of tickets: nearest-rank percentiles, exact, of the cases that have both ends; coverage is their
-- share of all cases that could have them (answered calls; tickets that were not merged). quantilesExact takes the element
-- number floor(level * n) from 0, the nearest rank is ceil(level * n) from 1: a level that is smaller by less than 1 / n
-- makes them one.
CREATE VIEW IF NOT EXISTS monev_intervals_calls AS
SELECT
    center, period, figures.1 AS interval, 'own' AS scope, figures.2 AS numerator, denominator, numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, figures.3[1] / 1000) AS median,
    if(n = 0, NULL, figures.3[2] / 1000) AS p90,
    if(n = 0, NULL, figures.3[3] / 1000) AS p95,
    if(n = 0, NULL, figures.4 / n / 1000) AS mean
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period,
        count() AS denominator,
        [('answer', count(answer), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(answer), ifNull(sum(answer), 0)),
         ('classify', count(classify), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(classify), ifNull(sum(classify), 0)),
         ('talk', count(talk), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(talk), ifNull(sum(talk), 0))] AS list
    FROM
    (
        SELECT center, day, answered, answer_ms AS answer, toInt64(round(1000 * classify_seconds)) AS classify, toInt64(round(1000 * talk_seconds)) AS talk
        FROM calls_now
    )
    WHERE answered AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN list AS figures;

CREATE VIEW IF NOT EXISTS monev_intervals_tickets AS
SELECT
    center, period, figures.1 AS interval, scope, figures.2 AS numerator, denominator, numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, figures.3[1] / 1000) AS median,
    if(n = 0, NULL, figures.3[2] / 1000) AS p90,
    if(n = 0, NULL, figures.3[3] / 1000) AS p95,
    if(n = 0, NULL, figures.4 / n / 1000) AS mean
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period, scope,
        count() AS denominator,
        [('dispatch', count(dispatch), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(dispatch), ifNull(sum(dispatch), 0)),
         ('acknowledge', count(acknowledge), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(acknowledge), ifNull(sum(acknowledge), 0)),
         ('turnout', count(turnout), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(turnout), ifNull(sum(turnout), 0)),
         ('travel', count(travel), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(travel), ifNull(sum(travel), 0)),
         ('respond', count(respond), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(respond), ifNull(sum(respond), 0)),
         ('own', count(own), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(own), ifNull(sum(own), 0)),
         ('resolve', count(resolve), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve), ifNull(sum(resolve), 0)),
         ('resolve_net', count(resolve_net), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve_net), ifNull(sum(resolve_net), 0)),
         ('confirm', count(confirm), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(confirm), ifNull(sum(confirm), 0))] AS list
    FROM tickets_daily FINAL
    ARRAY JOIN dispatch_ms AS dispatch, acknowledge_ms AS acknowledge, turnout_ms AS turnout, travel_ms AS travel, respond_ms AS respond, own_ms AS own, resolve_ms AS resolve, resolve_net_ms AS resolve_net, confirm_ms AS confirm
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0
    GROUP BY center, period, scope
)
ARRAY JOIN list AS figures;

CREATE OR REPLACE VIEW monev_intervals AS
SELECT center, period, interval, scope, numerator, denominator, n, coverage, median, p90, p95, mean
FROM monev_intervals_calls(since = {since:Date}, until = {until:Date}, step = {step:String})
UNION ALL
SELECT center, period, interval, scope, numerator, denominator, n, coverage, median, p90, p95, mean
FROM monev_intervals_tickets(since = {since:Date}, until = {until:Date}, step = {step:String});

-- The same by OPD, vertical agencies apart by scope.
CREATE OR REPLACE VIEW monev_intervals_opd AS
SELECT
    center, period, figures.1 AS interval, scope, opd, figures.2 AS numerator, denominator, numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, figures.3[1] / 1000) AS median,
    if(n = 0, NULL, figures.3[2] / 1000) AS p90,
    if(n = 0, NULL, figures.3[3] / 1000) AS p95,
    if(n = 0, NULL, figures.4 / n / 1000) AS mean
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period, scope, opd,
        count() AS denominator,
        [('dispatch', count(dispatch), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(dispatch), ifNull(sum(dispatch), 0)),
         ('acknowledge', count(acknowledge), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(acknowledge), ifNull(sum(acknowledge), 0)),
         ('turnout', count(turnout), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(turnout), ifNull(sum(turnout), 0)),
         ('travel', count(travel), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(travel), ifNull(sum(travel), 0)),
         ('respond', count(respond), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(respond), ifNull(sum(respond), 0)),
         ('own', count(own), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(own), ifNull(sum(own), 0)),
         ('resolve', count(resolve), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve), ifNull(sum(resolve), 0)),
         ('resolve_net', count(resolve_net), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve_net), ifNull(sum(resolve_net), 0)),
         ('confirm', count(confirm), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(confirm), ifNull(sum(confirm), 0))] AS list
    FROM tickets_daily FINAL
    ARRAY JOIN opds AS opd, dispatch_ms AS dispatch, acknowledge_ms AS acknowledge, turnout_ms AS turnout, travel_ms AS travel, respond_ms AS respond, own_ms AS own, resolve_ms AS resolve, resolve_net_ms AS resolve_net, confirm_ms AS confirm
    WHERE opd != '' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0
    GROUP BY center, period, scope, opd
)
ARRAY JOIN list AS figures;

-- What was stored before this file is computed at the next start.
INSERT INTO days_pending
SELECT center, assumeNotNull(day), 1 + (SELECT max(version) FROM days_pending), false FROM tickets WHERE day IS NOT NULL GROUP BY center, day;
