-- Keys accepted in [first, next), record by record: one row for each record and stream, keys in event order.
SELECT toString(_lo) AS lo, tenant, cluster, node,
  arrayMap(k -> k.1, arraySort(groupArray((_li, event_key))) AS pairs) AS indexes,
  base64Encode(arrayStringConcat(arrayMap(k -> unhex(leftPad(hex(byteSwap(k.2)), 16, '0')), pairs))) AS keys
FROM (
  SELECT _lo, _li, tenant, cluster, node, event_key FROM flows
  WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo >= {first:UInt64} AND _lo < {next:UInt64}
  UNION ALL
  SELECT _lo, _li, tenant, cluster, node, event_key FROM events
  WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo >= {first:UInt64} AND _lo < {next:UInt64}
)
GROUP BY _lo, tenant, cluster, node
ORDER BY _lo
