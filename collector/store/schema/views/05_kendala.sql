-- Why it was late (kendala): each failing case of an indicator has exactly one cause, the first that fits, so that causes
-- add up to the failing cases. One centre at a time; days, target, short and as_of as in the monev views. The package
-- kendala states the same conditions in Go, a test compares the two. docs/definitions.md has each in words.

{{- /* A condition on what happened. */}}
{{define "happened"}}{{if present}}true{{else}}occurred_at <= parseDateTime64BestEffort({{template "as of or always"}}, 3, 'UTC'){{end}}{{end}}
{{define "calls of the centre"}}{{template "calls as of"}}
    WHERE center = {center:String}{{end}}

{{- /* Leaves out the events of a kind that others of their case void. */}}
{{define "not void"}}type != 'event.withdrawn' AND (subject, source, id) NOT IN
        (
            SELECT subject, source, replaces FROM {{db}}.events
            WHERE center = {center:String} AND subject_kind = '{{.}}' AND replaces != '' AND replaces != id
        ){{end}}

{{define "quarter of the day"}}toString(intDiv(60 * toHour(assumeNotNull({{.}}), {zone:String}) + toMinute(assumeNotNull({{.}}), {zone:String}), 15)){{end}}

{{- /* The calls that monev_service_level, measure ketat, counts in its denominator and not in its numerator; and the moment
at which each should have been answered, or until which its caller waited. */}}
{{define "late calls"}}SELECT *, assumeNotNull(offered_at) AS begun, ifNull(at, begun) AS came,
        least(begun + toIntervalMillisecond(1000 * {target:UInt32}), if(answered_at IS NULL,
            least(ifNull(abandoned_at, {{template "far"}}), ifNull(unserved_at, {{template "far"}})), {{template "far"}})) AS moment
    FROM {{template "calls of the centre"}} AND {{template "late"}}{{end}}
{{define "late"}}day >= {since:Date} AND day < {until:Date} AND offered
        AND (answered_at IS NULL OR answer_ms IS NOT NULL) AND NOT ifNull(answer_ms <= 1000 * {target:UInt32}, false){{end}}
{{define "far"}}toDateTime64('2299-12-31 00:00:00', 3, 'UTC'){{end}}

{{- /* The ids of late calls: of the present without FINAL, which costs half of reading them, and from their facts. All that
are late are among these, and what is found of the others is joined to nothing. */}}
{{define "late ids"}}{{if present}}SELECT id FROM {{db}}.calls
        WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
            AND NOT ifNull(coalesce(wait_ms, dateDiff('millisecond', coalesce(queued_at, received_at), answered_at)) <= 1000 * {target:UInt32}
                AND answered_at IS NOT NULL, false){{else}}SELECT id FROM {{template "calls of the centre"}} AND {{template "late"}}{{end}}{{end}}

{{- /* What the events of late calls say beside their rows. */}}
{{define "rings"}}SELECT subject AS call, minOrNullIf(occurred_at, type = 'call.ringing') AS rang_at,
        countIf(type = 'call.ring_no_answer') AS missed, groupUniqArray(source) AS sources
    FROM {{db}}.events
    WHERE center = {center:String} AND subject_kind = 'call' AND subject IN ({{template "late ids"}})
        AND {{template "happened"}} AND {{template "not void" "call"}}
    GROUP BY call{{end}}

{{- /* Calls by the quarter of an hour in which they came, back to all that their usual number rests on. */}}
{{define "quarters"}}SELECT toStartOfFifteenMinutes(toDateTime(assumeNotNull(at), 'UTC')) AS quarter, count() AS n
        FROM {{if present}}{{template "calls that count"}} AND center = {center:String}{{else}}{{template "calls of the centre"}}{{end}} AND at IS NOT NULL
            AND day >= {since:Date} - 7 * {{causes.SurgeWeeks}} - 2 AND day <= {until:Date}
        GROUP BY quarter{{end}}

