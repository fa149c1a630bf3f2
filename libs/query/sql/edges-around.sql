-- Which observation points reported edges in the rest of the hours that the window cuts.
SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port, point,
  toUInt8(0) AS inside,
  toDateTime(toStartOfHour(bucket), 'UTC') AS hour,
  toInt64(0) AS m_flows,
  toInt64(0) AS m_connections,
  toInt64(0) AS m_drops,
  toInt64(0) AS m_trace_flows,
  toInt64(0) AS m_encrypted_flows,
  CAST(first_seen, 'DateTime64(9, \'UTC\')') AS m_first_seen,
  CAST(last_seen, 'DateTime64(9, \'UTC\')') AS m_last_seen
FROM edges_1m
WHERE tenant = {tenant:String}
  AND /*range*/
  AND known = 1 AND point != 0
