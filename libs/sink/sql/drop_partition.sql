-- Removes a partition of which the log, which covers it, holds nothing.
ALTER TABLE /*table*/ DROP PARTITION ID '/*id*/'