{{- /* The hours that have a call within 12 hours, each with its quarters that have calls. */}}
{{define "hours"}}SELECT filled + 3600 * away AS hour, groupArrayArrayIf(list, away = 0) AS counts
    FROM (SELECT toStartOfHour(quarter) AS filled, groupArray((quarter, n)) AS list FROM ({{template "quarters"}}) GROUP BY filled)
    ARRAY JOIN range(-12, 13) AS away
    GROUP BY hour{{end}}

{{- /* The quarters with a surge: each hour is laid beside those of the weeks before. An hour without calls has four quarters
with none. */}}
{{define "surges"}}SELECT busy.1 AS quarter
    FROM
    (
        SELECT hour + 604800 * week AS later, groupArrayArrayIf(counts, week = 0) AS own, countIf(week > 0) AS weeks,
            arraySort(groupArrayArrayIf(arrayResize(arrayMap(c -> toFloat64(c.2), counts), 4), week > 0)) AS usual,
            (usual[intDiv(length(usual) + 1, 2)] + usual[intDiv(length(usual), 2) + 1]) / 2 AS middle,
            arraySort(arrayMap(x -> abs(x - middle), usual)) AS apart,
            (apart[intDiv(length(apart) + 1, 2)] + apart[intDiv(length(apart), 2) + 1]) / 2 AS deviation
        FROM ({{template "hours"}}) ARRAY JOIN range(0, {{causes.SurgeWeeks}} + 1) AS week
        GROUP BY later
        HAVING weeks >= {{causes.SurgeLeastWeeks}}
    )
    ARRAY JOIN own AS busy
    WHERE busy.2 >= {{causes.SurgeCalls}} AND busy.2 > middle + {{causes.SurgeMAD}} * deviation{{end}}

{{- /* The times in which sources that send heartbeats were silent. */}}
{{define "silences"}}SELECT source, arrayFilter(s -> s.3 > {{causes.BeatGap.Milliseconds}}, steps) AS gaps
    FROM
    (
        SELECT source, arraySort(groupUniqArray(occurred_at)) AS beats,
            arrayMap((a, b) -> (a, b, dateDiff('millisecond', a, b)), arrayPopBack(beats), arrayPopFront(beats)) AS steps
        FROM {{db}}.events
        WHERE center = {center:String} AND subject_kind = 'feed' AND type = 'feed.heartbeat'
            AND occurred_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 2 DAY AND occurred_at < toDateTime64({until:Date}, 3, 'UTC') + INTERVAL 2 DAY
            AND {{template "happened"}} AND {{template "not void" "feed"}}
        GROUP BY source
    )
    WHERE length(beats) >= {{causes.BeatsAtLeast}}
        AND arraySort(arrayMap(s -> s.3, steps))[intDiv(length(steps) + 1, 2)] <= {{causes.BeatUsual.Milliseconds}}{{end}}

{{- /* The order of events of one instant: an id counts as people number it, its digits by their value. */}}
{{define "id order"}}revision, arrayStringConcat(arrayMap(p -> if(match(p, '^[0-9]'), concat('0', char(length(trim(LEADING '0' FROM p))), trim(LEADING '0' FROM p)), p),
                extractAll(id, '[0-9]+|[^0-9]+'))), id, source, digest{{end}}

{{define "states of agents"}}center = {center:String} AND subject_kind = 'agent' AND type = 'agent.state' AND result != ''
            AND occurred_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 2 DAY AND occurred_at < toDateTime64({until:Date}, 3, 'UTC') + INTERVAL 2 DAY{{end}}

{{- /* What each agent was from an instant on: of several at one instant, the state that the fold takes. */}}
{{define "agent states"}}SELECT subject AS who, occurred_at AS since,
            argMax(result::String, ({{template "id order"}})) AS state
        FROM {{db}}.events
        WHERE {{template "states of agents"}}
            AND {{template "happened"}} AND {{template "not void" "agent"}}
        GROUP BY who, since{{end}}

