-- Edges of the service map. Connections are counted at one observation point per edge and hour: the one nearest to the
-- server that reported in that hour (design section 6).
SELECT
  cluster, client_party, client_name, server_party, server_name, l4_protocol, server_port,
  sum(m_flows) AS flow_count,
  sumIf(m_connections, at_best_point) AS connection_count,
  max(point) AS best_point,
  sum(m_drops) AS drop_count,
  sum(m_trace_flows) AS trace_count,
  sum(m_encrypted_flows) AS encrypted_count,
  max(client_was_told) AS client_inferred,
  max(server_was_told) AS server_inferred,
  toUnixTimestamp64Nano(min(m_first_seen)) AS first_ns,
  toUnixTimestamp64Nano(max(m_last_seen)) AS last_ns,
  count() OVER () AS edge_total,
  toUInt8(max(l4_protocol = 2) OVER (PARTITION BY cluster, client_party, client_name, server_party, server_name, server_port)) AS udp_too,
  toUInt32(cityHash64(toString(cluster), client_party, client_name, server_party, server_name)) AS nodes_hash,
  max(client_name = '' OR server_name = '') OVER () AS unnamed_edges
FROM (
  SELECT
    *,
    (
      cityHash64(cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port, hour),
      xxh3(cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port, hour),
      point
    ) IN (/*best_points*/) AS at_best_point
  FROM (/*edges*/)
)
GROUP BY cluster, client_party, client_name, server_party, server_name, l4_protocol, server_port
HAVING flow_count > 0
ORDER BY drop_count > 0 DESC, flow_count DESC, cluster, client_party, client_name, server_party, server_name, l4_protocol, server_port
LIMIT {limit:UInt32}
