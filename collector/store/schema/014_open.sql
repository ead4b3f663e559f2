-- What is open, beside the figures of its day, so that the late tickets of a country are found without reading its millions
-- of clocks and tickets. Parallel arrays.
-- The clocks that run and have a due time, one element a clock.
ALTER TABLE clocks_daily ADD COLUMN IF NOT EXISTS `running.ticket` Array(String);
ALTER TABLE clocks_daily ADD COLUMN IF NOT EXISTS `running.due_at` Array(Nullable(DateTime64(3, 'UTC')));
-- Late after this instant.
ALTER TABLE clocks_daily ADD COLUMN IF NOT EXISTS `running.breach_at` Array(DateTime64(3, 'UTC'));
ALTER TABLE clocks_daily ADD COLUMN IF NOT EXISTS `running.escalated_at` Array(Nullable(DateTime64(3, 'UTC')));
ALTER TABLE clocks_daily ADD COLUMN IF NOT EXISTS `running.escalated2_at` Array(Nullable(DateTime64(3, 'UTC')));

-- The open tickets, one element a ticket.
ALTER TABLE tickets_daily ADD COLUMN IF NOT EXISTS `open.id` Array(String);
ALTER TABLE tickets_daily ADD COLUMN IF NOT EXISTS `open.opd` Array(LowCardinality(String));
ALTER TABLE tickets_daily ADD COLUMN IF NOT EXISTS `open.category` Array(LowCardinality(String));
ALTER TABLE tickets_daily ADD COLUMN IF NOT EXISTS `open.priority` Array(LowCardinality(String));
ALTER TABLE tickets_daily ADD COLUMN IF NOT EXISTS `open.kecamatan` Array(LowCardinality(String));
ALTER TABLE tickets_daily ADD COLUMN IF NOT EXISTS `open.last_event_at` Array(Nullable(DateTime64(3, 'UTC')));

-- Of each ticket, as of opds; shorter rows are of before.
ALTER TABLE tickets_daily ADD COLUMN IF NOT EXISTS categories Array(LowCardinality(String)) AFTER priorities;
ALTER TABLE tickets_daily ADD COLUMN IF NOT EXISTS paused_s Array(Int64);

-- Every day is computed again.
INSERT INTO days_pending
SELECT center, day, 1 + (SELECT max(version) FROM days_pending), false
FROM (SELECT center, day FROM clocks_daily UNION DISTINCT SELECT center, day FROM tickets_daily)
GROUP BY center, day;
