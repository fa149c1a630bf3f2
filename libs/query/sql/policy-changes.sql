-- Which policies agents reported as changed or deleted, each kind of report once: the first and the last time.
SELECT
  type,
  labels,
  toUnixTimestamp64Nano(min(bucket_time)) AS first_ns,
  toUnixTimestamp64Nano(max(bucket_time)) AS last_ns
FROM events
WHERE tenant = {tenant:String}
  AND cluster = {cluster:String}
  AND /*range*/
  AND kind = 'agent_event'
  AND type IN (3, 4)
GROUP BY type, labels
ORDER BY last_ns DESC, labels
LIMIT {limit:UInt32}
