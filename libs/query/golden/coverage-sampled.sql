SELECT sum(weight) AS flow_count, count() AS record_count
FROM flows
WHERE tenant = {tenant:String}
  AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
  AND true AND true AND concat(cluster, '/', node) IN {p3:Array(String)}
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 10000
-- p1 = "1767261599999999999n"
-- p2 = "1767268800000000000n"
-- p3 = ["eu/n1"]
