-- Batches among the last 20,000 records of the ledger of which a table of facts holds fewer or more rows than were
-- booked. Batches with rows that may have begun to expire ({horizon}, s since 1970) are left out.
WITH booked AS (
  SELECT from_offset, to_offset, flows, other_events
  FROM load_ledger FINAL
  WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND from_offset < {next:UInt64} AND from_offset + 20000 >= {next:UInt64}
    AND (toUnixTimestamp(min_minute) = 0 OR toUnixTimestamp(min_minute) >= {horizon:UInt32})
)
SELECT toString(b.from_offset) AS first, toString(b.to_offset) AS last
FROM booked AS b
LEFT JOIN (
  SELECT batch.from_offset AS from_offset, sum(r.flows) AS flows, sum(r.events) AS events
  FROM (
    SELECT 1 AS one, _lo, count() AS flows, 0 AS events FROM flows
    WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo < {next:UInt64} AND _lo + 20000 >= {next:UInt64}
    GROUP BY _lo
    UNION ALL
    SELECT 1 AS one, _lo, 0 AS flows, count() AS events FROM events
    WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo < {next:UInt64} AND _lo + 20000 >= {next:UInt64}
    GROUP BY _lo
  ) AS r
  ASOF JOIN (SELECT 1 AS one, from_offset FROM booked) AS batch ON r.one = batch.one AND r._lo >= batch.from_offset
  GROUP BY from_offset
) AS c ON c.from_offset = b.from_offset
WHERE b.flows != c.flows OR b.other_events != c.events
ORDER BY b.from_offset
