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
