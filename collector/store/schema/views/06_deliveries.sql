-- deliveries: each alert of each message that the collector sent to a person, with what became of it and when the ticket
-- was acknowledged after it: by the OPD that was told, for the first time after it; of one to the leadership, by the OPD
-- that has the ticket. By WhatsApp a message is delivered when the telephone says so; by Telegram and e-mail no more is
-- known than that it was accepted. late_since is when the clock of a late ticket was due.
{{- /* What became of the message of a notification. */}}
{{define "delivery state"}}multiIf(read_at IS NOT NULL, 'read', delivered_at IS NOT NULL, 'delivered', failed_at IS NOT NULL, 'failed',
        accepted_at IS NOT NULL, 'accepted', 'waiting'){{end}}

{{- /* The deliveries; only the tickets of notifications that fulfil a condition are read. */}}
{{define "delivered"}}SELECT
    n.center AS center, n.opd AS opd, n.kind AS kind, n.level AS level, n.subject AS ticket, n.priority AS priority,
    n.message AS message, n.round AS round, n.channel AS channel, n.contact AS contact, n.told_at AS told_at,
    n.accepted_at AS accepted_at, n.delivered_at AS delivered_at, n.read_at AS read_at, n.failed_at AS failed_at,
    n.code AS code, n.twice AS twice,
    {{template "delivery state"}} AS state,
    if(n.opd IS NULL, if(t.acknowledged_at >= n.told_at, t.acknowledged_at, NULL),
        arraySort(arrayFilter((a, o) -> ifNull(o = n.opd AND a >= n.told_at, false), t.acknowledgements, t.opds))[1]) AS acknowledged_at,
    n.late_since AS late_since, n.tries AS tries, n.moved AS moved
FROM {{db}}.notifications AS n FINAL
LEFT JOIN
(
    SELECT center, id, toNullable(acknowledged_at) AS acknowledged_at, `stays.opd` AS opds, `stays.acknowledged_at` AS acknowledgements
    FROM {{db}}.tickets_now
    WHERE (center, id) IN (SELECT center, subject FROM {{db}}.notifications WHERE channel != ''{{.}})
) AS t ON t.center = n.center AND t.id = n.subject
WHERE n.channel != ''{{end}}

CREATE OR REPLACE VIEW {{db}}.deliveries AS
{{template "delivered" ""}};

{{define "told"}}told_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND told_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC'){{end}}

-- deliveries_by_opd: the messages of a time, since <= told_at < until in milliseconds since 1970, by OPD ('' is the
-- leadership) and channel. delivered: the telephone says so, or, but for WhatsApp, the channel took it. to_read and
-- to_acknowledged are medians, in seconds, over the late tickets in those that did not fail, each once: from when its
-- clock was due until somebody read of it (of reads tickets), until the OPD acknowledged it (of acknowledgements).
CREATE OR REPLACE VIEW {{db}}.deliveries_by_opd AS
SELECT m.center AS center, m.office AS opd, m.channel AS channel, m.messages AS messages, m.delivered AS delivered,
    m.seen AS seen, m.failed AS failed, t.reads AS reads, if(t.reads = 0, NULL, t.read_after) AS to_read,
    t.acknowledgements AS acknowledgements, if(t.acknowledgements = 0, NULL, t.acknowledged_after) AS to_acknowledged
FROM
(
    SELECT center, ifNull(opd, '') AS office, channel, uniqExact(message) AS messages,
        uniqExactIf(message, state IN ('delivered', 'read') OR channel != 'whatsapp' AND state = 'accepted') AS delivered,
        uniqExactIf(message, state = 'read') AS seen, uniqExactIf(message, state = 'failed') AS failed
    FROM (SELECT *, {{template "delivery state"}} AS state FROM {{db}}.notifications FINAL WHERE channel != '')
    WHERE {{template "told"}} AND state != 'waiting'
    GROUP BY center, office, channel
) AS m
LEFT JOIN
(
    SELECT center, office, channel, countIf(at_read IS NOT NULL) AS reads,
        toFloat64(quantileExactIf(0.5)(dateDiff('second', since_when, ifNull(at_read, since_when)), at_read IS NOT NULL)) AS read_after,
        countIf(at_ack IS NOT NULL) AS acknowledgements,
        toFloat64(quantileExactIf(0.5)(dateDiff('second', since_when, ifNull(at_ack, since_when)), at_ack IS NOT NULL)) AS acknowledged_after
    FROM
    (
        SELECT center, ifNull(opd, '') AS office, channel, ticket, assumeNotNull(min(late_since)) AS since_when,
            min(read_at) AS at_read, min(acknowledged_at) AS at_ack
        FROM ({{template "delivered" " AND late_since IS NOT NULL"}})
        WHERE {{template "told"}} AND state != 'waiting' AND late_since IS NOT NULL AND state != 'failed'
        GROUP BY center, office, channel, ticket
    )
    GROUP BY center, office, channel
) AS t ON t.center = m.center AND t.office = m.office AND t.channel = m.channel;
