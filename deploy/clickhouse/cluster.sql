-- Generated from collector/store/schema by make generate. DO NOT EDIT.
--
-- NOT TESTED: no cluster was at hand when this was written. It is the schema as docs/scale.md means it for a cluster:
-- every table replicated and, where it grows, cut by centre, so that every row of a case, and every replacement of it,
-- lies on one shard, FINAL is right on each shard alone, and a join of two tables of one centre needs no other shard:
--
--   SET distributed_product_mode = 'local';
--
-- The cluster is called monev112; {shard} and {replica} are macros of each server.

CREATE TABLE IF NOT EXISTS events_local ON CLUSTER monev112
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
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYear(occurred_at)
ORDER BY (center, subject_kind, subject, source, id)
SETTINGS replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS calls_local ON CLUSTER monev112
(
    center              LowCardinality(String),
    id                  String CODEC(ZSTD(1)),
    version             UInt64 CODEC(Delta(8), ZSTD(1)),
    
    at                  Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    
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
    
    events              UInt32 CODEC(ZSTD(1)),
    written_at          DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1)),

    INDEX at_minmax at TYPE minmax GRANULARITY 1,
    INDEX day_minmax day TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
ORDER BY (center, id);

CREATE TABLE IF NOT EXISTS tickets_local ON CLUSTER monev112
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
    
    paused_s         Int64 CODEC(ZSTD(1)),
    paused_since     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    master           Nullable(String) CODEC(ZSTD(1)),
    lat              Nullable(Float64) CODEC(ZSTD(1)),
    lon              Nullable(Float64) CODEC(ZSTD(1)),
    calls            Array(String) CODEC(ZSTD(1)),
    
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
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
ORDER BY (center, id);

CREATE TABLE IF NOT EXISTS clocks_local ON CLUSTER monev112
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
    
    policy_line      UInt16 CODEC(ZSTD(1)),
    calendar_version LowCardinality(Nullable(String)),
    opd              LowCardinality(Nullable(String)),
    scope            LowCardinality(Nullable(String)),
    category         LowCardinality(Nullable(String)),
    priority         LowCardinality(Nullable(String)),
    kecamatan        LowCardinality(Nullable(String)),
    
    day              Nullable(Date) CODEC(ZSTD(1)),
    started_at       Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    due_at           Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    gross_due_at     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    paused_since     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    pause_ends_at    Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    
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
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
ORDER BY (center, subject_kind, subject, clock, seq);

