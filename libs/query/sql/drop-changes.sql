-- What agents reported shortly before the first drop: policies, endpoints, agent starts. Address changes are left out: in
-- a busy cluster they happen all the time.
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
  AND type IN (2, 3, 4, 5, 6, 7, 8)
ORDER BY bucket_time DESC, _le, _lp, _lo, _li
LIMIT {limit:UInt32}
