SELECT
  type,
  labels,
  toUnixTimestamp64Nano(min(bucket_time)) AS first_ns,
  toUnixTimestamp64Nano(max(bucket_time)) AS last_ns
FROM events
WHERE tenant = {tenant:String}
  AND cluster = {cluster:String}
  AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
  AND kind = 'agent_event'
  AND type IN (3, 4)
GROUP BY type, labels
ORDER BY last_ns DESC, labels
LIMIT {limit:UInt32}
-- tenant = "acme"
-- cluster = "eu"
-- limit = 2000
-- p1 = "1767261599999999999n"
-- p2 = "1767268800000000000n"
