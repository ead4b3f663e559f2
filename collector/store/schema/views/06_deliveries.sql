-- deliveries: each alert of each message that the collector sent to a person, with what became of it and when the OPD
-- acknowledged the ticket after it. By WhatsApp a message is delivered when the telephone says so; by Telegram and e-mail
-- no more is known than that it was accepted.
CREATE OR REPLACE VIEW {{db}}.deliveries AS
SELECT
    n.center AS center, n.opd AS opd, n.kind AS kind, n.level AS level, n.subject AS ticket, n.priority AS priority,
    n.message AS message, n.round AS round, n.channel AS channel, n.contact AS contact, n.told_at AS told_at,
    n.accepted_at AS accepted_at, n.delivered_at AS delivered_at, n.read_at AS read_at, n.failed_at AS failed_at,
    n.code AS code, n.twice AS twice,
    multiIf(n.read_at IS NOT NULL, 'read', n.delivered_at IS NOT NULL, 'delivered', n.failed_at IS NOT NULL, 'failed',
        n.accepted_at IS NOT NULL, 'accepted', 'waiting') AS state,
    if(t.acknowledged_at >= n.told_at, t.acknowledged_at, NULL) AS acknowledged_at
FROM {{db}}.notifications AS n FINAL
LEFT JOIN (SELECT center, id, toNullable(acknowledged_at) AS acknowledged_at FROM {{db}}.tickets_now) AS t
    ON t.center = n.center AND t.id = n.subject
WHERE n.channel != '';
