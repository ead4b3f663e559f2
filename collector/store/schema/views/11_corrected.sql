-- monev_corrected: the clocks of tickets that were late when a correction or withdrawal was received which took the
-- lateness away, with both verdicts: until it was received (before), and now or as of an instant (after; state_after is
-- 'none' where there is no such clock any more). Days are those on which the late clock had begun, also of a ticket of
-- which nothing is left. With as_of, corrections that were received later are left out.
CREATE OR REPLACE VIEW {{db}}.monev_corrected AS
SELECT
    c.center AS center, c.ticket AS ticket, c.clock AS clock, c.seq AS seq, c.opd AS opd, c.scope AS scope, c.day AS day,
    c.corrected_at AS corrected_at, c.started_at AS started_before, c.due_at AS due_before, c.stopped_at AS stopped_before,
    dateDiff('millisecond', c.due_at, coalesce(c.stopped_at, c.corrected_at)) / 1000 AS late_before_seconds,
    if(n.state IN ('', 'void'), 'none', n.state) AS state_after,
    if(state_after = 'none', NULL, n.breach_at) AS due_after,
    if(state_after = 'none' OR NOT n.stopped, NULL, n.stopped_at) AS stopped_after
FROM
(
    SELECT center::String AS center, id AS ticket, clock::String AS clock, seq, opd_of::String AS opd, scope_of::String AS scope,
        day_of AS day, corrected_at, started_at, due_at, stopped_at
    FROM {{db}}.tickets FINAL
    ARRAY JOIN `corrected.clock` AS clock, `corrected.seq` AS seq, `corrected.opd` AS opd_of, `corrected.scope` AS scope_of,
        `corrected.day` AS day_of, `corrected.received_at` AS corrected_at, `corrected.started_at` AS started_at,
        `corrected.due_at` AS due_at, `corrected.stopped_at` AS stopped_at
    WHERE day_of >= {since:Date} AND day_of < {until:Date} AND NOT has(flags, 'test')
        AND corrected_at <= parseDateTime64BestEffort({{template "as of or always"}}, 3, 'UTC')
) AS c
LEFT JOIN
(
    SELECT center::String AS center, subject, clock::String AS clock, seq, state, stopped, breach_at, stopped_at
    FROM {{template "clocks judged"}} AS k
    WHERE k.subject_kind = 'ticket' AND (k.center, k.subject) IN (SELECT center, id FROM {{db}}.tickets WHERE notEmpty(`corrected.day`))
) AS n ON n.center = c.center AND n.subject = c.ticket AND n.clock = c.clock AND n.seq = c.seq;
