-- What people query: each event, call, ticket and clock once, with what follows from its facts. The conditions are those
-- of the packages casefile and sla, stated a second time in SQL; tests compare the two.

CREATE OR REPLACE VIEW {{db}}.events_now AS SELECT * FROM {{db}}.events FINAL;

{{- /* The instant that a view ..._at is asked for. Asked for '' it reads nothing. */}}
{{define "at"}}parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC'){{end}}
{{define "asked"}}{at:String} != ''{{end}}
{{define "always"}}'2299-12-31 00:00:00'{{end}}

{{- /* What follows from the facts of a call. */}}
{{define "of a call"}}-- A class that says something; 'belum' says that there is none yet.
    (ifNull(class NOT IN ('', 'belum'), false))::Bool AS classified,
    -- Stamped so, or classified, which implies it (flag class_without_answer).
    (answered_at IS NOT NULL OR classified)::Bool AS answered,
    -- Reached the queue (came in, where no queue stamp exists) and was not blocked.
    if(blocked_at IS NULL, coalesce(queued_at, received_at), NULL) AS offered_at,
    (offered_at IS NOT NULL)::Bool AS offered,
    (abandoned_at IS NOT NULL AND answered_at IS NULL)::Bool AS abandoned,
    (unserved_at IS NOT NULL AND answered_at IS NULL)::Bool AS unserved,
    (blocked_at IS NOT NULL)::Bool AS blocked,
    (ifNull(class IN ('prank', 'prank_palsu'), false))::Bool AS hoax,
    -- Milliseconds from the queue (else from coming in) to the answer; as the source measured it where it says so.
    -- NULL without both ends and where the stamps contradict each other.
    multiIf(answered_at IS NULL, NULL,
            wait_ms IS NOT NULL, wait_ms,
            answered_at < coalesce(queued_at, received_at), NULL,
            dateDiff('millisecond', coalesce(queued_at, received_at), answered_at)) AS answer_ms,
    answer_ms / 1000 AS answer_seconds,
    -- The same to the moment in which the caller hung up.
    multiIf(abandoned_at IS NULL OR answered_at IS NOT NULL, NULL,
            wait_ms IS NOT NULL, wait_ms,
            abandoned_at < coalesce(queued_at, received_at), NULL,
            dateDiff('millisecond', coalesce(queued_at, received_at), abandoned_at)) AS abandon_ms,
    abandon_ms / 1000 AS abandon_seconds,
    if(ended_at >= answered_at, dateDiff('millisecond', answered_at, ended_at) / 1000, NULL) AS talk_seconds,
    if(first_classified_at >= answered_at, dateDiff('millisecond', answered_at, first_classified_at) / 1000, NULL)
        AS classify_seconds{{end}}

{{define "handled at"}}coalesce(resolved_at, first_closed_at) AS handled_at{{end}}

{{- /* What follows from the facts of a ticket. */}}
{{define "of a ticket"}}(state NOT IN ('resolved', 'confirmed', 'closed', 'merged'))::Bool AS open,
    (paused_since IS NOT NULL)::Bool AS paused,
    -- Where the clock `resolve` stops too: the first resolution, else the first closing.
    {{template "handled at"}},
    if(assigned_at >= answered_at, dateDiff('millisecond', answered_at, assigned_at) / 1000, NULL) AS dispatch_seconds,
    if(acknowledged_at >= `stays.at`[-1] AND notEmpty(`stays.at`),
        dateDiff('millisecond', `stays.at`[-1], acknowledged_at) / 1000, NULL) AS acknowledge_seconds,
    if(departed_at >= acknowledged_at, dateDiff('millisecond', acknowledged_at, departed_at) / 1000, NULL) AS turnout_seconds,
    if(arrived_at >= departed_at, dateDiff('millisecond', departed_at, arrived_at) / 1000, NULL) AS travel_seconds,
    if(arrived_at >= received_at, dateDiff('millisecond', received_at, arrived_at) / 1000, NULL) AS respond_seconds,
    if(arrived_at >= assigned_at, dateDiff('millisecond', assigned_at, arrived_at) / 1000, NULL) AS own_seconds,
    if(handled_at >= opened_at, dateDiff('millisecond', opened_at, handled_at) / 1000, NULL) AS resolve_seconds,
    -- resolve_seconds less the pauses, of each the part that lies between opening and handling.
    resolve_seconds - arraySum((since, until) -> greatest(0, dateDiff('millisecond',
        greatest(since, assumeNotNull(opened_at)), least(ifNull(until, assumeNotNull(handled_at)), assumeNotNull(handled_at)))),
        `pauses.since`, `pauses.until`) / 1000 AS resolve_net_seconds,
    if(confirmed_at >= last_resolved_at, dateDiff('millisecond', last_resolved_at, confirmed_at) / 1000, NULL)
        AS confirm_seconds{{end}}