CREATE TABLE IF NOT EXISTS calls_hourly_local ON CLUSTER monev112
(
    center        LowCardinality(String),
    hour          DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    version       UInt64 CODEC(Delta(8), ZSTD(1)),
    
    day           Date CODEC(Delta(2), ZSTD(1)),
    received      UInt32,
    offered       UInt32,
    answered      UInt32,
    
    stamped       UInt32,
    abandoned     UInt32,
    unserved      UInt32,
    blocked       UInt32,
    
    classified    UInt32,
    hoax          UInt32,
    normal        UInt32,
    informasi     UInt32,
    prank         UInt32,
    prank_palsu   UInt32,
    ghost         UInt32,
    pocket        UInt32,
    misrouted     UInt32,
    putus         UInt32,
    duplikat      UInt32,
    
    to_hoax       UInt32,
    to_own        UInt32,
    to_vertical   UInt32,
    to_centre     UInt32,
    to_none       UInt32,
    to_unclassified UInt32,
    to_unanswered UInt32,
    
    answer_ms     Array(Int64) CODEC(Delta(8), ZSTD(1)),
    abandon_ms    Array(Int64) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
ORDER BY (center, hour);

CREATE TABLE IF NOT EXISTS hours_pending_local ON CLUSTER monev112
(
    center  LowCardinality(String),
    hour    DateTime('UTC'),
    version UInt64,
    done    Bool
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
ORDER BY (center, hour);

CREATE TABLE IF NOT EXISTS clocks_daily_local ON CLUSTER monev112
(
    center          LowCardinality(String),
    clock           LowCardinality(String),
    day             Date CODEC(Delta(2), ZSTD(1)),
    version         UInt64 CODEC(Delta(8), ZSTD(1)),
    
    opds            Array(LowCardinality(String)),
    scopes          Array(LowCardinality(String)),
    
    met_counts      Array(UInt32),
    late_counts     Array(UInt32),
    
    open_breach_at  Array(Array(Nullable(DateTime64(3, 'UTC')))),
    open_stopped_at Array(Array(Nullable(DateTime64(3, 'UTC'))))
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
ORDER BY (clock, center, day);

CREATE TABLE IF NOT EXISTS tickets_daily_local ON CLUSTER monev112
(
    center         LowCardinality(String),
    day            Date CODEC(Delta(2), ZSTD(1)),
    scope          LowCardinality(String),
    version        UInt64 CODEC(Delta(8), ZSTD(1)),
    
    opds           Array(LowCardinality(String)),
    priorities     Array(LowCardinality(String)),
    dispatch_ms    Array(Nullable(Int64)),
    acknowledge_ms Array(Nullable(Int64)),
    turnout_ms     Array(Nullable(Int64)),
    travel_ms      Array(Nullable(Int64)),
    respond_ms     Array(Nullable(Int64)),
    own_ms         Array(Nullable(Int64)),
    resolve_ms     Array(Nullable(Int64)),
    resolve_net_ms Array(Nullable(Int64)),
    confirm_ms     Array(Nullable(Int64))
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
ORDER BY (center, day, scope);

CREATE TABLE IF NOT EXISTS days_pending_local ON CLUSTER monev112
(
    center  LowCardinality(String),
    day     Date,
    version UInt64,
    done    Bool
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
ORDER BY (center, day);

CREATE TABLE IF NOT EXISTS frozen_local ON CLUSTER monev112
(
    month              Date,
    center             LowCardinality(String),
    figure             LowCardinality(String),
    
    dims               String,
    numerator          Float64,
    denominator        Float64,
    n                  UInt64,
    value              Nullable(Float64),
    definition_version LowCardinality(String),
    frozen_at          DateTime64(3, 'UTC'),
    revision           UInt16,
    
    reason             String,
    
    parameters         String,
    
    policy_versions    Array(LowCardinality(String)),
    calendar_versions  Array(LowCardinality(String))
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', frozen_at)
PRIMARY KEY (center, month, figure, dims)
ORDER BY (center, month, figure, dims, revision);

CREATE TABLE IF NOT EXISTS notifications_local ON CLUSTER monev112
(
    
    center      LowCardinality(String),
    
    kind        LowCardinality(String),
    
    subject     String,
    
    told_at     DateTime64(3, 'UTC'),
    
    message     String,
    
    fingerprint String,
    receiver    LowCardinality(String),
    alertname   LowCardinality(String),
    
    level       LowCardinality(String),
    
    status      LowCardinality(String),
    opd         LowCardinality(Nullable(String)),
    priority    LowCardinality(Nullable(String)),
    starts_at   DateTime64(3, 'UTC'),
    ends_at     Nullable(DateTime64(3, 'UTC')),
    
    alerts      UInt32
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (center, kind, subject, told_at, message, fingerprint);

CREATE TABLE IF NOT EXISTS identity ON CLUSTER monev112
(
    id      UUID,
    made_at DateTime64(3, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{replica}')
ORDER BY id;

CREATE TABLE IF NOT EXISTS restores ON CLUSTER monev112
(
    backup   UUID,
    taken_at DateTime64(3, 'UTC'),
    journal  String,
    position UInt64,
    began_at DateTime64(3, 'UTC'),
    ended_at Nullable(DateTime64(3, 'UTC')),
    version  UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{replica}', version)
ORDER BY backup;

CREATE TABLE IF NOT EXISTS retention_local ON CLUSTER monev112
(
    at     DateTime64(3, 'UTC'),
    
    place  LowCardinality(String),
    
    kind   LowCardinality(String),
    
    cutoff DateTime64(3, 'UTC'),
    due    UInt64,
    oldest Nullable(DateTime64(3, 'UTC')),
    
    left   UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
ORDER BY (at, place, kind);

ALTER TABLE events_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS carries Array(LowCardinality(String)) CODEC(ZSTD(1));

ALTER TABLE clocks_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS unobserved Bool;

ALTER TABLE clocks_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS sources Array(LowCardinality(String));

ALTER TABLE clocks_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS unobserved_counts Array(UInt32);

ALTER TABLE events_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS blanked Array(LowCardinality(String)) CODEC(ZSTD(1));

ALTER TABLE tickets_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `stays.scope` Array(LowCardinality(String)) AFTER `stays.opd`;

ALTER TABLE events_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS record Map(String, String) CODEC(ZSTD(1));

ALTER TABLE events_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS changed_by LowCardinality(String) CODEC(ZSTD(1));

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS channel LowCardinality(String);

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS contact LowCardinality(String);

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS round UInt16;

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS accepted_at Nullable(DateTime64(3, 'UTC'));

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS delivered_at Nullable(DateTime64(3, 'UTC'));

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS read_at Nullable(DateTime64(3, 'UTC'));

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS failed_at Nullable(DateTime64(3, 'UTC'));

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS code Int32;

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS twice Bool;

ALTER TABLE events_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS outcome LowCardinality(String) CODEC(ZSTD(1));

ALTER TABLE calls_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS outcome LowCardinality(Nullable(String)) AFTER category;

ALTER TABLE calls_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS referred_to LowCardinality(Nullable(String)) AFTER outcome;

CREATE TABLE IF NOT EXISTS calls_daily_local ON CLUSTER monev112
(
    center        LowCardinality(String),
    
    day           Date CODEC(Delta(2), ZSTD(1)),
    version       UInt64 CODEC(Delta(8), ZSTD(1)),
    received      UInt32,
    offered       UInt32,
    answered      UInt32,
    stamped       UInt32,
    abandoned     UInt32,
    unserved      UInt32,
    blocked       UInt32,
    classified    UInt32,
    hoax          UInt32,
    normal        UInt32,
    informasi     UInt32,
    prank         UInt32,
    prank_palsu   UInt32,
    ghost         UInt32,
    pocket        UInt32,
    misrouted     UInt32,
    putus         UInt32,
    duplikat      UInt32,
    to_hoax       UInt32,
    to_own        UInt32,
    to_vertical   UInt32,
    to_centre     UInt32,
    to_none       UInt32,
    to_unclassified UInt32,
    to_unanswered UInt32,
    
    answer_ms     Array(Int64) CODEC(Delta(8), ZSTD(1)),
    abandon_ms    Array(Int64) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)
ORDER BY (center, day);

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS late_since Nullable(DateTime64(3, 'UTC'));

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS tries UInt16;

ALTER TABLE notifications_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS moved Bool;

ALTER TABLE tickets_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `corrected.received_at` Array(DateTime64(3, 'UTC')) AFTER flags;

ALTER TABLE tickets_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `corrected.clock` Array(LowCardinality(String)) AFTER `corrected.received_at`;

ALTER TABLE tickets_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `corrected.seq` Array(UInt16) AFTER `corrected.clock`;

ALTER TABLE tickets_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `corrected.opd` Array(LowCardinality(String)) AFTER `corrected.seq`;

ALTER TABLE tickets_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `corrected.scope` Array(LowCardinality(String)) AFTER `corrected.opd`;

ALTER TABLE tickets_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `corrected.day` Array(Date) AFTER `corrected.scope`;

ALTER TABLE tickets_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `corrected.started_at` Array(DateTime64(3, 'UTC')) AFTER `corrected.day`;

ALTER TABLE tickets_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `corrected.due_at` Array(DateTime64(3, 'UTC')) AFTER `corrected.started_at`;

ALTER TABLE tickets_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `corrected.stopped_at` Array(Nullable(DateTime64(3, 'UTC'))) AFTER `corrected.due_at`;

ALTER TABLE clocks_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS lacking Bool AFTER unobserved;

ALTER TABLE clocks_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `running.ticket` Array(String);

ALTER TABLE clocks_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `running.due_at` Array(Nullable(DateTime64(3, 'UTC')));

ALTER TABLE clocks_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `running.breach_at` Array(DateTime64(3, 'UTC'));

ALTER TABLE clocks_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `running.escalated_at` Array(Nullable(DateTime64(3, 'UTC')));

ALTER TABLE clocks_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `running.escalated2_at` Array(Nullable(DateTime64(3, 'UTC')));

ALTER TABLE tickets_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `open.id` Array(String);

ALTER TABLE tickets_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `open.opd` Array(LowCardinality(String));

ALTER TABLE tickets_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `open.category` Array(LowCardinality(String));

ALTER TABLE tickets_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `open.priority` Array(LowCardinality(String));

ALTER TABLE tickets_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `open.kecamatan` Array(LowCardinality(String));

ALTER TABLE tickets_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS `open.last_event_at` Array(Nullable(DateTime64(3, 'UTC')));

ALTER TABLE tickets_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS categories Array(LowCardinality(String)) AFTER priorities;

ALTER TABLE tickets_daily_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS paused_s Array(Int64);

ALTER TABLE hours_pending_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS since DateTime64(3, 'UTC') MATERIALIZED now64(3, 'UTC');

ALTER TABLE days_pending_local ON CLUSTER monev112 ADD COLUMN IF NOT EXISTS since DateTime64(3, 'UTC') MATERIALIZED now64(3, 'UTC');

CREATE TABLE IF NOT EXISTS events ON CLUSTER monev112 AS events_local
ENGINE = Distributed(monev112, currentDatabase(), events_local, cityHash64(center));

CREATE TABLE IF NOT EXISTS calls ON CLUSTER monev112 AS calls_local
ENGINE = Distributed(monev112, currentDatabase(), calls_local, cityHash64(center));

CREATE TABLE IF NOT EXISTS tickets ON CLUSTER monev112 AS tickets_local
ENGINE = Distributed(monev112, currentDatabase(), tickets_local, cityHash64(center));

CREATE TABLE IF NOT EXISTS clocks ON CLUSTER monev112 AS clocks_local
ENGINE = Distributed(monev112, currentDatabase(), clocks_local, cityHash64(center));

CREATE TABLE IF NOT EXISTS calls_hourly ON CLUSTER monev112 AS calls_hourly_local
ENGINE = Distributed(monev112, currentDatabase(), calls_hourly_local, cityHash64(center));

CREATE TABLE IF NOT EXISTS hours_pending ON CLUSTER monev112 AS hours_pending_local
ENGINE = Distributed(monev112, currentDatabase(), hours_pending_local, cityHash64(center));

CREATE TABLE IF NOT EXISTS clocks_daily ON CLUSTER monev112 AS clocks_daily_local
ENGINE = Distributed(monev112, currentDatabase(), clocks_daily_local, cityHash64(center));

CREATE TABLE IF NOT EXISTS tickets_daily ON CLUSTER monev112 AS tickets_daily_local
ENGINE = Distributed(monev112, currentDatabase(), tickets_daily_local, cityHash64(center));

CREATE TABLE IF NOT EXISTS days_pending ON CLUSTER monev112 AS days_pending_local
ENGINE = Distributed(monev112, currentDatabase(), days_pending_local, cityHash64(center));

CREATE TABLE IF NOT EXISTS frozen ON CLUSTER monev112 AS frozen_local
ENGINE = Distributed(monev112, currentDatabase(), frozen_local, cityHash64(center));

CREATE TABLE IF NOT EXISTS notifications ON CLUSTER monev112 AS notifications_local
ENGINE = Distributed(monev112, currentDatabase(), notifications_local, cityHash64(center));

CREATE TABLE IF NOT EXISTS retention ON CLUSTER monev112 AS retention_local
ENGINE = Distributed(monev112, currentDatabase(), retention_local, rand());

CREATE TABLE IF NOT EXISTS calls_daily ON CLUSTER monev112 AS calls_daily_local
ENGINE = Distributed(monev112, currentDatabase(), calls_daily_local, cityHash64(center));

CREATE OR REPLACE VIEW monev112.events_now ON CLUSTER monev112 AS SELECT * FROM monev112.events FINAL;

CREATE OR REPLACE VIEW monev112.calls_now ON CLUSTER monev112 AS
SELECT
    *,
    
    (ifNull(class NOT IN ('', 'belum'), false))::Bool AS classified,
    
    (answered_at IS NOT NULL OR classified)::Bool AS answered,
    
    if(blocked_at IS NULL, coalesce(queued_at, received_at), NULL) AS offered_at,
    (offered_at IS NOT NULL)::Bool AS offered,
    (abandoned_at IS NOT NULL AND answered_at IS NULL)::Bool AS abandoned,
    (unserved_at IS NOT NULL AND answered_at IS NULL)::Bool AS unserved,
    (blocked_at IS NOT NULL)::Bool AS blocked,
    (ifNull(class IN ('prank', 'prank_palsu'), false))::Bool AS hoax,
    
    
    multiIf(answered_at IS NULL, NULL,
            wait_ms IS NOT NULL, wait_ms,
            answered_at < coalesce(queued_at, received_at), NULL,
            dateDiff('millisecond', coalesce(queued_at, received_at), answered_at)) AS answer_ms,
    answer_ms / 1000 AS answer_seconds,
    
    multiIf(abandoned_at IS NULL OR answered_at IS NOT NULL, NULL,
            wait_ms IS NOT NULL, wait_ms,
            abandoned_at < coalesce(queued_at, received_at), NULL,
            dateDiff('millisecond', coalesce(queued_at, received_at), abandoned_at)) AS abandon_ms,
    abandon_ms / 1000 AS abandon_seconds,
    if(ended_at >= answered_at, dateDiff('millisecond', answered_at, ended_at) / 1000, NULL) AS talk_seconds,
    if(first_classified_at >= answered_at, dateDiff('millisecond', answered_at, first_classified_at) / 1000, NULL)
        AS classify_seconds
FROM monev112.calls FINAL
WHERE events > 0 AND ifNull(class, '') != 'uji';

CREATE OR REPLACE VIEW monev112.tickets_now ON CLUSTER monev112 AS
SELECT
    *,
    (state NOT IN ('resolved', 'confirmed', 'closed', 'merged'))::Bool AS open,
    (paused_since IS NOT NULL)::Bool AS paused,
    
    coalesce(resolved_at, first_closed_at) AS handled_at,
    if(assigned_at >= answered_at, dateDiff('millisecond', answered_at, assigned_at) / 1000, NULL) AS dispatch_seconds,
    if(acknowledged_at >= `stays.at`[-1] AND notEmpty(`stays.at`),
        dateDiff('millisecond', `stays.at`[-1], acknowledged_at) / 1000, NULL) AS acknowledge_seconds,
    if(departed_at >= acknowledged_at, dateDiff('millisecond', acknowledged_at, departed_at) / 1000, NULL) AS turnout_seconds,
    if(arrived_at >= departed_at, dateDiff('millisecond', departed_at, arrived_at) / 1000, NULL) AS travel_seconds,
    if(arrived_at >= received_at, dateDiff('millisecond', received_at, arrived_at) / 1000, NULL) AS respond_seconds,
    if(arrived_at >= assigned_at, dateDiff('millisecond', assigned_at, arrived_at) / 1000, NULL) AS own_seconds,
    if(handled_at >= opened_at, dateDiff('millisecond', opened_at, handled_at) / 1000, NULL) AS resolve_seconds,
    
    resolve_seconds - arraySum((since, until) -> greatest(0, dateDiff('millisecond',
        greatest(since, assumeNotNull(opened_at)), least(ifNull(until, assumeNotNull(handled_at)), assumeNotNull(handled_at)))),
        `pauses.since`, `pauses.until`) / 1000 AS resolve_net_seconds,
    if(confirmed_at >= last_resolved_at, dateDiff('millisecond', last_resolved_at, confirmed_at) / 1000, NULL)
        AS confirm_seconds
FROM monev112.tickets FINAL
WHERE events > 0 AND NOT has(flags, 'test');

CREATE OR REPLACE VIEW monev112.calls_at ON CLUSTER monev112 AS
WITH parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC') AS t
SELECT
    *,
    
    (ifNull(class NOT IN ('', 'belum'), false))::Bool AS classified,
    
    (answered_at IS NOT NULL OR classified)::Bool AS answered,
    
    if(blocked_at IS NULL, coalesce(queued_at, received_at), NULL) AS offered_at,
    (offered_at IS NOT NULL)::Bool AS offered,
    (abandoned_at IS NOT NULL AND answered_at IS NULL)::Bool AS abandoned,
    (unserved_at IS NOT NULL AND answered_at IS NULL)::Bool AS unserved,
    (blocked_at IS NOT NULL)::Bool AS blocked,
    (ifNull(class IN ('prank', 'prank_palsu'), false))::Bool AS hoax,
    
    
    multiIf(answered_at IS NULL, NULL,
            wait_ms IS NOT NULL, wait_ms,
            answered_at < coalesce(queued_at, received_at), NULL,
            dateDiff('millisecond', coalesce(queued_at, received_at), answered_at)) AS answer_ms,
    answer_ms / 1000 AS answer_seconds,
    
    multiIf(abandoned_at IS NULL OR answered_at IS NOT NULL, NULL,
            wait_ms IS NOT NULL, wait_ms,
            abandoned_at < coalesce(queued_at, received_at), NULL,
            dateDiff('millisecond', coalesce(queued_at, received_at), abandoned_at)) AS abandon_ms,
    abandon_ms / 1000 AS abandon_seconds,
    if(ended_at >= answered_at, dateDiff('millisecond', answered_at, ended_at) / 1000, NULL) AS talk_seconds,
    if(first_classified_at >= answered_at, dateDiff('millisecond', answered_at, first_classified_at) / 1000, NULL)
        AS classify_seconds
FROM
(
    SELECT * REPLACE (
        if(received_at <= t, received_at, NULL) AS received_at,
        if(queued_at <= t, queued_at, NULL) AS queued_at,
        if(ifNull(answered_at > t, false), NULL, wait_ms) AS wait_ms,
        if(answered_at <= t, answered_at, NULL) AS answered_at,
        if(abandoned_at <= t, abandoned_at, NULL) AS abandoned_at,
        if(unserved_at <= t, unserved_reason, NULL) AS unserved_reason,
        if(unserved_at <= t, unserved_at, NULL) AS unserved_at,
        if(blocked_at <= t, blocked_at, NULL) AS blocked_at,
        if(ended_at <= t, ended_at, NULL) AS ended_at,
        if(ifNull(first_classified_at > t, false), NULL, class) AS class,
        if(ifNull(first_classified_at > t, false), NULL, outcome) AS outcome,
        if(ifNull(first_classified_at > t, false), NULL, referred_to) AS referred_to,
        if(classified_at <= t, classified_at, if(first_classified_at <= t, first_classified_at, NULL)) AS classified_at,
        if(first_classified_at <= t, first_classified_at, NULL) AS first_classified_at,
        if(called_back_at <= t, called_back_at, NULL) AS called_back_at)
    FROM
    (
        
        SELECT * FROM monev112.calls FINAL
        WHERE events > 0 AND ifNull(class, '') != 'uji' AND at <= t AND {at:String} != ''
    )
);

CREATE OR REPLACE VIEW monev112.tickets_at ON CLUSTER monev112 AS
WITH parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC') AS t
SELECT
    * EXCEPT (later, n, m),
    (state NOT IN ('resolved', 'confirmed', 'closed', 'merged'))::Bool AS open,
    (paused_since IS NOT NULL)::Bool AS paused,
    
    coalesce(resolved_at, first_closed_at) AS handled_at,
    if(assigned_at >= answered_at, dateDiff('millisecond', answered_at, assigned_at) / 1000, NULL) AS dispatch_seconds,
    if(acknowledged_at >= `stays.at`[-1] AND notEmpty(`stays.at`),
        dateDiff('millisecond', `stays.at`[-1], acknowledged_at) / 1000, NULL) AS acknowledge_seconds,
    if(departed_at >= acknowledged_at, dateDiff('millisecond', acknowledged_at, departed_at) / 1000, NULL) AS turnout_seconds,
    if(arrived_at >= departed_at, dateDiff('millisecond', departed_at, arrived_at) / 1000, NULL) AS travel_seconds,
    if(arrived_at >= received_at, dateDiff('millisecond', received_at, arrived_at) / 1000, NULL) AS respond_seconds,
    if(arrived_at >= assigned_at, dateDiff('millisecond', assigned_at, arrived_at) / 1000, NULL) AS own_seconds,
    if(handled_at >= opened_at, dateDiff('millisecond', opened_at, handled_at) / 1000, NULL) AS resolve_seconds,
    
    resolve_seconds - arraySum((since, until) -> greatest(0, dateDiff('millisecond',
        greatest(since, assumeNotNull(opened_at)), least(ifNull(until, assumeNotNull(handled_at)), assumeNotNull(handled_at)))),
        `pauses.since`, `pauses.until`) / 1000 AS resolve_net_seconds,
    if(confirmed_at >= last_resolved_at, dateDiff('millisecond', last_resolved_at, confirmed_at) / 1000, NULL)
        AS confirm_seconds
FROM
(
    SELECT * REPLACE (
        if(last_event_at <= t, last_event_at, NULL) AS last_event_at,
        multiIf(NOT later, state,
            merged_at IS NOT NULL AND state = 'merged', 'merged', 
            ifNull(closed_at > reopened_at, closed_at IS NOT NULL), 'closed',
            ifNull(confirmed_at >= reopened_at, confirmed_at IS NOT NULL), 'confirmed',
            ifNull(last_resolved_at > reopened_at, last_resolved_at IS NOT NULL), 'resolved',
            opd IS NULL AND (rejected_at IS NOT NULL OR n > 0), 'rejected',
            ifNull(arrived_at >= greatest(`stays.at`[-1], ifNull(reopened_at, `stays.at`[-1])), false), 'arrived',
            ifNull(departed_at >= greatest(`stays.at`[-1], ifNull(reopened_at, `stays.at`[-1])), false), 'departed',
            acknowledged_at IS NOT NULL, 'acknowledged',
            n > 0, 'assigned',
            'opened') AS state)
    FROM
    (
        SELECT * REPLACE (
            if(n > 0 AND ifNull(`stays.ended_at`[n] > t, true), `stays.opd`[n], NULL) AS opd,
            if(n > 0 AND ifNull(`stays.ended_at`[n] > t, true), coalesce(nullIf(`stays.scope`[n], ''), scope), NULL) AS scope,
            if((if(empty(`stays.at`), acknowledged_at, if(n > 0, `stays.acknowledged_at`[n], NULL)) AS acknowledged) <= t, acknowledged, NULL)
                AS acknowledged_at,
            toUInt32(arrayCount(i -> `stays.opd`[i] != `stays.opd`[i - 1], range(2, toUInt32(n) + 1))) AS bounces,
            arraySlice(`stays.opd`, 1, n) AS `stays.opd`,
            arraySlice(`stays.scope`, 1, n) AS `stays.scope`,
            arraySlice(`stays.at`, 1, n) AS `stays.at`,
            arrayMap(x -> if(x <= t, x, NULL), arraySlice(`stays.acknowledged_at`, 1, n)) AS `stays.acknowledged_at`,
            arrayMap(x -> if(x <= t, x, NULL), arraySlice(`stays.ended_at`, 1, n)) AS `stays.ended_at`,
            intDiv(arraySum((a, b) -> if(b <= t, dateDiff('millisecond', a, assumeNotNull(b)), 0),
                `pauses.since`, `pauses.until`), 1000)::Int64 AS paused_s,
            if(m > 0 AND ifNull(`pauses.until`[m] > t, true), `pauses.since`[m], NULL) AS paused_since,
            arraySlice(`pauses.since`, 1, m) AS `pauses.since`,
            arrayMap(x -> if(x <= t, x, NULL), arraySlice(`pauses.until`, 1, m)) AS `pauses.until`,
            arraySlice(`pauses.reason`, 1, m) AS `pauses.reason`,
            if(received_at <= t, received_at, NULL) AS received_at,
            if(answered_at <= t, answered_at, NULL) AS answered_at,
            if(opened_at <= t, opened_at, NULL) AS opened_at,
            if(assigned_at <= t, assigned_at, NULL) AS assigned_at,
            if(departed_at <= t, departed_at, NULL) AS departed_at,
            if(arrived_at <= t, arrived_at, NULL) AS arrived_at,
            if(last_resolved_at <= t, last_resolved_at, if(resolved_at <= t, resolved_at, NULL)) AS last_resolved_at,
            if(resolved_at <= t, resolved_at, NULL) AS resolved_at,
            if(confirmed_at <= t, result, NULL) AS result,
            if(confirmed_at <= t, confirmed_at, NULL) AS confirmed_at,
            if(closed_at <= t, closed_at, if(first_closed_at <= t, first_closed_at, NULL)) AS closed_at,
            if(first_closed_at <= t, first_closed_at, NULL) AS first_closed_at,
            if(rejected_at <= t, rejected_at, NULL) AS rejected_at,
            if(merged_at <= t, master, NULL) AS master,
            if(merged_at <= t, merged_at, NULL) AS merged_at,
            toUInt32(reopened - ifNull(reopened_at > t, false)) AS reopened,
            if(reopened_at <= t, reopened_at, NULL) AS reopened_at)
        FROM
        (
            SELECT
                *,
                ifNull(last_event_at > t, false) AS later,
                arrayCount(x -> x <= t, `stays.at`) AS n,
                arrayCount(x -> x <= t, `pauses.since`) AS m
            FROM monev112.tickets FINAL
            WHERE events > 0 AND NOT has(flags, 'test') AND at <= t AND {at:String} != ''
        )
    )
);

CREATE OR REPLACE VIEW monev112.clocks_now ON CLUSTER monev112 AS
SELECT
    *,
    now64(3, 'UTC') AS at,
    stopped_at IS NOT NULL AND stopped_at <= at AS stopped,
    least(coalesce(stopped_at, at), at) AS until,
    multiIf(void, 'void',
            unobserved, 'unobserved',
            until > breach_at, 'breached',
            stopped, 'met',
            paused_since <= at AND at < pause_ends_at, 'paused',
            'running') AS state,
    
    (state = 'breached' AND NOT stopped)::Bool AS overdue,
    if(state = 'breached', dateDiff('millisecond', breach_at, until) / 1000, 0) AS late_seconds,
    
    multiIf(void OR unobserved OR stopped, '',
            at >= escalated2_at, 'escalated2',
            at >= escalated_at, 'escalated',
            state = 'breached', 'overdue',
            at >= risk_at, 'risk',
            '') AS level
FROM monev112.clocks FINAL;

CREATE OR REPLACE VIEW monev112.clocks_at ON CLUSTER monev112 AS
SELECT
    * EXCEPT (n, away, elsewhere, pause),
    stopped_at IS NOT NULL AND stopped_at <= at AS stopped,
    least(coalesce(stopped_at, at), at) AS until,
    multiIf(void, 'void',
            unobserved, 'unobserved',
            until > breach_at, 'breached',
            stopped, 'met',
            paused_since <= at AND at < pause_ends_at, 'paused',
            'running') AS state,
    
    (state = 'breached' AND NOT stopped)::Bool AS overdue,
    if(state = 'breached', dateDiff('millisecond', breach_at, until) / 1000, 0) AS late_seconds,
    
    multiIf(void OR unobserved OR stopped, '',
            at >= escalated2_at, 'escalated2',
            at >= escalated_at, 'escalated',
            state = 'breached', 'overdue',
            at >= risk_at, 'risk',
            '') AS level
FROM
(
    SELECT
        c.* REPLACE (
            (void AND NOT v.ran AND NOT (breach_at IS NOT NULL AND k.ticket AND NOT k.test AND NOT ifNull(k.merged <= at, false)
                AND (ifNull(k.merged > at, false) OR ifNull(stopped_at > at, false))))::Bool AS void,
            (unobserved OR lacking AND ifNull(stopped_at > at, false))::Bool AS unobserved,
            if(elsewhere, if(away, NULL, k.opds[n]), opd) AS opd,
            if(elsewhere, if(away, 'own', coalesce(nullIf(k.scopes[n], ''), scope)), scope) AS scope,
            
            if(clock = 'resolve_total' AND ifNull(k.reopened > at AND k.resolved <= at, false), k.resolved, stopped_at)
                AS stopped_at,
            if(pause > 0, k.since[pause], paused_since) AS paused_since,
            if(pause > 0, k.until[pause], pause_ends_at) AS pause_ends_at),
        parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC') AS at,
        arrayCount(x -> x <= at, k.begun) AS n,
        n = 0 OR ifNull(k.ends[n] <= at, false) AS away,
        
        clock != 'acknowledge' AND NOT (clock = 'given' AND k.stated) AND breach_at > at
            AND ifNull(greatest(k.begun[-1], ifNull(k.ends[-1], k.begun[-1])) > at, false) AND notEmpty(k.begun) AS elsewhere,
        if(c.paused_s > 0, arrayFirstIndex((s, u) -> s <= at AND ifNull(at < u, false), k.since, k.until), 0) AS pause
    FROM monev112.clocks AS c FINAL
    LEFT JOIN
    (
        SELECT
            center AS k_center, id, true AS ticket, has(flags, 'test') AS test, at AS began, merged_at AS merged,
            reopened_at AS reopened, resolved_at AS resolved, due_opd IS NOT NULL AS stated,
            `stays.opd` AS opds, `stays.scope` AS scopes, `stays.at` AS begun, `stays.ended_at` AS ends,
            `pauses.since` AS since, `pauses.until` AS until
        FROM monev112.tickets FINAL
        WHERE {at:String} != ''
    ) AS k ON k.k_center = c.center AND k.id = c.subject AND c.subject_kind = 'ticket'
    LEFT JOIN
    (
        SELECT center AS v_center, id AS v_id, true AS ran
        FROM monev112.calls FINAL
        WHERE events > 0 AND ifNull(class, '') != 'uji' AND at <= parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC') AND {at:String} != '' AND ifNull(least(
            ifNull(answered_at, parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC') + 1), ifNull(abandoned_at, parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC') + 1),
            ifNull(unserved_at, parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC') + 1), ifNull(blocked_at, parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC') + 1),
            ifNull(ended_at, parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC') + 1), ifNull(first_classified_at, parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC') + 1)) > parseDateTime64BestEffort(if({at:String} = '', '2000-01-01', {at:String}), 3, 'UTC'), false)
    ) AS v ON v.v_center = c.center AND v.v_id = c.subject AND c.subject_kind = 'call' AND c.void
    WHERE started_at <= at AND NOT ifNull(k.began > at, false) AND {at:String} != ''
);

CREATE OR REPLACE VIEW monev112.flags_by_source ON CLUSTER monev112 AS
WITH parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'), 3, 'UTC') AS t
SELECT f.center AS center, f.kind AS kind, f.flag AS flag, e.source AS source, uniqExact(f.id) AS cases,
    groupArraySorted(3)(f.id) AS examples
FROM
(
    SELECT center::String AS center, 'call' AS kind, id, arrayJoin(flags) AS flag
    FROM monev112.calls AS c FINAL
    WHERE events > 0 AND ifNull(class, '') != 'uji' AND at <= t AND notEmpty(flags) AND day >= {since:Date} AND day < {until:Date}
        AND (c.center, c.id) IN (SELECT center, id FROM monev112.calls WHERE notEmpty(flags) AND day >= {since:Date} AND day < {until:Date})
    UNION ALL
    SELECT center::String, 'ticket', id, arrayJoin(arrayFilter(f -> f != 'corrected_after_late' OR empty(`corrected.received_at`)
        OR arrayMin(`corrected.received_at`) <= t, flags))
    FROM monev112.tickets AS c FINAL
    WHERE events > 0 AND NOT has(flags, 'test') AND at <= t AND notEmpty(flags) AND day >= {since:Date} AND day < {until:Date}
        AND (c.center, c.id) IN (SELECT center, id FROM monev112.tickets WHERE notEmpty(flags) AND day >= {since:Date} AND day < {until:Date})
) AS f
INNER JOIN
(
    SELECT DISTINCT center::String AS center, subject_kind::String AS kind, subject, source
    FROM monev112.events
    WHERE occurred_at <= t AND (center, subject_kind, subject) IN
    (
        SELECT center, 'call', id FROM monev112.calls WHERE notEmpty(flags) AND day >= {since:Date} AND day < {until:Date}
        UNION ALL
        SELECT center, 'ticket', id FROM monev112.tickets WHERE notEmpty(flags) AND day >= {since:Date} AND day < {until:Date}
    )
) AS e ON e.center = f.center AND e.kind = f.kind AND e.subject = f.id
GROUP BY center, kind, flag, source;

CREATE OR REPLACE VIEW monev112.calls_hourly_now ON CLUSTER monev112 AS SELECT * FROM monev112.calls_hourly FINAL WHERE received > 0;

CREATE OR REPLACE VIEW monev112.calls_daily_now ON CLUSTER monev112 AS SELECT * FROM monev112.calls_daily FINAL WHERE received > 0;

CREATE OR REPLACE VIEW monev112.calls_rollup ON CLUSTER monev112 AS
SELECT
    s.center AS center,
    toStartOfHour(toDateTime(assumeNotNull(s.at), 'UTC')) AS hour,
    assumeNotNull(min(s.day)) AS day,
    toUInt32(count()) AS received,
    toUInt32(countIf(s.offered)) AS offered,
    toUInt32(countIf(s.answered)) AS answered,
    toUInt32(countIf(s.offered AND s.answered_at IS NOT NULL)) AS stamped,
    toUInt32(countIf(s.abandoned)) AS abandoned,
    toUInt32(countIf(s.unserved)) AS unserved,
    toUInt32(countIf(s.blocked)) AS blocked,
    toUInt32(countIf(s.classified)) AS classified,
    toUInt32(countIf(s.hoax)) AS hoax,
    toUInt32(countIf(s.class = 'normal')) AS normal,
    toUInt32(countIf(s.class = 'informasi')) AS informasi,
    toUInt32(countIf(s.class = 'prank')) AS prank,
    toUInt32(countIf(s.class = 'prank_palsu')) AS prank_palsu,
    toUInt32(countIf(s.class = 'ghost')) AS ghost,
    toUInt32(countIf(s.class = 'pocket')) AS pocket,
    toUInt32(countIf(s.class = 'misrouted')) AS misrouted,
    toUInt32(countIf(s.class = 'putus')) AS putus,
    toUInt32(countIf(s.class = 'duplikat')) AS duplikat,
    toUInt32(countIf(s.stage = 'hoax')) AS to_hoax,
    toUInt32(countIf(s.stage = 'own')) AS to_own,
    toUInt32(countIf(s.stage = 'vertical')) AS to_vertical,
    toUInt32(countIf(s.stage = 'centre')) AS to_centre,
    toUInt32(countIf(s.stage = 'none')) AS to_none,
    toUInt32(countIf(s.stage = 'unclassified')) AS to_unclassified,
    toUInt32(countIf(s.stage = 'unanswered')) AS to_unanswered,
    arraySort(groupArrayIf(assumeNotNull(s.answer_ms), s.offered AND s.answer_ms IS NOT NULL)) AS answer_ms,
    arraySort(groupArrayIf(assumeNotNull(s.abandon_ms), s.offered AND s.abandon_ms IS NOT NULL)) AS abandon_ms
FROM
(
    SELECT
        c.*,
        multiIf(
            c.hoax, 'hoax',
            has(l.scopes, 'own'), 'own',
            has(l.scopes, 'vertical'), 'vertical',
            notEmpty(c.tickets), 'centre',
            c.classified, 'none',
            c.answered, 'unclassified',
            'unanswered') AS stage
    FROM monev112.calls_now AS c
    LEFT JOIN
    (
        SELECT center, call, groupUniqArray(ifNull(scope, '')) AS scopes
        FROM monev112.tickets_now
        ARRAY JOIN calls AS call
        WHERE center IN {centers:Array(String)} AND (center, id) IN
        (
            SELECT center, arrayJoin(tickets) FROM monev112.calls
            WHERE center IN {centers:Array(String)} AND at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}
        )
        GROUP BY center, call
    ) AS l ON l.center = c.center AND l.call = c.id
    WHERE c.center IN {centers:Array(String)} AND c.at >= {since:DateTime64(3, 'UTC')} AND c.at < {until:DateTime64(3, 'UTC')}
) AS s
GROUP BY center, hour;

CREATE OR REPLACE VIEW monev112.calls_daily_rollup ON CLUSTER monev112 AS
SELECT
    center, h.day AS day,
    toUInt32(sum(h.received)) AS received, toUInt32(sum(h.offered)) AS offered,
    toUInt32(sum(h.answered)) AS answered, toUInt32(sum(h.stamped)) AS stamped,
    toUInt32(sum(h.abandoned)) AS abandoned, toUInt32(sum(h.unserved)) AS unserved,
    toUInt32(sum(h.blocked)) AS blocked, toUInt32(sum(h.classified)) AS classified,
    toUInt32(sum(h.hoax)) AS hoax, toUInt32(sum(h.normal)) AS normal,
    toUInt32(sum(h.informasi)) AS informasi, toUInt32(sum(h.prank)) AS prank,
    toUInt32(sum(h.prank_palsu)) AS prank_palsu, toUInt32(sum(h.ghost)) AS ghost,
    toUInt32(sum(h.pocket)) AS pocket, toUInt32(sum(h.misrouted)) AS misrouted,
    toUInt32(sum(h.putus)) AS putus, toUInt32(sum(h.duplikat)) AS duplikat,
    toUInt32(sum(h.to_hoax)) AS to_hoax, toUInt32(sum(h.to_own)) AS to_own,
    toUInt32(sum(h.to_vertical)) AS to_vertical, toUInt32(sum(h.to_centre)) AS to_centre,
    toUInt32(sum(h.to_none)) AS to_none, toUInt32(sum(h.to_unclassified)) AS to_unclassified,
    toUInt32(sum(h.to_unanswered)) AS to_unanswered,
    arraySort(groupArrayArray(h.answer_ms)) AS answer_ms,
    arraySort(groupArrayArray(h.abandon_ms)) AS abandon_ms
FROM monev112.calls_hourly AS h FINAL

WHERE center IN {centers:Array(String)} AND hour >= {since:DateTime64(3, 'UTC')} - INTERVAL 26 HOUR
    AND hour < {until:DateTime64(3, 'UTC')} + INTERVAL 26 HOUR AND (center, h.day) IN
    (
        SELECT center, day FROM monev112.calls_hourly
        WHERE center IN {centers:Array(String)} AND hour >= {since:DateTime64(3, 'UTC')} AND hour < {until:DateTime64(3, 'UTC')}
    )
GROUP BY center, day;

CREATE OR REPLACE VIEW monev112.calls_counted ON CLUSTER monev112 AS
SELECT * EXCEPT version
FROM monev112.calls_daily FINAL
WHERE received > 0 AND day >= {since:Date} AND day < {until:Date} AND {as_of:Nullable(String)} IS NULL
UNION ALL
SELECT
    s.center AS center,
    assumeNotNull(s.day) AS day,
    toUInt32(count()) AS received,
    toUInt32(countIf(s.offered)) AS offered,
    toUInt32(countIf(s.answered)) AS answered,
    toUInt32(countIf(s.offered AND s.answered_at IS NOT NULL)) AS stamped,
    toUInt32(countIf(s.abandoned)) AS abandoned,
    toUInt32(countIf(s.unserved)) AS unserved,
    toUInt32(countIf(s.blocked)) AS blocked,
    toUInt32(countIf(s.classified)) AS classified,
    toUInt32(countIf(s.hoax)) AS hoax,
    toUInt32(countIf(s.class = 'normal')) AS normal,
    toUInt32(countIf(s.class = 'informasi')) AS informasi,
    toUInt32(countIf(s.class = 'prank')) AS prank,
    toUInt32(countIf(s.class = 'prank_palsu')) AS prank_palsu,
    toUInt32(countIf(s.class = 'ghost')) AS ghost,
    toUInt32(countIf(s.class = 'pocket')) AS pocket,
    toUInt32(countIf(s.class = 'misrouted')) AS misrouted,
    toUInt32(countIf(s.class = 'putus')) AS putus,
    toUInt32(countIf(s.class = 'duplikat')) AS duplikat,
    toUInt32(countIf(s.stage = 'hoax')) AS to_hoax,
    toUInt32(countIf(s.stage = 'own')) AS to_own,
    toUInt32(countIf(s.stage = 'vertical')) AS to_vertical,
    toUInt32(countIf(s.stage = 'centre')) AS to_centre,
    toUInt32(countIf(s.stage = 'none')) AS to_none,
    toUInt32(countIf(s.stage = 'unclassified')) AS to_unclassified,
    toUInt32(countIf(s.stage = 'unanswered')) AS to_unanswered,
    arraySort(groupArrayIf(assumeNotNull(s.answer_ms), s.offered AND s.answer_ms IS NOT NULL)) AS answer_ms,
    arraySort(groupArrayIf(assumeNotNull(s.abandon_ms), s.offered AND s.abandon_ms IS NOT NULL)) AS abandon_ms
FROM
(
    SELECT
        c.*,
        multiIf(
            c.hoax, 'hoax',
            has(l.scopes, 'own'), 'own',
            has(l.scopes, 'vertical'), 'vertical',
            notEmpty(l.scopes), 'centre',
            c.classified, 'none',
            c.answered, 'unclassified',
            'unanswered') AS stage
    FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '')) AS c
    LEFT JOIN
    (
        SELECT center, call, groupUniqArray(if(n = 0 OR ifNull(`stays.ended_at`[n] <= parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, '2000-01-01'), 3, 'UTC'), false), '',
            if(`stays.scope`[n] = '', ifNull(scope, ''), `stays.scope`[n]))) AS scopes
        FROM
        (
            SELECT center, calls, scope, `stays.scope`, `stays.ended_at`, arrayCount(x -> x <= parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, '2000-01-01'), 3, 'UTC'), `stays.at`) AS n
            FROM monev112.tickets FINAL
            WHERE events > 0 AND NOT has(flags, 'test') AND at <= parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, '2000-01-01'), 3, 'UTC') AND {as_of:Nullable(String)} IS NOT NULL
        )
        ARRAY JOIN calls AS call
        GROUP BY center, call
    ) AS l ON l.center = c.center AND l.call = c.id
    WHERE c.day >= {since:Date} AND c.day < {until:Date}
) AS s
GROUP BY center, day;

