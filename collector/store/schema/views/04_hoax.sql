-- What hoax costs, who makes it, and whether blocking is safe: days and as_of as in the monev views, one centre at a time, since the
-- waits of one centre are laid over its talks. docs/definitions.md has each in words.

-- measure: agent (seconds of talk on hoax calls), crew (seconds from departure to the first resolution of tickets that were
-- false), held (calls of real callers that waited longer than target seconds while a hoax call held an agent).
-- numerator is what the amount rests on: cases with both ends; for held, calls of real callers with a known wait. A wait
-- overlaps a talk when, of the talks that began before its end, the last to be over was not over by its start.
CREATE OR REPLACE VIEW {{db}}.monev_hoax_cost AS
SELECT center, m.1 AS measure, m.2 AS amount, m.3 AS numerator, m.4 AS denominator
FROM
(
    SELECT center, [
        ('agent', if(count(talk) = 0, NULL, toFloat64(sum(talk))), count(talk), countIf(hoax)),
        ('held', if(count(wait) = 0, NULL, toFloat64(countIf(late AND ifNull(last_over > picked_up - toIntervalMillisecond(assumeNotNull(wait)), false)))),
            count(wait), countIf(NOT hoax))] AS list
    FROM
    (
        SELECT center, hoax, if(hoax, talk_seconds, NULL) AS talk, if(hoax, NULL, answer_ms) AS wait,
            ifNull(wait > 1000 * {target:UInt32}, false) AS late, ifNull(answered_at, toDateTime64(0, 3, 'UTC')) AS picked_up,
            -- Of the talks that began before: a wait stands before the talks of its instant.
            max(if(talk IS NULL, NULL, ended_at)) OVER (ORDER BY picked_up, hoax ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS last_over
        FROM {{template "calls as of"}}
        WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
            AND (hoax OR offered AND class IN ('normal', 'informasi', 'duplikat'))
    )
    GROUP BY center
)
ARRAY JOIN list AS m
WHERE denominator > 0
UNION ALL
SELECT center, 'crew', if(count(seconds) = 0, NULL, toFloat64(sum(seconds))), count(seconds), count()
FROM
(
    SELECT center, if(resolved_at >= departed_at, dateDiff('millisecond', departed_at, resolved_at) / 1000, NULL) AS seconds
    FROM {{template "tickets as of"}}
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND state != 'merged'
        AND (ifNull(result = 'palsu', false) OR id IN (SELECT arrayJoin(tickets) FROM {{template "calls as of"}} WHERE center = {center:String} AND class = 'prank_palsu'))
)
GROUP BY center;

-- Hoax calls by number, one row a key: numbers made with different keys cannot be told apart or together. top is the
-- hundredth of the numbers, rounded up, that called most; denominator counts all hoax calls, with or without a number.
CREATE OR REPLACE VIEW {{db}}.monev_callers AS
SELECT center, key_id, numbers, toUInt64(ceil(numbers / 100)) AS top, arraySum(arraySlice(counts, 1, top)) AS numerator, arraySum(counts) AS n, denominator,
    numerator / n AS share
FROM
(
    SELECT center, key_id, count() AS numbers, arrayReverseSort(groupArray(c)) AS counts, any(every) AS denominator
    FROM
    (
        SELECT center, caller_key_id AS key_id, caller_key, count() AS c, sum(count()) OVER (PARTITION BY center) AS every
        FROM {{template "calls as of"}}
        WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND hoax
        GROUP BY center, key_id, caller_key
    )
    WHERE caller_key IS NOT NULL
    GROUP BY center, key_id
);

-- Numbers that were blocked in the range, and of these the ones that reported a real event (class normal) afterwards.
CREATE OR REPLACE VIEW {{db}}.monev_blocks AS
SELECT center, sum(blocks) AS calls, countIf(last_real > first_block) AS numerator, count() AS denominator
FROM
(
    SELECT center, countIf(blocked) AS blocks, minIf(at, blocked) AS first_block, maxIf(at, ifNull(class = 'normal', false)) AS last_real
    FROM {{template "calls as of"}}
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND caller_key IS NOT NULL
    GROUP BY center, caller_key_id, caller_key
    HAVING blocks > 0
)
GROUP BY center;
