-- Keys accepted before {from} whose bucket time lies in the times of the imports that come next.
SELECT '0' AS lo, tenant, cluster, node, [] AS indexes,
  base64Encode(arrayStringConcat(groupArray(unhex(leftPad(hex(byteSwap(event_key)), 16, '0'))))) AS keys
FROM (
  SELECT tenant, cluster, node, event_key FROM flows
  WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo < {from:UInt64}
    AND bucket_time >= toDateTime({first:Int64}, 'UTC') AND bucket_time <= toDateTime({last:Int64}, 'UTC')
  UNION ALL
  SELECT tenant, cluster, node, event_key FROM events
  WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo < {from:UInt64}
    AND bucket_time >= toDateTime({first:Int64}, 'UTC') AND bucket_time <= toDateTime({last:Int64}, 'UTC')
)
GROUP BY tenant, cluster, node
