-- Definitions 2 count some cases in another way (docs/definitions.md), so every hour and day of the roll-ups is to be
-- computed again.
INSERT INTO hours_pending
SELECT center, hour, 1 + (SELECT max(version) FROM hours_pending), false FROM calls_hourly GROUP BY center, hour;

INSERT INTO days_pending
SELECT center, assumeNotNull(day), 1 + (SELECT max(version) FROM days_pending), false
FROM (SELECT center, day FROM tickets UNION DISTINCT SELECT center, day FROM clocks WHERE subject_kind = 'ticket')
WHERE day IS NOT NULL GROUP BY center, day;

-- The scope of the OPD of each stay, for figures as of an instant at which the ticket lay elsewhere.
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS `stays.scope` Array(LowCardinality(String)) AFTER `stays.opd`;
