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

CREATE VIEW IF NOT EXISTS calls_hourly_now AS SELECT * FROM calls_hourly FINAL WHERE received > 0;

-- calls_rollup states how an hour is computed: SELECT ... FROM calls_rollup(centers = ['35.15'], since = ..., until = ...) for
-- the calls of some centres since <= at < until, both on the hour. The collector inserts from it.
-- stage puts each call into exactly one bin: hoax by its class, else where its tickets went, else why it went nowhere.
CREATE VIEW IF NOT EXISTS calls_rollup AS
SELECT
    s.center AS center,
    toStartOfHour(toDateTime(assumeNotNull(s.at), 'UTC')) AS hour,
    assumeNotNull(min(s.day)) AS day,
    toUInt32(count()) AS received,
    toUInt32(countIf(s.offered)) AS offered,
    toUInt32(countIf(s.answered)) AS answered,
    toUInt32(countIf(s.answered_at IS NOT NULL)) AS stamped,
    toUInt32(countIf(s.abandoned)) AS abandoned,
    toUInt32(countIf(s.unserved)) AS unserved,
    toUInt32(countIf(s.blocked)) AS blocked,
    toUInt32(countIf(s.classified)) AS classified,
    toUInt32(countIf(s.hoax)) AS hoax,
    toUInt32(countIf(s.class = 'normal')) AS normal,
    toUInt32(countIf(s.class = 'informasi')) AS informasi,
    toUInt32(countIf(s.class = 'prank')) AS prank,
    toUInt32(countIf(s.class = 'prank_palsu')) AS prank_palsu,
    toUInt32(countIf(s.class = 'ghost')) AS ghost,
    toUInt32(countIf(s.class = 'pocket')) AS pocket,
    toUInt32(countIf(s.class = 'misrouted')) AS misrouted,
    toUInt32(countIf(s.class = 'putus')) AS putus,
    toUInt32(countIf(s.class = 'duplikat')) AS duplikat,
    toUInt32(countIf(s.stage = 'hoax')) AS to_hoax,
    toUInt32(countIf(s.stage = 'own')) AS to_own,
    toUInt32(countIf(s.stage = 'vertical')) AS to_vertical,
    toUInt32(countIf(s.stage = 'centre')) AS to_centre,
    toUInt32(countIf(s.stage = 'none')) AS to_none,
    toUInt32(countIf(s.stage = 'unclassified')) AS to_unclassified,
    toUInt32(countIf(s.stage = 'unanswered')) AS to_unanswered,
    arraySort(groupArrayIf(assumeNotNull(s.answer_ms), s.offered AND s.answer_ms IS NOT NULL)) AS answer_ms,
    arraySort(groupArrayIf(assumeNotNull(s.abandon_ms), s.offered AND s.abandon_ms IS NOT NULL)) AS abandon_ms
FROM
(
    SELECT
        c.*,
        multiIf(
            c.hoax, 'hoax',
            has(l.scopes, 'own'), 'own',
            has(l.scopes, 'vertical'), 'vertical',
            notEmpty(c.tickets), 'centre',
            c.classified, 'none',
            c.answered, 'unclassified',
            'unanswered') AS stage
    FROM calls_now AS c
    LEFT JOIN
    (
        SELECT center, call, groupUniqArray(ifNull(scope, '')) AS scopes
        FROM tickets_now
        ARRAY JOIN calls AS call
        WHERE center IN {centers:Array(String)} AND (center, id) IN
        (
            SELECT center, arrayJoin(tickets) FROM calls
            WHERE center IN {centers:Array(String)} AND at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}
        )
        GROUP BY center, call
    ) AS l ON l.center = c.center AND l.call = c.id
    WHERE c.center IN {centers:Array(String)} AND c.at >= {since:DateTime64(3, 'UTC')} AND c.at < {until:DateTime64(3, 'UTC')}
) AS s
GROUP BY center, hour;

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
