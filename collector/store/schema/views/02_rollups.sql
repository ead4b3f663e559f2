-- How the rows of the roll-ups are computed, and what they say now.

{{- /* The instant of a figure as an argument of calls_at, tickets_at and clocks_at, where the roll-ups serve without one;
and where nothing else does: then all that is known. */}}
{{define "as of"}}coalesce({as_of:Nullable(String)}, ''){{end}}
{{define "instant"}}parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, '2000-01-01'), 3, 'UTC'){{end}}
{{define "as of or always"}}coalesce({as_of:Nullable(String)}, {{template "always"}}){{end}}
{{define "read at"}}coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC'))){{end}}

{{- /* The cases at the instant of a figure; of the present, which twins of these views serve (schema.Views), as they are
known. Clocks are judged there at judged_at, so that no clock moves between two statements, and now where it is left out. */}}
{{define "calls as of"}}{{db}}.{{if present}}calls_now{{else}}calls_at(at = {{template "as of or always"}}){{end}}{{end}}
{{define "tickets as of"}}{{db}}.{{if present}}tickets_now{{else}}tickets_at(at = {{template "as of or always"}}){{end}}{{end}}
{{define "tickets judged"}}{{db}}.{{if present}}tickets_now{{else}}tickets_at(at = {{template "read at"}}){{end}}{{end}}
{{define "clocks judged"}}{{if present}}(
        SELECT *, parseDateTime64BestEffort({{template "read at"}}, 3, 'UTC') AS at, {{template "clock at"}}
        FROM {{db}}.clocks FINAL WHERE started_at <= at
    ){{else}}{{db}}.clocks_at(at = {{template "read at"}}){{end}}{{end}}

CREATE OR REPLACE VIEW {{db}}.calls_hourly_now AS SELECT * FROM {{db}}.calls_hourly FINAL WHERE received > 0;

CREATE OR REPLACE VIEW {{db}}.calls_daily_now AS SELECT * FROM {{db}}.calls_daily FINAL WHERE received > 0;

{{- /* What is counted of the calls of an hour. */}}
{{define "counts of calls"}}toUInt32(count()) AS received,
    toUInt32(countIf(s.offered)) AS offered,
    toUInt32(countIf(s.answered)) AS answered,
    toUInt32(countIf(s.offered AND s.answered_at IS NOT NULL)) AS stamped,
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
    arraySort(groupArrayIf(assumeNotNull(s.abandon_ms), s.offered AND s.abandon_ms IS NOT NULL)) AS abandon_ms{{end}}

{{- /* The stage of a call c, whose tickets lie at OPDs of the scopes l.scopes. */}}
{{define "stage"}}multiIf(
            c.hoax, 'hoax',
            has(l.scopes, 'own'), 'own',
            has(l.scopes, 'vertical'), 'vertical',
            notEmpty({{.}}), 'centre',
            c.classified, 'none',
            c.answered, 'unclassified',
            'unanswered') AS stage{{end}}

-- calls_rollup states how an hour is computed: SELECT ... FROM calls_rollup(centers = ['35.15'], since = ..., until = ...) for
-- the calls of some centres since <= at < until, both on the hour. The collector inserts from it.
-- stage puts each call into exactly one bin: hoax by its class, else where its tickets went, else why it went nowhere.
CREATE OR REPLACE VIEW {{db}}.calls_rollup AS
SELECT
    s.center AS center,
    toStartOfHour(toDateTime(assumeNotNull(s.at), 'UTC')) AS hour,
    assumeNotNull(min(s.day)) AS day,
    {{template "counts of calls"}}
FROM
(
    SELECT
        c.*,
        {{template "stage" "c.tickets"}}
    FROM {{db}}.calls_now AS c
    LEFT JOIN
    (
        SELECT center, call, groupUniqArray(ifNull(scope, '')) AS scopes
        FROM {{db}}.tickets_now
        ARRAY JOIN calls AS call
        WHERE center IN {centers:Array(String)} AND (center, id) IN
        (
            SELECT center, arrayJoin(tickets) FROM {{db}}.calls
            WHERE center IN {centers:Array(String)} AND at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}
        )
        GROUP BY center, call
    ) AS l ON l.center = c.center AND l.call = c.id
    WHERE c.center IN {centers:Array(String)} AND c.at >= {since:DateTime64(3, 'UTC')} AND c.at < {until:DateTime64(3, 'UTC')}
) AS s
GROUP BY center, hour;

