-- Drop reasons between two namespaces that were seen in the window and never in the history before it.
SELECT
  cluster, client_namespace, '' AS client_workload, server_namespace, '' AS server_workload, drop_reason,
  sum(drops) AS flow_count,
  sum(drops) AS drop_count,
  toUnixTimestamp64Nano(min(first_seen)) AS first_ns,
  count() OVER () AS found_total
FROM drops_1m
WHERE tenant = {tenant:String}
  AND /*range*/
  AND drops != 0
  AND (/*where*/)
GROUP BY cluster, client_namespace, server_namespace, drop_reason
HAVING first_ns >= {from:Int64} AND first_ns < {to:Int64}
ORDER BY first_ns DESC, cluster, client_namespace, server_namespace, drop_reason
LIMIT {limit:UInt32}