CREATE OR REPLACE VIEW monev112.clocks_rollup ON CLUSTER monev112 AS
SELECT
    center, clock, day,
    arrayMap(g -> g.1, groups) AS opds,
    arrayMap(g -> g.2, groups) AS scopes,
    arrayMap(g -> g.3, groups) AS met_counts,
    arrayMap(g -> g.4, groups) AS late_counts,
    arrayMap(g -> arrayMap(o -> o.1, g.5), groups) AS open_breach_at,
    arrayMap(g -> arrayMap(o -> o.2, g.5), groups) AS open_stopped_at,
    arrayMap(g -> g.6, groups) AS unobserved_counts,
    arrayMap(r -> r.1, runs) AS `running.ticket`,
    arrayMap(r -> r.2, runs) AS `running.due_at`,
    arrayMap(r -> r.3, runs) AS `running.breach_at`,
    arrayMap(r -> r.4, runs) AS `running.escalated_at`,
    arrayMap(r -> r.5, runs) AS `running.escalated2_at`
FROM
(
    SELECT center, clock, day, arraySort(g -> (g.1, g.2), groupArrayIf((opd, scope, met, late, open, unseen), n > 0)) AS groups,
        groupArrayArray(running) AS runs
    FROM
    (
        SELECT
            center, clock, day, opd, scope,
            toUInt32(countIf(settled AND NOT was_late AND NOT unobserved)) AS met,
            toUInt32(countIf(settled AND was_late AND NOT unobserved)) AS late,
            groupArrayIf((breach_at, stopped_at), NOT settled AND NOT unobserved) AS open,
            toUInt32(countIf(unobserved)) AS unseen,
            count() AS n,
            groupArrayIf((subject, due_at, assumeNotNull(breach_at), escalated_at, escalated2_at),
                stopped_at IS NULL AND breach_at IS NOT NULL AND NOT unobserved) AS running
        FROM
        (
            SELECT
                center, clock, assumeNotNull(c.day) AS day, ifNull(c.opd, '')::String AS opd, ifNull(c.scope, 'own')::String AS scope,
                subject, due_at, breach_at, stopped_at, escalated_at, escalated2_at, unobserved,
                ifNull(stopped_at <= now64(3, 'UTC'), false) AS settled,
                ifNull(stopped_at > breach_at, false) AS was_late
            FROM monev112.clocks AS c FINAL
            WHERE c.center IN {centers:Array(String)} AND c.subject_kind = 'ticket' AND NOT void
                AND (c.center, assumeNotNull(c.day)) IN {days:Array(Tuple(String, Date))} AND c.day IS NOT NULL
        )
        GROUP BY center, clock, day, opd, scope
        UNION ALL
        SELECT center, clock, day, '', '', 0, 0, [], 0, 0, []
        FROM monev112.clocks_daily
        WHERE center IN {centers:Array(String)} AND (center, day) IN {days:Array(Tuple(String, Date))}
    )
    GROUP BY center, clock, day
);

CREATE OR REPLACE VIEW monev112.clock_outcomes ON CLUSTER monev112 AS
SELECT
    center, clock, day, opd, scope,
    met_count + countEqual(states, 'met') AS met,
    late_count + countEqual(states, 'stopped_late') AS stopped_late,
    countEqual(states, 'open_late') AS open_late,
    countEqual(states, 'undecided') AS undecided,
    unobserved_count AS unobserved
FROM
(
    
    SELECT * REPLACE (arrayMap((list_b, list_s) -> arrayMap((b, s) -> multiIf(
            ifNull(s <= now64(3, 'UTC'), false), if(ifNull(s > b, false), 'stopped_late', 'met'),
            NOT ifNull(now64(3, 'UTC') > b, false), 'undecided',
            s IS NULL, 'open_late', 'stopped_late')::Enum8('met', 'stopped_late', 'open_late', 'undecided'),
        list_b, list_s), open_breach_at, open_stopped_at) AS open_breach_at)
    FROM monev112.clocks_daily FINAL
)
ARRAY JOIN opds AS opd, scopes AS scope, met_counts AS met_count, late_counts AS late_count, open_breach_at AS states,
    
    arrayResize(unobserved_counts, length(opds)) AS unobserved_count;

CREATE OR REPLACE VIEW monev112.clocks_late ON CLUSTER monev112 AS
SELECT
    center, clock, ticket, due_at, breach_at,
    dateDiff('millisecond', breach_at, now64(3, 'UTC')) / 1000 AS late_seconds,
    multiIf(now64(3, 'UTC') >= escalated2_at, 'escalated2', now64(3, 'UTC') >= escalated_at, 'escalated', 'overdue') AS level
FROM monev112.clocks_daily FINAL
ARRAY JOIN running.ticket AS ticket, running.due_at AS due_at, running.breach_at AS breach_at,
    running.escalated_at AS escalated_at, running.escalated2_at AS escalated2_at
WHERE now64(3, 'UTC') > breach_at;

CREATE OR REPLACE VIEW monev112.clocks_counted ON CLUSTER monev112 AS
SELECT center, clock, day, opd::String AS opd, scope::String AS scope, met, stopped_late, open_late, undecided, toUInt64(unobserved) AS unobserved
FROM monev112.clock_outcomes
WHERE day >= {since:Date} AND day < {until:Date} AND {as_of:Nullable(String)} IS NULL
UNION ALL
SELECT
    center, clock, assumeNotNull(c.day) AS day, ifNull(c.opd, '')::String AS opd, ifNull(c.scope, 'own')::String AS scope,
    countIf(state = 'met') AS met,
    countIf(state = 'breached' AND stopped) AS stopped_late,
    countIf(state = 'breached' AND NOT stopped) AS open_late,
    countIf(state IN ('running', 'paused')) AS undecided,
    countIf(state = 'unobserved') AS unobserved
FROM monev112.clocks_at(at = coalesce({as_of:Nullable(String)}, '')) AS c
WHERE subject_kind = 'ticket' AND NOT void AND c.day >= {since:Date} AND c.day < {until:Date}
GROUP BY center, clock, day, opd, scope;

CREATE OR REPLACE VIEW monev112.tickets_rollup ON CLUSTER monev112 AS
SELECT
    center, day, scope,
    arrayMap(t -> t.1, list) AS opds,
    arrayMap(t -> t.2, list) AS priorities,
    arrayMap(t -> t.3, list) AS dispatch_ms,
    arrayMap(t -> t.4, list) AS acknowledge_ms,
    arrayMap(t -> t.5, list) AS turnout_ms,
    arrayMap(t -> t.6, list) AS travel_ms,
    arrayMap(t -> t.7, list) AS respond_ms,
    arrayMap(t -> t.8, list) AS own_ms,
    arrayMap(t -> t.9, list) AS resolve_ms,
    arrayMap(t -> t.10, list) AS resolve_net_ms,
    arrayMap(t -> t.11, list) AS confirm_ms,
    arrayMap(t -> t.12, list) AS categories,
    arrayMap(t -> t.13, list) AS paused_s,
    arrayMap(o -> o.1, opened) AS `open.id`,
    arrayMap(o -> o.2, opened) AS `open.opd`,
    arrayMap(o -> o.3, opened) AS `open.category`,
    arrayMap(o -> o.4, opened) AS `open.priority`,
    arrayMap(o -> o.5, opened) AS `open.kecamatan`,
    arrayMap(o -> o.6, opened) AS `open.last_event_at`
FROM
(
    SELECT center, day, scope, arraySort(t -> (t.1, t.2), groupArrayIf(ticket, counts)) AS list,
        groupArrayIf(facts, counts AND still) AS opened
    FROM
    (
        SELECT center, assumeNotNull(day) AS day, ifNull(t.scope, 'own')::String AS scope, true AS counts,
            tupleConcat((ifNull(opd, '')::String, ifNull(priority, '')::String,
             toInt64(round(1000 * dispatch_seconds)), toInt64(round(1000 * acknowledge_seconds)), toInt64(round(1000 * turnout_seconds)),
             toInt64(round(1000 * travel_seconds)), toInt64(round(1000 * respond_seconds)), toInt64(round(1000 * own_seconds)),
             toInt64(round(1000 * resolve_seconds)), toInt64(round(1000 * resolve_net_seconds)), toInt64(round(1000 * confirm_seconds))), (ifNull(category, '')::String, paused_s)) AS ticket, open AS still,
            (id, ticket.1, ticket.12, ticket.2, ifNull(kecamatan, '')::String, last_event_at) AS facts
        FROM monev112.tickets_now AS t
        WHERE t.center IN {centers:Array(String)} AND t.state != 'merged' AND t.day IS NOT NULL
            AND (t.center, assumeNotNull(t.day)) IN {days:Array(Tuple(String, Date))}
        UNION ALL
        SELECT center, day, scope, false,
            ('', '', NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64),
             NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64), NULL::Nullable(Int64), '', 0::Int64),
            false, ('', '', '', '', '', NULL::Nullable(DateTime64(3, 'UTC')))
        FROM monev112.tickets_daily
        WHERE center IN {centers:Array(String)} AND (center, day) IN {days:Array(Tuple(String, Date))}
    )
    GROUP BY center, day, scope
);

CREATE OR REPLACE VIEW monev112.tickets_open ON CLUSTER monev112 AS
SELECT center, day, scope, id, opd, category, priority, kecamatan, last_event_at
FROM monev112.tickets_daily FINAL
ARRAY JOIN open.id AS id, open.opd AS opd, open.category AS category, open.priority AS priority,
    open.kecamatan AS kecamatan, open.last_event_at AS last_event_at;

CREATE OR REPLACE VIEW monev112.tickets_counted ON CLUSTER monev112 AS
SELECT
    center, day, scope, opds, priorities, dispatch_ms, acknowledge_ms, turnout_ms, travel_ms, respond_ms, own_ms,
    resolve_ms, resolve_net_ms, confirm_ms
FROM monev112.tickets_daily FINAL
WHERE day >= {since:Date} AND day < {until:Date} AND {as_of:Nullable(String)} IS NULL
UNION ALL
SELECT
    center, day, scope,
    arrayMap(t -> t.1, list) AS opds,
    arrayMap(t -> t.2, list) AS priorities,
    arrayMap(t -> t.3, list) AS dispatch_ms,
    arrayMap(t -> t.4, list) AS acknowledge_ms,
    arrayMap(t -> t.5, list) AS turnout_ms,
    arrayMap(t -> t.6, list) AS travel_ms,
    arrayMap(t -> t.7, list) AS respond_ms,
    arrayMap(t -> t.8, list) AS own_ms,
    arrayMap(t -> t.9, list) AS resolve_ms,
    arrayMap(t -> t.10, list) AS resolve_net_ms,
    arrayMap(t -> t.11, list) AS confirm_ms
FROM
(
    SELECT center, assumeNotNull(t.day) AS day, ifNull(t.scope, 'own')::String AS scope,
        groupArray((ifNull(opd, '')::String, ifNull(priority, '')::String,
             toInt64(round(1000 * dispatch_seconds)), toInt64(round(1000 * acknowledge_seconds)), toInt64(round(1000 * turnout_seconds)),
             toInt64(round(1000 * travel_seconds)), toInt64(round(1000 * respond_seconds)), toInt64(round(1000 * own_seconds)),
             toInt64(round(1000 * resolve_seconds)), toInt64(round(1000 * resolve_net_seconds)), toInt64(round(1000 * confirm_seconds)))) AS list
    FROM monev112.tickets_at(at = coalesce({as_of:Nullable(String)}, '')) AS t
    WHERE state != 'merged' AND t.day >= {since:Date} AND t.day < {until:Date}
    GROUP BY center, day, scope
);

CREATE OR REPLACE VIEW monev112.case_intervals ON CLUSTER monev112 AS
SELECT center, day, '' AS opd, 'own' AS scope, ifNull(category, '') AS category, '' AS priority,
    i.1 AS interval, i.2 AS seconds
FROM monev112.calls_now
ARRAY JOIN
    [('answer', toNullable(answer_seconds)), ('classify', classify_seconds), ('talk', talk_seconds)] AS i
WHERE answered
UNION ALL
SELECT center, day, ifNull(opd, '') AS opd, ifNull(scope, 'own') AS scope, ifNull(category, '') AS category,
    ifNull(priority, '') AS priority, i.1 AS interval, i.2 AS seconds
FROM monev112.tickets_now
ARRAY JOIN
    [('dispatch', dispatch_seconds), ('acknowledge', acknowledge_seconds), ('turnout', turnout_seconds),
     ('travel', travel_seconds), ('respond', respond_seconds), ('own', own_seconds), ('resolve', resolve_seconds),
     ('resolve_net', resolve_net_seconds), ('confirm', confirm_seconds)] AS i
WHERE state != 'merged';

CREATE OR REPLACE VIEW monev112.monev_service_level ON CLUSTER monev112 AS
SELECT
    center, period, measure, numerator, denominator, offered AS n, stamped,
    
    if(denominator = 0 OR stamped = 0, NULL, numerator / denominator) AS share,
    if(if(stamped = 0, 0, denominator) = 0, NULL, greatest(0, ((numerator / if(stamped = 0, 0, denominator) + 3.841458820694124 / (2 * if(stamped = 0, 0, denominator))) - 1.959963984540054 * sqrt((numerator / if(stamped = 0, 0, denominator)) * (1 - numerator / if(stamped = 0, 0, denominator)) / if(stamped = 0, 0, denominator) + 3.841458820694124 / (4 * if(stamped = 0, 0, denominator) * if(stamped = 0, 0, denominator)))) / (1 + 3.841458820694124 / if(stamped = 0, 0, denominator)))) AS low,
    if(if(stamped = 0, 0, denominator) = 0, NULL, least(1, ((numerator / if(stamped = 0, 0, denominator) + 3.841458820694124 / (2 * if(stamped = 0, 0, denominator))) + 1.959963984540054 * sqrt((numerator / if(stamped = 0, 0, denominator)) * (1 - numerator / if(stamped = 0, 0, denominator)) / if(stamped = 0, 0, denominator) + 3.841458820694124 / (4 * if(stamped = 0, 0, denominator) * if(stamped = 0, 0, denominator)))) / (1 + 3.841458820694124 / if(stamped = 0, 0, denominator)))) AS high
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period,
        sum(c.offered) AS offered,
        sum(c.stamped) AS stamped,
        sum(length(answer_ms)) AS timed,
        sum(arrayCount(x -> x <= {target:UInt32} * 1000, answer_ms)) AS within,
        sum(arrayCount(x -> x < {short:UInt32} * 1000, abandon_ms)) AS short_abandoned
    FROM monev112.calls_counted(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}) AS c
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN
    ['ketat', 'standar', 'terjawab'] AS measure,
    [within, within, within] AS numerator,
    [toInt64(offered - stamped + timed), toInt64(offered - stamped + timed - short_abandoned), toInt64(timed)] AS denominator;

CREATE OR REPLACE VIEW monev112.monev_hoax ON CLUSTER monev112 AS
SELECT
    center, period, measure, numerator, denominator, answered AS n, classified,
    
    if(answered = 0, NULL, classified / answered) AS coverage,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period,
        sum(c.answered) AS answered,
        sum(c.classified) AS classified,
        sum(c.hoax) AS hoax,
        sum(ghost + pocket + informasi) AS other
    FROM monev112.calls_counted(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}) AS c
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN
    ['rasio_hoaks', 'rasio_non_darurat', 'belum'] AS measure,
    [toInt64(hoax), toInt64(hoax + other), toInt64(answered) - toInt64(classified)] AS numerator,
    [toInt64(classified), toInt64(classified), toInt64(answered)] AS denominator;

CREATE OR REPLACE VIEW monev112.monev_funnel ON CLUSTER monev112 AS
SELECT
    center, period, stage, numerator, denominator, denominator AS n,
    if(denominator = 0, NULL, numerator / denominator) AS share
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period,
        sum(received) AS denominator,
        sum(to_hoax) AS f1, sum(to_own) AS f2, sum(to_vertical) AS f3, sum(to_centre) AS f4, sum(to_none) AS f5,
        sum(to_unclassified) AS f6, sum(to_unanswered) AS f7
    FROM monev112.calls_counted(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}) AS c
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN
    ['hoax', 'own', 'vertical', 'centre', 'none', 'unclassified', 'unanswered'] AS stage,
    [f1, f2, f3, f4, f5, f6, f7] AS numerator;

CREATE OR REPLACE VIEW monev112.monev_intervals_calls ON CLUSTER monev112 AS
SELECT
    center, period, figures.1 AS interval, 'own' AS scope, figures.2 AS numerator, denominator,
    numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, figures.3[1] / 1000) AS median,
    if(n = 0, NULL, figures.3[2] / 1000) AS p90,
    if(n = 0, NULL, figures.3[3] / 1000) AS p95,
    if(n = 0, NULL, figures.4 / n / 1000) AS mean
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period,
        count() AS denominator,
        [
            ('answer', count(answer), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(answer), ifNull(sum(answer), 0)),
            ('classify', count(classify), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(classify), ifNull(sum(classify), 0)),
            ('talk', count(talk), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(talk), ifNull(sum(talk), 0))] AS list
    FROM
    (
        SELECT center, day, answered, answer_ms AS answer, toInt64(round(1000 * classify_seconds)) AS classify,
            toInt64(round(1000 * talk_seconds)) AS talk
        FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
    )
    WHERE answered AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN list AS figures;

CREATE OR REPLACE VIEW monev112.monev_intervals_tickets ON CLUSTER monev112 AS
SELECT
    center, period, figures.1 AS interval, scope, figures.2 AS numerator, denominator,
    numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, figures.3[1] / 1000) AS median,
    if(n = 0, NULL, figures.3[2] / 1000) AS p90,
    if(n = 0, NULL, figures.3[3] / 1000) AS p95,
    if(n = 0, NULL, figures.4 / n / 1000) AS mean
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, scope,
        count() AS denominator,
        [
            ('dispatch', count(dispatch), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(dispatch), ifNull(sum(dispatch), 0)),
            ('acknowledge', count(acknowledge), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(acknowledge), ifNull(sum(acknowledge), 0)),
            ('turnout', count(turnout), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(turnout), ifNull(sum(turnout), 0)),
            ('travel', count(travel), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(travel), ifNull(sum(travel), 0)),
            ('respond', count(respond), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(respond), ifNull(sum(respond), 0)),
            ('own', count(own), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(own), ifNull(sum(own), 0)),
            ('resolve', count(resolve), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve), ifNull(sum(resolve), 0)),
            ('resolve_net', count(resolve_net), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve_net), ifNull(sum(resolve_net), 0)),
            ('confirm', count(confirm), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(confirm), ifNull(sum(confirm), 0))] AS list
    FROM monev112.tickets_counted(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)})
    ARRAY JOIN dispatch_ms AS dispatch, acknowledge_ms AS acknowledge, turnout_ms AS turnout,
        travel_ms AS travel, respond_ms AS respond, own_ms AS own, resolve_ms AS resolve, resolve_net_ms AS resolve_net,
        confirm_ms AS confirm
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, scope
)
ARRAY JOIN list AS figures;

CREATE OR REPLACE VIEW monev112.monev_intervals ON CLUSTER monev112 AS
SELECT center, period, interval, scope, numerator, denominator, n, coverage, median, p90, p95, mean
FROM monev112.monev_intervals_calls(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = {step:String})
UNION ALL
SELECT center, period, interval, scope, numerator, denominator, n, coverage, median, p90, p95, mean
FROM monev112.monev_intervals_tickets(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = {step:String});

CREATE OR REPLACE VIEW monev112.monev_intervals_opd ON CLUSTER monev112 AS
SELECT
    center, period, figures.1 AS interval, scope, opd, figures.2 AS numerator, denominator,
    numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, figures.3[1] / 1000) AS median,
    if(n = 0, NULL, figures.3[2] / 1000) AS p90,
    if(n = 0, NULL, figures.3[3] / 1000) AS p95,
    if(n = 0, NULL, figures.4 / n / 1000) AS mean
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, scope, opd,
        count() AS denominator,
        [
            ('dispatch', count(dispatch), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(dispatch), ifNull(sum(dispatch), 0)),
            ('acknowledge', count(acknowledge), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(acknowledge), ifNull(sum(acknowledge), 0)),
            ('turnout', count(turnout), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(turnout), ifNull(sum(turnout), 0)),
            ('travel', count(travel), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(travel), ifNull(sum(travel), 0)),
            ('respond', count(respond), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(respond), ifNull(sum(respond), 0)),
            ('own', count(own), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(own), ifNull(sum(own), 0)),
            ('resolve', count(resolve), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve), ifNull(sum(resolve), 0)),
            ('resolve_net', count(resolve_net), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve_net), ifNull(sum(resolve_net), 0)),
            ('confirm', count(confirm), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(confirm), ifNull(sum(confirm), 0))] AS list
    FROM monev112.tickets_counted(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)})
    ARRAY JOIN opds AS opd, dispatch_ms AS dispatch, acknowledge_ms AS acknowledge, turnout_ms AS turnout,
        travel_ms AS travel, respond_ms AS respond, own_ms AS own, resolve_ms AS resolve, resolve_net_ms AS resolve_net,
        confirm_ms AS confirm
    WHERE opd != '' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, scope, opd
)
ARRAY JOIN list AS figures;

CREATE OR REPLACE VIEW monev112.monev_on_time_tickets ON CLUSTER monev112 AS
SELECT
    center, period, clock, opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided, unobserved,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, clock, o.opd AS opd,
        sum(o.met) AS numerator,
        sum(o.met + o.stopped_late + o.open_late) AS denominator,
        sum(o.stopped_late) AS stopped_late,
        sum(o.open_late) AS open_late,
        sum(o.undecided) AS undecided,
        sum(o.unobserved) AS unobserved
    FROM monev112.clocks_counted(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}) AS o
    WHERE scope = 'own' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock, opd
);

CREATE OR REPLACE VIEW monev112.monev_on_time ON CLUSTER monev112 AS
SELECT center, period, clock, opd, numerator, denominator, n, stopped_late, open_late, undecided, unobserved, share, low, high
FROM monev112.monev_on_time_tickets(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = {step:String})
UNION ALL
SELECT
    center, period, clock, '' AS opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided, unobserved,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, clock,
countIf(state = 'met') AS met,
    countIf(state = 'breached' AND stopped) AS stopped_late,
    countIf(state = 'breached' AND NOT stopped) AS open_late,
    countIf(state IN ('running', 'paused')) AS undecided,
    countIf(state = 'unobserved') AS unobserved, met AS numerator, met + stopped_late + open_late AS denominator
    FROM monev112.clocks_at(at = coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC'))))
    WHERE subject_kind = 'call' AND NOT void AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock
);

