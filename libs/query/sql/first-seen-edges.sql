-- Edges that were seen in the window and never in the history before it. Minutes of a rollup know their first flow exactly.
SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port,
  sum(flows) AS flow_count,
  sum(drops) AS drop_count,
  toUnixTimestamp64Nano(min(first_seen)) AS first_ns,
  count() OVER () AS found_total
FROM edges_1m
WHERE tenant = {tenant:String}
  AND /*range*/
  AND known = 1
  AND (/*where*/)
GROUP BY cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port
-- A translation of a service address is no call to it.
HAVING first_ns >= {from:Int64} AND first_ns < {to:Int64} AND sum(forwarded) + sum(drops) + sum(audited) > 0
ORDER BY first_ns DESC, cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port
LIMIT {limit:UInt32}