-- calls_daily_rollup states how a row of calls_daily is computed from the hours as they stand: the days of the hours
-- since <= hour < until of some centres, each whole. A day that has no call any more is a row of zeros.
CREATE OR REPLACE VIEW {{db}}.calls_daily_rollup AS
SELECT
    center, h.day AS day,
    toUInt32(sum(h.received)) AS received, toUInt32(sum(h.offered)) AS offered,
    toUInt32(sum(h.answered)) AS answered, toUInt32(sum(h.stamped)) AS stamped,
    toUInt32(sum(h.abandoned)) AS abandoned, toUInt32(sum(h.unserved)) AS unserved,
    toUInt32(sum(h.blocked)) AS blocked, toUInt32(sum(h.classified)) AS classified,
    toUInt32(sum(h.hoax)) AS hoax, toUInt32(sum(h.normal)) AS normal,
    toUInt32(sum(h.informasi)) AS informasi, toUInt32(sum(h.prank)) AS prank,
    toUInt32(sum(h.prank_palsu)) AS prank_palsu, toUInt32(sum(h.ghost)) AS ghost,
    toUInt32(sum(h.pocket)) AS pocket, toUInt32(sum(h.misrouted)) AS misrouted,
    toUInt32(sum(h.putus)) AS putus, toUInt32(sum(h.duplikat)) AS duplikat,
    toUInt32(sum(h.to_hoax)) AS to_hoax, toUInt32(sum(h.to_own)) AS to_own,
    toUInt32(sum(h.to_vertical)) AS to_vertical, toUInt32(sum(h.to_centre)) AS to_centre,
    toUInt32(sum(h.to_none)) AS to_none, toUInt32(sum(h.to_unclassified)) AS to_unclassified,
    toUInt32(sum(h.to_unanswered)) AS to_unanswered,
    arraySort(groupArrayArray(h.answer_ms)) AS answer_ms,
    arraySort(groupArrayArray(h.abandon_ms)) AS abandon_ms
FROM {{db}}.calls_hourly AS h FINAL
-- The hours of a day lie within 26 hours of any of them.
WHERE center IN {centers:Array(String)} AND hour >= {since:DateTime64(3, 'UTC')} - INTERVAL 26 HOUR
    AND hour < {until:DateTime64(3, 'UTC')} + INTERVAL 26 HOUR AND (center, h.day) IN
    (
        SELECT center, day FROM {{db}}.calls_hourly
        WHERE center IN {centers:Array(String)} AND hour >= {since:DateTime64(3, 'UTC')} AND hour < {until:DateTime64(3, 'UTC')}
    )
GROUP BY center, day;

-- calls_counted, clocks_counted and tickets_counted are what the figures of the days since <= day < until are counted from:
-- the rows of the roll-ups, and with as_of (RFC 3339) the same computed from the cases as they were at that instant, which
-- reads every case. as_of may be left out: a parameter that may be NULL is NULL then.
CREATE OR REPLACE VIEW {{db}}.calls_counted AS
SELECT * EXCEPT version
FROM {{db}}.calls_daily FINAL
WHERE received > 0 AND day >= {since:Date} AND day < {until:Date}{{if not present}} AND {as_of:Nullable(String)} IS NULL
UNION ALL
SELECT
    s.center AS center,
    assumeNotNull(s.day) AS day,
    {{template "counts of calls"}}
