SELECT
  sum(m_drops) AS drop_count,
  toUnixTimestamp64Nano(minIf(m_first_seen, m_drops != 0)) AS first_ns
FROM (
  SELECT toInt64(drops) AS m_drops, CAST(first_seen, 'DateTime64(9, \'UTC\')') AS m_first_seen
  FROM drops_1m
  WHERE tenant = {tenant:String} AND bucket >= toDateTime({p1:Int64}, 'UTC') AND bucket < toDateTime({p2:Int64}, 'UTC') AND cluster = {p5:String} AND client_namespace = {p6:String} AND client_workload = {p7:String} AND server_namespace = {p8:String} AND server_workload = {p9:String} AND server_port = {p10:UInt16} AND drop_reason = {p11:Int16}
  UNION ALL
  SELECT toInt64(weight) AS m_drops, bucket_time AS m_first_seen
  FROM flows
  WHERE tenant = {tenant:String} AND bucket_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p4:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p3:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p4:Int64}, 'UTC')) AND is_drop AND cluster = {p5:String} AND client_namespace = {p6:String} AND client_workload = {p7:String} AND server_namespace = {p8:String} AND server_workload = {p9:String} AND server_port = {p10:UInt16} AND drop_reason = {p11:Int16}
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
-- p11 = 181
