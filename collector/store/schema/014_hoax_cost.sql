-- What hoax costs, as in 010 with the same figures, told faster for a centre with hundreds of thousands of calls a year:
-- a wait overlaps a talk when, of the talks that began before its end, the last to be over was not over by its start.
CREATE OR REPLACE VIEW monev_hoax_cost AS
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
SELECT center, 'held', if(count(wait) = 0, NULL, toFloat64(countIf(late AND last_over > answered - toIntervalMillisecond(assumeNotNull(wait))))), count(wait), count()
FROM
(
    SELECT center, answer_ms AS wait, ifNull(wait > 1000 * {target:UInt32}, false) AS late, ifNull(answered_at, toDateTime64(0, 3, 'UTC')) AS answered
    FROM calls_now
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND NOT hoax AND offered AND class IN ('normal', 'informasi', 'duplikat')
) AS waits
ASOF LEFT JOIN
(
    SELECT center, assumeNotNull(answered_at) AS begun, max(assumeNotNull(ended_at)) OVER (ORDER BY begun ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS last_over
    FROM calls_now
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND hoax AND talk_seconds IS NOT NULL
) AS talks ON waits.center = talks.center AND waits.answered > talks.begun
GROUP BY center;
