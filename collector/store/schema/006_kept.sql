-- frozen: the figures of a month as they were reported, kept whatever is recomputed later. A figure is frozen once: the
-- collector refuses to freeze a month twice, and a later recomputation is reported as a difference against these rows.
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
    frozen_at          DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(frozen_at)
ORDER BY (center, month, figure, dims);

-- notifications: what the pager told whom about a clock; one row a clock and level, the latest state of it.
CREATE TABLE IF NOT EXISTS notifications
(
    center          LowCardinality(String),
    subject_kind    LowCardinality(String),
    subject         String,
    clock           LowCardinality(String),
    seq             UInt16,
    -- risk, overdue, escalated or escalated2.
    level           LowCardinality(String),
    version         UInt64,
    opd             LowCardinality(Nullable(String)),
    scope           LowCardinality(Nullable(String)),
    priority        LowCardinality(Nullable(String)),
    due_at          Nullable(DateTime64(3, 'UTC')),
    first_pushed_at DateTime64(3, 'UTC'),
    last_pushed_at  DateTime64(3, 'UTC'),
    resolved_at     Nullable(DateTime64(3, 'UTC')),
    pushes          UInt32
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (center, subject_kind, subject, clock, seq, level);
