-- The observation point nearest to the server, by edge and hour; whole hours, no filters and 128 bits of hashes, as for RED.
SELECT
  cityHash64(cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port, bucket) AS edge_hour,
  xxh3(cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port, bucket) AS edge_hour_too,
  max(point) AS best
FROM edges_1h
WHERE tenant = {tenant:String}
  AND /*range*/
  AND known = 1 AND point != 0
GROUP BY edge_hour, edge_hour_too
