-- How many keys dedup_import would find in one span of seconds.
SELECT toString(sum(found)) AS keys
FROM (
  SELECT count() AS found FROM flows
  WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo < {from:UInt64}
    AND bucket_time >= toDateTime64({first:Int64}, 9, 'UTC') AND bucket_time < toDateTime64({last:Int64} + 1, 9, 'UTC')
  UNION ALL
  SELECT count() AS found FROM events
  WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo < {from:UInt64}
    AND bucket_time >= toDateTime64({first:Int64}, 9, 'UTC') AND bucket_time < toDateTime64({last:Int64} + 1, 9, 'UTC')
)