{{- /* The rows of calls_now and of tickets_now, without what follows from them. */}}
{{define "calls that count"}}{{db}}.calls FINAL
WHERE events > 0 AND ifNull(class, '') != 'uji'{{end}}
{{define "tickets that count"}}{{db}}.tickets FINAL
WHERE events > 0 AND NOT has(flags, 'test'){{end}}

-- calls_now leaves out test calls and calls of which only tickets speak.
CREATE OR REPLACE VIEW {{db}}.calls_now AS
SELECT
    *,
    {{template "of a call"}}
FROM {{template "calls that count"}};

-- tickets_now leaves out the tickets of which every call is a test.
CREATE OR REPLACE VIEW {{db}}.tickets_now AS
SELECT
    *,
    {{template "of a ticket"}}
FROM {{template "tickets that count"}};

-- calls_at, tickets_at and clocks_at are the same at a past instant, from all that is known today: what happened after it
-- is absent, and so are cases that began after it: SELECT ... FROM tickets_at(at = '2026-03-31T23:59:59+07:00'). Without an
-- offset the instant is in UTC. Of what may come again a row holds the first and the latest: between the two, a call has
-- the class of today, and a ticket that was reopened several times is as handled as after its first resolution.
CREATE OR REPLACE VIEW {{db}}.calls_at AS
WITH {{template "at"}} AS t
SELECT
    *,
    {{template "of a call"}}
FROM
(
    SELECT * REPLACE (
        if(received_at <= t, received_at, NULL) AS received_at,
        if(queued_at <= t, queued_at, NULL) AS queued_at,
        if(ifNull(answered_at > t, false), NULL, wait_ms) AS wait_ms,
        if(answered_at <= t, answered_at, NULL) AS answered_at,
        if(abandoned_at <= t, abandoned_at, NULL) AS abandoned_at,
        if(unserved_at <= t, unserved_reason, NULL) AS unserved_reason,
        if(unserved_at <= t, unserved_at, NULL) AS unserved_at,
        if(blocked_at <= t, blocked_at, NULL) AS blocked_at,
        if(ended_at <= t, ended_at, NULL) AS ended_at,
        if(ifNull(first_classified_at > t, false), NULL, class) AS class,
        if(ifNull(first_classified_at > t, false), NULL, outcome) AS outcome,
        if(ifNull(first_classified_at > t, false), NULL, referred_to) AS referred_to,
        if(classified_at <= t, classified_at, if(first_classified_at <= t, first_classified_at, NULL)) AS classified_at,
        if(first_classified_at <= t, first_classified_at, NULL) AS first_classified_at,
        if(called_back_at <= t, called_back_at, NULL) AS called_back_at)
    FROM
    (
        -- A condition beside REPLACE would see what was put in the place of its column.
        SELECT * FROM {{db}}.calls FINAL
        WHERE events > 0 AND ifNull(class, '') != 'uji' AND at <= t AND {{template "asked"}}
    )
);

CREATE OR REPLACE VIEW {{db}}.tickets_at AS
WITH {{template "at"}} AS t
SELECT
    * EXCEPT (later, n, m),
    {{template "of a ticket"}}
