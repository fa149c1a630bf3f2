SELECT countIf(as_sent) AS sent, count() AS whole
FROM (
  SELECT ((src_service_namespace = {p7:String}) AND (startsWith(src_service_name, {p8:String}))) AS as_sent
  FROM flows
  WHERE tenant = {tenant:String}
    AND bucket_time >= fromUnixTimestamp64Nano({p9:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p10:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p9:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p10:Int64}, 'UTC'))
    AND (((src_service_namespace = {p1:String}) AND (startsWith(src_service_name, {p2:String}))) OR ((src_ip != toIPv6('::') OR ip_version = 2) AND (cluster, toDateTime(toStartOfHour(bucket_time), 'UTC'), src_ip) IN (SELECT cluster, hour, ip FROM endpoints WHERE tenant = {tenant:String} AND hour BETWEEN toDateTime({p3:Int64}, 'UTC') AND toDateTime({p4:Int64}, 'UTC') AND service_name != '' AND service_namespace = {p5:String} AND startsWith(service_name, {p6:String}))))
  LIMIT {limit:UInt32}
)
-- tenant = "acme"
-- limit = 1001
-- p1 = "shop"
-- p2 = "cart"
-- p3 = "1767258000n"
-- p4 = "1767268800n"
-- p5 = "shop"
-- p6 = "cart"
-- p7 = "shop"
-- p8 = "cart"
-- p9 = "1767261599999999999n"
-- p10 = "1767268800000000000n"
