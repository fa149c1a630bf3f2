-- Edges of the service map from whole minutes and hours, without a filter: one look at each row. Connections are counted at one
-- observation point per edge and hour, the one nearest to the server that reported in that hour (design section 6); rows
-- of its hours that lie outside the window (`inside` 0) take part in that choice only.
SELECT
  cluster, /*parties*/ l4_protocol, server_port,
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
  FROM (/*edges*/)
  GROUP BY cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port, hour
  HAVING e_flows != 0
)
GROUP BY cluster, client_party, client_name, server_party, server_name, l4_protocol, server_port
HAVING flow_count > 0
ORDER BY drop_count > 0 DESC, flow_count DESC, cluster, client_party, client_name, server_party, server_name, l4_protocol, server_port
LIMIT {limit:UInt32}