FROM
(
    SELECT
        c.*,
        {{template "stage" "l.scopes"}}
    FROM {{db}}.calls_at(at = {{template "as of"}}) AS c
    LEFT JOIN
    (
        SELECT center, call, groupUniqArray(if(n = 0 OR ifNull(`stays.ended_at`[n] <= {{template "instant"}}, false), '',
            if(`stays.scope`[n] = '', ifNull(scope, ''), `stays.scope`[n]))) AS scopes
        FROM
        (
            SELECT center, calls, scope, `stays.scope`, `stays.ended_at`, arrayCount(x -> x <= {{template "instant"}}, `stays.at`) AS n
            FROM {{db}}.tickets FINAL
            WHERE events > 0 AND NOT has(flags, 'test') AND at <= {{template "instant"}} AND {as_of:Nullable(String)} IS NOT NULL
        )
        ARRAY JOIN calls AS call
        GROUP BY center, call
    ) AS l ON l.center = c.center AND l.call = c.id
    WHERE c.day >= {since:Date} AND c.day < {until:Date}
) AS s
GROUP BY center, day{{end}};

-- clocks_rollup states how a row of clocks_daily is computed, and gives an empty row for one that stands there and has no
-- clock any more: SELECT ... FROM clocks_rollup(centers = ['35.15'], days = [('35.15', '2026-10-01')]).
CREATE OR REPLACE VIEW {{db}}.clocks_rollup AS
SELECT
    center, clock, day,
    arrayMap(g -> g.1, groups) AS opds,
    arrayMap(g -> g.2, groups) AS scopes,
    arrayMap(g -> g.3, groups) AS met_counts,
    arrayMap(g -> g.4, groups) AS late_counts,
    arrayMap(g -> arrayMap(o -> o.1, g.5), groups) AS open_breach_at,
    arrayMap(g -> arrayMap(o -> o.2, g.5), groups) AS open_stopped_at,
    arrayMap(g -> g.6, groups) AS unobserved_counts,
    arrayMap(r -> r.1, runs) AS `running.ticket`,
    arrayMap(r -> r.2, runs) AS `running.due_at`,
    arrayMap(r -> r.3, runs) AS `running.breach_at`,
    arrayMap(r -> r.4, runs) AS `running.escalated_at`,
    arrayMap(r -> r.5, runs) AS `running.escalated2_at`
FROM
(
    SELECT center, clock, day, arraySort(g -> (g.1, g.2), groupArrayIf((opd, scope, met, late, open, unseen), n > 0)) AS groups,
        groupArrayArray(running) AS runs
    FROM
    (
        SELECT
            center, clock, day, opd, scope,
            toUInt32(countIf(settled AND NOT was_late AND NOT unobserved)) AS met,
            toUInt32(countIf(settled AND was_late AND NOT unobserved)) AS late,
            groupArrayIf((breach_at, stopped_at), NOT settled AND NOT unobserved) AS open,
            toUInt32(countIf(unobserved)) AS unseen,
            count() AS n,
            groupArrayIf((subject, due_at, assumeNotNull(breach_at), escalated_at, escalated2_at),
                stopped_at IS NULL AND breach_at IS NOT NULL AND NOT unobserved) AS running
        FROM
        (
            SELECT
                center, clock, assumeNotNull(c.day) AS day, ifNull(c.opd, '')::String AS opd, ifNull(c.scope, 'own')::String AS scope,
                subject, due_at, breach_at, stopped_at, escalated_at, escalated2_at, unobserved,
                ifNull(stopped_at <= now64(3, 'UTC'), false) AS settled,
                ifNull(stopped_at > breach_at, false) AS was_late
            FROM {{db}}.clocks AS c FINAL
            WHERE c.center IN {centers:Array(String)} AND c.subject_kind = 'ticket' AND NOT void
                AND (c.center, assumeNotNull(c.day)) IN {days:Array(Tuple(String, Date))} AND c.day IS NOT NULL
        )
        GROUP BY center, clock, day, opd, scope
        UNION ALL
        SELECT center, clock, day, '', '', 0, 0, [], 0, 0, []
        FROM {{db}}.clocks_daily
        WHERE center IN {centers:Array(String)} AND (center, day) IN {days:Array(Tuple(String, Date))}
    )
    GROUP BY center, clock, day
);

{{- /* The clocks of a group by what has become of them at their instant. */}}
{{define "outcomes"}}countIf(state = 'met') AS met,
    countIf(state = 'breached' AND stopped) AS stopped_late,
    countIf(state = 'breached' AND NOT stopped) AS open_late,
    countIf(state IN ('running', 'paused')) AS undecided,
    countIf(state = 'unobserved') AS unobserved{{end}}

