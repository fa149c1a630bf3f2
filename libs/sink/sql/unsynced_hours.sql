-- Hours (start, s since 1970) of the batches that came in the half hour before the machine started ({booted}, ms since
-- 1970), when none came since: a power cut may have taken rows of their rollups.
SELECT arrayDistinct(arrayFlatten(groupArray(
  arrayMap(i -> toUInt32(toUnixTimestamp(toStartOfHour(min_minute)) + 3600 * i), range(toUInt32(dateDiff('hour', min_minute, max_minute)) + 1))
))) AS hours
FROM load_ledger FINAL
WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND from_offset < {next:UInt64} AND from_offset + 20000 >= {next:UInt64}
  AND toUnixTimestamp(min_minute) > 0 AND toUnixTimestamp64Milli(last_received) >= {booted:Int64} - 1800000
HAVING max(toUnixTimestamp64Milli(last_received)) < {booted:Int64}
