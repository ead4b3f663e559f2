-- A month may be frozen again, for a stated reason, as a new revision: the earlier ones stay. What the figures rest on is
-- kept beside them, so that a later difference can be explained.
ALTER TABLE frozen
    ADD COLUMN IF NOT EXISTS revision UInt16,
    -- Why the month was frozen again; '' for the first revision.
    ADD COLUMN IF NOT EXISTS reason String,
    -- Sorted "name=value" pairs that the figure was computed with, beside those in dims.
    ADD COLUMN IF NOT EXISTS parameters String,
    -- "name/version" of the policies and calendars of the clocks that are counted.
    ADD COLUMN IF NOT EXISTS policy_versions Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS calendar_versions Array(LowCardinality(String)),
    MODIFY ORDER BY (center, month, figure, dims, revision);

-- monev_figures: every figure of the monev meeting in one shape, from the views that each states it. What a freeze keeps
-- and what a later month is compared with. coverage: what share of the cases a figure could be taken of.
CREATE OR REPLACE VIEW monev_figures AS
SELECT center, 'service_level' AS figure, concat('measure=', measure, ',target=', toString({target:UInt32})) AS dims,
    toFloat64(numerator) AS numerator, toFloat64(denominator) AS denominator, toUInt64(n) AS n, share AS value
FROM monev_service_level(since = {since:Date}, until = {until:Date}, step = 'all', target = {target:UInt32}, short = {short:UInt32})
UNION ALL
SELECT center, 'hoax', concat('measure=', measure), toFloat64(numerator), toFloat64(denominator), toUInt64(n), share
FROM monev_hoax(since = {since:Date}, until = {until:Date}, step = 'all')
UNION ALL
SELECT center, 'funnel', concat('stage=', stage), toFloat64(numerator), toFloat64(denominator), toUInt64(n), share
FROM monev_funnel(since = {since:Date}, until = {until:Date}, step = 'all')
UNION ALL
SELECT center, concat('interval_', s.1), concat('interval=', interval, ',scope=', scope), toFloat64(numerator), toFloat64(denominator), toUInt64(n), s.2
FROM monev_intervals(since = {since:Date}, until = {until:Date}, step = 'all')
ARRAY JOIN [('median', median), ('p90', p90), ('p95', p95), ('mean', mean)] AS s
UNION ALL
SELECT center, concat('interval_', s.1), concat('interval=', interval, ',opd=', opd, ',scope=', scope), toFloat64(numerator), toFloat64(denominator), toUInt64(n), s.2
FROM monev_intervals_opd(since = {since:Date}, until = {until:Date}, step = 'all')
ARRAY JOIN [('median', median), ('p90', p90), ('p95', p95), ('mean', mean)] AS s
UNION ALL
SELECT center, 'on_time', concat('clock=', clock, ',opd=', opd, ',scope=own'), toFloat64(numerator), toFloat64(denominator), toUInt64(n), share
FROM monev_on_time(since = {since:Date}, until = {until:Date}, step = 'all')
UNION ALL
SELECT center, 'on_time', concat('clock=', clock, ',opd=', opd, ',scope=', ifNull(scope, '')), toFloat64(numerator), toFloat64(denominator), toUInt64(n), share
FROM monev_on_time_outside(since = {since:Date}, until = {until:Date}, step = 'all')
UNION ALL
SELECT center, 'coverage', 'measure=answer_stamp', toFloat64(stamped), toFloat64(n), toUInt64(n), if(n = 0, NULL, stamped / n)
FROM monev_service_level(since = {since:Date}, until = {until:Date}, step = 'all', target = {target:UInt32}, short = {short:UInt32})
WHERE measure = 'ketat'
UNION ALL
SELECT center, 'coverage', concat('interval=', interval, ',scope=', scope), toFloat64(numerator), toFloat64(denominator), toUInt64(n), coverage
FROM monev_intervals(since = {since:Date}, until = {until:Date}, step = 'all')
UNION ALL
SELECT center, 'coverage', concat('interval=', interval, ',opd=', opd, ',scope=', scope), toFloat64(numerator), toFloat64(denominator), toUInt64(n), coverage
FROM monev_intervals_opd(since = {since:Date}, until = {until:Date}, step = 'all');
