-- Edges of whole minutes or hours.
SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port, point,
  /*parties*/
  toDateTime(toStartOfHour(bucket), 'UTC') AS hour,
  toInt64(flows) AS m_flows,
  toInt64(connections) AS m_connections,
  toInt64(drops) AS m_drops,
  toInt64(trace_flows) AS m_trace_flows,
  toInt64(encrypted_flows) AS m_encrypted_flows,
  CAST(first_seen, 'DateTime64(9, \'UTC\')') AS m_first_seen,
  CAST(last_seen, 'DateTime64(9, \'UTC\')') AS m_last_seen
FROM /*table*/
WHERE tenant = {tenant:String}
  AND /*range*/
  AND known = 1
  AND (/*filter*/)
