-- What the source said about its nodes, from an hour before the window.
SELECT
  cluster,
  toUnixTimestamp64Nano(bucket_time) AS at_ns,
  type,
  nodes
FROM events
WHERE tenant = {tenant:String}
  AND /*range*/
  AND kind = 'node_status'
  AND /*scope*/
ORDER BY bucket_time, _le, _lp, _lo, _li
LIMIT {limit:UInt32}
