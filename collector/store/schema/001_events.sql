-- events: every fact as it was sent. Rows are never deleted: any case can be folded again from here.
-- An absent text is '' (a sender cannot send an empty text), an absent time or number is NULL.
-- Only this table has a deduplication window: rows of the other tables are upserts, where a repeat is harmless and a
-- dropped block is not. On a replicated cluster the same setting is replicated_deduplication_window.
-- A column TTL empties personal data, counted from when the event came in; the digest stays and still proves its content.
CREATE TABLE IF NOT EXISTS events
(
    center        LowCardinality(String),
    subject_kind  LowCardinality(String),
    subject       String CODEC(ZSTD(1)),
    source        LowCardinality(String),
    id            String CODEC(ZSTD(1)),
    type          LowCardinality(String),
    occurred_at   DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    received_at   DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    digest        FixedString(16) CODEC(NONE),
    caller_key_id LowCardinality(String),
    caller_key    String CODEC(ZSTD(1)) TTL toDateTime(received_at) + INTERVAL 13 MONTH,
    caller_last3  String CODEC(ZSTD(1)) TTL toDateTime(received_at) + INTERVAL 13 MONTH,
    agent         LowCardinality(String),
    queue         LowCardinality(String),
    position      LowCardinality(String),
    channel       LowCardinality(String),
    class         LowCardinality(String),
    category      LowCardinality(String),
    priority      LowCardinality(String),
    opd           LowCardinality(String),
    kecamatan     LowCardinality(String),
    reason        LowCardinality(String),
    result        LowCardinality(String),
    calls         Array(String) CODEC(ZSTD(1)),
    master        String CODEC(ZSTD(1)),
    due           Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    lat           Nullable(Float64) CODEC(ZSTD(1)),
    lon           Nullable(Float64) CODEC(ZSTD(1)),
    ring_ms       Nullable(Int64) CODEC(ZSTD(1)),
    wait_ms       Nullable(Int64) CODEC(ZSTD(1)),
    replaces      String CODEC(ZSTD(1)),
    revision      UInt32 CODEC(ZSTD(1)),
    attributes    Map(String, String) CODEC(ZSTD(1)) TTL toDateTime(received_at) + INTERVAL 24 MONTH,

    INDEX id_bloom id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX calls_bloom calls TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX occurred_minmax occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(occurred_at)
ORDER BY (center, subject_kind, subject, source, id)
SETTINGS non_replicated_deduplication_window = 10000;
