-- calls_daily: the hours of a day of calls_hourly added up, one row a centre and day, so that figures of many centres over
-- a year read thousands of rows and not millions. Recomputed whole with the hours of the day; the waits stay exact.
CREATE TABLE IF NOT EXISTS calls_daily
(
    center        LowCardinality(String),
    -- In the centre's own time zone.
    day           Date CODEC(Delta(2), ZSTD(1)),
    version       UInt64 CODEC(Delta(8), ZSTD(1)),
    received      UInt32,
    offered       UInt32,
    answered      UInt32,
    stamped       UInt32,
    abandoned     UInt32,
    unserved      UInt32,
    blocked       UInt32,
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
ORDER BY (center, day);

-- Its days come with their hours: every hour is computed again.
INSERT INTO hours_pending
SELECT center, hour, 1 + (SELECT max(version) FROM hours_pending), false FROM calls_hourly GROUP BY center, hour;