CREATE OR REPLACE VIEW monev112.monev_on_time_outside ON CLUSTER monev112 AS
SELECT
    center, period, clock, scope, opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided, unobserved,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, clock, o.scope AS scope, o.opd AS opd,
        sum(o.met) AS numerator,
        sum(o.met + o.stopped_late + o.open_late) AS denominator,
        sum(o.stopped_late) AS stopped_late,
        sum(o.open_late) AS open_late,
        sum(o.undecided) AS undecided,
        sum(o.unobserved) AS unobserved
    FROM monev112.clocks_counted(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}) AS o
    WHERE scope != 'own' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock, scope, opd
);

CREATE OR REPLACE VIEW monev112.monev_figures ON CLUSTER monev112 AS
SELECT center, 'funnel' AS figure, concat('stage=', stage) AS dims, toFloat64(numerator) AS numerator,
    toFloat64(denominator) AS denominator, toUInt64(n) AS n, share AS value
FROM monev112.monev_funnel(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = 'all')
UNION ALL
SELECT center, s.1, s.2, s.3, s.4, s.5, s.6
FROM monev112.monev_service_level(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = 'all', target = {target:UInt32}, short = {short:UInt32})
ARRAY JOIN arrayConcat(
    [('service_level', concat('measure=', measure, ',target=', toString({target:UInt32})),
        toFloat64(numerator), toFloat64(denominator), toUInt64(n), toNullable(share))],
    if(measure = 'ketat', [('coverage', 'measure=answer_stamp', toFloat64(stamped), toFloat64(n), toUInt64(n),
        if(n = 0, NULL, stamped / n))], [])) AS s
UNION ALL
SELECT center, s.1, s.2, s.3, s.4, s.5, s.6
FROM monev112.monev_hoax(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = 'all')
ARRAY JOIN arrayConcat(
    [('hoax', concat('measure=', measure), toFloat64(numerator), toFloat64(denominator), toUInt64(n), toNullable(share))],
    if(measure = 'rasio_hoaks', [('coverage', 'measure=class', toFloat64(classified), toFloat64(n), toUInt64(n),
        toNullable(coverage))], [])) AS s
UNION ALL
SELECT center, s.1, concat('interval=', interval, ',scope=', scope),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), s.2
FROM monev112.monev_intervals(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = 'all')
ARRAY JOIN [('interval_median', median), ('interval_p90', p90), ('interval_p95', p95), ('interval_mean', mean),
    ('coverage', toNullable(coverage))] AS s
UNION ALL
SELECT center, s.1, concat('interval=', interval, ',opd=', opd, ',scope=', scope),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), s.2
FROM monev112.monev_intervals_opd(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = 'all')
ARRAY JOIN [('interval_median', median), ('interval_p90', p90), ('interval_p95', p95), ('interval_mean', mean),
    ('coverage', toNullable(coverage))] AS s
UNION ALL
SELECT center, 'on_time', concat('clock=', clock, ',opd=', opd, ',scope=own'),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), share
FROM monev112.monev_on_time(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = 'all')
UNION ALL
SELECT center, 'on_time', concat('clock=', clock, ',opd=', opd, ',scope=', ifNull(scope, '')),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), share
FROM monev112.monev_on_time_outside(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = 'all');

CREATE OR REPLACE VIEW monev112.monev_not_recorded ON CLUSTER monev112 AS
SELECT
    center, opd, scope, clock, source,
    countIf(unseen) AS unobserved,
    count() AS n,
    countIf(fact IS NOT NULL) AS recorded,
    min(begun) AS since, max(begun) AS until,
    (countIf(NOT unseen) >= 20 AND countIf(NOT unseen AND fact IS NOT NULL) = 0
        AND minIf(begun, NOT unseen) <= any(until_now) - INTERVAL 60 DAY)::Bool AS never
FROM
(
    SELECT
        c.center AS center, ifNull(c.opd, '')::String AS opd, ifNull(c.scope, 'own')::String AS scope,
        c.clock::String AS clock, arrayStringConcat(c.sources, ' ') AS source,
        assumeNotNull(c.started_at) AS begun, c.unobserved AS unseen, c.at AS until_now,
        multiIf(
            clock = 'acknowledge', coalesce(if(empty(t.`stays.at`), t.acknowledged_at, t.`stays.acknowledged_at`[-1]), t.departed_at, t.arrived_at),
            clock = 'arrive', t.arrived_at,
            clock = 'confirm', t.confirmed_at,
            coalesce(t.resolved_at, t.closed_at, t.first_closed_at)) AS fact
    FROM monev112.clocks_at(at = coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC')))) AS c
    INNER JOIN monev112.tickets_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00')) AS t ON t.center = c.center AND t.id = c.subject
    WHERE c.subject_kind = 'ticket' AND NOT c.void AND c.started_at IS NOT NULL
        AND c.day >= {since:Date} AND c.day < {until:Date}
)
GROUP BY center, opd, scope, clock, source;

CREATE OR REPLACE VIEW monev112.monev_hoax_cost ON CLUSTER monev112 AS
SELECT center, m.1 AS measure, m.2 AS amount, m.3 AS numerator, m.4 AS denominator
FROM
(
    SELECT center, [
        ('agent', if(count(talk) = 0, NULL, toFloat64(sum(talk))), count(talk), countIf(hoax)),
        ('held', if(count(wait) = 0, NULL, toFloat64(countIf(late AND ifNull(last_over > picked_up - toIntervalMillisecond(assumeNotNull(wait)), false)))),
            count(wait), countIf(NOT hoax))] AS list
    FROM
    (
        SELECT center, hoax, if(hoax, talk_seconds, NULL) AS talk, if(hoax, NULL, answer_ms) AS wait,
            ifNull(wait > 1000 * {target:UInt32}, false) AS late, ifNull(answered_at, toDateTime64(0, 3, 'UTC')) AS picked_up,
            
            max(if(talk IS NULL, NULL, ended_at)) OVER (ORDER BY picked_up, hoax ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS last_over
        FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
        WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
            AND (hoax OR offered AND class IN ('normal', 'informasi', 'duplikat'))
    )
    GROUP BY center
)
ARRAY JOIN list AS m
WHERE denominator > 0
UNION ALL
SELECT center, 'crew', if(count(seconds) = 0, NULL, toFloat64(sum(seconds))), count(seconds), count()
FROM
(
    SELECT center, if(resolved_at >= departed_at, dateDiff('millisecond', departed_at, resolved_at) / 1000, NULL) AS seconds
    FROM monev112.tickets_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND state != 'merged'
        AND (ifNull(result = 'palsu', false) OR id IN (SELECT arrayJoin(tickets) FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00')) WHERE center = {center:String} AND class = 'prank_palsu'))
)
GROUP BY center;

CREATE OR REPLACE VIEW monev112.monev_callers ON CLUSTER monev112 AS
SELECT center, key_id, numbers, toUInt64(ceil(numbers / 100)) AS top, arraySum(arraySlice(counts, 1, top)) AS numerator, arraySum(counts) AS n, denominator,
    numerator / n AS share
FROM
(
    SELECT center, key_id, count() AS numbers, arrayReverseSort(groupArray(c)) AS counts, any(every) AS denominator
    FROM
    (
        SELECT center, caller_key_id AS key_id, caller_key, count() AS c, sum(count()) OVER (PARTITION BY center) AS every
        FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
        WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND hoax
        GROUP BY center, key_id, caller_key
    )
    WHERE caller_key IS NOT NULL
    GROUP BY center, key_id
);

CREATE OR REPLACE VIEW monev112.monev_blocks ON CLUSTER monev112 AS
SELECT center, sum(blocks) AS calls, countIf(last_real > first_block) AS numerator, count() AS denominator
FROM
(
    SELECT center, countIf(blocked) AS blocks, minIf(at, blocked) AS first_block, maxIf(at, ifNull(class = 'normal', false)) AS last_real
    FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND caller_key IS NOT NULL
    GROUP BY center, caller_key_id, caller_key
    HAVING blocks > 0
)
GROUP BY center;

CREATE OR REPLACE VIEW monev112.monev_kendala_calls ON CLUSTER monev112 AS
WITH (SELECT groupArray((source::String, gaps)) FROM (SELECT source, arrayFilter(s -> s.3 > 900000, steps) AS gaps
    FROM
    (
        SELECT source, arraySort(groupUniqArray(occurred_at)) AS beats,
            arrayMap((a, b) -> (a, b, dateDiff('millisecond', a, b)), arrayPopBack(beats), arrayPopFront(beats)) AS steps
        FROM monev112.events
        WHERE center = {center:String} AND subject_kind = 'feed' AND type = 'feed.heartbeat'
            AND occurred_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 2 DAY AND occurred_at < toDateTime64({until:Date}, 3, 'UTC') + INTERVAL 2 DAY
            AND occurred_at <= parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'), 3, 'UTC') AND type != 'event.withdrawn' AND (subject, source, id) NOT IN
        (
            SELECT subject, source, replaces FROM monev112.events
            WHERE center = {center:String} AND subject_kind = 'feed' AND replaces != '' AND replaces != id
        )
        GROUP BY source
    )
    WHERE length(beats) >= 12
        AND arraySort(arrayMap(s -> s.3, steps))[intDiv(length(steps) + 1, 2)] <= 300000)) AS quiet
SELECT
    late.center AS center, late.id AS id, assumeNotNull(late.day) AS day, late.came AS at, late.moment AS moment,
    ifNull(late.category, '')::String AS category, ifNull(late.kecamatan, '')::String AS kecamatan,
    multiIf(
        late.answered_at IS NULL AND late.classified
            OR ifNull(late.queued_at < late.received_at, false)
            OR ifNull(late.answered_at < late.begun, false) OR ifNull(late.answered_at < late.received_at, false)
            OR ifNull(late.abandoned_at < late.begun, false) OR ifNull(late.unserved_at < late.begun, false)
            OR ifNull(late.ended_at < late.answered_at, false)
            OR late.answered_at IS NOT NULL AND late.abandoned_at IS NOT NULL
            OR late.answered_at IS NULL AND late.abandoned_at IS NULL AND late.unserved_at IS NULL
            OR arrayExists(s -> arrayExists(g -> g.1 < late.moment AND late.moment < g.2, arrayFirst(q -> q.1 = s, quiet).2), rings.sources), 'data',
        ifNull(late.abandon_ms < 1000 * {short:UInt32}, false), 'putus_cepat',
        rings.missed > 0
            OR ifNull(dateDiff('millisecond', rings.rang_at, late.moment) >= 10000, false), 'dering',
        toStartOfFifteenMinutes(toDateTime(late.came, 'UTC')) IN (SELECT quarter FROM (SELECT busy.1 AS quarter
    FROM
    (
        SELECT hour + 604800 * week AS later, groupArrayArrayIf(counts, week = 0) AS own, countIf(week > 0) AS weeks,
            arraySort(groupArrayArrayIf(arrayResize(arrayMap(c -> toFloat64(c.2), counts), 4), week > 0)) AS usual,
            (usual[intDiv(length(usual) + 1, 2)] + usual[intDiv(length(usual), 2) + 1]) / 2 AS middle,
            arraySort(arrayMap(x -> abs(x - middle), usual)) AS apart,
            (apart[intDiv(length(apart) + 1, 2)] + apart[intDiv(length(apart), 2) + 1]) / 2 AS deviation
        FROM (SELECT filled + 3600 * away AS hour, groupArrayArrayIf(list, away = 0) AS counts
    FROM (SELECT toStartOfHour(quarter) AS filled, groupArray((quarter, n)) AS list FROM (SELECT toStartOfFifteenMinutes(toDateTime(assumeNotNull(at), 'UTC')) AS quarter, count() AS n
        FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
    WHERE center = {center:String} AND at IS NOT NULL
            AND day >= {since:Date} - 7 * 8 - 2 AND day <= {until:Date}
        GROUP BY quarter) GROUP BY filled)
    ARRAY JOIN range(-12, 13) AS away
    GROUP BY hour) ARRAY JOIN range(0, 8 + 1) AS week
        GROUP BY later
        HAVING weeks >= 4
    )
    ARRAY JOIN own AS busy
    WHERE busy.2 >= 5 AND busy.2 > middle + 3 * deviation)), 'lonjakan',
        floor.observed > 0 AND floor.signed < 2, 'petugas',
        floor.observed > 0 AND floor.busy = floor.signed AND floor.hoax > 0, 'hoaks',
        floor.observed > 0 AND floor.busy = floor.signed, 'sibuk',
        'tidak_terjelaskan') AS cause
FROM (SELECT *, assumeNotNull(offered_at) AS begun, ifNull(at, begun) AS came,
        least(begun + toIntervalMillisecond(1000 * {target:UInt32}), if(answered_at IS NULL,
            least(ifNull(abandoned_at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC')), ifNull(unserved_at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC'))), toDateTime64('2299-12-31 00:00:00', 3, 'UTC'))) AS moment
    FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND offered
        AND (answered_at IS NULL OR answer_ms IS NOT NULL) AND NOT ifNull(answer_ms <= 1000 * {target:UInt32}, false)) AS late
LEFT JOIN (SELECT subject AS call, minOrNullIf(occurred_at, type = 'call.ringing') AS rang_at,
        countIf(type = 'call.ring_no_answer') AS missed, groupUniqArray(source) AS sources
    FROM monev112.events
    WHERE center = {center:String} AND subject_kind = 'call' AND subject IN (SELECT id FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND offered
        AND (answered_at IS NULL OR answer_ms IS NOT NULL) AND NOT ifNull(answer_ms <= 1000 * {target:UInt32}, false))
        AND occurred_at <= parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'), 3, 'UTC') AND type != 'event.withdrawn' AND (subject, source, id) NOT IN
        (
            SELECT subject, source, replaces FROM monev112.events
            WHERE center = {center:String} AND subject_kind = 'call' AND replaces != '' AND replaces != id
        )
    GROUP BY call) AS rings ON rings.call = late.id
LEFT JOIN (SELECT call, countIf(known) AS observed, countIf(known AND state IN ('available', 'busy', 'wrapup')) AS signed,
        countIf(known AND (state IN ('busy', 'wrapup') OR state = 'available' AND talking)) AS busy,
        countIf(known AND state IN ('available', 'busy', 'wrapup') AND talking AND with_hoax) AS hoax
    FROM
    (
        SELECT s.call AS call, s.known AS known, s.state AS state, t.over > s.moment AS talking, t.hoax AS with_hoax
        FROM
        (
            SELECT l.call AS call, l.moment AS moment, l.who AS who, a.state AS state,
                a.since >= l.moment - toIntervalMillisecond(43200000) AS known
            FROM
            (
                SELECT late.id AS call, late.moment AS moment, agents.who AS who
                FROM (SELECT *, assumeNotNull(offered_at) AS begun, ifNull(at, begun) AS came,
        least(begun + toIntervalMillisecond(1000 * {target:UInt32}), if(answered_at IS NULL,
            least(ifNull(abandoned_at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC')), ifNull(unserved_at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC'))), toDateTime64('2299-12-31 00:00:00', 3, 'UTC'))) AS moment
    FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND offered
        AND (answered_at IS NULL OR answer_ms IS NOT NULL) AND NOT ifNull(answer_ms <= 1000 * {target:UInt32}, false)
                    
                    AND center IN (SELECT center FROM monev112.events WHERE center = {center:String} AND subject_kind = 'agent' AND type = 'agent.state' AND result != ''
            AND occurred_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 2 DAY AND occurred_at < toDateTime64({until:Date}, 3, 'UTC') + INTERVAL 2 DAY LIMIT 1)) AS late
                CROSS JOIN (SELECT DISTINCT subject AS who FROM monev112.events WHERE center = {center:String} AND subject_kind = 'agent' AND type = 'agent.state' AND result != ''
            AND occurred_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 2 DAY AND occurred_at < toDateTime64({until:Date}, 3, 'UTC') + INTERVAL 2 DAY) AS agents
            ) AS l
            ASOF LEFT JOIN (SELECT subject AS who, occurred_at AS since,
            argMax(result::String, (revision, arrayStringConcat(arrayMap(p -> if(match(p, '^[0-9]'), concat('0', char(length(trim(LEADING '0' FROM p))), trim(LEADING '0' FROM p)), p),
                extractAll(id, '[0-9]+|[^0-9]+'))), id, source, digest)) AS state
        FROM monev112.events
        WHERE center = {center:String} AND subject_kind = 'agent' AND type = 'agent.state' AND result != ''
            AND occurred_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 2 DAY AND occurred_at < toDateTime64({until:Date}, 3, 'UTC') + INTERVAL 2 DAY
            AND occurred_at <= parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'), 3, 'UTC') AND type != 'event.withdrawn' AND (subject, source, id) NOT IN
        (
            SELECT subject, source, replaces FROM monev112.events
            WHERE center = {center:String} AND subject_kind = 'agent' AND replaces != '' AND replaces != id
        )
        GROUP BY who, since) AS a ON a.who = l.who AND l.moment >= a.since
        ) AS s
        ASOF LEFT JOIN (SELECT assumeNotNull(agent)::String AS who, assumeNotNull(answered_at) AS talk, max(assumeNotNull(ended_at)) AS over, max(hoax) AS hoax
        FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
    WHERE center = {center:String} AND day >= {since:Date} - 2 AND day <= {until:Date} + 2
            AND ended_at >= answered_at
            
            AND agent IN (SELECT subject FROM monev112.events WHERE center = {center:String} AND subject_kind = 'agent' AND type = 'agent.state')
        GROUP BY who, talk) AS t ON t.who = s.who AND s.moment >= t.talk
    )
    GROUP BY call) AS floor ON floor.call = late.id;

CREATE OR REPLACE VIEW monev112.monev_kendala_clocks ON CLUSTER monev112 AS
SELECT
    center, id, clock, seq, assumeNotNull(day) AS day, opd, scope, category, priority, kecamatan, begun AS at,
    multiIf(
        opened_at IS NULL OR contradiction
            OR NOT stopped AND (clock = 'arrive' AND handled_at IS NOT NULL OR clock = 'confirm' AND ifNull(closed_at >= last_resolved_at, false)),
            'data',
        ifNull(assigned_at, last) > begun
            AND ifNull(dateDiff('millisecond', coalesce(answered_at, opened_at), least(ifNull(assigned_at, last), last)) > multiIf(ifNull(priority = 'darurat', false), 180000, ifNull(priority = 'mendesak', false), 900000, 7200000), false),
            'disposisi',
        clock != 'acknowledge' AND 4 * arraySum((o, a, b) -> if(o = stay_opds[-1], 0, greatest(0, dateDiff('millisecond', greatest(a, begun), least(ifNull(b, last), last)))), stay_opds, stay_begins, stay_ends)
            > target_ms, 'pantulan',
        clock = 'acknowledge' OR arrayExists(x -> begun < x AND x < last, late_acknowledged), 'terima',
        acknowledged_at >= begun AND ifNull(departed_at >= acknowledged_at, clock = 'arrive' AND arrived_at IS NULL)
            AND dateDiff('millisecond', acknowledged_at, least(ifNull(departed_at, last), last)) > multiIf(ifNull(priority = 'darurat', false), 120000, ifNull(priority = 'mendesak', false), 900000, 86400000),
            'berangkat',
        departed_at >= begun AND (arrived_at IS NOT NULL OR clock = 'arrive')
            AND dateDiff('millisecond', departed_at, least(ifNull(arrived_at, last), last)) > multiIf(ifNull(priority = 'darurat', false), 600000, ifNull(priority = 'mendesak', false), 1800000, 7200000),
            'tempuh',
        breach_at > gross_due_at
            AND dateDiff('millisecond', gross_due_at, last) <= arraySum((a, b) -> greatest(0, dateDiff('millisecond', greatest(a, begun), least(ifNull(b, last), last))), pause_begins, pause_ends),
            'jeda',
        clock IN ('resolve', 'resolve_total', 'given')
            AND dateDiff('millisecond', work, last) - arraySum((a, b) -> greatest(0, dateDiff('millisecond', greatest(a, work), least(ifNull(b, last), last))), pause_begins, pause_ends) > target_ms,
            'penanganan',
        'tidak_terjelaskan') AS cause,
    if(cause = 'jeda', arraySort(p -> (-p.1, p.2), arrayMap((a, b, r) -> (greatest(0, dateDiff('millisecond', greatest(a, begun), least(ifNull(b, last), last))), r), pause_begins, pause_ends, pause_reasons))[1].2, '') AS reason
FROM
(
    SELECT
        c.center AS center, c.subject AS id, c.clock::String AS clock, c.seq AS seq, c.day AS day, ifNull(c.opd, '')::String AS opd,
        ifNull(c.scope, 'own')::String AS scope, ifNull(c.category, '')::String AS category, ifNull(c.priority, '')::String AS priority,
        ifNull(c.kecamatan, '')::String AS kecamatan, assumeNotNull(c.started_at) AS begun, c.until AS last, c.stopped AS stopped,
        assumeNotNull(c.breach_at) AS breach_at, ifNull(c.gross_due_at, assumeNotNull(c.breach_at)) AS gross_due_at,
        dateDiff('millisecond', begun, gross_due_at) AS target_ms,
        t.opened_at AS opened_at, t.answered_at AS answered_at, t.assigned_at AS assigned_at, t.acknowledged_at AS acknowledged_at,
        t.departed_at AS departed_at, t.arrived_at AS arrived_at, t.handled_at AS handled_at, t.closed_at AS closed_at,
        t.last_resolved_at AS last_resolved_at,
        ifNull(t.opened_at < t.received_at, false) OR ifNull(t.assigned_at < t.opened_at, false) OR ifNull(t.handled_at < t.opened_at, false)
            OR ifNull(t.arrived_at < t.departed_at, false) OR ifNull(t.arrived_at < coalesce(t.received_at, t.opened_at), false) AS contradiction,
        
        greatest(begun, coalesce(t.arrived_at, t.departed_at, t.acknowledged_at, if(empty(t.`stays.at`), begun, t.`stays.at`[-1]))) AS work,
        t.`stays.opd` AS stay_opds, t.`stays.at` AS stay_begins, t.`stays.ended_at` AS stay_ends,
        arrayFilter((a, r) -> hasAny(splitByChar('+', r::String), ['menunggu_pelapor', 'menunggu_pihak_lain', 'cuaca', 'menunggu_material']), t.`pauses.since`, t.`pauses.reason`) AS pause_begins,
        arrayFilter((b, r) -> hasAny(splitByChar('+', r::String), ['menunggu_pelapor', 'menunggu_pihak_lain', 'cuaca', 'menunggu_material']), t.`pauses.until`, t.`pauses.reason`) AS pause_ends,
        arrayFilter(r -> hasAny(splitByChar('+', r::String), ['menunggu_pelapor', 'menunggu_pihak_lain', 'cuaca', 'menunggu_material']), t.`pauses.reason`) AS pause_reasons,
        c.late_acknowledged AS late_acknowledged
    FROM
    (
        
        SELECT *, groupArrayIf(assumeNotNull(breach_at), clock = 'acknowledge') OVER (PARTITION BY subject) AS late_acknowledged
        FROM monev112.clocks_at(at = coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC'))))
        WHERE center = {center:String} AND subject_kind = 'ticket' AND state = 'breached'
            AND (clock = 'acknowledge' OR (day >= {since:Date} AND day < {until:Date}))
    ) AS c
    LEFT JOIN
    (
        SELECT * FROM monev112.tickets_at(at = coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC')))) WHERE center = {center:String}
    ) AS t ON t.id = c.subject
    WHERE c.day >= {since:Date} AND c.day < {until:Date}
);

CREATE OR REPLACE VIEW monev112.monev_kendala_tickets ON CLUSTER monev112 AS
SELECT late.*, said.code AS stated
FROM monev112.monev_kendala_clocks(center = {center:String}, since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}) AS late
LEFT JOIN (SELECT subject, opd::String AS by_opd, argMax(reason::String, (occurred_at, revision, arrayStringConcat(arrayMap(p -> if(match(p, '^[0-9]'), concat('0', char(length(trim(LEADING '0' FROM p))), trim(LEADING '0' FROM p)), p),
                extractAll(id, '[0-9]+|[^0-9]+'))), id, source, digest)) AS code
        FROM monev112.events
        WHERE center = {center:String} AND subject_kind = 'ticket' AND type = 'ticket.explained' AND reason != ''
            AND occurred_at <= parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'), 3, 'UTC') AND type != 'event.withdrawn' AND (subject, source, id) NOT IN
        (
            SELECT subject, source, replaces FROM monev112.events
            WHERE center = {center:String} AND subject_kind = 'ticket' AND replaces != '' AND replaces != id
        )
        GROUP BY subject, by_opd) AS said ON said.subject = late.id AND said.by_opd = late.opd;

CREATE OR REPLACE VIEW monev112.monev_kendala ON CLUSTER monev112 AS
SELECT
    c.center AS center, c.period AS period, c.indicator AS indicator, c.scope AS scope, c.opd AS opd, c.cause AS cause, c.reason AS reason,
    c.numerator AS numerator, d.failing AS denominator, d.decided AS n,
    if(d.failing = 0, NULL, c.numerator / d.failing) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, indicator, scope, opd, cause, reason, count() AS numerator
    FROM
    (
        SELECT center, day, 'answer' AS indicator, 'own' AS scope, '' AS opd, cause, '' AS reason
        FROM monev112.monev_kendala_calls(center = {center:String}, since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, target = {target:UInt32}, short = {short:UInt32})
        UNION ALL
        SELECT center, day, clock, scope, opd, cause, reason
        FROM monev112.monev_kendala_clocks(center = {center:String}, since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)})
    )
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, indicator, scope, opd, cause, reason
) AS c
INNER JOIN
(
    SELECT center, period, 'answer' AS indicator, 'own' AS scope, '' AS opd, toUInt64(denominator - numerator) AS failing, toUInt64(denominator) AS decided
    FROM monev112.monev_service_level(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = {step:String}, target = {target:UInt32}, short = {short:UInt32})
    
    WHERE center = {center:String} AND measure = 'ketat' AND stamped > 0
    UNION ALL
    SELECT center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, clock, o.scope AS scope, o.opd AS opd, sum(o.stopped_late + o.open_late), sum(o.met + o.stopped_late + o.open_late)
    FROM monev112.clocks_counted(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}) AS o
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock, scope, opd
) AS d ON d.center = c.center AND d.period = c.period AND d.indicator = c.indicator AND d.scope = c.scope AND d.opd = c.opd;

