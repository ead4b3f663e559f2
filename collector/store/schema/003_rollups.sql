-- The roll-ups that the views monev_* count from, and the marks that say which of them are behind the cases.

-- calls_hourly: what happened to the calls that belong to an hour, recomputed whole whenever a call of that hour changes.
-- Never an incremental view: a call is corrected, reclassified and sent again, and a sum cannot be taken back.
-- The exact waits are kept beside the counts, so that percentiles and service levels of any target stay exact.
CREATE TABLE IF NOT EXISTS calls_hourly
(
    center        LowCardinality(String),
    hour          DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    version       UInt64 CODEC(Delta(8), ZSTD(1)),
    -- The calendar day of the hour in the centre's own time zone.
    day           Date CODEC(Delta(2), ZSTD(1)),
    received      UInt32,
    offered       UInt32,
    answered      UInt32,
    -- Answered with an answer stamp; the rest of answered is implied by a class.
    stamped       UInt32,
    abandoned     UInt32,
    unserved      UInt32,
    blocked       UInt32,
    -- Answered and classified, and of these: hoax = prank + prank_palsu. answered - classified is not yet classified.
    classified    UInt32,
    hoax          UInt32,
    normal        UInt32,
    informasi     UInt32,
    prank         UInt32,
    prank_palsu   UInt32,
    ghost         UInt32,
    pocket        UInt32,
    misrouted     UInt32,
    putus         UInt32,
    duplikat      UInt32,
    -- Each received call stands in exactly one of these.
    to_hoax       UInt32,
    to_own        UInt32,
    to_vertical   UInt32,
    to_centre     UInt32,
    to_none       UInt32,
    to_unclassified UInt32,
    to_unanswered UInt32,
    -- Waits of offered calls, milliseconds, ascending: until answered; until abandoned.
    answer_ms     Array(Int64) CODEC(Delta(8), ZSTD(1)),
    abandon_ms    Array(Int64) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (center, hour);

-- hours_pending: hours whose calls are about to change. Written before the calls are, so that no crash can leave an hour
-- that differs from its calls; a row of the same hour with done = true follows once it was recomputed.
CREATE TABLE IF NOT EXISTS hours_pending
(
    center  LowCardinality(String),
    hour    DateTime('UTC'),
    version UInt64,
    done    Bool
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (center, hour);

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
