-- Highest offset that any row of any table carries at or after {from}: what was begun but is not in the ledger.
SELECT toString(sum(found)) AS found, toString(max(last)) AS last
FROM (
  SELECT count() AS found, max(_lo) AS last FROM flows WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo >= {from:UInt64}
  UNION ALL
  SELECT count() AS found, max(_lo) AS last FROM events WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo >= {from:UInt64}
  UNION ALL
  SELECT count() AS found, max(_lo) AS last FROM dead_letters WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo >= {from:UInt64}
  UNION ALL
  SELECT count() AS found, max(_lo) AS last FROM skipped_events WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo >= {from:UInt64}
)