CREATE OR REPLACE VIEW monev112.monev_kendala_groups ON CLUSTER monev112 AS
SELECT center, indicator, scope, part.1 AS dimension, part.2 AS value, countIf(in_time) AS numerator, count() AS n
FROM
(
    SELECT center, 'answer' AS indicator, 'own' AS scope, ifNull(answer_ms <= 1000 * {target:UInt32}, false) AS in_time,
        [('category', ifNull(category, '')::String), ('kecamatan', ifNull(kecamatan, '')::String), ('shift', toString(intDiv(60 * toHour(assumeNotNull(at), {zone:String}) + toMinute(assumeNotNull(at), {zone:String}), 15)))] AS parts
    FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND offered
        AND (answered_at IS NULL OR answer_ms IS NOT NULL) AND {opd:Nullable(String)} IS NULL
    UNION ALL
    SELECT center, clock, ifNull(c.scope, 'own')::String, state = 'met',
        [('opd', ifNull(c.opd, '')::String), ('category', ifNull(c.category, '')::String), ('priority', ifNull(c.priority, '')::String),
         ('kecamatan', ifNull(c.kecamatan, '')::String), ('shift', toString(intDiv(60 * toHour(assumeNotNull(started_at), {zone:String}) + toMinute(assumeNotNull(started_at), {zone:String}), 15)))]
    FROM monev112.clocks_at(at = coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC')))) AS c
    WHERE c.center = {center:String} AND c.subject_kind = 'ticket' AND c.state IN ('met', 'breached')
        AND c.day >= {since:Date} AND c.day < {until:Date} AND ({opd:Nullable(String)} IS NULL OR c.opd = {opd:Nullable(String)})
)
ARRAY JOIN parts AS part
GROUP BY center, indicator, scope, dimension, value;

CREATE OR REPLACE VIEW monev112.office_history ON CLUSTER monev112 AS
SELECT center::String AS center, subject_kind::String AS kind, subject, occurred_at, received_at, changed_by::String AS changed_by,
    source::String AS source, id, revision, record
FROM monev112.events FINAL
WHERE subject_kind IN ('rtl', 'remark', 'form') AND type != 'event.withdrawn'
    AND (center, subject_kind, subject, source, id) NOT IN
    (
        SELECT center, subject_kind, subject, source, replaces FROM monev112.events
        WHERE subject_kind IN ('rtl', 'remark', 'form') AND replaces != '' AND replaces != id
    );

CREATE OR REPLACE VIEW monev112.office_now ON CLUSTER monev112 AS
SELECT center, kind, subject, mapFromArrays(groupArray(name), groupArray(value)) AS record, min(first_at) AS created_at,
    max(last_at) AS changed_at, argMax(last_by, last) AS changed_by
FROM
(
    SELECT center, kind, subject, name, argMax(value, (occurred_at, revision, id, source)) AS value, min(occurred_at) AS first_at,
        max(occurred_at) AS last_at, max((occurred_at, revision, id, source)) AS last, argMax(changed_by, (occurred_at, revision, id, source)) AS last_by
    FROM monev112.office_history
    ARRAY JOIN mapKeys(record) AS name, mapValues(record) AS value
    GROUP BY center, kind, subject, name
)
GROUP BY center, kind, subject;

CREATE OR REPLACE VIEW monev112.rtl_now ON CLUSTER monev112 AS
SELECT center, subject AS id, record['text'] AS text, record['owner'] AS owner, record['month'] AS month, record['due'] AS due,
    if(record['status'] = '', 'usulan', record['status']) AS status, record['completed'] AS completed,
    record['indicator'] AS indicator, record['opd'] AS opd, record['category'] AS category, record['priority'] AS priority,
    record['kecamatan'] AS kecamatan, record['baseline'] AS baseline, record['remarks'] AS remarks,
    created_at, changed_at, changed_by
FROM monev112.office_now
WHERE kind = 'rtl';

CREATE OR REPLACE VIEW monev112.monev_indicator ON CLUSTER monev112 AS
SELECT inside, toUInt64(sum(k)) AS numerator, toUInt64(sum(n)) AS denominator
FROM
(
    SELECT
        ({opd:String} = '' OR ifNull(opd, '') = {opd:String}) AND ({category:String} = '' OR ifNull(category, '') = {category:String})
            AND ({priority:String} = '' OR ifNull(priority, '') = {priority:String})
            AND ({kecamatan:String} = '' OR ifNull(kecamatan, '') = {kecamatan:String}) AS inside,
        countIf(state = 'met') AS k, countIf(state IN ('met', 'breached')) AS n
    FROM monev112.clocks_at(at = coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC'))))
    WHERE center = {center:String} AND clock = {indicator:String} AND NOT void AND day >= {since:Date} AND day < {until:Date}
        AND (subject_kind = 'call' OR ifNull(scope, 'own') = 'own' OR ifNull(opd, '') = {opd:String})
    GROUP BY inside
    UNION ALL
    SELECT
        ({category:String} = '' OR ifNull(category, '') = {category:String})
            AND ({kecamatan:String} = '' OR ifNull(kecamatan, '') = {kecamatan:String}) AS inside,
        countIf(multiIf({indicator:String} = 'tidak_terjawab', offered AND NOT answered,
            {indicator:String} = 'rasio_hoaks', answered AND hoax,
            {indicator:String} = 'rasio_non_darurat', answered AND (hoax OR ifNull(class IN ('ghost', 'pocket', 'informasi'), false)),
            {indicator:String} = 'belum', answered AND NOT classified, false)) AS k,
        countIf(multiIf({indicator:String} = 'tidak_terjawab', offered,
            {indicator:String} IN ('rasio_hoaks', 'rasio_non_darurat'), answered AND classified,
            {indicator:String} = 'belum', answered, false)) AS n
    FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC'))))
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
    GROUP BY inside
)
GROUP BY inside;

CREATE OR REPLACE VIEW monev112.deliveries ON CLUSTER monev112 AS
SELECT
    n.center AS center, n.opd AS opd, n.kind AS kind, n.level AS level, n.subject AS ticket, n.priority AS priority,
    n.message AS message, n.round AS round, n.channel AS channel, n.contact AS contact, n.told_at AS told_at,
    n.accepted_at AS accepted_at, n.delivered_at AS delivered_at, n.read_at AS read_at, n.failed_at AS failed_at,
    n.code AS code, n.twice AS twice,
    multiIf(read_at IS NOT NULL, 'read', delivered_at IS NOT NULL, 'delivered', failed_at IS NOT NULL, 'failed',
        accepted_at IS NOT NULL, 'accepted', 'waiting') AS state,
    if(n.opd IS NULL, if(t.acknowledged_at >= n.told_at, t.acknowledged_at, NULL),
        arraySort(arrayFilter((a, o) -> ifNull(o = n.opd AND a >= n.told_at, false), t.acknowledgements, t.opds))[1]) AS acknowledged_at,
    n.late_since AS late_since, n.tries AS tries, n.moved AS moved
FROM monev112.notifications AS n FINAL
LEFT JOIN
(
    SELECT center, id, toNullable(acknowledged_at) AS acknowledged_at, `stays.opd` AS opds, `stays.acknowledged_at` AS acknowledgements
    FROM monev112.tickets_now
    WHERE (center, id) IN (SELECT center, subject FROM monev112.notifications WHERE channel != '')
) AS t ON t.center = n.center AND t.id = n.subject
WHERE n.channel != '';

CREATE OR REPLACE VIEW monev112.deliveries_by_opd ON CLUSTER monev112 AS
SELECT m.center AS center, m.office AS opd, m.channel AS channel, m.messages AS messages, m.delivered AS delivered,
    m.seen AS seen, m.failed AS failed, t.reads AS reads, if(t.reads = 0, NULL, t.read_after) AS to_read,
    t.acknowledgements AS acknowledgements, if(t.acknowledgements = 0, NULL, t.acknowledged_after) AS to_acknowledged
FROM
(
    SELECT center, ifNull(opd, '') AS office, channel, uniqExact(message) AS messages,
        uniqExactIf(message, state IN ('delivered', 'read') OR channel != 'whatsapp' AND state = 'accepted') AS delivered,
        uniqExactIf(message, state = 'read') AS seen, uniqExactIf(message, state = 'failed') AS failed
    FROM (SELECT *, multiIf(read_at IS NOT NULL, 'read', delivered_at IS NOT NULL, 'delivered', failed_at IS NOT NULL, 'failed',
        accepted_at IS NOT NULL, 'accepted', 'waiting') AS state FROM monev112.notifications FINAL WHERE channel != '')
    WHERE told_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND told_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC') AND state != 'waiting'
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
        FROM (SELECT
    n.center AS center, n.opd AS opd, n.kind AS kind, n.level AS level, n.subject AS ticket, n.priority AS priority,
    n.message AS message, n.round AS round, n.channel AS channel, n.contact AS contact, n.told_at AS told_at,
    n.accepted_at AS accepted_at, n.delivered_at AS delivered_at, n.read_at AS read_at, n.failed_at AS failed_at,
    n.code AS code, n.twice AS twice,
    multiIf(read_at IS NOT NULL, 'read', delivered_at IS NOT NULL, 'delivered', failed_at IS NOT NULL, 'failed',
        accepted_at IS NOT NULL, 'accepted', 'waiting') AS state,
    if(n.opd IS NULL, if(t.acknowledged_at >= n.told_at, t.acknowledged_at, NULL),
        arraySort(arrayFilter((a, o) -> ifNull(o = n.opd AND a >= n.told_at, false), t.acknowledgements, t.opds))[1]) AS acknowledged_at,
    n.late_since AS late_since, n.tries AS tries, n.moved AS moved
FROM monev112.notifications AS n FINAL
LEFT JOIN
(
    SELECT center, id, toNullable(acknowledged_at) AS acknowledged_at, `stays.opd` AS opds, `stays.acknowledged_at` AS acknowledgements
    FROM monev112.tickets_now
    WHERE (center, id) IN (SELECT center, subject FROM monev112.notifications WHERE channel != '' AND late_since IS NOT NULL)
) AS t ON t.center = n.center AND t.id = n.subject
WHERE n.channel != '')
        WHERE told_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND told_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC') AND state != 'waiting' AND late_since IS NOT NULL AND state != 'failed'
        GROUP BY center, office, channel, ticket
    )
    GROUP BY center, office, channel
) AS t ON t.center = m.center AND t.office = m.office AND t.channel = m.channel;

CREATE OR REPLACE VIEW monev112.monev_report ON CLUSTER monev112 AS
SELECT {center:String} AS center, g.1::String AS figure, g.2::String AS dims, toFloat64(sum(g.3)) AS numerator,
    toFloat64(if(startsWith(figure, 'calls_'), any(total), count())) AS denominator, toUInt64(denominator) AS n,
    if(denominator = 0, NULL, numerator / denominator) AS value
FROM
(
    SELECT count() OVER () AS total, arrayConcat([
            ('calls_class', concat('class=', multiIf(NOT answered, 'tidak_terjawab', classified, ifNull(class, ''), 'belum')), 1),
            ('calls_hour', concat('hour=', leftPad(toString(toHour(local)), 2, '0'), ',weekday=', toString(toDayOfWeek(local))), 1),
            ('calls_quarter', concat('at=', formatDateTime(toStartOfFifteenMinutes(local), '%Y-%m-%dT%H:%i')), 1),
            ('calls_day', concat('day=', toString(assumeNotNull(day))), 1)],
        arrayMap(f -> ('calls_flag', concat('flag=', f), 1), flags)) AS list
    FROM (SELECT *, toTimeZone(assumeNotNull(at), {zone:String}) AS local FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00')))
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
)
ARRAY JOIN list AS g
GROUP BY figure, dims

QUALIFY figure != 'calls_quarter' OR row_number() OVER (PARTITION BY figure ORDER BY numerator DESC, dims) = 1
UNION ALL
SELECT {center:String}, g.1::String AS figure, g.2::String AS dims, toFloat64(sum(g.3)) AS numerator,
    toFloat64(if(startsWith(figure, 'tickets_'), any(total), count())) AS denominator, toUInt64(denominator) AS n,
    if(denominator = 0, NULL, numerator / denominator)
FROM
(
    SELECT count() OVER () AS total, concat('opd=', ifNull(opd, ''), ',scope=', ifNull(scope, 'own')) AS held,
        coalesce(acknowledged_at, departed_at, arrived_at, resolved_at) IS NOT NULL AS done,
        arrayConcat([
            ('tickets_opd', held, 1),
            ('tickets_category', concat('category=', ifNull(category, '')), 1),
            ('tickets_kecamatan', concat('kecamatan=', ifNull(kecamatan, '')), 1),
            ('tickets_priority', concat('priority=', ifNull(priority, '')), 1),
            ('bounced', held, toUInt8(bounces > 0)),
            ('reopened', held, toUInt8(reopened > 0))],
        
        if(done OR NOT u.unacted, [('acted', held, toUInt8(done))], []),
        if(confirmed_at IS NOT NULL OR NOT u.unconfirmed, [('confirmed', held, toUInt8(confirmed_at IS NOT NULL))], []),
        if(category = 'kebakaran' AND respond_seconds IS NOT NULL,
            [('arrived_within', 'category=kebakaran,seconds=900', toUInt8(assumeNotNull(respond_seconds) <= 900)),
             ('fires_opd', held, toUInt8(assumeNotNull(respond_seconds) <= 900))], []),
        arrayMap(f -> ('tickets_flag', concat('flag=', f), 1), flags)) AS list
    FROM monev112.tickets_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00')) AS t
    LEFT JOIN
    (
        SELECT subject,
            countIf(clock != 'confirm' AND state = 'unobserved') > 0
                AND countIf(clock != 'confirm' AND state NOT IN ('unobserved', 'void')) = 0 AS unacted,
            countIf(clock IN ('resolve', 'confirm') AND state = 'unobserved') > 0 AS unconfirmed
        FROM monev112.clocks_at(at = coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC')))) AS c
        WHERE c.center = {center:String} AND c.subject_kind = 'ticket' AND c.day >= {since:Date} - 8
            AND clock IN ('acknowledge', 'arrive', 'resolve', 'confirm')
        GROUP BY subject
    ) AS u ON u.subject = t.id
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND state != 'merged'
)
ARRAY JOIN list AS g
GROUP BY figure, dims
UNION ALL
SELECT center, 'unobserved', concat('clock=', clock, ',opd=', c.opd, ',scope=', c.scope),
    toFloat64(sum(c.unobserved)), toFloat64(sum(met + stopped_late + open_late + undecided + c.unobserved)) AS whole, toUInt64(whole),
    if(whole = 0, NULL, sum(c.unobserved) / whole)
FROM monev112.clocks_counted(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}) AS c
WHERE center = {center:String}
GROUP BY center, clock, opd, scope
UNION ALL
SELECT center, 'hoax_cost', concat('measure=', measure), toFloat64(numerator), toFloat64(denominator), toUInt64(numerator), amount
FROM monev112.monev_hoax_cost(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, center = {center:String}, target = {target:UInt32})
UNION ALL

SELECT center, 'hoax_callers', '', toFloat64(numerator), toFloat64(calls), toUInt64(numbers), share
FROM (SELECT *, n AS calls FROM monev112.monev_callers(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, center = {center:String}) ORDER BY calls DESC, key_id LIMIT 1)
UNION ALL
SELECT center, 'hoax_blocks', '', toFloat64(numerator), toFloat64(denominator), toUInt64(denominator), if(denominator = 0, NULL, numerator / denominator)
FROM monev112.monev_blocks(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, center = {center:String});

CREATE OR REPLACE VIEW monev112.monev_indicators ON CLUSTER monev112 AS
SELECT center, period AS month, 'answer' AS indicator, toFloat64(numerator) AS numerator, toFloat64(denominator) AS denominator,
    toUInt64(if(stamped = 0, 0, n)) AS n, share AS value
FROM monev112.monev_service_level(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = 'month', target = {target:UInt32}, short = {short:UInt32})
WHERE measure = 'ketat' AND center = {center:String}
UNION ALL
SELECT {center:String}, toStartOfMonth(assumeNotNull(day)) AS month, 'fire', toFloat64(countIf(respond_seconds <= 900)), toFloat64(count(respond_seconds)),
    toUInt64(count(respond_seconds)), if(count(respond_seconds) = 0, NULL, countIf(respond_seconds <= 900) / count(respond_seconds))
FROM monev112.tickets_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'))
WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND category = 'kebakaran' AND state != 'merged'
GROUP BY month
UNION ALL
SELECT center, period AS month, clock, toFloat64(sum(o.numerator)) AS k, toFloat64(sum(o.denominator)) AS d, toUInt64(d), if(d = 0, NULL, k / d)
FROM monev112.monev_on_time_tickets(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = 'month') AS o
WHERE center = {center:String} AND clock IN ('acknowledge', 'resolve')
GROUP BY center, month, clock
UNION ALL
SELECT center, period AS month, 'hoax', toFloat64(numerator), toFloat64(denominator), toUInt64(denominator), share
FROM monev112.monev_hoax(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}, step = 'month')
WHERE measure = 'rasio_hoaks' AND center = {center:String};

CREATE OR REPLACE VIEW monev112.monev_informasi ON CLUSTER monev112 AS
SELECT
    center, period, measure, numerator, denominator, n,
    if(n = 0, NULL, denominator / n) AS coverage,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, 'informasi' AS measure, toInt64(sum(c.informasi)) AS numerator,
        toInt64(sum(c.classified)) AS denominator, toInt64(sum(c.answered)) AS n
    FROM monev112.calls_counted(since = {since:Date}, until = {until:Date}, as_of = {as_of:Nullable(String)}) AS c
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period
    UNION ALL
    SELECT center, period, m.1, toInt64(m.2), toInt64(m.3), toInt64(questions)
    FROM
    (
        SELECT center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, count() AS questions,
            countIf(outcome IS NOT NULL) AS told,
            [
                ('dijawab', countIf(ifNull(outcome = 'dijawab', false)), told),
                ('dirujuk', countIf(ifNull(outcome = 'dirujuk', false)), told),
                ('tidak_tahu', countIf(ifNull(outcome = 'tidak_tahu', false)), told),
                ('kontak_pertama', countIf(judged AND ifNull(outcome = 'dijawab', false) AND NOT ifNull(until_next <= 604800000, false)), countIf(judged)),
                ('berulang', countIf(followed AND ifNull(since_last <= 604800000, false)), countIf(followed))
            ] AS measures
        FROM (SELECT * FROM
    (
        SELECT center, day, id, at, class, outcome, referred_to, ifNull(category, '') AS topic,
            caller_key IS NOT NULL AND topic != '' AS followed,
            followed AND outcome IS NOT NULL AND at <= parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC'))), 3, 'UTC')
                - toIntervalMillisecond(604800000) AS judged,
            if(followed, dateDiff('millisecond', before, at), NULL) AS since_last,
            if(followed, dateDiff('millisecond', at, after), NULL) AS until_next
        FROM
        (
            SELECT center, day, id, assumeNotNull(c.at) AS at, class, outcome, referred_to, category, caller_key,
                lagInFrame(c.at) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before,
                leadInFrame(c.at) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS after
            FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00')) AS c
            WHERE c.at IS NOT NULL AND day >= {since:Date} - 8 AND day < {until:Date} + 8
                
                AND (ifNull(class = 'informasi', false) OR caller_key IS NOT NULL AND ifNull(category, '') != '')
            WINDOW w AS (PARTITION BY center, ifNull(caller_key_id, ''), ifNull(caller_key, id), ifNull(category, '') ORDER BY c.at, id)
        )
    )
    WHERE day >= {since:Date} AND day < {until:Date} AND ifNull(class = 'informasi', false))
        WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
        GROUP BY center, period
    )
    ARRAY JOIN measures AS m
);