-- clock_outcomes: the clocks of tickets by the day on which they began, as they stand now. undecided runs in time;
-- unobserved are those that nobody can stop.
CREATE OR REPLACE VIEW {{db}}.clock_outcomes AS
SELECT
    center, clock, day, opd, scope,
    met_count + countEqual(states, 'met') AS met,
    late_count + countEqual(states, 'stopped_late') AS stopped_late,
    countEqual(states, 'open_late') AS open_late,
    countEqual(states, 'undecided') AS undecided,
    unobserved_count AS unobserved
FROM
(
    -- Judged before they are unfolded: most groups have no clock that runs.
    SELECT * REPLACE (arrayMap((list_b, list_s) -> arrayMap((b, s) -> multiIf(
            ifNull(s <= now64(3, 'UTC'), false), if(ifNull(s > b, false), 'stopped_late', 'met'),
            NOT ifNull(now64(3, 'UTC') > b, false), 'undecided',
            s IS NULL, 'open_late', 'stopped_late')::Enum8('met', 'stopped_late', 'open_late', 'undecided'),
        list_b, list_s), open_breach_at, open_stopped_at) AS open_breach_at)
    FROM {{db}}.clocks_daily FINAL
)
ARRAY JOIN opds AS opd, scopes AS scope, met_counts AS met_count, late_counts AS late_count, open_breach_at AS states,
    -- Rows of before there was any have no element.
    arrayResize(unobserved_counts, length(opds)) AS unobserved_count;

-- clocks_late: the clocks of tickets that run and are late now, as clocks_now has them (overdue), without those that
-- nobody can stop.
CREATE OR REPLACE VIEW {{db}}.clocks_late AS
SELECT
    center, clock, ticket, due_at, breach_at,
    dateDiff('millisecond', breach_at, now64(3, 'UTC')) / 1000 AS late_seconds,
    multiIf(now64(3, 'UTC') >= escalated2_at, 'escalated2', now64(3, 'UTC') >= escalated_at, 'escalated', 'overdue') AS level
FROM {{db}}.clocks_daily FINAL
ARRAY JOIN running.ticket AS ticket, running.due_at AS due_at, running.breach_at AS breach_at,
    running.escalated_at AS escalated_at, running.escalated2_at AS escalated2_at
WHERE now64(3, 'UTC') > breach_at;

CREATE OR REPLACE VIEW {{db}}.clocks_counted AS
SELECT center, clock, day, opd::String AS opd, scope::String AS scope, met, stopped_late, open_late, undecided, toUInt64(unobserved) AS unobserved
FROM {{db}}.clock_outcomes
WHERE day >= {since:Date} AND day < {until:Date}{{if not present}} AND {as_of:Nullable(String)} IS NULL
UNION ALL
SELECT
    center, clock, assumeNotNull(c.day) AS day, ifNull(c.opd, '')::String AS opd, ifNull(c.scope, 'own')::String AS scope,
    {{template "outcomes"}}
FROM {{db}}.clocks_at(at = {{template "as of"}}) AS c
WHERE subject_kind = 'ticket' AND NOT void AND c.day >= {since:Date} AND c.day < {until:Date}
GROUP BY center, clock, day, opd, scope{{end}};

{{- /* A ticket in tickets_daily: its OPD, priority and intervals; and a list of such as the columns of the table. */}}
{{define "intervals of a ticket"}}(ifNull(opd, '')::String, ifNull(priority, '')::String,
             toInt64(round(1000 * dispatch_seconds)), toInt64(round(1000 * acknowledge_seconds)), toInt64(round(1000 * turnout_seconds)),
             toInt64(round(1000 * travel_seconds)), toInt64(round(1000 * respond_seconds)), toInt64(round(1000 * own_seconds)),
             toInt64(round(1000 * resolve_seconds)), toInt64(round(1000 * resolve_net_seconds)), toInt64(round(1000 * confirm_seconds))){{end}}
{{define "list of tickets"}}arrayMap(t -> t.1, list) AS opds,
    arrayMap(t -> t.2, list) AS priorities,
    arrayMap(t -> t.3, list) AS dispatch_ms,
    arrayMap(t -> t.4, list) AS acknowledge_ms,
    arrayMap(t -> t.5, list) AS turnout_ms,
    arrayMap(t -> t.6, list) AS travel_ms,
    arrayMap(t -> t.7, list) AS respond_ms,
    arrayMap(t -> t.8, list) AS own_ms,
    arrayMap(t -> t.9, list) AS resolve_ms,
    arrayMap(t -> t.10, list) AS resolve_net_ms,
    arrayMap(t -> t.11, list) AS confirm_ms{{end}}