FROM
(
    SELECT * REPLACE (
        if(last_event_at <= t, last_event_at, NULL) AS last_event_at,
        multiIf(NOT later, state,
            merged_at IS NOT NULL AND state = 'merged', 'merged', -- a reference without effect leaves it where it was
            ifNull(closed_at > reopened_at, closed_at IS NOT NULL), 'closed',
            ifNull(confirmed_at >= reopened_at, confirmed_at IS NOT NULL), 'confirmed',
            ifNull(last_resolved_at > reopened_at, last_resolved_at IS NOT NULL), 'resolved',
            opd IS NULL AND (rejected_at IS NOT NULL OR n > 0), 'rejected',
            ifNull(arrived_at >= greatest(`stays.at`[-1], ifNull(reopened_at, `stays.at`[-1])), false), 'arrived',
            ifNull(departed_at >= greatest(`stays.at`[-1], ifNull(reopened_at, `stays.at`[-1])), false), 'departed',
            acknowledged_at IS NOT NULL, 'acknowledged',
            n > 0, 'assigned',
            'opened') AS state)
    FROM
    (
        SELECT * REPLACE (
            if(n > 0 AND ifNull(`stays.ended_at`[n] > t, true), `stays.opd`[n], NULL) AS opd,
            if(n > 0 AND ifNull(`stays.ended_at`[n] > t, true), coalesce(nullIf(`stays.scope`[n], ''), scope), NULL) AS scope,
            if((if(empty(`stays.at`), acknowledged_at, if(n > 0, `stays.acknowledged_at`[n], NULL)) AS acknowledged) <= t, acknowledged, NULL)
                AS acknowledged_at,
            toUInt32(arrayCount(i -> `stays.opd`[i] != `stays.opd`[i - 1], range(2, toUInt32(n) + 1))) AS bounces,
            arraySlice(`stays.opd`, 1, n) AS `stays.opd`,
            arraySlice(`stays.scope`, 1, n) AS `stays.scope`,
            arraySlice(`stays.at`, 1, n) AS `stays.at`,
            arrayMap(x -> if(x <= t, x, NULL), arraySlice(`stays.acknowledged_at`, 1, n)) AS `stays.acknowledged_at`,
            arrayMap(x -> if(x <= t, x, NULL), arraySlice(`stays.ended_at`, 1, n)) AS `stays.ended_at`,
            intDiv(arraySum((a, b) -> if(b <= t, dateDiff('millisecond', a, assumeNotNull(b)), 0),
                `pauses.since`, `pauses.until`), 1000)::Int64 AS paused_s,
            if(m > 0 AND ifNull(`pauses.until`[m] > t, true), `pauses.since`[m], NULL) AS paused_since,
            arraySlice(`pauses.since`, 1, m) AS `pauses.since`,
            arrayMap(x -> if(x <= t, x, NULL), arraySlice(`pauses.until`, 1, m)) AS `pauses.until`,
            arraySlice(`pauses.reason`, 1, m) AS `pauses.reason`,
            if(received_at <= t, received_at, NULL) AS received_at,
            if(answered_at <= t, answered_at, NULL) AS answered_at,
            if(opened_at <= t, opened_at, NULL) AS opened_at,
            if(assigned_at <= t, assigned_at, NULL) AS assigned_at,
            if(departed_at <= t, departed_at, NULL) AS departed_at,
            if(arrived_at <= t, arrived_at, NULL) AS arrived_at,
            if(last_resolved_at <= t, last_resolved_at, if(resolved_at <= t, resolved_at, NULL)) AS last_resolved_at,
            if(resolved_at <= t, resolved_at, NULL) AS resolved_at,
            if(confirmed_at <= t, result, NULL) AS result,
            if(confirmed_at <= t, confirmed_at, NULL) AS confirmed_at,
            if(closed_at <= t, closed_at, if(first_closed_at <= t, first_closed_at, NULL)) AS closed_at,
            if(first_closed_at <= t, first_closed_at, NULL) AS first_closed_at,
            if(rejected_at <= t, rejected_at, NULL) AS rejected_at,
            if(merged_at <= t, master, NULL) AS master,
            if(merged_at <= t, merged_at, NULL) AS merged_at,
            toUInt32(reopened - ifNull(reopened_at > t, false)) AS reopened,
            if(reopened_at <= t, reopened_at, NULL) AS reopened_at)
        FROM
        (
            SELECT
                *,
                ifNull(last_event_at > t, false) AS later,
                arrayCount(x -> x <= t, `stays.at`) AS n,
                arrayCount(x -> x <= t, `pauses.since`) AS m
            FROM {{db}}.tickets FINAL
            WHERE events > 0 AND NOT has(flags, 'test') AND at <= t AND {{template "asked"}}
        )
    )
);