{{- /* The talks of agents, by the instant at which each began. */}}
{{define "talks"}}SELECT assumeNotNull(agent)::String AS who, assumeNotNull(answered_at) AS talk, max(assumeNotNull(ended_at)) AS over, max(hoax) AS hoax
        FROM {{template "calls of the centre"}} AND day >= {since:Date} - 2 AND day <= {until:Date} + 2
            AND ended_at >= answered_at
            -- The floor knows no others.
            AND agent IN (SELECT subject FROM {{db}}.events WHERE center = {center:String} AND subject_kind = 'agent' AND type = 'agent.state')
        GROUP BY who, talk{{end}}

{{- /* The floor at the moment of each late call: agents whose state was known, who took calls, of them those who were busy,
and of these those with a hoax call. Of an agent who has no state that stands, none is known. */}}
{{define "floor"}}SELECT call, countIf(known) AS observed, countIf(known AND state IN ('available', 'busy', 'wrapup')) AS signed,
        countIf(known AND (state IN ('busy', 'wrapup') OR state = 'available' AND talking)) AS busy,
        countIf(known AND state IN ('available', 'busy', 'wrapup') AND talking AND with_hoax) AS hoax
    FROM
    (
        SELECT s.call AS call, s.known AS known, s.state AS state, t.over > s.moment AS talking, t.hoax AS with_hoax
        FROM
        (
            SELECT l.call AS call, l.moment AS moment, l.who AS who, a.state AS state,
                a.since >= l.moment - toIntervalMillisecond({{causes.StateAge.Milliseconds}}) AS known
            FROM
            (
                SELECT late.id AS call, late.moment AS moment, agents.who AS who
                FROM ({{template "late calls"}}
                    -- Without any state nothing is read.
                    AND center IN (SELECT center FROM {{db}}.events WHERE {{template "states of agents"}} LIMIT 1)) AS late
                CROSS JOIN (SELECT DISTINCT subject AS who FROM {{db}}.events WHERE {{template "states of agents"}}) AS agents
            ) AS l
            ASOF LEFT JOIN ({{template "agent states"}}) AS a ON a.who = l.who AND l.moment >= a.since
        ) AS s
        ASOF LEFT JOIN ({{template "talks"}}) AS t ON t.who = s.who AND s.moment >= t.talk
    )
    GROUP BY call{{end}}

-- Each call that was not answered within target, with its cause. moment is when it should have been answered, or until
-- when its caller waited.
CREATE OR REPLACE VIEW {{db}}.monev_kendala_calls AS
WITH (SELECT groupArray((source::String, gaps)) FROM ({{template "silences"}})) AS quiet
SELECT
    late.center AS center, late.id AS id, assumeNotNull(late.day) AS day, late.came AS at, late.moment AS moment,
    ifNull(late.category, '')::String AS category, ifNull(late.kecamatan, '')::String AS kecamatan,
    multiIf(
        late.answered_at IS NULL AND late.classified
            OR ifNull(late.queued_at < late.received_at, false)
            OR ifNull(late.answered_at < late.begun, false) OR ifNull(late.answered_at < late.received_at, false)
            OR ifNull(late.abandoned_at < late.begun, false) OR ifNull(late.unserved_at < late.begun, false)
            OR ifNull(late.ended_at < late.answered_at, false)
            OR late.answered_at IS NOT NULL AND late.abandoned_at IS NOT NULL
            OR late.answered_at IS NULL AND late.abandoned_at IS NULL AND late.unserved_at IS NULL
            OR arrayExists(s -> arrayExists(g -> g.1 < late.moment AND late.moment < g.2, arrayFirst(q -> q.1 = s, quiet).2), rings.sources), 'data',
        ifNull(late.abandon_ms < 1000 * {short:UInt32}, false), 'putus_cepat',
        rings.missed > 0
            OR ifNull(dateDiff('millisecond', rings.rang_at, late.moment) >= {{causes.Ringing.Milliseconds}}, false), 'dering',
        toStartOfFifteenMinutes(toDateTime(late.came, 'UTC')) IN (SELECT quarter FROM ({{template "surges"}})), 'lonjakan',
        floor.observed > 0 AND floor.signed < {{causes.Agents}}, 'petugas',
        floor.observed > 0 AND floor.busy = floor.signed AND floor.hoax > 0, 'hoaks',
        floor.observed > 0 AND floor.busy = floor.signed, 'sibuk',
        'tidak_terjelaskan') AS cause
