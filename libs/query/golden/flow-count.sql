SELECT count() AS value
FROM (
  SELECT 1
  FROM flows
  WHERE tenant = {tenant:String}
    AND bucket_time >= fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
    AND (verdict = {p1:Int16})
  LIMIT {limit:UInt32}
)
-- tenant = "acme"
-- limit = 1001
-- p1 = 2
-- p2 = "1767265200000000000n"
-- p3 = "1767268800000000000n"