{{- /* What a clock is at the instant `at`. */}}
{{define "clock at"}}stopped_at IS NOT NULL AND stopped_at <= at AS stopped,
    least(coalesce(stopped_at, at), at) AS until,
    multiIf(void, 'void',
            unobserved, 'unobserved',
            until > breach_at, 'breached',
            stopped, 'met',
            paused_since <= at AND at < pause_ends_at, 'paused',
            'running') AS state,
    -- Runs on later than its due time; how late it is or was when it stopped.
    (state = 'breached' AND NOT stopped)::Bool AS overdue,
    if(state = 'breached', dateDiff('millisecond', breach_at, until) / 1000, 0) AS late_seconds,
    -- How far up the ladder a clock that runs has come: '' risk overdue escalated escalated2.
    multiIf(void OR unobserved OR stopped, '',
            at >= escalated2_at, 'escalated2',
            at >= escalated_at, 'escalated',
            state = 'breached', 'overdue',
            at >= risk_at, 'risk',
            '') AS level{{end}}

-- A breach is a comparison of timestamps, never an event: the package sla states the same comparison in Go.
CREATE OR REPLACE VIEW {{db}}.clocks_now AS
SELECT
    *,
    now64(3, 'UTC') AS at,
    {{template "clock at"}}
FROM {{db}}.clocks FINAL;

-- Breached or not is exact whatever was paused after the instant: only a clock that is not late yet can be paused. A clock
-- that became void after the instant, by a merge or by an end without the fact that stops it, ran then.
CREATE OR REPLACE VIEW {{db}}.clocks_at AS
SELECT
    * EXCEPT (n, away, elsewhere, pause),
    {{template "clock at"}}
FROM
(
    SELECT
        c.* REPLACE (
            (void AND NOT v.ran AND NOT (breach_at IS NOT NULL AND k.ticket AND NOT k.test AND NOT ifNull(k.merged <= at, false)
                AND (ifNull(k.merged > at, false) OR ifNull(stopped_at > at, false))))::Bool AS void,
            (unobserved OR lacking AND ifNull(stopped_at > at, false))::Bool AS unobserved,
            if(elsewhere, if(away, NULL, k.opds[n]), opd) AS opd,
            if(elsewhere, if(away, 'own', coalesce(nullIf(k.scopes[n], ''), scope)), scope) AS scope,
            -- Handled by then, and reopened since.
            if(clock = 'resolve_total' AND ifNull(k.reopened > at AND k.resolved <= at, false), k.resolved, stopped_at)
                AS stopped_at,
            if(pause > 0, k.since[pause], paused_since) AS paused_since,
            if(pause > 0, k.until[pause], pause_ends_at) AS pause_ends_at),
        {{template "at"}} AS at,
        arrayCount(x -> x <= at, k.begun) AS n,
        n = 0 OR ifNull(k.ends[n] <= at, false) AS away,
        -- A citizen's clock that was not late yet lay with the OPD that held the ticket then.
        clock != 'acknowledge' AND NOT (clock = 'given' AND k.stated) AND breach_at > at
            AND ifNull(greatest(k.begun[-1], ifNull(k.ends[-1], k.begun[-1])) > at, false) AND notEmpty(k.begun) AS elsewhere,
        if(c.paused_s > 0, arrayFirstIndex((s, u) -> s <= at AND ifNull(at < u, false), k.since, k.until), 0) AS pause
    FROM {{db}}.clocks AS c FINAL
    LEFT JOIN
    (
        SELECT
            center AS k_center, id, true AS ticket, has(flags, 'test') AS test, at AS began, merged_at AS merged,
            reopened_at AS reopened, resolved_at AS resolved, due_opd IS NOT NULL AS stated,
            `stays.opd` AS opds, `stays.scope` AS scopes, `stays.at` AS begun, `stays.ended_at` AS ends,
            `pauses.since` AS since, `pauses.until` AS until
        FROM {{db}}.tickets FINAL
        WHERE {{template "asked"}}
    ) AS k ON k.k_center = c.center AND k.id = c.subject AND c.subject_kind = 'ticket'
    LEFT JOIN
    (
        SELECT center AS v_center, id AS v_id, true AS ran
        FROM {{db}}.calls FINAL
        WHERE events > 0 AND ifNull(class, '') != 'uji' AND at <= {{template "at"}} AND {{template "asked"}} AND ifNull(least(
            ifNull(answered_at, {{template "at"}} + 1), ifNull(abandoned_at, {{template "at"}} + 1),
            ifNull(unserved_at, {{template "at"}} + 1), ifNull(blocked_at, {{template "at"}} + 1),
            ifNull(ended_at, {{template "at"}} + 1), ifNull(first_classified_at, {{template "at"}} + 1)) > {{template "at"}}, false)
    ) AS v ON v.v_center = c.center AND v.v_id = c.subject AND c.subject_kind = 'call' AND c.void
    WHERE started_at <= at AND NOT ifNull(k.began > at, false) AND {{template "asked"}}
);

