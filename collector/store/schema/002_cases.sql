-- calls, tickets, clocks: one row a case (a clock), replaced by the row of the highest version. Facts only, an absent
-- fact is NULL; what depends on the present is computed by the views. No partitions: a correction moves times, and a
-- row must always meet its successor in the same partition.
CREATE TABLE IF NOT EXISTS calls
(
    center              LowCardinality(String),
    id                  String CODEC(ZSTD(1)),
    version             UInt64 CODEC(Delta(8), ZSTD(1)),
    -- t0 of the call, or the earliest stamp in the order of a call's life when the source has no t0.
    at                  Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    -- The calendar day of `at` in the centre's own time zone.
    day                 Nullable(Date) CODEC(ZSTD(1)),
    received_at         Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    queued_at           Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    answered_at         Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    abandoned_at        Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    unserved_at         Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    unserved_reason     LowCardinality(Nullable(String)),
    blocked_at          Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    ended_at            Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    classified_at       Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    first_classified_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    called_back_at      Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    class               LowCardinality(Nullable(String)),
    category            LowCardinality(Nullable(String)),
    agent               LowCardinality(Nullable(String)),
    queue               LowCardinality(Nullable(String)),
    position            LowCardinality(Nullable(String)),
    channel             LowCardinality(Nullable(String)),
    kecamatan           LowCardinality(Nullable(String)),
    wait_ms             Nullable(Int64) CODEC(ZSTD(1)),
    caller_key_id       LowCardinality(Nullable(String)),
    caller_key          Nullable(String) CODEC(ZSTD(1)) TTL written_at + INTERVAL 13 MONTH,
    caller_last3        Nullable(String) CODEC(ZSTD(1)) TTL written_at + INTERVAL 13 MONTH,
    tickets             Array(String) CODEC(ZSTD(1)),
    flags               Array(LowCardinality(String)),
    -- Number of events behind the row; 0 is a call that only tickets speak of, which no count of calls contains.
    events              UInt32 CODEC(ZSTD(1)),
    written_at          DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1)),

    INDEX at_minmax at TYPE minmax GRANULARITY 1,
    INDEX day_minmax day TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (center, id);

CREATE TABLE IF NOT EXISTS tickets
(
    center           LowCardinality(String),
    id               String CODEC(ZSTD(1)),
    version          UInt64 CODEC(Delta(8), ZSTD(1)),
    opd              LowCardinality(Nullable(String)),
    scope            LowCardinality(Nullable(String)),
    category         LowCardinality(Nullable(String)),
    priority         LowCardinality(Nullable(String)),
    kecamatan        LowCardinality(Nullable(String)),
    state            LowCardinality(String),
    -- opened_at; without it received_at, assigned_at or the latest event. And its calendar day in the centre's time zone.
    at               Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    day              Nullable(Date) CODEC(ZSTD(1)),
    received_at      Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    answered_at      Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    opened_at        Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    assigned_at      Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    acknowledged_at  Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    departed_at      Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    arrived_at       Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    resolved_at      Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    last_resolved_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    confirmed_at     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    closed_at        Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    first_closed_at  Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    rejected_at      Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    merged_at        Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    reopened_at      Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    due              Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    due_opd          LowCardinality(Nullable(String)),
    result           LowCardinality(Nullable(String)),
    reopened         UInt32 CODEC(ZSTD(1)),
    bounces          UInt32 CODEC(ZSTD(1)),
    -- Seconds of the pauses that have ended, as sent; what a clock counts of them is clocks.paused_s.
    paused_s         Int64 CODEC(ZSTD(1)),
    paused_since     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    master           Nullable(String) CODEC(ZSTD(1)),
    lat              Nullable(Float64) CODEC(ZSTD(1)),
    lon              Nullable(Float64) CODEC(ZSTD(1)),
    calls            Array(String) CODEC(ZSTD(1)),
    -- The stays of the ticket at its OPDs, one element a stay; and its pauses. Parallel arrays.
    `stays.opd`             Array(LowCardinality(String)),
    `stays.at`              Array(DateTime64(3, 'UTC')),
    `stays.acknowledged_at` Array(Nullable(DateTime64(3, 'UTC'))),
    `stays.ended_at`        Array(Nullable(DateTime64(3, 'UTC'))),
    `pauses.since`          Array(DateTime64(3, 'UTC')),
    `pauses.until`          Array(Nullable(DateTime64(3, 'UTC'))),
    `pauses.reason`         Array(LowCardinality(String)),
    flags            Array(LowCardinality(String)),
    events           UInt32 CODEC(ZSTD(1)),
    last_event_at    Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),

    INDEX at_minmax at TYPE minmax GRANULARITY 1,
    INDEX day_minmax day TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (center, id);

CREATE TABLE IF NOT EXISTS clocks
(
    center           LowCardinality(String),
    subject_kind     LowCardinality(String),
    subject          String CODEC(ZSTD(1)),
    clock            LowCardinality(String),
    seq              UInt16,
    version          UInt64 CODEC(Delta(8), ZSTD(1)),
    kind             LowCardinality(String),
    policy           LowCardinality(String),
    policy_version   LowCardinality(String),
    -- Which entry of the policy's clocks gave the target, from 1; 0 for a due time that the source states.
    policy_line      UInt16 CODEC(ZSTD(1)),
    calendar_version LowCardinality(Nullable(String)),
    opd              LowCardinality(Nullable(String)),
    scope            LowCardinality(Nullable(String)),
    category         LowCardinality(Nullable(String)),
    priority         LowCardinality(Nullable(String)),
    kecamatan        LowCardinality(Nullable(String)),
    -- The calendar day of started_at in the centre's own time zone.
    day              Nullable(Date) CODEC(ZSTD(1)),
    started_at       Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    due_at           Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    gross_due_at     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    paused_since     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    pause_ends_at    Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    -- Late after this instant if nothing more is heard: due_at, or later while a pause runs.
    breach_at        Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    stopped_at       Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    paused_s         Int64 CODEC(ZSTD(1)),
    risk_at          Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    escalated_at     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    escalated2_at    Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    void             Bool,

    INDEX started_minmax started_at TYPE minmax GRANULARITY 1,
    INDEX day_minmax day TYPE minmax GRANULARITY 1,
    INDEX due_minmax due_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (center, subject_kind, subject, clock, seq);
