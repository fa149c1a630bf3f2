-- Keys accepted before {from} whose bucket time lies in the seconds of the imports that come next. The bounds are DateTime64: with
-- a DateTime the engine (26.7) skips parts whose first row lies within the last second of the range (measured).
SELECT '0' AS lo, tenant, cluster, node, [] AS indexes,
  base64Encode(arrayStringConcat(groupArray(unhex(leftPad(hex(byteSwap(event_key)), 16, '0'))))) AS keys
FROM (
  SELECT tenant, cluster, node, event_key FROM flows
  WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo < {from:UInt64}
    AND bucket_time >= toDateTime64({first:Int64}, 9, 'UTC') AND bucket_time < toDateTime64({last:Int64} + 1, 9, 'UTC')
    AND arrayExists((a, b) -> toUnixTimestamp(bucket_time) BETWEEN a AND b, {firsts:Array(Int64)}, {lasts:Array(Int64)})
  UNION ALL
  SELECT tenant, cluster, node, event_key FROM events
  WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo < {from:UInt64}
    AND bucket_time >= toDateTime64({first:Int64}, 9, 'UTC') AND bucket_time < toDateTime64({last:Int64} + 1, 9, 'UTC')
    AND arrayExists((a, b) -> toUnixTimestamp(bucket_time) BETWEEN a AND b, {firsts:Array(Int64)}, {lasts:Array(Int64)})
)
GROUP BY tenant, cluster, node
