-- Edges and hours in which one side reported calls, answered or denied: where the server's proxy denied all of them,
-- the client's proxy still saw them answered with 403. Decided over whole hours and without the request's filters, so that
-- a wider window or a narrower filter never changes who counts.
SELECT
  cityHash64(cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, bucket) AS edge_hour,
  xxh3(cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, bucket) AS edge_hour_too
FROM red_edges_1h
WHERE tenant = {tenant:String}
  AND /*range*/
  AND reporter = /*reporter*/
GROUP BY edge_hour, edge_hour_too
HAVING sum(requests) > 0 OR sum(denied) > 0