FROM ({{template "late calls"}}) AS late
LEFT JOIN ({{template "rings"}}) AS rings ON rings.call = late.id
LEFT JOIN ({{template "floor"}}) AS floor ON floor.call = late.id;

{{- /* Why an OPD was late, as it said last: of each ticket and OPD. */}}
{{define "stated"}}SELECT subject, opd::String AS by_opd, argMax(reason::String, (occurred_at, {{template "id order"}})) AS code
        FROM {{db}}.events
        WHERE center = {center:String} AND subject_kind = 'ticket' AND type = 'ticket.explained' AND reason != ''
            AND {{template "happened"}} AND {{template "not void" "ticket"}}
        GROUP BY subject, by_opd{{end}}

{{- /* How long a stay or pause lasted between two instants, in milliseconds. */}}
{{define "part"}}greatest(0, dateDiff('millisecond', greatest(a, {{.}}), least(ifNull(b, last), last))){{end}}

-- Each clock of a ticket that is late, with its cause; reason is that of the longest pause where the cause is jeda, else ''.
CREATE OR REPLACE VIEW {{db}}.monev_kendala_clocks AS
SELECT
    center, id, clock, seq, assumeNotNull(day) AS day, opd, scope, category, priority, kecamatan, begun AS at,
    multiIf(
        opened_at IS NULL OR contradiction
            OR NOT stopped AND (clock = 'arrive' AND handled_at IS NOT NULL OR clock = 'confirm' AND ifNull(closed_at >= last_resolved_at, false)),
            'data',
        ifNull(assigned_at, last) > begun
            AND ifNull(dateDiff('millisecond', coalesce(answered_at, opened_at), least(ifNull(assigned_at, last), last)) > {{causes.SQL causes.Dispatch "priority"}}, false),
            'disposisi',
        clock != 'acknowledge' AND {{causes.BounceTimes}} * arraySum((o, a, b) -> if(o = stay_opds[-1], 0, {{template "part" "begun"}}), stay_opds, stay_begins, stay_ends)
            > target_ms, 'pantulan',
        clock = 'acknowledge' OR arrayExists(x -> begun < x AND x < last, late_acknowledged), 'terima',
        acknowledged_at >= begun AND ifNull(departed_at >= acknowledged_at, clock = 'arrive' AND arrived_at IS NULL)
            AND dateDiff('millisecond', acknowledged_at, least(ifNull(departed_at, last), last)) > {{causes.SQL causes.Turnout "priority"}},
            'berangkat',
        departed_at >= begun AND (arrived_at IS NOT NULL OR clock = 'arrive')
            AND dateDiff('millisecond', departed_at, least(ifNull(arrived_at, last), last)) > {{causes.SQL causes.Travel "priority"}},
            'tempuh',
        breach_at > gross_due_at
            AND dateDiff('millisecond', gross_due_at, last) <= arraySum((a, b) -> {{template "part" "begun"}}, pause_begins, pause_ends),
            'jeda',
        clock IN ('resolve', 'resolve_total', 'given')
            AND dateDiff('millisecond', work, last) - arraySum((a, b) -> {{template "part" "work"}}, pause_begins, pause_ends) > target_ms,
            'penanganan',
        'tidak_terjelaskan') AS cause,
    if(cause = 'jeda', arraySort(p -> (-p.1, p.2), arrayMap((a, b, r) -> ({{template "part" "begun"}}, r), pause_begins, pause_ends, pause_reasons))[1].2, '') AS reason
