-- What each source carries, and the clocks whose stop nobody records (see docs/clocks.md, "Observed or not").
ALTER TABLE events ADD COLUMN IF NOT EXISTS carries Array(LowCardinality(String)) CODEC(ZSTD(1));

ALTER TABLE clocks ADD COLUMN IF NOT EXISTS unobserved Bool;

-- Those that opened the ticket or assigned it, sorted; of a call those that brought it.
ALTER TABLE clocks ADD COLUMN IF NOT EXISTS sources Array(LowCardinality(String));

-- One element an OPD and scope, as of met_counts; shorter rows are of before.
ALTER TABLE clocks_daily ADD COLUMN IF NOT EXISTS unobserved_counts Array(UInt32);
