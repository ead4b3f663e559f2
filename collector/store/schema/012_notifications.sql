-- notifications: who was told what, and when, as Alertmanager reports it: one row for each alert of each message to a
-- receiver. It takes the place of the table of that name in 006, which nothing ever wrote to. A row's key follows from the
-- message, so that one that comes twice is one.
DROP TABLE IF EXISTS notifications;

CREATE TABLE IF NOT EXISTS notifications
(
    -- '' for a condition of no centre.
    center      LowCardinality(String),
    -- ticket, digest or condition.
    kind        LowCardinality(String),
    -- The ticket's id; '' for the other kinds.
    subject     String,
    -- When the collector heard of the message, moments after it left.
    told_at     DateTime64(3, 'UTC'),
    -- Names the message to the receiver.
    message     String,
    -- Names the alert within it, as Alertmanager does.
    fingerprint String,
    receiver    LowCardinality(String),
    alertname   LowCardinality(String),
    -- risk, overdue, escalated, escalated2 or closed of a ticket; the severity of a condition.
    level       LowCardinality(String),
    -- firing or resolved.
    status      LowCardinality(String),
    opd         LowCardinality(Nullable(String)),
    priority    LowCardinality(Nullable(String)),
    starts_at   DateTime64(3, 'UTC'),
    ends_at     Nullable(DateTime64(3, 'UTC')),
    -- How many alerts the message listed.
    alerts      UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (center, kind, subject, told_at, message, fingerprint);
