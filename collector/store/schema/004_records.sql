-- What the collector records beside the cases: frozen months, notifications, what this database is, and what was deleted.

-- frozen: the figures of a month as they were reported, kept whatever is recomputed later. A month may be frozen again, for
-- a stated reason, as a new revision: the earlier ones stay. What the figures rest on is kept beside them, so that a later
-- difference can be explained. The primary key is shorter for no reason but history: databases made before the first
-- release have it so, and a key cannot be changed.
CREATE TABLE IF NOT EXISTS frozen
(
    month              Date,
    center             LowCardinality(String),
    figure             LowCardinality(String),
    -- What the figure is split by, as sorted "name=value" pairs joined by commas; '' is the whole.
    dims               String,
    numerator          Float64,
    denominator        Float64,
    n                  UInt64,
    value              Nullable(Float64),
    definition_version LowCardinality(String),
    frozen_at          DateTime64(3, 'UTC'),
    revision           UInt16,
    -- Why the month was frozen again; '' for the first revision.
    reason             String,
    -- Sorted "name=value" pairs that the figure was computed with, beside those in dims.
    parameters         String,
    -- "name/version" of the policies and calendars of the clocks that are counted.
    policy_versions    Array(LowCardinality(String)),
    calendar_versions  Array(LowCardinality(String))
)
ENGINE = ReplacingMergeTree(frozen_at)
PRIMARY KEY (center, month, figure, dims)
ORDER BY (center, month, figure, dims, revision);

-- notifications: who was told what, and when, as Alertmanager reports it: one row for each alert of each message to a
-- receiver. A row's key follows from the message, so that one that comes twice is one.
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

-- identity: what names this database, made once, when it is first prepared. It is never copied into another: a collector
-- that finds a name it does not know has been given another ClickHouse, and sends again what its journal holds.
CREATE TABLE IF NOT EXISTS identity
(
    id      UUID,
    made_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY id;

-- restores: which backups filled this database. A restore that began and did not end (ended_at is NULL) left a part of the
-- rows only: nothing is shipped here before it was done again. position is up to where of the journal the backup has every
-- event; the collector of that journal goes on from there.
CREATE TABLE IF NOT EXISTS restores
(
    backup   UUID,
    taken_at DateTime64(3, 'UTC'),
    journal  String,
    position UInt64,
    began_at DateTime64(3, 'UTC'),
    ended_at Nullable(DateTime64(3, 'UTC')),
    version  UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY backup;

-- retention: the proof of what was deleted, one row for each place and kind of each run that deleted something. Rows are
-- added and never changed.
CREATE TABLE IF NOT EXISTS retention
(
    at     DateTime64(3, 'UTC'),
    -- events, calls, board, refused or dead.
    place  LowCardinality(String),
    -- caller, attributes or entry.
    kind   LowCardinality(String),
    -- What happened before this instant was due; oldest is when the oldest of it happened.
    cutoff DateTime64(3, 'UTC'),
    due    UInt64,
    oldest Nullable(DateTime64(3, 'UTC')),
    -- Still there when it was counted again.
    left   UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (at, place, kind);
