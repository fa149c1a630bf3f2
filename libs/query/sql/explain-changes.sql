-- Agent events of one node before a moment: changes of policies and endpoints shortly before first, then anything else,
-- which tells whether agent events of this node are recorded at all.
SELECT
  toUnixTimestamp64Nano(bucket_time) AS at_ns,
  type,
  namespace,
  pod,
  labels,
  text
FROM events
WHERE tenant = {tenant:String}
  AND cluster = {cluster:String}
  AND /*range*/
  AND kind = 'agent_event'
  AND node = {node:String}
ORDER BY type IN (3, 4, 5, 6) AND toUnixTimestamp64Nano(bucket_time) >= {shortly:Int64} DESC, bucket_time DESC, _le, _lp, _lo, _li
LIMIT {limit:UInt32}
