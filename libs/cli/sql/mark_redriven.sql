-- Notes letters that are in the log again.
INSERT INTO dead_letter_redrives (_le, _lp, _lo, _li, redriven)
SELECT t.1, t.2, t.3, t.4, fromUnixTimestamp64Milli({now:Int64}, 'UTC')
FROM (SELECT arrayJoin(arrayZip({epochs:Array(UInt64)}, {partitions:Array(UInt16)}, {offsets:Array(UInt64)}, {indexes:Array(UInt32)})) AS t)
