-- What the office writes for its monev meeting: recommendations (rtl), remarks to sections of a month's report, and typed
-- data of a month (forms). Every change is an event; these views read them.

{{- /* The order in which changes take effect; the last one stands. collector/monev/rtl orders them in the same way. */}}
{{define "change"}}(occurred_at, revision, id, source){{end}}

-- office_history: every change that stands, who made it (the name of an API key) and when. A change that another replaces
-- or withdraws is left out.
CREATE OR REPLACE VIEW {{db}}.office_history AS
SELECT center::String AS center, subject_kind::String AS kind, subject, occurred_at, received_at, changed_by::String AS changed_by,
    source::String AS source, id, revision, record
FROM {{db}}.events FINAL
WHERE subject_kind IN ('rtl', 'remark', 'form') AND type != 'event.withdrawn'
    AND (center, subject_kind, subject, source, id) NOT IN
    (
        SELECT center, subject_kind, subject, source, replaces FROM {{db}}.events
        WHERE subject_kind IN ('rtl', 'remark', 'form') AND replaces != '' AND replaces != id
    );

-- office_now: each member of what was written, as the last change that names it left it.
CREATE OR REPLACE VIEW {{db}}.office_now AS
SELECT center, kind, subject, mapFromArrays(groupArray(name), groupArray(value)) AS record, min(first_at) AS created_at,
    max(last_at) AS changed_at, argMax(last_by, last) AS changed_by
FROM
(
    SELECT center, kind, subject, name, argMax(value, {{template "change"}}) AS value, min(occurred_at) AS first_at,
        max(occurred_at) AS last_at, max({{template "change"}}) AS last, argMax(changed_by, {{template "change"}}) AS last_by
    FROM {{db}}.office_history
    ARRAY JOIN mapKeys(record) AS name, mapValues(record) AS value
    GROUP BY center, kind, subject, name
)
GROUP BY center, kind, subject;

-- rtl_now: the recommendations. status is usulan where nobody said one; a day or month that is not known is ''.
CREATE OR REPLACE VIEW {{db}}.rtl_now AS
SELECT center, subject AS id, record['text'] AS text, record['owner'] AS owner, record['month'] AS month, record['due'] AS due,
    if(record['status'] = '', 'usulan', record['status']) AS status, record['completed'] AS completed,
    record['indicator'] AS indicator, record['opd'] AS opd, record['category'] AS category, record['priority'] AS priority,
    record['kecamatan'] AS kecamatan, record['baseline'] AS baseline, record['remarks'] AS remarks,
    created_at, changed_at, changed_by
FROM {{db}}.office_now
WHERE kind = 'rtl';

-- monev_indicator: one indicator inside a scope and outside of it, of the days since <= day < until; '' in a part of the
-- scope is everything. indicator is the name of a clock (numerator: stopped in time; denominator: decided; only clocks of
-- OPDs of the regency, or of the OPD of the scope), or tidak_terjawab, rasio_hoaks, rasio_non_darurat or belum of calls,
-- which have no OPD and no priority.
CREATE OR REPLACE VIEW {{db}}.monev_indicator AS
SELECT inside, toUInt64(sum(k)) AS numerator, toUInt64(sum(n)) AS denominator
FROM
(
    SELECT
        ({opd:String} = '' OR ifNull(opd, '') = {opd:String}) AND ({category:String} = '' OR ifNull(category, '') = {category:String})
            AND ({priority:String} = '' OR ifNull(priority, '') = {priority:String})
            AND ({kecamatan:String} = '' OR ifNull(kecamatan, '') = {kecamatan:String}) AS inside,
        countIf(state = 'met') AS k, countIf(state IN ('met', 'breached')) AS n
    FROM {{template "clocks judged"}}
    WHERE center = {center:String} AND clock = {indicator:String} AND NOT void AND day >= {since:Date} AND day < {until:Date}
        AND (subject_kind = 'call' OR ifNull(scope, 'own') = 'own' OR ifNull(opd, '') = {opd:String})
    GROUP BY inside
    UNION ALL
    SELECT
        ({category:String} = '' OR ifNull(category, '') = {category:String})
            AND ({kecamatan:String} = '' OR ifNull(kecamatan, '') = {kecamatan:String}) AS inside,
        countIf(multiIf({indicator:String} = 'tidak_terjawab', offered AND NOT answered,
            {indicator:String} = 'rasio_hoaks', answered AND hoax,
            {indicator:String} = 'rasio_non_darurat', answered AND (hoax OR ifNull(class IN ('ghost', 'pocket', 'informasi'), false)),
            {indicator:String} = 'belum', answered AND NOT classified, false)) AS k,
        countIf(multiIf({indicator:String} = 'tidak_terjawab', offered,
            {indicator:String} IN ('rasio_hoaks', 'rasio_non_darurat'), answered AND classified,
            {indicator:String} = 'belum', answered, false)) AS n
    FROM {{db}}.{{if present}}calls_now{{else}}calls_at(at = {{template "read at"}}){{end}}
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
    GROUP BY inside
)
GROUP BY inside;
