-- Of a late ticket in a message of the collector: when its clock was due. How often the message was tried, and whether the
-- chat has another number than the contacts file says.
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS late_since Nullable(DateTime64(3, 'UTC'));
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS tries UInt16;
ALTER TABLE notifications ADD COLUMN IF NOT EXISTS moved Bool;
