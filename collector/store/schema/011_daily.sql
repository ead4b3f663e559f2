-- clocks_daily: the clocks of tickets that began on a day, one row a centre, clock and day, recomputed whole whenever a
-- ticket with a clock of that day changes: what on-time shares of a country are counted from without reading its millions
-- of clocks. Each element of the arrays is one OPD and scope. What has stopped is a count: nothing that comes later in time
-- changes whether it was late. What runs is kept as its instants, and is judged when it is asked for, as clocks_now does.
CREATE TABLE IF NOT EXISTS clocks_daily
(
    center          LowCardinality(String),
    clock           LowCardinality(String),
    day             Date CODEC(Delta(2), ZSTD(1)),
    version         UInt64 CODEC(Delta(8), ZSTD(1)),
    -- '' where there is none; a ticket without an OPD is the centre's own.
    opds            Array(LowCardinality(String)),
    scopes          Array(LowCardinality(String)),
    -- Stopped by the time of the computation, in time and late.
    met_counts      Array(UInt32),
    late_counts     Array(UInt32),
    -- The others, one element a clock: when each is late if nothing is heard, and a stop that lies ahead.
    open_breach_at  Array(Array(Nullable(DateTime64(3, 'UTC')))),
    open_stopped_at Array(Array(Nullable(DateTime64(3, 'UTC'))))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (clock, center, day);

-- clocks_rollup states how a row of clocks_daily is computed, and gives an empty row for one that stands there and has no
-- clock any more: SELECT ... FROM clocks_rollup(centers = ['35.15'], days = [('35.15', '2026-10-01')]).
CREATE VIEW IF NOT EXISTS clocks_rollup AS
SELECT
    center, clock, day,
    arrayMap(g -> g.1, groups) AS opds,
    arrayMap(g -> g.2, groups) AS scopes,
    arrayMap(g -> g.3, groups) AS met_counts,
    arrayMap(g -> g.4, groups) AS late_counts,
    arrayMap(g -> arrayMap(o -> o.1, g.5), groups) AS open_breach_at,
    arrayMap(g -> arrayMap(o -> o.2, g.5), groups) AS open_stopped_at
FROM
(
    SELECT center, clock, day, arraySort(g -> (g.1, g.2), groupArrayIf((opd, scope, met, late, open), n > 0)) AS groups
    FROM
    (
        SELECT
            center, clock, day, opd, scope,
            toUInt32(countIf(settled AND NOT was_late)) AS met,
            toUInt32(countIf(settled AND was_late)) AS late,
            groupArrayIf((breach_at, stopped_at), NOT settled) AS open,
            count() AS n
        FROM
        (
            SELECT
                center, clock, assumeNotNull(c.day) AS day, ifNull(c.opd, '')::String AS opd, ifNull(c.scope, 'own')::String AS scope,
                breach_at, stopped_at,
                ifNull(stopped_at <= now64(3, 'UTC'), false) AS settled,
                ifNull(stopped_at > breach_at, false) AS was_late
            FROM clocks AS c FINAL
            WHERE c.center IN {centers:Array(String)} AND c.subject_kind = 'ticket' AND NOT void
                AND (c.center, assumeNotNull(c.day)) IN {days:Array(Tuple(String, Date))} AND c.day IS NOT NULL
        )
        GROUP BY center, clock, day, opd, scope
        UNION ALL
        SELECT center, clock, day, '', '', 0, 0, [], 0
        FROM clocks_daily
        WHERE center IN {centers:Array(String)} AND (center, day) IN {days:Array(Tuple(String, Date))}
    )
    GROUP BY center, clock, day
);

-- clock_outcomes: the clocks of tickets by the day on which they began, as they stand now. undecided runs in time.
CREATE VIEW IF NOT EXISTS clock_outcomes AS
SELECT
    center, clock, day, opd, scope,
    met_count + arrayCount((b, s) -> ifNull(s <= now64(3, 'UTC'), false) AND NOT ifNull(s > b, false), breach_at, stopped_at) AS met,
    late_count + arrayCount((b, s) -> s IS NOT NULL AND ifNull(least(assumeNotNull(s), now64(3, 'UTC')) > b, false), breach_at, stopped_at) AS stopped_late,
    arrayCount((b, s) -> s IS NULL AND ifNull(now64(3, 'UTC') > b, false), breach_at, stopped_at) AS open_late,
    toUInt64(met_count + late_count + length(breach_at) - met - stopped_late - open_late) AS undecided
FROM clocks_daily FINAL
ARRAY JOIN opds AS opd, scopes AS scope, met_counts AS met_count, late_counts AS late_count, open_breach_at AS breach_at, open_stopped_at AS stopped_at;

-- days_pending: days of tickets and their clocks that are about to change, as hours_pending is for calls.
CREATE TABLE IF NOT EXISTS days_pending
(
    center  LowCardinality(String),
    day     Date,
    version UInt64,
    done    Bool
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (center, day);

-- What was stored before this file is computed at the next start.
INSERT INTO days_pending
SELECT center, assumeNotNull(day), 1, false FROM clocks WHERE subject_kind = 'ticket' AND day IS NOT NULL GROUP BY center, day;

-- On time: of the clocks that started in the period and are decided (stopped, or past due), those that stopped in time.
-- A clock that still runs in time is in neither number. monev_on_time_tickets has the clocks of tickets (of an OPD of the
-- regency, or of none: opd ''), monev_on_time these and the answer clock of calls; monev_on_time_outside everything else:
-- vertical agencies, and OPDs that the directory does not know.
CREATE VIEW IF NOT EXISTS monev_on_time_tickets AS
SELECT
    center, period, clock, opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period, clock, o.opd AS opd,
        sum(o.met) AS numerator,
        sum(o.met + o.stopped_late + o.open_late) AS denominator,
        sum(o.stopped_late) AS stopped_late,
        sum(o.open_late) AS open_late,
        sum(o.undecided) AS undecided
    FROM clock_outcomes AS o
    WHERE scope = 'own' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock, opd
);

CREATE OR REPLACE VIEW monev_on_time AS
SELECT center, period, clock, opd, numerator, denominator, n, stopped_late, open_late, undecided, share, low, high
FROM monev_on_time_tickets(since = {since:Date}, until = {until:Date}, step = {step:String})
UNION ALL
SELECT
    center, period, clock, '' AS opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period, clock,
        countIf(state = 'met') AS numerator,
        countIf(state IN ('met', 'breached')) AS denominator,
        countIf(state = 'breached' AND stopped_at IS NOT NULL) AS stopped_late,
        countIf(state = 'breached' AND stopped_at IS NULL) AS open_late,
        countIf(state IN ('running', 'paused')) AS undecided
    FROM clocks_now
    WHERE subject_kind = 'call' AND NOT void AND day >= {since:Date} AND day < {until:Date}
    GROUP BY center, period, clock
);

CREATE OR REPLACE VIEW monev_on_time_outside AS
SELECT
    center, period, clock, scope, opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf({step:String} = 'day', day, {step:String} = 'week', toMonday(day), {step:String} = 'month', toStartOfMonth(day), {step:String} = 'year', toStartOfYear(day), {since:Date}) AS period, clock, o.scope AS scope, o.opd AS opd,
        sum(o.met) AS numerator,
        sum(o.met + o.stopped_late + o.open_late) AS denominator,
        sum(o.stopped_late) AS stopped_late,
        sum(o.open_late) AS open_late,
        sum(o.undecided) AS undecided
    FROM clock_outcomes AS o
    WHERE scope != 'own' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'), 'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock, scope, opd
);
