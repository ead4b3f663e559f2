-- What hoax costs, who makes it, and whether blocking is safe: days as in the monev views, one centre at a time, since the
-- waits of one centre are laid over its talks. docs/definitions.md has each in words.

-- measure: agent (seconds of talk on hoax calls), crew (seconds from departure to the first resolution of tickets that were
-- false), held (calls of real callers that waited longer than target seconds while a hoax call held an agent).
-- numerator is what the amount rests on: cases with both ends; for held, calls of real callers with a known wait.
CREATE VIEW IF NOT EXISTS monev_hoax_cost AS
SELECT center, 'agent' AS measure, if(count(talk_seconds) = 0, NULL, toFloat64(sum(talk_seconds))) AS amount, count(talk_seconds) AS numerator, count() AS denominator
FROM calls_now
WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND hoax
GROUP BY center
UNION ALL
SELECT center, 'crew', if(count(seconds) = 0, NULL, toFloat64(sum(seconds))), count(seconds), count()
FROM
(
    SELECT center, if(resolved_at >= departed_at, dateDiff('millisecond', departed_at, resolved_at) / 1000, NULL) AS seconds
    FROM tickets_now
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND state != 'merged'
        AND (ifNull(result = 'palsu', false) OR id IN (SELECT arrayJoin(tickets) FROM calls_now WHERE center = {center:String} AND class = 'prank_palsu'))
)
GROUP BY center
UNION ALL
SELECT center, 'held', if(count(wait) = 0, NULL, toFloat64(countIf(late AND begun > over))), count(wait), count()
FROM
(
    -- A wait overlaps a talk when more talks have begun before its end than were over by its start.
    SELECT center, id, any(wait) AS wait, any(late) AS late, maxIf(talks, edge = 'answer') AS begun, maxIf(talks_over, edge = 'queue') AS over
    FROM
    (
        SELECT center, id, wait, late, edge, countIf(edge = 'talk') OVER w AS talks, countIf(edge = 'over') OVER w AS talks_over
        FROM
        (
            SELECT center, id, hoax AS talking, if(talking, NULL, answer_ms) AS wait, ifNull(wait > 1000 * {target:UInt32}, false) AS late,
                multiIf(talking, [('over', 0, ended_at), ('talk', 3, answered_at)],
                        wait IS NULL, [('none', 4, toNullable(assumeNotNull(at)))],
                        [('queue', 1, answered_at - toIntervalMillisecond(assumeNotNull(wait))), ('answer', 2, answered_at)]) AS edges,
                e.1 AS edge, e.2 AS turn, e.3 AS moment
            FROM calls_now
            ARRAY JOIN edges AS e
            WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
                AND (hoax AND talk_seconds IS NOT NULL OR offered AND class IN ('normal', 'informasi', 'duplikat'))
        )
        -- At one moment: what is over, who begins to wait, who is answered, what begins.
        WINDOW w AS (ORDER BY moment, turn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
    WHERE edge IN ('queue', 'answer', 'none')
    GROUP BY center, id
)
GROUP BY center;

-- Hoax calls by number, one row a key: numbers made with different keys cannot be told apart or together. top is the
-- hundredth of the numbers, rounded up, that called most; denominator counts all hoax calls, with or without a number.
CREATE VIEW IF NOT EXISTS monev_callers AS
SELECT center, key_id, numbers, toUInt64(ceil(numbers / 100)) AS top, arraySum(arraySlice(counts, 1, top)) AS numerator, arraySum(counts) AS n, denominator,
    numerator / n AS share
FROM
(
    SELECT center, key_id, count() AS numbers, arrayReverseSort(groupArray(c)) AS counts, any(every) AS denominator
    FROM
    (
        SELECT center, caller_key_id AS key_id, caller_key, count() AS c, sum(count()) OVER (PARTITION BY center) AS every
        FROM calls_now
        WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND hoax
        GROUP BY center, key_id, caller_key
    )
    WHERE caller_key IS NOT NULL
    GROUP BY center, key_id
);

-- Numbers that were blocked in the range, and of these the ones that reported a real event (class normal) afterwards.
CREATE VIEW IF NOT EXISTS monev_blocks AS
SELECT center, sum(blocks) AS calls, countIf(last_real > first_block) AS numerator, count() AS denominator
FROM
(
    SELECT center, countIf(blocked) AS blocks, minIf(at, blocked) AS first_block, maxIf(at, ifNull(class = 'normal', false)) AS last_real
    FROM calls_now
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND caller_key IS NOT NULL
    GROUP BY center, caller_key_id, caller_key
    HAVING blocks > 0
)
GROUP BY center;
