-- Namespaces on either side of a flow in the window.
SELECT
  cluster,
  arrayJoin(arrayDistinct([toString(client_namespace), toString(server_namespace)])) AS namespace,
  toUnixTimestamp64Nano(max(m_last_seen)) AS last_seen_ns,
  sum(m_flows) AS flow_total,
  sum(m_drops) AS drop_total
FROM (/*flows*/)
GROUP BY cluster, namespace
HAVING namespace != ''
ORDER BY cluster, namespace
LIMIT {limit:UInt32}
