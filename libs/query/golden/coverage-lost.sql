SELECT
  cluster,
  node,
  toStartOfMinute(bucket_time) AS minute,
  toUnixTimestamp64Nano(min(if(toUnixTimestamp64Nano(first_time) = 0, bucket_time, first_time))) AS first_ns,
  toUnixTimestamp64Nano(max(if(toUnixTimestamp64Nano(last_time) = 0, bucket_time, last_time))) AS last_ns,
  toString(least(sum(toUInt128(count)), toUInt128(9007199254740991))) AS lost,
  toString(least(sum(sum(toUInt128(count))) OVER (), toUInt128(9007199254740991))) AS lost_total
FROM events
WHERE tenant = {tenant:String}
  AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
  AND kind = 'lost_events'
  AND true AND node = {p3:String}
GROUP BY cluster, node, minute
ORDER BY sum(toUInt128(count)) DESC, minute, cluster, node
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 10000
-- p1 = "1767261599999999999n"
-- p2 = "1767268800000000000n"
-- p3 = "n1"
