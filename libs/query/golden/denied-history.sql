SELECT
  sum(m_denied) AS drop_count,
  toUnixTimestamp64Nano(minIf(m_first_seen, m_denied != 0)) AS first_ns
FROM (
  SELECT toInt64(denied) AS m_denied, toDateTime64(bucket, 9, 'UTC') AS m_first_seen
  FROM red_1m
  WHERE tenant = {tenant:String} AND bucket >= toDateTime({p1:Int64}, 'UTC') AND bucket < toDateTime({p2:Int64}, 'UTC') AND cluster = {p5:String} AND client_namespace = {p6:String} AND client_workload = {p7:String} AND server_namespace = {p8:String} AND server_workload = {p9:String} AND server_port = {p10:UInt16} AND l7_kind = {p11:UInt8} AND endpoint = {p12:String}
  UNION ALL
  SELECT toInt64(weight) AS m_denied, bucket_time AS m_first_seen
  FROM flows
  WHERE tenant = {tenant:String} AND bucket_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p4:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p3:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p4:Int64}, 'UTC')) AND l7_type = 1 AND verdict = 2 AND cluster = {p5:String} AND client_namespace = {p6:String} AND client_workload = {p7:String} AND server_namespace = {p8:String} AND server_workload = {p9:String} AND server_port = {p10:UInt16} AND l7_kind = {p11:UInt8} AND endpoint = {p12:String}
)
-- tenant = "acme"
-- p1 = "1767182400n"
-- p2 = "1767268740n"
-- p3 = "1767268740000000000n"
-- p4 = "1767268799999999995n"
-- p5 = "eu"
-- p6 = ""
-- p7 = ""
-- p8 = ""
-- p9 = ""
-- p10 = 80
-- p11 = 2
-- p12 = "GET /a"
