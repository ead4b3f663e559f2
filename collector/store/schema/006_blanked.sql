-- The members of data that were sent with an event and not kept, since they were no code or name.
ALTER TABLE events ADD COLUMN IF NOT EXISTS blanked Array(LowCardinality(String)) CODEC(ZSTD(1));
