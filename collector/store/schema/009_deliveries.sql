-- Messages that the collector sent to people itself stand beside what Alertmanager reports, one row for each alert of each
-- message: channel is whatsapp, telegram or email, and '' for Alertmanager's. A row that comes again has news, and the
-- latest one counts. contact is a name of the contacts file, never a number; round counts the repetitions of a
-- notification from 1. The channel took the message at accepted_at; WhatsApp says that the telephone has it (delivered_at)
-- and that it was read. code is the channel's, of its last refusal; twice: it may have been sent twice.
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS channel LowCardinality(String);
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS contact LowCardinality(String);
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS round UInt16;
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS accepted_at Nullable(DateTime64(3, 'UTC'));
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS delivered_at Nullable(DateTime64(3, 'UTC'));
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS read_at Nullable(DateTime64(3, 'UTC'));
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS failed_at Nullable(DateTime64(3, 'UTC'));
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS code Int32;
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS twice Bool;
