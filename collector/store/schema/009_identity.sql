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
