-- Since when an hour or day waits for its recomputation, so that it is told however often the collector starts again.
-- MATERIALIZED: marks of earlier files and versions have no such column. Rows of before count from when they are read.
ALTER TABLE hours_pending ADD COLUMN IF NOT EXISTS since DateTime64(3, 'UTC') MATERIALIZED now64(3, 'UTC');
ALTER TABLE days_pending ADD COLUMN IF NOT EXISTS since DateTime64(3, 'UTC') MATERIALIZED now64(3, 'UTC');
