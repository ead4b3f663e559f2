-- What came of questions about public services, and to whom they were referred.
ALTER TABLE events ADD COLUMN IF NOT EXISTS outcome LowCardinality(String) CODEC(ZSTD(1));

ALTER TABLE calls ADD COLUMN IF NOT EXISTS outcome LowCardinality(Nullable(String)) AFTER category;
ALTER TABLE calls ADD COLUMN IF NOT EXISTS referred_to LowCardinality(Nullable(String)) AFTER outcome;