CREATE OR REPLACE VIEW monev112.monev_informasi_topics ON CLUSTER monev112 AS
SELECT
    center, topic, ifNull(q.referred_to, '') AS referred_to, count() AS n,
    countIf(outcome IS NOT NULL) AS told,
    countIf(ifNull(outcome = 'dijawab', false)) AS dijawab,
    countIf(ifNull(outcome = 'dirujuk', false)) AS dirujuk,
    countIf(ifNull(outcome = 'tidak_tahu', false)) AS tidak_tahu,
    countIf(q.followed) AS followed,
    countIf(q.followed AND ifNull(since_last <= 604800000, false)) AS repeats,
    maxIf(day, ifNull(outcome = 'tidak_tahu', false)) AS last
FROM (SELECT * FROM
    (
        SELECT center, day, id, at, class, outcome, referred_to, ifNull(category, '') AS topic,
            caller_key IS NOT NULL AND topic != '' AS followed,
            followed AND outcome IS NOT NULL AND at <= parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC'))), 3, 'UTC')
                - toIntervalMillisecond(604800000) AS judged,
            if(followed, dateDiff('millisecond', before, at), NULL) AS since_last,
            if(followed, dateDiff('millisecond', at, after), NULL) AS until_next
        FROM
        (
            SELECT center, day, id, assumeNotNull(c.at) AS at, class, outcome, referred_to, category, caller_key,
                lagInFrame(c.at) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before,
                leadInFrame(c.at) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS after
            FROM monev112.calls_at(at = coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00')) AS c
            WHERE c.at IS NOT NULL AND day >= {since:Date} - 8 AND day < {until:Date} + 8
                
                AND (ifNull(class = 'informasi', false) OR caller_key IS NOT NULL AND ifNull(category, '') != '')
            WINDOW w AS (PARTITION BY center, ifNull(caller_key_id, ''), ifNull(caller_key, id), ifNull(category, '') ORDER BY c.at, id)
        )
    )
    WHERE day >= {since:Date} AND day < {until:Date} AND ifNull(class = 'informasi', false)) AS q
GROUP BY center, topic, q.referred_to;

CREATE OR REPLACE VIEW monev112.monev_corrected ON CLUSTER monev112 AS
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
    FROM monev112.tickets FINAL
    ARRAY JOIN `corrected.clock` AS clock, `corrected.seq` AS seq, `corrected.opd` AS opd_of, `corrected.scope` AS scope_of,
        `corrected.day` AS day_of, `corrected.received_at` AS corrected_at, `corrected.started_at` AS started_at,
        `corrected.due_at` AS due_at, `corrected.stopped_at` AS stopped_at
    WHERE day_of >= {since:Date} AND day_of < {until:Date} AND NOT has(flags, 'test')
        AND corrected_at <= parseDateTime64BestEffort(coalesce({as_of:Nullable(String)}, '2299-12-31 00:00:00'), 3, 'UTC')
) AS c
LEFT JOIN
(
    SELECT center::String AS center, subject, clock::String AS clock, seq, state, stopped, breach_at, stopped_at
    FROM monev112.clocks_at(at = coalesce({as_of:Nullable(String)}, toString(now64(3, 'UTC')))) AS k
    WHERE k.subject_kind = 'ticket' AND (k.center, k.subject) IN (SELECT center, id FROM monev112.tickets WHERE notEmpty(`corrected.day`))
) AS n ON n.center = c.center AND n.subject = c.ticket AND n.clock = c.clock AND n.seq = c.seq;

CREATE OR REPLACE VIEW monev112.present_flags_by_source ON CLUSTER monev112 AS
WITH parseDateTime64BestEffort(coalesce({judged_at:Nullable(String)}, '2299-12-31 00:00:00'), 3, 'UTC') AS t
SELECT f.center AS center, f.kind AS kind, f.flag AS flag, e.source AS source, uniqExact(f.id) AS cases,
    groupArraySorted(3)(f.id) AS examples
FROM
(
    SELECT center::String AS center, 'call' AS kind, id, arrayJoin(flags) AS flag
    FROM monev112.calls AS c FINAL
    WHERE events > 0 AND ifNull(class, '') != 'uji' AND at <= t AND notEmpty(flags) AND day >= {since:Date} AND day < {until:Date}
        AND (c.center, c.id) IN (SELECT center, id FROM monev112.calls WHERE notEmpty(flags) AND day >= {since:Date} AND day < {until:Date})
    UNION ALL
    SELECT center::String, 'ticket', id, arrayJoin(arrayFilter(f -> f != 'corrected_after_late' OR empty(`corrected.received_at`)
        OR arrayMin(`corrected.received_at`) <= t, flags))
    FROM monev112.tickets AS c FINAL
    WHERE events > 0 AND NOT has(flags, 'test') AND at <= t AND notEmpty(flags) AND day >= {since:Date} AND day < {until:Date}
        AND (c.center, c.id) IN (SELECT center, id FROM monev112.tickets WHERE notEmpty(flags) AND day >= {since:Date} AND day < {until:Date})
) AS f
INNER JOIN
(
    SELECT DISTINCT center::String AS center, subject_kind::String AS kind, subject, source
    FROM monev112.events
    WHERE occurred_at <= t AND (center, subject_kind, subject) IN
    (
        SELECT center, 'call', id FROM monev112.calls WHERE notEmpty(flags) AND day >= {since:Date} AND day < {until:Date}
        UNION ALL
        SELECT center, 'ticket', id FROM monev112.tickets WHERE notEmpty(flags) AND day >= {since:Date} AND day < {until:Date}
    )
) AS e ON e.center = f.center AND e.kind = f.kind AND e.subject = f.id
GROUP BY center, kind, flag, source;

CREATE OR REPLACE VIEW monev112.present_calls_counted ON CLUSTER monev112 AS
SELECT * EXCEPT version
FROM monev112.calls_daily FINAL
WHERE received > 0 AND day >= {since:Date} AND day < {until:Date};

CREATE OR REPLACE VIEW monev112.present_clocks_counted ON CLUSTER monev112 AS
SELECT center, clock, day, opd::String AS opd, scope::String AS scope, met, stopped_late, open_late, undecided, toUInt64(unobserved) AS unobserved
FROM monev112.clock_outcomes
WHERE day >= {since:Date} AND day < {until:Date};

CREATE OR REPLACE VIEW monev112.present_tickets_counted ON CLUSTER monev112 AS
SELECT
    center, day, scope, opds, priorities, dispatch_ms, acknowledge_ms, turnout_ms, travel_ms, respond_ms, own_ms,
    resolve_ms, resolve_net_ms, confirm_ms
FROM monev112.tickets_daily FINAL
WHERE day >= {since:Date} AND day < {until:Date};

CREATE OR REPLACE VIEW monev112.present_monev_service_level ON CLUSTER monev112 AS
SELECT
    center, period, measure, numerator, denominator, offered AS n, stamped,
    
    if(denominator = 0 OR stamped = 0, NULL, numerator / denominator) AS share,
    if(if(stamped = 0, 0, denominator) = 0, NULL, greatest(0, ((numerator / if(stamped = 0, 0, denominator) + 3.841458820694124 / (2 * if(stamped = 0, 0, denominator))) - 1.959963984540054 * sqrt((numerator / if(stamped = 0, 0, denominator)) * (1 - numerator / if(stamped = 0, 0, denominator)) / if(stamped = 0, 0, denominator) + 3.841458820694124 / (4 * if(stamped = 0, 0, denominator) * if(stamped = 0, 0, denominator)))) / (1 + 3.841458820694124 / if(stamped = 0, 0, denominator)))) AS low,
    if(if(stamped = 0, 0, denominator) = 0, NULL, least(1, ((numerator / if(stamped = 0, 0, denominator) + 3.841458820694124 / (2 * if(stamped = 0, 0, denominator))) + 1.959963984540054 * sqrt((numerator / if(stamped = 0, 0, denominator)) * (1 - numerator / if(stamped = 0, 0, denominator)) / if(stamped = 0, 0, denominator) + 3.841458820694124 / (4 * if(stamped = 0, 0, denominator) * if(stamped = 0, 0, denominator)))) / (1 + 3.841458820694124 / if(stamped = 0, 0, denominator)))) AS high
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period,
        sum(c.offered) AS offered,
        sum(c.stamped) AS stamped,
        sum(length(answer_ms)) AS timed,
        sum(arrayCount(x -> x <= {target:UInt32} * 1000, answer_ms)) AS within,
        sum(arrayCount(x -> x < {short:UInt32} * 1000, abandon_ms)) AS short_abandoned
    FROM monev112.present_calls_counted(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}) AS c
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN
    ['ketat', 'standar', 'terjawab'] AS measure,
    [within, within, within] AS numerator,
    [toInt64(offered - stamped + timed), toInt64(offered - stamped + timed - short_abandoned), toInt64(timed)] AS denominator;

CREATE OR REPLACE VIEW monev112.present_monev_hoax ON CLUSTER monev112 AS
SELECT
    center, period, measure, numerator, denominator, answered AS n, classified,
    
    if(answered = 0, NULL, classified / answered) AS coverage,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period,
        sum(c.answered) AS answered,
        sum(c.classified) AS classified,
        sum(c.hoax) AS hoax,
        sum(ghost + pocket + informasi) AS other
    FROM monev112.present_calls_counted(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}) AS c
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN
    ['rasio_hoaks', 'rasio_non_darurat', 'belum'] AS measure,
    [toInt64(hoax), toInt64(hoax + other), toInt64(answered) - toInt64(classified)] AS numerator,
    [toInt64(classified), toInt64(classified), toInt64(answered)] AS denominator;

CREATE OR REPLACE VIEW monev112.present_monev_funnel ON CLUSTER monev112 AS
SELECT
    center, period, stage, numerator, denominator, denominator AS n,
    if(denominator = 0, NULL, numerator / denominator) AS share
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period,
        sum(received) AS denominator,
        sum(to_hoax) AS f1, sum(to_own) AS f2, sum(to_vertical) AS f3, sum(to_centre) AS f4, sum(to_none) AS f5,
        sum(to_unclassified) AS f6, sum(to_unanswered) AS f7
    FROM monev112.present_calls_counted(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}) AS c
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN
    ['hoax', 'own', 'vertical', 'centre', 'none', 'unclassified', 'unanswered'] AS stage,
    [f1, f2, f3, f4, f5, f6, f7] AS numerator;

CREATE OR REPLACE VIEW monev112.present_monev_intervals_calls ON CLUSTER monev112 AS
SELECT
    center, period, figures.1 AS interval, 'own' AS scope, figures.2 AS numerator, denominator,
    numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, figures.3[1] / 1000) AS median,
    if(n = 0, NULL, figures.3[2] / 1000) AS p90,
    if(n = 0, NULL, figures.3[3] / 1000) AS p95,
    if(n = 0, NULL, figures.4 / n / 1000) AS mean
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period,
        count() AS denominator,
        [
            ('answer', count(answer), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(answer), ifNull(sum(answer), 0)),
            ('classify', count(classify), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(classify), ifNull(sum(classify), 0)),
            ('talk', count(talk), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(talk), ifNull(sum(talk), 0))] AS list
    FROM
    (
        SELECT center, day, answered, answer_ms AS answer, toInt64(round(1000 * classify_seconds)) AS classify,
            toInt64(round(1000 * talk_seconds)) AS talk
        FROM monev112.calls_now
    )
    WHERE answered AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period
)
ARRAY JOIN list AS figures;

CREATE OR REPLACE VIEW monev112.present_monev_intervals_tickets ON CLUSTER monev112 AS
SELECT
    center, period, figures.1 AS interval, scope, figures.2 AS numerator, denominator,
    numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, figures.3[1] / 1000) AS median,
    if(n = 0, NULL, figures.3[2] / 1000) AS p90,
    if(n = 0, NULL, figures.3[3] / 1000) AS p95,
    if(n = 0, NULL, figures.4 / n / 1000) AS mean
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, scope,
        count() AS denominator,
        [
            ('dispatch', count(dispatch), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(dispatch), ifNull(sum(dispatch), 0)),
            ('acknowledge', count(acknowledge), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(acknowledge), ifNull(sum(acknowledge), 0)),
            ('turnout', count(turnout), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(turnout), ifNull(sum(turnout), 0)),
            ('travel', count(travel), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(travel), ifNull(sum(travel), 0)),
            ('respond', count(respond), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(respond), ifNull(sum(respond), 0)),
            ('own', count(own), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(own), ifNull(sum(own), 0)),
            ('resolve', count(resolve), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve), ifNull(sum(resolve), 0)),
            ('resolve_net', count(resolve_net), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve_net), ifNull(sum(resolve_net), 0)),
            ('confirm', count(confirm), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(confirm), ifNull(sum(confirm), 0))] AS list
    FROM monev112.present_tickets_counted(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)})
    ARRAY JOIN dispatch_ms AS dispatch, acknowledge_ms AS acknowledge, turnout_ms AS turnout,
        travel_ms AS travel, respond_ms AS respond, own_ms AS own, resolve_ms AS resolve, resolve_net_ms AS resolve_net,
        confirm_ms AS confirm
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, scope
)
ARRAY JOIN list AS figures;

CREATE OR REPLACE VIEW monev112.present_monev_intervals ON CLUSTER monev112 AS
SELECT center, period, interval, scope, numerator, denominator, n, coverage, median, p90, p95, mean
FROM monev112.present_monev_intervals_calls(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = {step:String})
UNION ALL
SELECT center, period, interval, scope, numerator, denominator, n, coverage, median, p90, p95, mean
FROM monev112.present_monev_intervals_tickets(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = {step:String});

CREATE OR REPLACE VIEW monev112.present_monev_intervals_opd ON CLUSTER monev112 AS
SELECT
    center, period, figures.1 AS interval, scope, opd, figures.2 AS numerator, denominator,
    numerator AS n, numerator / denominator AS coverage,
    if(n = 0, NULL, figures.3[1] / 1000) AS median,
    if(n = 0, NULL, figures.3[2] / 1000) AS p90,
    if(n = 0, NULL, figures.3[3] / 1000) AS p95,
    if(n = 0, NULL, figures.4 / n / 1000) AS mean
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, scope, opd,
        count() AS denominator,
        [
            ('dispatch', count(dispatch), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(dispatch), ifNull(sum(dispatch), 0)),
            ('acknowledge', count(acknowledge), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(acknowledge), ifNull(sum(acknowledge), 0)),
            ('turnout', count(turnout), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(turnout), ifNull(sum(turnout), 0)),
            ('travel', count(travel), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(travel), ifNull(sum(travel), 0)),
            ('respond', count(respond), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(respond), ifNull(sum(respond), 0)),
            ('own', count(own), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(own), ifNull(sum(own), 0)),
            ('resolve', count(resolve), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve), ifNull(sum(resolve), 0)),
            ('resolve_net', count(resolve_net), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(resolve_net), ifNull(sum(resolve_net), 0)),
            ('confirm', count(confirm), quantilesExact(0.499999999999, 0.899999999999, 0.949999999999)(confirm), ifNull(sum(confirm), 0))] AS list
    FROM monev112.present_tickets_counted(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)})
    ARRAY JOIN opds AS opd, dispatch_ms AS dispatch, acknowledge_ms AS acknowledge, turnout_ms AS turnout,
        travel_ms AS travel, respond_ms AS respond, own_ms AS own, resolve_ms AS resolve, resolve_net_ms AS resolve_net,
        confirm_ms AS confirm
    WHERE opd != '' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, scope, opd
)
ARRAY JOIN list AS figures;

CREATE OR REPLACE VIEW monev112.present_monev_on_time_tickets ON CLUSTER monev112 AS
SELECT
    center, period, clock, opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided, unobserved,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, clock, o.opd AS opd,
        sum(o.met) AS numerator,
        sum(o.met + o.stopped_late + o.open_late) AS denominator,
        sum(o.stopped_late) AS stopped_late,
        sum(o.open_late) AS open_late,
        sum(o.undecided) AS undecided,
        sum(o.unobserved) AS unobserved
    FROM monev112.present_clocks_counted(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}) AS o
    WHERE scope = 'own' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock, opd
);

CREATE OR REPLACE VIEW monev112.present_monev_on_time ON CLUSTER monev112 AS
SELECT center, period, clock, opd, numerator, denominator, n, stopped_late, open_late, undecided, unobserved, share, low, high
FROM monev112.present_monev_on_time_tickets(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = {step:String})
UNION ALL
SELECT
    center, period, clock, '' AS opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided, unobserved,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, clock,
countIf(state = 'met') AS met,
    countIf(state = 'breached' AND stopped) AS stopped_late,
    countIf(state = 'breached' AND NOT stopped) AS open_late,
    countIf(state IN ('running', 'paused')) AS undecided,
    countIf(state = 'unobserved') AS unobserved, met AS numerator, met + stopped_late + open_late AS denominator
    FROM (
        SELECT *, parseDateTime64BestEffort(coalesce({judged_at:Nullable(String)}, toString(now64(3, 'UTC'))), 3, 'UTC') AS at, stopped_at IS NOT NULL AND stopped_at <= at AS stopped,
    least(coalesce(stopped_at, at), at) AS until,
    multiIf(void, 'void',
            unobserved, 'unobserved',
            until > breach_at, 'breached',
            stopped, 'met',
            paused_since <= at AND at < pause_ends_at, 'paused',
            'running') AS state,
    
    (state = 'breached' AND NOT stopped)::Bool AS overdue,
    if(state = 'breached', dateDiff('millisecond', breach_at, until) / 1000, 0) AS late_seconds,
    
    multiIf(void OR unobserved OR stopped, '',
            at >= escalated2_at, 'escalated2',
            at >= escalated_at, 'escalated',
            state = 'breached', 'overdue',
            at >= risk_at, 'risk',
            '') AS level
        FROM monev112.clocks FINAL WHERE started_at <= at
    )
    WHERE subject_kind = 'call' AND NOT void AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock
);

CREATE OR REPLACE VIEW monev112.present_monev_on_time_outside ON CLUSTER monev112 AS
SELECT
    center, period, clock, scope, opd, numerator, denominator, denominator AS n, stopped_late, open_late, undecided, unobserved,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT
        center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, clock, o.scope AS scope, o.opd AS opd,
        sum(o.met) AS numerator,
        sum(o.met + o.stopped_late + o.open_late) AS denominator,
        sum(o.stopped_late) AS stopped_late,
        sum(o.open_late) AS open_late,
        sum(o.undecided) AS undecided,
        sum(o.unobserved) AS unobserved
    FROM monev112.present_clocks_counted(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}) AS o
    WHERE scope != 'own' AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock, scope, opd
);

CREATE OR REPLACE VIEW monev112.present_monev_figures ON CLUSTER monev112 AS
SELECT center, 'funnel' AS figure, concat('stage=', stage) AS dims, toFloat64(numerator) AS numerator,
    toFloat64(denominator) AS denominator, toUInt64(n) AS n, share AS value
FROM monev112.present_monev_funnel(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = 'all')
UNION ALL
SELECT center, s.1, s.2, s.3, s.4, s.5, s.6
FROM monev112.present_monev_service_level(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = 'all', target = {target:UInt32}, short = {short:UInt32})
ARRAY JOIN arrayConcat(
    [('service_level', concat('measure=', measure, ',target=', toString({target:UInt32})),
        toFloat64(numerator), toFloat64(denominator), toUInt64(n), toNullable(share))],
    if(measure = 'ketat', [('coverage', 'measure=answer_stamp', toFloat64(stamped), toFloat64(n), toUInt64(n),
        if(n = 0, NULL, stamped / n))], [])) AS s
UNION ALL
SELECT center, s.1, s.2, s.3, s.4, s.5, s.6
FROM monev112.present_monev_hoax(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = 'all')
ARRAY JOIN arrayConcat(
    [('hoax', concat('measure=', measure), toFloat64(numerator), toFloat64(denominator), toUInt64(n), toNullable(share))],
    if(measure = 'rasio_hoaks', [('coverage', 'measure=class', toFloat64(classified), toFloat64(n), toUInt64(n),
        toNullable(coverage))], [])) AS s
UNION ALL
SELECT center, s.1, concat('interval=', interval, ',scope=', scope),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), s.2
FROM monev112.present_monev_intervals(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = 'all')
ARRAY JOIN [('interval_median', median), ('interval_p90', p90), ('interval_p95', p95), ('interval_mean', mean),
    ('coverage', toNullable(coverage))] AS s
UNION ALL
SELECT center, s.1, concat('interval=', interval, ',opd=', opd, ',scope=', scope),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), s.2
FROM monev112.present_monev_intervals_opd(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = 'all')
ARRAY JOIN [('interval_median', median), ('interval_p90', p90), ('interval_p95', p95), ('interval_mean', mean),
    ('coverage', toNullable(coverage))] AS s
UNION ALL
SELECT center, 'on_time', concat('clock=', clock, ',opd=', opd, ',scope=own'),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), share
FROM monev112.present_monev_on_time(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = 'all')
UNION ALL
SELECT center, 'on_time', concat('clock=', clock, ',opd=', opd, ',scope=', ifNull(scope, '')),
    toFloat64(numerator), toFloat64(denominator), toUInt64(n), share
FROM monev112.present_monev_on_time_outside(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = 'all');

CREATE OR REPLACE VIEW monev112.present_monev_not_recorded ON CLUSTER monev112 AS
SELECT
    center, opd, scope, clock, source,
    countIf(unseen) AS unobserved,
    count() AS n,
    countIf(fact IS NOT NULL) AS recorded,
    min(begun) AS since, max(begun) AS until,
    (countIf(NOT unseen) >= 20 AND countIf(NOT unseen AND fact IS NOT NULL) = 0
        AND minIf(begun, NOT unseen) <= any(until_now) - INTERVAL 60 DAY)::Bool AS never
