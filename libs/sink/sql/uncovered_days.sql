-- Days that batches outside the replayed ranges have rows in, as partition ids. Told by the ledger, which never expires.
SELECT DISTINCT formatDateTime(toDate(min_minute) + arrayJoin(range(toUInt32(dateDiff('day', toDate(min_minute), toDate(max_minute))) + 1)), '%Y%m%d') AS day
FROM load_ledger FINAL
WHERE toUnixTimestamp(max_minute) > 0
  AND (_le != {epoch:UInt64} OR arrayExists((lp, first) -> _lp = lp AND from_offset < first, {partitions:Array(UInt16)}, {firsts:Array(UInt64)}))
