SELECT
  cluster,
  arrayJoin(arrayDistinct([toString(client_namespace), toString(server_namespace)])) AS namespace,
  toUnixTimestamp64Nano(max(m_last_seen)) AS last_seen_ns,
  sum(m_flows) AS flow_total,
  sum(m_drops) AS drop_total
FROM (SELECT cluster, client_namespace, server_namespace, toInt64(weight) AS m_flows, if(is_drop, toInt64(weight), 0) AS m_drops,
  bucket_time AS m_last_seen
FROM flows
WHERE tenant = {tenant:String} AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
UNION ALL
SELECT cluster, client_namespace, server_namespace, toInt64(flows) AS m_flows, toInt64(drops) AS m_drops,
  CAST(last_seen, 'DateTime64(9, \'UTC\')') AS m_last_seen
FROM edges_1m
WHERE tenant = {tenant:String} AND bucket >= toDateTime({p3:Int64}, 'UTC') AND bucket < toDateTime({p4:Int64}, 'UTC'))
GROUP BY cluster, namespace
HAVING namespace != ''
ORDER BY cluster, namespace
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 10000
-- p1 = "1767261599999999999n"
-- p2 = "1767261600000000000n"
-- p3 = "1767261600n"
-- p4 = "1767268800n"