FROM
(
    SELECT
        c.center AS center, ifNull(c.opd, '')::String AS opd, ifNull(c.scope, 'own')::String AS scope,
        c.clock::String AS clock, arrayStringConcat(c.sources, ' ') AS source,
        assumeNotNull(c.started_at) AS begun, c.unobserved AS unseen, c.at AS until_now,
        multiIf(
            clock = 'acknowledge', coalesce(if(empty(t.`stays.at`), t.acknowledged_at, t.`stays.acknowledged_at`[-1]), t.departed_at, t.arrived_at),
            clock = 'arrive', t.arrived_at,
            clock = 'confirm', t.confirmed_at,
            coalesce(t.resolved_at, t.closed_at, t.first_closed_at)) AS fact
    FROM (
        SELECT *, parseDateTime64BestEffort(coalesce({judged_at:Nullable(String)}, toString(now64(3, 'UTC'))), 3, 'UTC') AS at, stopped_at IS NOT NULL AND stopped_at <= at AS stopped,
    least(coalesce(stopped_at, at), at) AS until,
    multiIf(void, 'void',
            unobserved, 'unobserved',
            until > breach_at, 'breached',
            stopped, 'met',
            paused_since <= at AND at < pause_ends_at, 'paused',
            'running') AS state,
    
    (state = 'breached' AND NOT stopped)::Bool AS overdue,
    if(state = 'breached', dateDiff('millisecond', breach_at, until) / 1000, 0) AS late_seconds,
    
    multiIf(void OR unobserved OR stopped, '',
            at >= escalated2_at, 'escalated2',
            at >= escalated_at, 'escalated',
            state = 'breached', 'overdue',
            at >= risk_at, 'risk',
            '') AS level
        FROM monev112.clocks FINAL WHERE started_at <= at
    ) AS c
    INNER JOIN monev112.tickets_now AS t ON t.center = c.center AND t.id = c.subject
    WHERE c.subject_kind = 'ticket' AND NOT c.void AND c.started_at IS NOT NULL
        AND c.day >= {since:Date} AND c.day < {until:Date}
)
GROUP BY center, opd, scope, clock, source;

CREATE OR REPLACE VIEW monev112.present_monev_hoax_cost ON CLUSTER monev112 AS
SELECT center, m.1 AS measure, m.2 AS amount, m.3 AS numerator, m.4 AS denominator
FROM
(
    SELECT center, [
        ('agent', if(count(talk) = 0, NULL, toFloat64(sum(talk))), count(talk), countIf(hoax)),
        ('held', if(count(wait) = 0, NULL, toFloat64(countIf(late AND ifNull(last_over > picked_up - toIntervalMillisecond(assumeNotNull(wait)), false)))),
            count(wait), countIf(NOT hoax))] AS list
    FROM
    (
        SELECT center, hoax, if(hoax, talk_seconds, NULL) AS talk, if(hoax, NULL, answer_ms) AS wait,
            ifNull(wait > 1000 * {target:UInt32}, false) AS late, ifNull(answered_at, toDateTime64(0, 3, 'UTC')) AS picked_up,
            
            max(if(talk IS NULL, NULL, ended_at)) OVER (ORDER BY picked_up, hoax ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS last_over
        FROM monev112.calls_now
        WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
            AND (hoax OR offered AND class IN ('normal', 'informasi', 'duplikat'))
    )
    GROUP BY center
)
ARRAY JOIN list AS m
WHERE denominator > 0
UNION ALL
SELECT center, 'crew', if(count(seconds) = 0, NULL, toFloat64(sum(seconds))), count(seconds), count()
FROM
(
    SELECT center, if(resolved_at >= departed_at, dateDiff('millisecond', departed_at, resolved_at) / 1000, NULL) AS seconds
    FROM monev112.tickets_now
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND state != 'merged'
        AND (ifNull(result = 'palsu', false) OR id IN (SELECT arrayJoin(tickets) FROM monev112.calls_now WHERE center = {center:String} AND class = 'prank_palsu'))
)
GROUP BY center;

CREATE OR REPLACE VIEW monev112.present_monev_callers ON CLUSTER monev112 AS
SELECT center, key_id, numbers, toUInt64(ceil(numbers / 100)) AS top, arraySum(arraySlice(counts, 1, top)) AS numerator, arraySum(counts) AS n, denominator,
    numerator / n AS share
FROM
(
    SELECT center, key_id, count() AS numbers, arrayReverseSort(groupArray(c)) AS counts, any(every) AS denominator
    FROM
    (
        SELECT center, caller_key_id AS key_id, caller_key, count() AS c, sum(count()) OVER (PARTITION BY center) AS every
        FROM monev112.calls_now
        WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND hoax
        GROUP BY center, key_id, caller_key
    )
    WHERE caller_key IS NOT NULL
    GROUP BY center, key_id
);

CREATE OR REPLACE VIEW monev112.present_monev_blocks ON CLUSTER monev112 AS
SELECT center, sum(blocks) AS calls, countIf(last_real > first_block) AS numerator, count() AS denominator
FROM
(
    SELECT center, countIf(blocked) AS blocks, minIf(at, blocked) AS first_block, maxIf(at, ifNull(class = 'normal', false)) AS last_real
    FROM monev112.calls_now
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND caller_key IS NOT NULL
    GROUP BY center, caller_key_id, caller_key
    HAVING blocks > 0
)
GROUP BY center;

CREATE OR REPLACE VIEW monev112.present_monev_kendala_calls ON CLUSTER monev112 AS
WITH (SELECT groupArray((source::String, gaps)) FROM (SELECT source, arrayFilter(s -> s.3 > 900000, steps) AS gaps
    FROM
    (
        SELECT source, arraySort(groupUniqArray(occurred_at)) AS beats,
            arrayMap((a, b) -> (a, b, dateDiff('millisecond', a, b)), arrayPopBack(beats), arrayPopFront(beats)) AS steps
        FROM monev112.events
        WHERE center = {center:String} AND subject_kind = 'feed' AND type = 'feed.heartbeat'
            AND occurred_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 2 DAY AND occurred_at < toDateTime64({until:Date}, 3, 'UTC') + INTERVAL 2 DAY
            AND true AND type != 'event.withdrawn' AND (subject, source, id) NOT IN
        (
            SELECT subject, source, replaces FROM monev112.events
            WHERE center = {center:String} AND subject_kind = 'feed' AND replaces != '' AND replaces != id
        )
        GROUP BY source
    )
    WHERE length(beats) >= 12
        AND arraySort(arrayMap(s -> s.3, steps))[intDiv(length(steps) + 1, 2)] <= 300000)) AS quiet
SELECT
    late.center AS center, late.id AS id, assumeNotNull(late.day) AS day, late.came AS at, late.moment AS moment,
    ifNull(late.category, '')::String AS category, ifNull(late.kecamatan, '')::String AS kecamatan,
    multiIf(
        late.answered_at IS NULL AND late.classified
            OR ifNull(late.queued_at < late.received_at, false)
            OR ifNull(late.answered_at < late.begun, false) OR ifNull(late.answered_at < late.received_at, false)
            OR ifNull(late.abandoned_at < late.begun, false) OR ifNull(late.unserved_at < late.begun, false)
            OR ifNull(late.ended_at < late.answered_at, false)
            OR late.answered_at IS NOT NULL AND late.abandoned_at IS NOT NULL
            OR late.answered_at IS NULL AND late.abandoned_at IS NULL AND late.unserved_at IS NULL
            OR arrayExists(s -> arrayExists(g -> g.1 < late.moment AND late.moment < g.2, arrayFirst(q -> q.1 = s, quiet).2), rings.sources), 'data',
        ifNull(late.abandon_ms < 1000 * {short:UInt32}, false), 'putus_cepat',
        rings.missed > 0
            OR ifNull(dateDiff('millisecond', rings.rang_at, late.moment) >= 10000, false), 'dering',
        toStartOfFifteenMinutes(toDateTime(late.came, 'UTC')) IN (SELECT quarter FROM (SELECT busy.1 AS quarter
    FROM
    (
        SELECT hour + 604800 * week AS later, groupArrayArrayIf(counts, week = 0) AS own, countIf(week > 0) AS weeks,
            arraySort(groupArrayArrayIf(arrayResize(arrayMap(c -> toFloat64(c.2), counts), 4), week > 0)) AS usual,
            (usual[intDiv(length(usual) + 1, 2)] + usual[intDiv(length(usual), 2) + 1]) / 2 AS middle,
            arraySort(arrayMap(x -> abs(x - middle), usual)) AS apart,
            (apart[intDiv(length(apart) + 1, 2)] + apart[intDiv(length(apart), 2) + 1]) / 2 AS deviation
        FROM (SELECT filled + 3600 * away AS hour, groupArrayArrayIf(list, away = 0) AS counts
    FROM (SELECT toStartOfHour(quarter) AS filled, groupArray((quarter, n)) AS list FROM (SELECT toStartOfFifteenMinutes(toDateTime(assumeNotNull(at), 'UTC')) AS quarter, count() AS n
        FROM monev112.calls FINAL
WHERE events > 0 AND ifNull(class, '') != 'uji' AND center = {center:String} AND at IS NOT NULL
            AND day >= {since:Date} - 7 * 8 - 2 AND day <= {until:Date}
        GROUP BY quarter) GROUP BY filled)
    ARRAY JOIN range(-12, 13) AS away
    GROUP BY hour) ARRAY JOIN range(0, 8 + 1) AS week
        GROUP BY later
        HAVING weeks >= 4
    )
    ARRAY JOIN own AS busy
    WHERE busy.2 >= 5 AND busy.2 > middle + 3 * deviation)), 'lonjakan',
        floor.observed > 0 AND floor.signed < 2, 'petugas',
        floor.observed > 0 AND floor.busy = floor.signed AND floor.hoax > 0, 'hoaks',
        floor.observed > 0 AND floor.busy = floor.signed, 'sibuk',
        'tidak_terjelaskan') AS cause
FROM (SELECT *, assumeNotNull(offered_at) AS begun, ifNull(at, begun) AS came,
        least(begun + toIntervalMillisecond(1000 * {target:UInt32}), if(answered_at IS NULL,
            least(ifNull(abandoned_at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC')), ifNull(unserved_at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC'))), toDateTime64('2299-12-31 00:00:00', 3, 'UTC'))) AS moment
    FROM monev112.calls_now
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND offered
        AND (answered_at IS NULL OR answer_ms IS NOT NULL) AND NOT ifNull(answer_ms <= 1000 * {target:UInt32}, false)) AS late
LEFT JOIN (SELECT subject AS call, minOrNullIf(occurred_at, type = 'call.ringing') AS rang_at,
        countIf(type = 'call.ring_no_answer') AS missed, groupUniqArray(source) AS sources
    FROM monev112.events
    WHERE center = {center:String} AND subject_kind = 'call' AND subject IN (SELECT id FROM monev112.calls
        WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
            AND NOT ifNull(coalesce(wait_ms, dateDiff('millisecond', coalesce(queued_at, received_at), answered_at)) <= 1000 * {target:UInt32}
                AND answered_at IS NOT NULL, false))
        AND true AND type != 'event.withdrawn' AND (subject, source, id) NOT IN
        (
            SELECT subject, source, replaces FROM monev112.events
            WHERE center = {center:String} AND subject_kind = 'call' AND replaces != '' AND replaces != id
        )
    GROUP BY call) AS rings ON rings.call = late.id
LEFT JOIN (SELECT call, countIf(known) AS observed, countIf(known AND state IN ('available', 'busy', 'wrapup')) AS signed,
        countIf(known AND (state IN ('busy', 'wrapup') OR state = 'available' AND talking)) AS busy,
        countIf(known AND state IN ('available', 'busy', 'wrapup') AND talking AND with_hoax) AS hoax
    FROM
    (
        SELECT s.call AS call, s.known AS known, s.state AS state, t.over > s.moment AS talking, t.hoax AS with_hoax
        FROM
        (
            SELECT l.call AS call, l.moment AS moment, l.who AS who, a.state AS state,
                a.since >= l.moment - toIntervalMillisecond(43200000) AS known
            FROM
            (
                SELECT late.id AS call, late.moment AS moment, agents.who AS who
                FROM (SELECT *, assumeNotNull(offered_at) AS begun, ifNull(at, begun) AS came,
        least(begun + toIntervalMillisecond(1000 * {target:UInt32}), if(answered_at IS NULL,
            least(ifNull(abandoned_at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC')), ifNull(unserved_at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC'))), toDateTime64('2299-12-31 00:00:00', 3, 'UTC'))) AS moment
    FROM monev112.calls_now
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND offered
        AND (answered_at IS NULL OR answer_ms IS NOT NULL) AND NOT ifNull(answer_ms <= 1000 * {target:UInt32}, false)
                    
                    AND center IN (SELECT center FROM monev112.events WHERE center = {center:String} AND subject_kind = 'agent' AND type = 'agent.state' AND result != ''
            AND occurred_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 2 DAY AND occurred_at < toDateTime64({until:Date}, 3, 'UTC') + INTERVAL 2 DAY LIMIT 1)) AS late
                CROSS JOIN (SELECT DISTINCT subject AS who FROM monev112.events WHERE center = {center:String} AND subject_kind = 'agent' AND type = 'agent.state' AND result != ''
            AND occurred_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 2 DAY AND occurred_at < toDateTime64({until:Date}, 3, 'UTC') + INTERVAL 2 DAY) AS agents
            ) AS l
            ASOF LEFT JOIN (SELECT subject AS who, occurred_at AS since,
            argMax(result::String, (revision, arrayStringConcat(arrayMap(p -> if(match(p, '^[0-9]'), concat('0', char(length(trim(LEADING '0' FROM p))), trim(LEADING '0' FROM p)), p),
                extractAll(id, '[0-9]+|[^0-9]+'))), id, source, digest)) AS state
        FROM monev112.events
        WHERE center = {center:String} AND subject_kind = 'agent' AND type = 'agent.state' AND result != ''
            AND occurred_at >= toDateTime64({since:Date}, 3, 'UTC') - INTERVAL 2 DAY AND occurred_at < toDateTime64({until:Date}, 3, 'UTC') + INTERVAL 2 DAY
            AND true AND type != 'event.withdrawn' AND (subject, source, id) NOT IN
        (
            SELECT subject, source, replaces FROM monev112.events
            WHERE center = {center:String} AND subject_kind = 'agent' AND replaces != '' AND replaces != id
        )
        GROUP BY who, since) AS a ON a.who = l.who AND l.moment >= a.since
        ) AS s
        ASOF LEFT JOIN (SELECT assumeNotNull(agent)::String AS who, assumeNotNull(answered_at) AS talk, max(assumeNotNull(ended_at)) AS over, max(hoax) AS hoax
        FROM monev112.calls_now
    WHERE center = {center:String} AND day >= {since:Date} - 2 AND day <= {until:Date} + 2
            AND ended_at >= answered_at
            
            AND agent IN (SELECT subject FROM monev112.events WHERE center = {center:String} AND subject_kind = 'agent' AND type = 'agent.state')
        GROUP BY who, talk) AS t ON t.who = s.who AND s.moment >= t.talk
    )
    GROUP BY call) AS floor ON floor.call = late.id;

CREATE OR REPLACE VIEW monev112.present_monev_kendala_clocks ON CLUSTER monev112 AS
SELECT
    center, id, clock, seq, assumeNotNull(day) AS day, opd, scope, category, priority, kecamatan, begun AS at,
    multiIf(
        opened_at IS NULL OR contradiction
            OR NOT stopped AND (clock = 'arrive' AND handled_at IS NOT NULL OR clock = 'confirm' AND ifNull(closed_at >= last_resolved_at, false)),
            'data',
        ifNull(assigned_at, last) > begun
            AND ifNull(dateDiff('millisecond', coalesce(answered_at, opened_at), least(ifNull(assigned_at, last), last)) > multiIf(ifNull(priority = 'darurat', false), 180000, ifNull(priority = 'mendesak', false), 900000, 7200000), false),
            'disposisi',
        clock != 'acknowledge' AND 4 * arraySum((o, a, b) -> if(o = stay_opds[-1], 0, greatest(0, dateDiff('millisecond', greatest(a, begun), least(ifNull(b, last), last)))), stay_opds, stay_begins, stay_ends)
            > target_ms, 'pantulan',
        clock = 'acknowledge' OR arrayExists(x -> begun < x AND x < last, late_acknowledged), 'terima',
        acknowledged_at >= begun AND ifNull(departed_at >= acknowledged_at, clock = 'arrive' AND arrived_at IS NULL)
            AND dateDiff('millisecond', acknowledged_at, least(ifNull(departed_at, last), last)) > multiIf(ifNull(priority = 'darurat', false), 120000, ifNull(priority = 'mendesak', false), 900000, 86400000),
            'berangkat',
        departed_at >= begun AND (arrived_at IS NOT NULL OR clock = 'arrive')
            AND dateDiff('millisecond', departed_at, least(ifNull(arrived_at, last), last)) > multiIf(ifNull(priority = 'darurat', false), 600000, ifNull(priority = 'mendesak', false), 1800000, 7200000),
            'tempuh',
        breach_at > gross_due_at
            AND dateDiff('millisecond', gross_due_at, last) <= arraySum((a, b) -> greatest(0, dateDiff('millisecond', greatest(a, begun), least(ifNull(b, last), last))), pause_begins, pause_ends),
            'jeda',
        clock IN ('resolve', 'resolve_total', 'given')
            AND dateDiff('millisecond', work, last) - arraySum((a, b) -> greatest(0, dateDiff('millisecond', greatest(a, work), least(ifNull(b, last), last))), pause_begins, pause_ends) > target_ms,
            'penanganan',
        'tidak_terjelaskan') AS cause,
    if(cause = 'jeda', arraySort(p -> (-p.1, p.2), arrayMap((a, b, r) -> (greatest(0, dateDiff('millisecond', greatest(a, begun), least(ifNull(b, last), last))), r), pause_begins, pause_ends, pause_reasons))[1].2, '') AS reason
FROM
(
    SELECT
        c.center AS center, c.subject AS id, c.clock::String AS clock, c.seq AS seq, c.day AS day, ifNull(c.opd, '')::String AS opd,
        ifNull(c.scope, 'own')::String AS scope, ifNull(c.category, '')::String AS category, ifNull(c.priority, '')::String AS priority,
        ifNull(c.kecamatan, '')::String AS kecamatan, assumeNotNull(c.started_at) AS begun, c.until AS last, c.stopped AS stopped,
        assumeNotNull(c.breach_at) AS breach_at, ifNull(c.gross_due_at, assumeNotNull(c.breach_at)) AS gross_due_at,
        dateDiff('millisecond', begun, gross_due_at) AS target_ms,
        t.opened_at AS opened_at, t.answered_at AS answered_at, t.assigned_at AS assigned_at, t.acknowledged_at AS acknowledged_at,
        t.departed_at AS departed_at, t.arrived_at AS arrived_at, t.handled_at AS handled_at, t.closed_at AS closed_at,
        t.last_resolved_at AS last_resolved_at,
        ifNull(t.opened_at < t.received_at, false) OR ifNull(t.assigned_at < t.opened_at, false) OR ifNull(t.handled_at < t.opened_at, false)
            OR ifNull(t.arrived_at < t.departed_at, false) OR ifNull(t.arrived_at < coalesce(t.received_at, t.opened_at), false) AS contradiction,
        
        greatest(begun, coalesce(t.arrived_at, t.departed_at, t.acknowledged_at, if(empty(t.`stays.at`), begun, t.`stays.at`[-1]))) AS work,
        t.`stays.opd` AS stay_opds, t.`stays.at` AS stay_begins, t.`stays.ended_at` AS stay_ends,
        arrayFilter((a, r) -> hasAny(splitByChar('+', r::String), ['menunggu_pelapor', 'menunggu_pihak_lain', 'cuaca', 'menunggu_material']), t.`pauses.since`, t.`pauses.reason`) AS pause_begins,
        arrayFilter((b, r) -> hasAny(splitByChar('+', r::String), ['menunggu_pelapor', 'menunggu_pihak_lain', 'cuaca', 'menunggu_material']), t.`pauses.until`, t.`pauses.reason`) AS pause_ends,
        arrayFilter(r -> hasAny(splitByChar('+', r::String), ['menunggu_pelapor', 'menunggu_pihak_lain', 'cuaca', 'menunggu_material']), t.`pauses.reason`) AS pause_reasons,
        c.late_acknowledged AS late_acknowledged
    FROM
    (
        
        SELECT *, groupArrayIf(assumeNotNull(breach_at), clock = 'acknowledge') OVER (PARTITION BY subject) AS late_acknowledged
        FROM (
        SELECT *, parseDateTime64BestEffort(coalesce({judged_at:Nullable(String)}, toString(now64(3, 'UTC'))), 3, 'UTC') AS at, stopped_at IS NOT NULL AND stopped_at <= at AS stopped,
    least(coalesce(stopped_at, at), at) AS until,
    multiIf(void, 'void',
            unobserved, 'unobserved',
            until > breach_at, 'breached',
            stopped, 'met',
            paused_since <= at AND at < pause_ends_at, 'paused',
            'running') AS state,
    
    (state = 'breached' AND NOT stopped)::Bool AS overdue,
    if(state = 'breached', dateDiff('millisecond', breach_at, until) / 1000, 0) AS late_seconds,
    
    multiIf(void OR unobserved OR stopped, '',
            at >= escalated2_at, 'escalated2',
            at >= escalated_at, 'escalated',
            state = 'breached', 'overdue',
            at >= risk_at, 'risk',
            '') AS level
        FROM monev112.clocks FINAL WHERE started_at <= at
    )
        WHERE center = {center:String} AND subject_kind = 'ticket' AND state = 'breached'
            AND (clock = 'acknowledge' OR (day >= {since:Date} AND day < {until:Date}))
    ) AS c
    LEFT JOIN
    (
        SELECT *, coalesce(resolved_at, first_closed_at) AS handled_at FROM monev112.tickets FINAL
WHERE events > 0 AND NOT has(flags, 'test') AND center = {center:String}
    ) AS t ON t.id = c.subject
    WHERE c.day >= {since:Date} AND c.day < {until:Date}
);

CREATE OR REPLACE VIEW monev112.present_monev_kendala_tickets ON CLUSTER monev112 AS
SELECT late.*, said.code AS stated
FROM monev112.present_monev_kendala_clocks(center = {center:String}, since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}) AS late
LEFT JOIN (SELECT subject, opd::String AS by_opd, argMax(reason::String, (occurred_at, revision, arrayStringConcat(arrayMap(p -> if(match(p, '^[0-9]'), concat('0', char(length(trim(LEADING '0' FROM p))), trim(LEADING '0' FROM p)), p),
                extractAll(id, '[0-9]+|[^0-9]+'))), id, source, digest)) AS code
        FROM monev112.events
        WHERE center = {center:String} AND subject_kind = 'ticket' AND type = 'ticket.explained' AND reason != ''
            AND true AND type != 'event.withdrawn' AND (subject, source, id) NOT IN
        (
            SELECT subject, source, replaces FROM monev112.events
            WHERE center = {center:String} AND subject_kind = 'ticket' AND replaces != '' AND replaces != id
        )
        GROUP BY subject, by_opd) AS said ON said.subject = late.id AND said.by_opd = late.opd;

