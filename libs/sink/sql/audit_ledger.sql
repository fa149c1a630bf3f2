-- The ledger of one partition: what it sums to, where its lines do not join, and the first offset after which no row has
-- begun to expire ({horizon}, s since 1970).
SELECT toString(sum(l.events)) AS events, toString(count()) AS batches, toString(max(to_offset)) AS last,
  toString(countIf(from_offset != before + 1 AND number > 1)) AS breaks,
  toString(countIf(l.events != flows + other_events + duplicates + dead + skipped)) AS uneven,
  toString(maxIf(to_offset + 1, toUnixTimestamp(min_minute) > 0 AND toUnixTimestamp(min_minute) < {horizon:UInt32})) AS first
FROM (
  SELECT from_offset, to_offset, events, flows, other_events, duplicates, dead, skipped, min_minute,
    lagInFrame(to_offset) OVER w AS before, row_number() OVER w AS number
  FROM load_ledger FINAL
  WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16}
  WINDOW w AS (ORDER BY from_offset ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
) AS l
