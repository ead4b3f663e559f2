-- What the monthly report says beside monev_figures, in the same shape and of one centre: counts of calls by class, hour
-- and day, tickets by OPD, category and kecamatan, what hoax costs, what nobody records. zone is the centre's time zone.
-- Figures whose names begin with tickets_ or calls_ are parts of a whole, which is their denominator.
CREATE OR REPLACE VIEW {{db}}.monev_report AS
SELECT {center:String} AS center, g.1::String AS figure, g.2::String AS dims, toFloat64(sum(g.3)) AS numerator,
    toFloat64(if(startsWith(figure, 'calls_'), any(total), count())) AS denominator, toUInt64(denominator) AS n,
    if(denominator = 0, NULL, numerator / denominator) AS value
FROM
(
    SELECT count() OVER () AS total, arrayConcat([
            ('calls_class', concat('class=', multiIf(NOT answered, 'tidak_terjawab', classified, ifNull(class, ''), 'belum')), 1),
            ('calls_hour', concat('hour=', leftPad(toString(toHour(local)), 2, '0'), ',weekday=', toString(toDayOfWeek(local))), 1),
            ('calls_quarter', concat('at=', formatDateTime(toStartOfFifteenMinutes(local), '%Y-%m-%dT%H:%i')), 1),
            ('calls_day', concat('day=', toString(assumeNotNull(day))), 1)],
        arrayMap(f -> ('calls_flag', concat('flag=', f), 1), flags)) AS list
    FROM (SELECT *, toTimeZone(assumeNotNull(at), {zone:String}) AS local FROM {{template "calls as of"}})
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
)
ARRAY JOIN list AS g
GROUP BY figure, dims
-- Of the quarters of an hour the busiest, the first of equal ones.
QUALIFY figure != 'calls_quarter' OR row_number() OVER (PARTITION BY figure ORDER BY numerator DESC, dims) = 1
UNION ALL
SELECT {center:String}, g.1::String AS figure, g.2::String AS dims, toFloat64(sum(g.3)) AS numerator,
    toFloat64(if(startsWith(figure, 'tickets_'), any(total), count())) AS denominator, toUInt64(denominator) AS n,
    if(denominator = 0, NULL, numerator / denominator)
FROM
(
    SELECT count() OVER () AS total, concat('opd=', ifNull(opd, ''), ',scope=', ifNull(scope, 'own')) AS held,
        coalesce(acknowledged_at, departed_at, arrived_at, resolved_at) IS NOT NULL AS done,
        arrayConcat([
            ('tickets_opd', held, 1),
            ('tickets_category', concat('category=', ifNull(category, '')), 1),
            ('tickets_kecamatan', concat('kecamatan=', ifNull(kecamatan, '')), 1),
            ('tickets_priority', concat('priority=', ifNull(priority, '')), 1),
            ('bounced', held, toUInt8(bounces > 0)),
            ('reopened', held, toUInt8(reopened > 0))],
        -- What nobody records is no failure: such a ticket is in neither number.
        if(done OR NOT u.unacted, [('acted', held, toUInt8(done))], []),
        if(confirmed_at IS NOT NULL OR NOT u.unconfirmed, [('confirmed', held, toUInt8(confirmed_at IS NOT NULL))], []),
        if(category = 'kebakaran' AND respond_seconds IS NOT NULL,
            [('arrived_within', 'category=kebakaran,seconds=900', toUInt8(assumeNotNull(respond_seconds) <= 900)),
             ('fires_opd', held, toUInt8(assumeNotNull(respond_seconds) <= 900))], []),
        arrayMap(f -> ('tickets_flag', concat('flag=', f), 1), flags)) AS list
    FROM {{template "tickets as of"}} AS t
    LEFT JOIN
    (
        SELECT subject,
            countIf(clock != 'confirm' AND state = 'unobserved') > 0
                AND countIf(clock != 'confirm' AND state NOT IN ('unobserved', 'void')) = 0 AS unacted,
            countIf(clock IN ('resolve', 'confirm') AND state = 'unobserved') > 0 AS unconfirmed
        FROM {{template "clocks judged"}} AS c
        WHERE c.center = {center:String} AND c.subject_kind = 'ticket' AND c.day >= {since:Date} - 8
            AND clock IN ('acknowledge', 'arrive', 'resolve', 'confirm')
        GROUP BY subject
    ) AS u ON u.subject = t.id
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND state != 'merged'
)
ARRAY JOIN list AS g
GROUP BY figure, dims
UNION ALL
SELECT center, 'unobserved', concat('clock=', clock, ',opd=', c.opd, ',scope=', c.scope),
    toFloat64(sum(c.unobserved)), toFloat64(sum(met + stopped_late + open_late + undecided + c.unobserved)) AS whole, toUInt64(whole),
    if(whole = 0, NULL, sum(c.unobserved) / whole)
FROM {{db}}.clocks_counted({{template "days"}}) AS c
WHERE center = {center:String}
GROUP BY center, clock, opd, scope
UNION ALL
SELECT center, 'hoax_cost', concat('measure=', measure), toFloat64(numerator), toFloat64(denominator), toUInt64(numerator), amount
FROM {{db}}.monev_hoax_cost({{template "days"}}, center = {center:String}, target = {target:UInt32})
UNION ALL
-- Of several caller keys the one with the most calls.
SELECT center, 'hoax_callers', '', toFloat64(numerator), toFloat64(calls), toUInt64(numbers), share
FROM (SELECT *, n AS calls FROM {{db}}.monev_callers({{template "days"}}, center = {center:String}) ORDER BY calls DESC, key_id LIMIT 1)
UNION ALL
SELECT center, 'hoax_blocks', '', toFloat64(numerator), toFloat64(denominator), toUInt64(denominator), if(denominator = 0, NULL, numerator / denominator)
FROM {{db}}.monev_blocks({{template "days"}}, center = {center:String});

-- The five indicators of the report month by month, whole months from since to before until: what a trend and a
-- comparison are drawn from. hoax is better when it is lower.
CREATE OR REPLACE VIEW {{db}}.monev_indicators AS
SELECT center, period AS month, 'answer' AS indicator, toFloat64(numerator) AS numerator, toFloat64(denominator) AS denominator,
    toUInt64(if(stamped = 0, 0, n)) AS n, share AS value
FROM {{db}}.monev_service_level({{template "days"}}, step = 'month', target = {target:UInt32}, short = {short:UInt32})
WHERE measure = 'ketat' AND center = {center:String}
UNION ALL
SELECT {center:String}, toStartOfMonth(assumeNotNull(day)) AS month, 'fire', toFloat64(countIf(respond_seconds <= 900)), toFloat64(count(respond_seconds)),
    toUInt64(count(respond_seconds)), if(count(respond_seconds) = 0, NULL, countIf(respond_seconds <= 900) / count(respond_seconds))
FROM {{template "tickets as of"}}
WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND category = 'kebakaran' AND state != 'merged'
GROUP BY month
UNION ALL
SELECT center, period AS month, clock, toFloat64(sum(o.numerator)) AS k, toFloat64(sum(o.denominator)) AS d, toUInt64(d), if(d = 0, NULL, k / d)
FROM {{db}}.monev_on_time_tickets({{template "days"}}, step = 'month') AS o
WHERE center = {center:String} AND clock IN ('acknowledge', 'resolve')
GROUP BY center, month, clock
UNION ALL
SELECT center, period AS month, 'hoax', toFloat64(numerator), toFloat64(denominator), toUInt64(denominator), share
FROM {{db}}.monev_hoax({{template "days"}}, step = 'month')
WHERE measure = 'rasio_hoaks' AND center = {center:String};
