SELECT
  cluster, toString(client_namespace) AS client_party, toString(client_workload) AS client_name, toString(server_namespace) AS server_party, toString(server_workload) AS server_name, l4_protocol, server_port,
  sum(e_flows) AS flow_count,
  sum(e_connections) AS connection_count,
  max(e_point) AS best_point,
  sum(e_drops) AS drop_count,
  sum(e_trace_flows) AS trace_count,
  sum(e_encrypted_flows) AS encrypted_count,
  toUInt8(0) AS client_inferred,
  toUInt8(0) AS server_inferred,
  toUnixTimestamp64Nano(min(e_first_seen)) AS first_ns,
  toUnixTimestamp64Nano(max(e_last_seen)) AS last_ns,
  count() OVER () AS edge_total,
  toUInt8(max(l4_protocol = 2) OVER (PARTITION BY cluster, client_party, client_name, server_party, server_name, server_port)) AS udp_too,
  toUInt32(cityHash64(toString(cluster), client_party, client_name, server_party, server_name)) AS nodes_hash,
  max(client_name = '' OR server_name = '') OVER () AS unnamed_edges
FROM (
  SELECT
    cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port,
    sum(m_flows) AS e_flows,
    multiIf(
      max(point = 4), sumIf(m_connections, point = 4),
      max(point = 3), sumIf(m_connections, point = 3),
      max(point = 2), sumIf(m_connections, point = 2),
      sumIf(m_connections, point = 1)
    ) AS e_connections,
    maxIf(point, inside) AS e_point,
    sum(m_drops) AS e_drops,
    sum(m_trace_flows) AS e_trace_flows,
    sum(m_encrypted_flows) AS e_encrypted_flows,
    minIf(m_first_seen, inside) AS e_first_seen,
    maxIf(m_last_seen, inside) AS e_last_seen
  FROM (SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port, point,
  toUInt8(1) AS inside,
  toDateTime(toStartOfHour(bucket), 'UTC') AS hour,
  toInt64(flows) AS m_flows,
  toInt64(connections) AS m_connections,
  toInt64(drops) AS m_drops,
  toInt64(trace_flows) AS m_trace_flows,
  toInt64(encrypted_flows) AS m_encrypted_flows,
  CAST(first_seen, 'DateTime64(9, \'UTC\')') AS m_first_seen,
  CAST(last_seen, 'DateTime64(9, \'UTC\')') AS m_last_seen
FROM edges_1h
WHERE tenant = {tenant:String}
  AND bucket >= toDateTime({p1:Int64}, 'UTC') AND bucket < toDateTime({p2:Int64}, 'UTC')
  AND known = 1
  AND (true)
UNION ALL
SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port,
  toUInt8(multiIf(event_type != 4, 0, trace_observation_point = 101 AND traffic_direction = 1, 4,
    traffic_direction != 2, 0, trace_observation_point = 3, 3, trace_observation_point = 4, 2, trace_observation_point = 11, 1, 0)) AS point,
  toUInt8(1) AS inside,
  toDateTime(toStartOfHour(bucket_time), 'UTC') AS hour,
  toInt64(weight) AS m_flows,
  if(point != 0 AND trace_reason = 1 AND is_reply = 1 AND (bitAnd(tcp_flags, 512) = 0 OR bitAnd(tcp_flags, 18) = 2), toInt64(weight), 0) AS m_connections,
  if(is_drop, toInt64(weight), 0) AS m_drops,
  if(event_type = 4, toInt64(weight), 0) AS m_trace_flows,
  if(event_type = 4 AND encrypted = 1, toInt64(weight), 0) AS m_encrypted_flows,
  bucket_time AS m_first_seen,
  bucket_time AS m_last_seen
FROM flows

WHERE tenant = {tenant:String}
  AND bucket_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p4:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p3:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p4:Int64}, 'UTC'))
  AND client_side != 0
  AND (true))
  GROUP BY cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port, hour
  HAVING e_flows != 0
)
GROUP BY cluster, client_party, client_name, server_party, server_name, l4_protocol, server_port
HAVING flow_count > 0
ORDER BY drop_count > 0 DESC, flow_count DESC, cluster, client_party, client_name, server_party, server_name, l4_protocol, server_port
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 500
-- p1 = "1767261600n"
-- p2 = "1767268800n"
-- p3 = "1767261599999999999n"
-- p4 = "1767261600000000000n"
