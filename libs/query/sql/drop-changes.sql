-- What the agent of one node reported before a moment. Changes of policies and endpoints and agent starts shortly before
-- it come first; then anything else of the day before, which only tells that agent events of the node are recorded.
-- Address changes are no candidates: in a busy cluster they happen all the time.
SELECT
  toUnixTimestamp64Nano(bucket_time) AS at_ns,
  node,
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
ORDER BY type BETWEEN 2 AND 8 AND toUnixTimestamp64Nano(bucket_time) >= {shortly:Int64} DESC, bucket_time DESC, _le, _lp, _lo, _li
LIMIT {limit:UInt32}