FROM
(
    SELECT
        c.center AS center, c.subject AS id, c.clock::String AS clock, c.seq AS seq, c.day AS day, ifNull(c.opd, '')::String AS opd,
        ifNull(c.scope, 'own')::String AS scope, ifNull(c.category, '')::String AS category, ifNull(c.priority, '')::String AS priority,
        ifNull(c.kecamatan, '')::String AS kecamatan, assumeNotNull(c.started_at) AS begun, c.until AS last, c.stopped AS stopped,
        assumeNotNull(c.breach_at) AS breach_at, ifNull(c.gross_due_at, assumeNotNull(c.breach_at)) AS gross_due_at,
        dateDiff('millisecond', begun, gross_due_at) AS target_ms,
        t.opened_at AS opened_at, t.answered_at AS answered_at, t.assigned_at AS assigned_at, t.acknowledged_at AS acknowledged_at,
        t.departed_at AS departed_at, t.arrived_at AS arrived_at, t.handled_at AS handled_at, t.closed_at AS closed_at,
        t.last_resolved_at AS last_resolved_at,
        ifNull(t.opened_at < t.received_at, false) OR ifNull(t.assigned_at < t.opened_at, false) OR ifNull(t.handled_at < t.opened_at, false)
            OR ifNull(t.arrived_at < t.departed_at, false) OR ifNull(t.arrived_at < coalesce(t.received_at, t.opened_at), false) AS contradiction,
        -- Where the work itself began.
        greatest(begun, coalesce(t.arrived_at, t.departed_at, t.acknowledged_at, if(empty(t.`stays.at`), begun, t.`stays.at`[-1]))) AS work,
        t.`stays.opd` AS stay_opds, t.`stays.at` AS stay_begins, t.`stays.ended_at` AS stay_ends,
        arrayFilter((a, r) -> hasAny(splitByChar('+', r::String), {{causes.Reasons}}), t.`pauses.since`, t.`pauses.reason`) AS pause_begins,
        arrayFilter((b, r) -> hasAny(splitByChar('+', r::String), {{causes.Reasons}}), t.`pauses.until`, t.`pauses.reason`) AS pause_ends,
        arrayFilter(r -> hasAny(splitByChar('+', r::String), {{causes.Reasons}}), t.`pauses.reason`) AS pause_reasons,
        c.late_acknowledged AS late_acknowledged
    FROM
    (
        -- Beside each late clock, when the acknowledgements of its ticket were due that were late as well.
        SELECT *, groupArrayIf(assumeNotNull(breach_at), clock = 'acknowledge') OVER (PARTITION BY subject) AS late_acknowledged
        FROM {{template "clocks judged"}}
        WHERE center = {center:String} AND subject_kind = 'ticket' AND state = 'breached'
            AND (clock = 'acknowledge' OR (day >= {since:Date} AND day < {until:Date}))
    ) AS c
    LEFT JOIN
    (
        {{if present}}SELECT *, {{template "handled at"}} FROM {{template "tickets that count"}} AND center = {center:String}{{else}}SELECT * FROM {{template "tickets judged"}} WHERE center = {center:String}{{end}}
    ) AS t ON t.id = c.subject
    WHERE c.day >= {since:Date} AND c.day < {until:Date}
);

-- The same with the reason that the OPD gave itself (stated; '' where it gave none): it stands beside the cause and never
-- changes it.
CREATE OR REPLACE VIEW {{db}}.monev_kendala_tickets AS
SELECT late.*, said.code AS stated
FROM {{db}}.monev_kendala_clocks(center = {center:String}, {{template "days"}}) AS late
LEFT JOIN ({{template "stated"}}) AS said ON said.subject = late.id AND said.by_opd = late.opd;

-- monev_kendala: the causes by indicator (answer, or a clock of tickets), OPD and scope. numerator is the cases with the
-- cause, denominator all failing cases of the indicator there, n its decided cases as monev_service_level and monev_on_time
-- count them: the causes of a group add up to its denominator, and n less denominator was in time.
CREATE OR REPLACE VIEW {{db}}.monev_kendala AS
SELECT
    c.center AS center, c.period AS period, c.indicator AS indicator, c.scope AS scope, c.opd AS opd, c.cause AS cause, c.reason AS reason,
    c.numerator AS numerator, d.failing AS denominator, d.decided AS n,
    if(d.failing = 0, NULL, c.numerator / d.failing) AS share,
    {{wilson "numerator" "denominator"}}
