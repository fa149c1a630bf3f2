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
  AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
  AND kind = 'agent_event'
  AND node = {node:String}
ORDER BY type BETWEEN 2 AND 8 AND toUnixTimestamp64Nano(bucket_time) >= {shortly:Int64} DESC, bucket_time DESC, _le, _lp, _lo, _li
LIMIT {limit:UInt32}
-- tenant = "acme"
-- cluster = "eu"
-- node = "n1"
-- shortly = "1767268499999999995n"
-- limit = 50
-- p1 = "1767182399999999995n"
-- p2 = "1767268799999999996n"