{{- /* The flagged rows of the days. Those that FINAL keeps are among them: so FINAL reads no others. */}}
{{define "flagged"}}notEmpty(flags) AND day >= {since:Date} AND day < {until:Date}{{end}}

-- flags_by_source: which sources contradict themselves or leave gaps: the flagged cases of the days since <= day < until by
-- kind, flag and source (a mapping has a source of its own), with the first three ids. A case that two sources speak of
-- counts for both. With as_of, those that had begun by the instant, by what had been said of them: a flag itself says what
-- is known now, but for corrected_after_late, which stands from when the correction was received.
CREATE OR REPLACE VIEW {{db}}.flags_by_source AS
WITH parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, {{template "always"}}), 3, 'UTC') AS t
SELECT f.center AS center, f.kind AS kind, f.flag AS flag, e.source AS source, uniqExact(f.id) AS cases,
    groupArraySorted(3)(f.id) AS examples
FROM
(
    SELECT center::String AS center, 'call' AS kind, id, arrayJoin(flags) AS flag
    FROM {{db}}.calls AS c FINAL
    WHERE events > 0 AND ifNull(class, '') != 'uji' AND at <= t AND {{template "flagged"}}
        AND (c.center, c.id) IN (SELECT center, id FROM {{db}}.calls WHERE {{template "flagged"}})
    UNION ALL
    SELECT center::String, 'ticket', id, arrayJoin(arrayFilter(f -> f != 'corrected_after_late' OR empty(`corrected.received_at`)
        OR arrayMin(`corrected.received_at`) <= t, flags))
    FROM {{db}}.tickets AS c FINAL
    WHERE events > 0 AND NOT has(flags, 'test') AND at <= t AND {{template "flagged"}}
        AND (c.center, c.id) IN (SELECT center, id FROM {{db}}.tickets WHERE {{template "flagged"}})
) AS f
INNER JOIN
(
    SELECT DISTINCT center::String AS center, subject_kind::String AS kind, subject, source
    FROM {{db}}.events
    WHERE occurred_at <= t AND (center, subject_kind, subject) IN
    (
        SELECT center, 'call', id FROM {{db}}.calls WHERE {{template "flagged"}}
        UNION ALL
        SELECT center, 'ticket', id FROM {{db}}.tickets WHERE {{template "flagged"}}
    )
) AS e ON e.center = f.center AND e.kind = f.kind AND e.subject = f.id
GROUP BY center, kind, flag, source;