CREATE OR REPLACE VIEW monev112.present_monev_kendala ON CLUSTER monev112 AS
SELECT
    c.center AS center, c.period AS period, c.indicator AS indicator, c.scope AS scope, c.opd AS opd, c.cause AS cause, c.reason AS reason,
    c.numerator AS numerator, d.failing AS denominator, d.decided AS n,
    if(d.failing = 0, NULL, c.numerator / d.failing) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, indicator, scope, opd, cause, reason, count() AS numerator
    FROM
    (
        SELECT center, day, 'answer' AS indicator, 'own' AS scope, '' AS opd, cause, '' AS reason
        FROM monev112.present_monev_kendala_calls(center = {center:String}, since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, target = {target:UInt32}, short = {short:UInt32})
        UNION ALL
        SELECT center, day, clock, scope, opd, cause, reason
        FROM monev112.present_monev_kendala_clocks(center = {center:String}, since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)})
    )
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, indicator, scope, opd, cause, reason
) AS c
INNER JOIN
(
    SELECT center, period, 'answer' AS indicator, 'own' AS scope, '' AS opd, toUInt64(denominator - numerator) AS failing, toUInt64(denominator) AS decided
    FROM monev112.present_monev_service_level(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = {step:String}, target = {target:UInt32}, short = {short:UInt32})
    
    WHERE center = {center:String} AND measure = 'ketat' AND stamped > 0
    UNION ALL
    SELECT center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, clock, o.scope AS scope, o.opd AS opd, sum(o.stopped_late + o.open_late), sum(o.met + o.stopped_late + o.open_late)
    FROM monev112.present_clocks_counted(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}) AS o
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period, clock, scope, opd
) AS d ON d.center = c.center AND d.period = c.period AND d.indicator = c.indicator AND d.scope = c.scope AND d.opd = c.opd;

CREATE OR REPLACE VIEW monev112.present_monev_kendala_groups ON CLUSTER monev112 AS
SELECT center, indicator, scope, part.1 AS dimension, part.2 AS value, countIf(in_time) AS numerator, count() AS n
FROM
(
    SELECT center, 'answer' AS indicator, 'own' AS scope, ifNull(answer_ms <= 1000 * {target:UInt32}, false) AS in_time,
        [('category', ifNull(category, '')::String), ('kecamatan', ifNull(kecamatan, '')::String), ('shift', toString(intDiv(60 * toHour(assumeNotNull(at), {zone:String}) + toMinute(assumeNotNull(at), {zone:String}), 15)))] AS parts
    FROM monev112.calls_now
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND offered
        AND (answered_at IS NULL OR answer_ms IS NOT NULL) AND {opd:Nullable(String)} IS NULL
    UNION ALL
    SELECT center, clock, ifNull(c.scope, 'own')::String, state = 'met',
        [('opd', ifNull(c.opd, '')::String), ('category', ifNull(c.category, '')::String), ('priority', ifNull(c.priority, '')::String),
         ('kecamatan', ifNull(c.kecamatan, '')::String), ('shift', toString(intDiv(60 * toHour(assumeNotNull(started_at), {zone:String}) + toMinute(assumeNotNull(started_at), {zone:String}), 15)))]
    FROM (
        SELECT *, parseDateTime64BestEffort(coalesce({judged_at:Nullable(String)}, toString(now64(3, 'UTC'))), 3, 'UTC') AS at, stopped_at IS NOT NULL AND stopped_at <= at AS stopped,
    least(coalesce(stopped_at, at), at) AS until,
    multiIf(void, 'void',
            unobserved, 'unobserved',
            until > breach_at, 'breached',
            stopped, 'met',
            paused_since <= at AND at < pause_ends_at, 'paused',
            'running') AS state,
    
    (state = 'breached' AND NOT stopped)::Bool AS overdue,
    if(state = 'breached', dateDiff('millisecond', breach_at, until) / 1000, 0) AS late_seconds,
    
    multiIf(void OR unobserved OR stopped, '',
            at >= escalated2_at, 'escalated2',
            at >= escalated_at, 'escalated',
            state = 'breached', 'overdue',
            at >= risk_at, 'risk',
            '') AS level
        FROM monev112.clocks FINAL WHERE started_at <= at
    ) AS c
    WHERE c.center = {center:String} AND c.subject_kind = 'ticket' AND c.state IN ('met', 'breached')
        AND c.day >= {since:Date} AND c.day < {until:Date} AND ({opd:Nullable(String)} IS NULL OR c.opd = {opd:Nullable(String)})
)
ARRAY JOIN parts AS part
GROUP BY center, indicator, scope, dimension, value;

CREATE OR REPLACE VIEW monev112.present_monev_indicator ON CLUSTER monev112 AS
SELECT inside, toUInt64(sum(k)) AS numerator, toUInt64(sum(n)) AS denominator
FROM
(
    SELECT
        ({opd:String} = '' OR ifNull(opd, '') = {opd:String}) AND ({category:String} = '' OR ifNull(category, '') = {category:String})
            AND ({priority:String} = '' OR ifNull(priority, '') = {priority:String})
            AND ({kecamatan:String} = '' OR ifNull(kecamatan, '') = {kecamatan:String}) AS inside,
        countIf(state = 'met') AS k, countIf(state IN ('met', 'breached')) AS n
    FROM (
        SELECT *, parseDateTime64BestEffort(coalesce({judged_at:Nullable(String)}, toString(now64(3, 'UTC'))), 3, 'UTC') AS at, stopped_at IS NOT NULL AND stopped_at <= at AS stopped,
    least(coalesce(stopped_at, at), at) AS until,
    multiIf(void, 'void',
            unobserved, 'unobserved',
            until > breach_at, 'breached',
            stopped, 'met',
            paused_since <= at AND at < pause_ends_at, 'paused',
            'running') AS state,
    
    (state = 'breached' AND NOT stopped)::Bool AS overdue,
    if(state = 'breached', dateDiff('millisecond', breach_at, until) / 1000, 0) AS late_seconds,
    
    multiIf(void OR unobserved OR stopped, '',
            at >= escalated2_at, 'escalated2',
            at >= escalated_at, 'escalated',
            state = 'breached', 'overdue',
            at >= risk_at, 'risk',
            '') AS level
        FROM monev112.clocks FINAL WHERE started_at <= at
    )
    WHERE center = {center:String} AND clock = {indicator:String} AND NOT void AND day >= {since:Date} AND day < {until:Date}
        AND (subject_kind = 'call' OR ifNull(scope, 'own') = 'own' OR ifNull(opd, '') = {opd:String})
    GROUP BY inside
    UNION ALL
    SELECT
        ({category:String} = '' OR ifNull(category, '') = {category:String})
            AND ({kecamatan:String} = '' OR ifNull(kecamatan, '') = {kecamatan:String}) AS inside,
        countIf(multiIf({indicator:String} = 'tidak_terjawab', offered AND NOT answered,
            {indicator:String} = 'rasio_hoaks', answered AND hoax,
            {indicator:String} = 'rasio_non_darurat', answered AND (hoax OR ifNull(class IN ('ghost', 'pocket', 'informasi'), false)),
            {indicator:String} = 'belum', answered AND NOT classified, false)) AS k,
        countIf(multiIf({indicator:String} = 'tidak_terjawab', offered,
            {indicator:String} IN ('rasio_hoaks', 'rasio_non_darurat'), answered AND classified,
            {indicator:String} = 'belum', answered, false)) AS n
    FROM monev112.calls_now
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
    GROUP BY inside
)
GROUP BY inside;

CREATE OR REPLACE VIEW monev112.present_monev_report ON CLUSTER monev112 AS
SELECT {center:String} AS center, g.1::String AS figure, g.2::String AS dims, toFloat64(sum(g.3)) AS numerator,
    toFloat64(if(startsWith(figure, 'calls_'), any(total), count())) AS denominator, toUInt64(denominator) AS n,
    if(denominator = 0, NULL, numerator / denominator) AS value
FROM
(
    SELECT count() OVER () AS total, arrayConcat([
            ('calls_class', concat('class=', multiIf(NOT answered, 'tidak_terjawab', classified, ifNull(class, ''), 'belum')), 1),
            ('calls_hour', concat('hour=', leftPad(toString(toHour(local)), 2, '0'), ',weekday=', toString(toDayOfWeek(local))), 1),
            ('calls_quarter', concat('at=', formatDateTime(toStartOfFifteenMinutes(local), '%Y-%m-%dT%H:%i')), 1),
            ('calls_day', concat('day=', toString(assumeNotNull(day))), 1)],
        arrayMap(f -> ('calls_flag', concat('flag=', f), 1), flags)) AS list
    FROM (SELECT *, toTimeZone(assumeNotNull(at), {zone:String}) AS local FROM monev112.calls_now)
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date}
)
ARRAY JOIN list AS g
GROUP BY figure, dims

QUALIFY figure != 'calls_quarter' OR row_number() OVER (PARTITION BY figure ORDER BY numerator DESC, dims) = 1
UNION ALL
SELECT {center:String}, g.1::String AS figure, g.2::String AS dims, toFloat64(sum(g.3)) AS numerator,
    toFloat64(if(startsWith(figure, 'tickets_'), any(total), count())) AS denominator, toUInt64(denominator) AS n,
    if(denominator = 0, NULL, numerator / denominator)
FROM
(
    SELECT count() OVER () AS total, concat('opd=', ifNull(opd, ''), ',scope=', ifNull(scope, 'own')) AS held,
        coalesce(acknowledged_at, departed_at, arrived_at, resolved_at) IS NOT NULL AS done,
        arrayConcat([
            ('tickets_opd', held, 1),
            ('tickets_category', concat('category=', ifNull(category, '')), 1),
            ('tickets_kecamatan', concat('kecamatan=', ifNull(kecamatan, '')), 1),
            ('tickets_priority', concat('priority=', ifNull(priority, '')), 1),
            ('bounced', held, toUInt8(bounces > 0)),
            ('reopened', held, toUInt8(reopened > 0))],
        
        if(done OR NOT u.unacted, [('acted', held, toUInt8(done))], []),
        if(confirmed_at IS NOT NULL OR NOT u.unconfirmed, [('confirmed', held, toUInt8(confirmed_at IS NOT NULL))], []),
        if(category = 'kebakaran' AND respond_seconds IS NOT NULL,
            [('arrived_within', 'category=kebakaran,seconds=900', toUInt8(assumeNotNull(respond_seconds) <= 900)),
             ('fires_opd', held, toUInt8(assumeNotNull(respond_seconds) <= 900))], []),
        arrayMap(f -> ('tickets_flag', concat('flag=', f), 1), flags)) AS list
    FROM monev112.tickets_now AS t
    LEFT JOIN
    (
        SELECT subject,
            countIf(clock != 'confirm' AND state = 'unobserved') > 0
                AND countIf(clock != 'confirm' AND state NOT IN ('unobserved', 'void')) = 0 AS unacted,
            countIf(clock IN ('resolve', 'confirm') AND state = 'unobserved') > 0 AS unconfirmed
        FROM (
        SELECT *, parseDateTime64BestEffort(coalesce({judged_at:Nullable(String)}, toString(now64(3, 'UTC'))), 3, 'UTC') AS at, stopped_at IS NOT NULL AND stopped_at <= at AS stopped,
    least(coalesce(stopped_at, at), at) AS until,
    multiIf(void, 'void',
            unobserved, 'unobserved',
            until > breach_at, 'breached',
            stopped, 'met',
            paused_since <= at AND at < pause_ends_at, 'paused',
            'running') AS state,
    
    (state = 'breached' AND NOT stopped)::Bool AS overdue,
    if(state = 'breached', dateDiff('millisecond', breach_at, until) / 1000, 0) AS late_seconds,
    
    multiIf(void OR unobserved OR stopped, '',
            at >= escalated2_at, 'escalated2',
            at >= escalated_at, 'escalated',
            state = 'breached', 'overdue',
            at >= risk_at, 'risk',
            '') AS level
        FROM monev112.clocks FINAL WHERE started_at <= at
    ) AS c
        WHERE c.center = {center:String} AND c.subject_kind = 'ticket' AND c.day >= {since:Date} - 8
            AND clock IN ('acknowledge', 'arrive', 'resolve', 'confirm')
        GROUP BY subject
    ) AS u ON u.subject = t.id
    WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND state != 'merged'
)
ARRAY JOIN list AS g
GROUP BY figure, dims
UNION ALL
SELECT center, 'unobserved', concat('clock=', clock, ',opd=', c.opd, ',scope=', c.scope),
    toFloat64(sum(c.unobserved)), toFloat64(sum(met + stopped_late + open_late + undecided + c.unobserved)) AS whole, toUInt64(whole),
    if(whole = 0, NULL, sum(c.unobserved) / whole)
FROM monev112.present_clocks_counted(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}) AS c
WHERE center = {center:String}
GROUP BY center, clock, opd, scope
UNION ALL
SELECT center, 'hoax_cost', concat('measure=', measure), toFloat64(numerator), toFloat64(denominator), toUInt64(numerator), amount
FROM monev112.present_monev_hoax_cost(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, center = {center:String}, target = {target:UInt32})
UNION ALL

SELECT center, 'hoax_callers', '', toFloat64(numerator), toFloat64(calls), toUInt64(numbers), share
FROM (SELECT *, n AS calls FROM monev112.present_monev_callers(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, center = {center:String}) ORDER BY calls DESC, key_id LIMIT 1)
UNION ALL
SELECT center, 'hoax_blocks', '', toFloat64(numerator), toFloat64(denominator), toUInt64(denominator), if(denominator = 0, NULL, numerator / denominator)
FROM monev112.present_monev_blocks(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, center = {center:String});

CREATE OR REPLACE VIEW monev112.present_monev_indicators ON CLUSTER monev112 AS
SELECT center, period AS month, 'answer' AS indicator, toFloat64(numerator) AS numerator, toFloat64(denominator) AS denominator,
    toUInt64(if(stamped = 0, 0, n)) AS n, share AS value
FROM monev112.present_monev_service_level(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = 'month', target = {target:UInt32}, short = {short:UInt32})
WHERE measure = 'ketat' AND center = {center:String}
UNION ALL
SELECT {center:String}, toStartOfMonth(assumeNotNull(day)) AS month, 'fire', toFloat64(countIf(respond_seconds <= 900)), toFloat64(count(respond_seconds)),
    toUInt64(count(respond_seconds)), if(count(respond_seconds) = 0, NULL, countIf(respond_seconds <= 900) / count(respond_seconds))
FROM monev112.tickets_now
WHERE center = {center:String} AND day >= {since:Date} AND day < {until:Date} AND category = 'kebakaran' AND state != 'merged'
GROUP BY month
UNION ALL
SELECT center, period AS month, clock, toFloat64(sum(o.numerator)) AS k, toFloat64(sum(o.denominator)) AS d, toUInt64(d), if(d = 0, NULL, k / d)
FROM monev112.present_monev_on_time_tickets(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = 'month') AS o
WHERE center = {center:String} AND clock IN ('acknowledge', 'resolve')
GROUP BY center, month, clock
UNION ALL
SELECT center, period AS month, 'hoax', toFloat64(numerator), toFloat64(denominator), toUInt64(denominator), share
FROM monev112.present_monev_hoax(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}, step = 'month')
WHERE measure = 'rasio_hoaks' AND center = {center:String};

CREATE OR REPLACE VIEW monev112.present_monev_informasi ON CLUSTER monev112 AS
SELECT
    center, period, measure, numerator, denominator, n,
    if(n = 0, NULL, denominator / n) AS coverage,
    if(denominator = 0, NULL, numerator / denominator) AS share,
    if(denominator = 0, NULL, greatest(0, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) - 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS low,
    if(denominator = 0, NULL, least(1, ((numerator / denominator + 3.841458820694124 / (2 * denominator)) + 1.959963984540054 * sqrt((numerator / denominator) * (1 - numerator / denominator) / denominator + 3.841458820694124 / (4 * denominator * denominator))) / (1 + 3.841458820694124 / denominator))) AS high
FROM
(
    SELECT center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, 'informasi' AS measure, toInt64(sum(c.informasi)) AS numerator,
        toInt64(sum(c.classified)) AS denominator, toInt64(sum(c.answered)) AS n
    FROM monev112.present_calls_counted(since = {since:Date}, until = {until:Date}, judged_at = {judged_at:Nullable(String)}) AS c
    WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
    GROUP BY center, period
    UNION ALL
    SELECT center, period, m.1, toInt64(m.2), toInt64(m.3), toInt64(questions)
    FROM
    (
        SELECT center, multiIf(
            {step:String} = 'day', day,
            {step:String} = 'week', toMonday(day),
            {step:String} = 'month', toStartOfMonth(day),
            {step:String} = 'year', toStartOfYear(day),
            {since:Date}) AS period, count() AS questions,
            countIf(outcome IS NOT NULL) AS told,
            [
                ('dijawab', countIf(ifNull(outcome = 'dijawab', false)), told),
                ('dirujuk', countIf(ifNull(outcome = 'dirujuk', false)), told),
                ('tidak_tahu', countIf(ifNull(outcome = 'tidak_tahu', false)), told),
                ('kontak_pertama', countIf(judged AND ifNull(outcome = 'dijawab', false) AND NOT ifNull(until_next <= 604800000, false)), countIf(judged)),
                ('berulang', countIf(followed AND ifNull(since_last <= 604800000, false)), countIf(followed))
            ] AS measures
        FROM (SELECT * FROM
    (
        SELECT center, day, id, at, class, outcome, referred_to, ifNull(category, '') AS topic,
            caller_key IS NOT NULL AND topic != '' AS followed,
            followed AND outcome IS NOT NULL AND at <= parseDateTime64BestEffort(coalesce({judged_at:Nullable(String)}, toString(now64(3, 'UTC'))), 3, 'UTC')
                - toIntervalMillisecond(604800000) AS judged,
            if(followed, dateDiff('millisecond', before, at), NULL) AS since_last,
            if(followed, dateDiff('millisecond', at, after), NULL) AS until_next
        FROM
        (
            SELECT center, day, id, assumeNotNull(c.at) AS at, class, outcome, referred_to, category, caller_key,
                lagInFrame(c.at) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before,
                leadInFrame(c.at) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS after
            FROM monev112.calls_now AS c
            WHERE c.at IS NOT NULL AND day >= {since:Date} - 8 AND day < {until:Date} + 8
                
                AND (ifNull(class = 'informasi', false) OR caller_key IS NOT NULL AND ifNull(category, '') != '')
            WINDOW w AS (PARTITION BY center, ifNull(caller_key_id, ''), ifNull(caller_key, id), ifNull(category, '') ORDER BY c.at, id)
        )
    )
    WHERE day >= {since:Date} AND day < {until:Date} AND ifNull(class = 'informasi', false))
        WHERE day >= {since:Date} AND day < {until:Date}
        AND throwIf({step:String} NOT IN ('day', 'week', 'month', 'year', 'all'),
            'step must be day, week, month, year or all') = 0
        GROUP BY center, period
    )
    ARRAY JOIN measures AS m
);

CREATE OR REPLACE VIEW monev112.present_monev_informasi_topics ON CLUSTER monev112 AS
SELECT
    center, topic, ifNull(q.referred_to, '') AS referred_to, count() AS n,
    countIf(outcome IS NOT NULL) AS told,
    countIf(ifNull(outcome = 'dijawab', false)) AS dijawab,
    countIf(ifNull(outcome = 'dirujuk', false)) AS dirujuk,
    countIf(ifNull(outcome = 'tidak_tahu', false)) AS tidak_tahu,
    countIf(q.followed) AS followed,
    countIf(q.followed AND ifNull(since_last <= 604800000, false)) AS repeats,
    maxIf(day, ifNull(outcome = 'tidak_tahu', false)) AS last
FROM (SELECT * FROM
    (
        SELECT center, day, id, at, class, outcome, referred_to, ifNull(category, '') AS topic,
            caller_key IS NOT NULL AND topic != '' AS followed,
            followed AND outcome IS NOT NULL AND at <= parseDateTime64BestEffort(coalesce({judged_at:Nullable(String)}, toString(now64(3, 'UTC'))), 3, 'UTC')
                - toIntervalMillisecond(604800000) AS judged,
            if(followed, dateDiff('millisecond', before, at), NULL) AS since_last,
            if(followed, dateDiff('millisecond', at, after), NULL) AS until_next
        FROM
        (
            SELECT center, day, id, assumeNotNull(c.at) AS at, class, outcome, referred_to, category, caller_key,
                lagInFrame(c.at) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before,
                leadInFrame(c.at) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS after
            FROM monev112.calls_now AS c
            WHERE c.at IS NOT NULL AND day >= {since:Date} - 8 AND day < {until:Date} + 8
                
                AND (ifNull(class = 'informasi', false) OR caller_key IS NOT NULL AND ifNull(category, '') != '')
            WINDOW w AS (PARTITION BY center, ifNull(caller_key_id, ''), ifNull(caller_key, id), ifNull(category, '') ORDER BY c.at, id)
        )
    )
    WHERE day >= {since:Date} AND day < {until:Date} AND ifNull(class = 'informasi', false)) AS q
GROUP BY center, topic, q.referred_to;

CREATE OR REPLACE VIEW monev112.present_monev_corrected ON CLUSTER monev112 AS
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
    FROM monev112.tickets FINAL
    ARRAY JOIN `corrected.clock` AS clock, `corrected.seq` AS seq, `corrected.opd` AS opd_of, `corrected.scope` AS scope_of,
        `corrected.day` AS day_of, `corrected.received_at` AS corrected_at, `corrected.started_at` AS started_at,
        `corrected.due_at` AS due_at, `corrected.stopped_at` AS stopped_at
    WHERE day_of >= {since:Date} AND day_of < {until:Date} AND NOT has(flags, 'test')
        AND corrected_at <= parseDateTime64BestEffort(coalesce({judged_at:Nullable(String)}, '2299-12-31 00:00:00'), 3, 'UTC')
) AS c
LEFT JOIN
(
    SELECT center::String AS center, subject, clock::String AS clock, seq, state, stopped, breach_at, stopped_at
    FROM (
        SELECT *, parseDateTime64BestEffort(coalesce({judged_at:Nullable(String)}, toString(now64(3, 'UTC'))), 3, 'UTC') AS at, stopped_at IS NOT NULL AND stopped_at <= at AS stopped,
    least(coalesce(stopped_at, at), at) AS until,
    multiIf(void, 'void',
            unobserved, 'unobserved',
            until > breach_at, 'breached',
            stopped, 'met',
            paused_since <= at AND at < pause_ends_at, 'paused',
            'running') AS state,
    
    (state = 'breached' AND NOT stopped)::Bool AS overdue,
    if(state = 'breached', dateDiff('millisecond', breach_at, until) / 1000, 0) AS late_seconds,
    
    multiIf(void OR unobserved OR stopped, '',
            at >= escalated2_at, 'escalated2',
            at >= escalated_at, 'escalated',
            state = 'breached', 'overdue',
            at >= risk_at, 'risk',
            '') AS level
        FROM monev112.clocks FINAL WHERE started_at <= at
    ) AS k
    WHERE k.subject_kind = 'ticket' AND (k.center, k.subject) IN (SELECT center, id FROM monev112.tickets WHERE notEmpty(`corrected.day`))
) AS n ON n.center = c.center AND n.subject = c.ticket AND n.clock = c.clock AND n.seq = c.seq;