FROM
(
    SELECT center, {{template "period"}} AS period, indicator, scope, opd, cause, reason, count() AS numerator
    FROM
    (
        SELECT center, day, 'answer' AS indicator, 'own' AS scope, '' AS opd, cause, '' AS reason
        FROM {{db}}.monev_kendala_calls(center = {center:String}, {{template "days"}}, target = {target:UInt32}, short = {short:UInt32})
        UNION ALL
        SELECT center, day, clock, scope, opd, cause, reason
        FROM {{db}}.monev_kendala_clocks(center = {center:String}, {{template "days"}})
    )
    WHERE {{template "range"}}
    GROUP BY center, period, indicator, scope, opd, cause, reason
) AS c
INNER JOIN
(
    SELECT center, period, 'answer' AS indicator, 'own' AS scope, '' AS opd, toUInt64(denominator - numerator) AS failing, toUInt64(denominator) AS decided
    FROM {{db}}.monev_service_level({{template "steps"}}, target = {target:UInt32}, short = {short:UInt32})
    -- Without any answer stamp it is not recorded whether calls were answered in time.
    WHERE center = {center:String} AND measure = 'ketat' AND stamped > 0
    UNION ALL
    SELECT center, {{template "period"}} AS period, clock, o.scope AS scope, o.opd AS opd, sum(o.stopped_late + o.open_late), sum(o.met + o.stopped_late + o.open_late)
    FROM {{db}}.clocks_counted({{template "days"}}) AS o
    WHERE center = {center:String} AND {{template "range"}}
    GROUP BY center, period, clock, scope, opd
) AS d ON d.center = c.center AND d.period = c.period AND d.indicator = c.indicator AND d.scope = c.scope AND d.opd = c.opd;

-- monev_kendala_groups: what is in time, by indicator, scope and each of opd, category, priority, kecamatan and shift: the
-- parts that a change between two periods is told by. numerator is the cases in time, n those decided; the parts of a
-- dimension add up to the whole. A shift is given as the quarter of the hour, counted from local midnight (zone), in which
-- the case began. With opd, which may be left out, only the clocks of that OPD, and no calls.
CREATE OR REPLACE VIEW {{db}}.monev_kendala_groups AS
SELECT center, indicator, scope, part.1 AS dimension, part.2 AS value, countIf(in_time) AS numerator, count() AS n
FROM
(
    SELECT center, 'answer' AS indicator, 'own' AS scope, ifNull(answer_ms <= 1000 * {target:UInt32}, false) AS in_time,
        [('category', ifNull(category, '')::String), ('kecamatan', ifNull(kecamatan, '')::String), ('shift', {{template "quarter of the day" "at"}})] AS parts
    FROM {{template "calls of the centre"}} AND day >= {since:Date} AND day < {until:Date} AND offered
        AND (answered_at IS NULL OR answer_ms IS NOT NULL) AND {opd:Nullable(String)} IS NULL
    UNION ALL
    SELECT center, clock, ifNull(c.scope, 'own')::String, state = 'met',
        [('opd', ifNull(c.opd, '')::String), ('category', ifNull(c.category, '')::String), ('priority', ifNull(c.priority, '')::String),
         ('kecamatan', ifNull(c.kecamatan, '')::String), ('shift', {{template "quarter of the day" "started_at"}})]
    FROM {{template "clocks judged"}} AS c
    WHERE c.center = {center:String} AND c.subject_kind = 'ticket' AND c.state IN ('met', 'breached')
        AND c.day >= {since:Date} AND c.day < {until:Date} AND ({opd:Nullable(String)} IS NULL OR c.opd = {opd:Nullable(String)})
)
ARRAY JOIN parts AS part
GROUP BY center, indicator, scope, dimension, value;
