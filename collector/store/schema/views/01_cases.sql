-- What people query: each event, call, ticket and clock once, with what follows from its facts. The conditions are those
-- of the packages casefile and sla, stated a second time in SQL; tests compare the two.

CREATE OR REPLACE VIEW {{db}}.events_now AS SELECT * FROM {{db}}.events FINAL;

-- calls_now leaves out test calls and calls of which only tickets speak.
CREATE OR REPLACE VIEW {{db}}.calls_now AS
SELECT
    *,
    -- A class that says something; 'belum' says that there is none yet.
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
    if(first_classified_at >= answered_at, dateDiff('millisecond', answered_at, first_classified_at) / 1000, NULL) AS classify_seconds
FROM {{db}}.calls FINAL
WHERE events > 0 AND ifNull(class, '') != 'uji';

CREATE OR REPLACE VIEW {{db}}.tickets_now AS
SELECT
    *,
    (state NOT IN ('resolved', 'confirmed', 'closed', 'merged'))::Bool AS open,
    (paused_since IS NOT NULL)::Bool AS paused,
    if(assigned_at >= answered_at, dateDiff('millisecond', answered_at, assigned_at) / 1000, NULL) AS dispatch_seconds,
    if(acknowledged_at >= `stays.at`[-1] AND notEmpty(`stays.at`), dateDiff('millisecond', `stays.at`[-1], acknowledged_at) / 1000, NULL) AS acknowledge_seconds,
    if(departed_at >= acknowledged_at, dateDiff('millisecond', acknowledged_at, departed_at) / 1000, NULL) AS turnout_seconds,
    if(arrived_at >= departed_at, dateDiff('millisecond', departed_at, arrived_at) / 1000, NULL) AS travel_seconds,
    if(arrived_at >= received_at, dateDiff('millisecond', received_at, arrived_at) / 1000, NULL) AS respond_seconds,
    if(arrived_at >= assigned_at, dateDiff('millisecond', assigned_at, arrived_at) / 1000, NULL) AS own_seconds,
    if(resolved_at >= opened_at, dateDiff('millisecond', opened_at, resolved_at) / 1000, NULL) AS resolve_seconds,
    -- resolve_seconds less the pauses, of each the part that lies between opening and resolution.
    resolve_seconds - arraySum((since, until) -> greatest(0, dateDiff('millisecond',
        greatest(since, assumeNotNull(opened_at)), least(ifNull(until, assumeNotNull(resolved_at)), assumeNotNull(resolved_at)))),
        `pauses.since`, `pauses.until`) / 1000 AS resolve_net_seconds,
    if(confirmed_at >= last_resolved_at, dateDiff('millisecond', last_resolved_at, confirmed_at) / 1000, NULL) AS confirm_seconds
FROM {{db}}.tickets FINAL
WHERE events > 0;

{{- /* What a clock is at the instant `at`. */}}
{{define "clock at"}}stopped_at IS NOT NULL AND stopped_at <= at AS stopped,
    least(coalesce(stopped_at, at), at) AS until,
    multiIf(void, 'void',
            until > breach_at, 'breached',
            stopped, 'met',
            paused_since <= at AND at < pause_ends_at, 'paused',
            'running') AS state,
    -- Runs on later than its due time; how late it is or was when it stopped.
    (state = 'breached' AND NOT stopped)::Bool AS overdue,
    if(state = 'breached', dateDiff('millisecond', breach_at, until) / 1000, 0) AS late_seconds,
    -- How far up the ladder a clock that runs has come: '' risk overdue escalated escalated2.
    multiIf(void OR stopped, '',
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

-- The same at a past instant in UTC, from all that is known today: SELECT ... FROM clocks_at(at = '2026-10-01 00:00:00').
-- Breached or not is exact whatever was paused after the instant: only a clock that is not late yet can be paused. A pause
-- that has ended since then shows as running.
CREATE OR REPLACE VIEW {{db}}.clocks_at AS
SELECT
    *,
    {at:DateTime64(3, 'UTC')} AS at,
    {{template "clock at"}}
FROM {{db}}.clocks FINAL
WHERE started_at <= {at:DateTime64(3, 'UTC')};
