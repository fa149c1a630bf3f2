-- Flows of whole minutes.
SELECT cluster, client_namespace, server_namespace, toInt64(flows) AS m_flows, toInt64(drops) AS m_drops,
  CAST(last_seen, 'DateTime64(9, \'UTC\')') AS m_last_seen
FROM edges_1m
WHERE tenant = {tenant:String} AND /*range*/
