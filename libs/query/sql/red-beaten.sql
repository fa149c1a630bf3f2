-- Reports that do not count, by edge and hour: those of the client's side and of others (2, 0) where the server's side
-- reported anything, answered or denied; those of others (0) where the client's side did. Where the server's proxy denied all
-- of them, the client's proxy still saw them answered with 403. Decided over whole hours and without the request's filters,
-- so that a wider window or a narrower filter never changes who counts.
SELECT
  cityHash64(cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, bucket) AS edge_hour,
  xxh3(cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, bucket) AS edge_hour_too,
  arrayJoin(if(sumIf(requests, reporter = 1) > 0 OR sumIf(denied, reporter = 1) > 0, [toUInt8(2), 0], [toUInt8(0)])) AS beaten
FROM red_edges_1h
WHERE tenant = {tenant:String}
  AND /*range*/
  AND reporter IN (1, 2)
GROUP BY edge_hour, edge_hour_too
HAVING sumIf(requests, reporter = 1) > 0 OR sumIf(denied, reporter = 1) > 0
  OR sumIf(requests, reporter = 2) > 0 OR sumIf(denied, reporter = 2) > 0
