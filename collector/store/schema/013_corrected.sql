-- Verdicts that a correction or withdrawal took away after the clock was late (see docs/clocks.md): what held of the clock
-- until the correction was received, one element a clock and receipt. Parallel arrays.
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS `corrected.received_at` Array(DateTime64(3, 'UTC')) AFTER flags;
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS `corrected.clock` Array(LowCardinality(String)) AFTER `corrected.received_at`;
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS `corrected.seq` Array(UInt16) AFTER `corrected.clock`;
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS `corrected.opd` Array(LowCardinality(String)) AFTER `corrected.seq`;
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS `corrected.scope` Array(LowCardinality(String)) AFTER `corrected.opd`;
-- The calendar day of corrected.started_at in the centre's own time zone.
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS `corrected.day` Array(Date) AFTER `corrected.scope`;
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS `corrected.started_at` Array(DateTime64(3, 'UTC')) AFTER `corrected.day`;
-- Late after this instant.
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS `corrected.due_at` Array(DateTime64(3, 'UTC')) AFTER `corrected.started_at`;
-- NULL where the clock still ran.
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS `corrected.stopped_at` Array(Nullable(DateTime64(3, 'UTC'))) AFTER `corrected.due_at`;

-- No source that brought the case carries the fact that stops the clock: as of an instant before the fact came from
-- elsewhere the clock was unobserved.
ALTER TABLE clocks ADD COLUMN IF NOT EXISTS lacking Bool AFTER unobserved;