-- tickets_rollup states how a row of tickets_daily is computed, and gives an empty row for one that stands there and has no
-- ticket any more. Its arguments are those of clocks_rollup.
CREATE OR REPLACE VIEW {{db}}.tickets_rollup AS
SELECT
    center, day, scope,
    {{template "list of tickets"}},
    arrayMap(t -> t.12, list) AS categories,
    arrayMap(t -> t.13, list) AS paused_s,
    arrayMap(o -> o.1, opened) AS `open.id`,
    arrayMap(o -> o.2, opened) AS `open.opd`,
    arrayMap(o -> o.3, opened) AS `open.category`,
    arrayMap(o -> o.4, opened) AS `open.priority`,
    arrayMap(o -> o.5, opened) AS `open.kecamatan`,
    arrayMap(o -> o.6, opened) AS `open.last_event_at`
FROM
(
    SELECT center, day, scope, arraySort(t -> (t.1, t.2), groupArrayIf(ticket, counts)) AS list,
        groupArrayIf(facts, counts AND still) AS opened
    FROM
    (
        SELECT center, assumeNotNull(day) AS day, ifNull(t.scope, 'own')::String AS scope, true AS counts,
            tupleConcat({{template "intervals of a ticket"}}, (ifNull(category, '')::String, paused_s)) AS ticket, open AS still,
            (id, ticket.1, ticket.12, ticket.2, ifNull(kecamatan, '')::String, last_event_at) AS facts
        FROM {{db}}.tickets_now AS t
        WHERE t.center IN {centers:Array(String)} AND t.state != 'merged' AND t.day IS NOT NULL
            AND (t.center, assumeNotNull(t.day)) IN {days:Array(Tuple(String, Date))}
        UNION ALL
        SELECT center, day, scope, false,
            ('', '', NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64),
             NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64), '', 0::Int64),
            false, ('', '', '', '', '', NULL::Nullable(DateTime64(3, 'UTC')))
        FROM {{db}}.tickets_daily
        WHERE center IN {centers:Array(String)} AND (center, day) IN {days:Array(Tuple(String, Date))}
    )
    GROUP BY center, day, scope
);

-- tickets_open: the open tickets, as tickets_now has them.
CREATE OR REPLACE VIEW {{db}}.tickets_open AS
SELECT center, day, scope, id, opd, category, priority, kecamatan, last_event_at
FROM {{db}}.tickets_daily FINAL
ARRAY JOIN open.id AS id, open.opd AS opd, open.category AS category, open.priority AS priority,
    open.kecamatan AS kecamatan, open.last_event_at AS last_event_at;

CREATE OR REPLACE VIEW {{db}}.tickets_counted AS
SELECT
    center, day, scope, opds, priorities, dispatch_ms, acknowledge_ms, turnout_ms, travel_ms, respond_ms, own_ms,
    resolve_ms, resolve_net_ms, confirm_ms
FROM {{db}}.tickets_daily FINAL
WHERE day >= {since:Date} AND day < {until:Date}{{if not present}} AND {as_of:Nullable(String)} IS NULL
UNION ALL
SELECT
    center, day, scope,
    {{template "list of tickets"}}
FROM
(
    SELECT center, assumeNotNull(t.day) AS day, ifNull(t.scope, 'own')::String AS scope,
        groupArray({{template "intervals of a ticket"}}) AS list
    FROM {{db}}.tickets_at(at = {{template "as of"}}) AS t
    WHERE state != 'merged' AND t.day >= {since:Date} AND t.day < {until:Date}
    GROUP BY center, day, scope
){{end}};
