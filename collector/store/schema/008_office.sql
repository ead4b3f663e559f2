-- What the office writes for its monev meeting (rtl, remark, form), and the name of the key that sent it.
ALTER TABLE events ADD COLUMN IF NOT EXISTS record Map(String, String) CODEC(ZSTD(1));
ALTER TABLE events ADD COLUMN IF NOT EXISTS changed_by LowCardinality(String) CODEC(ZSTD(1));
