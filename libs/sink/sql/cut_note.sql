-- Announces the removal of whole days.
INSERT INTO retention_cuts (class, until, noted, reason, bytes)
SELECT {class:String}, toDateTime({until:UInt32}, 'UTC'), fromUnixTimestamp64Milli({now:Int64}, 'UTC'), {reason:String}, {bytes:UInt64}
