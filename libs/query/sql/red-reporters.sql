-- Edges and hours in which one side reported calls, answered or denied: where the server's proxy denied all of them,
-- the client's proxy still saw them answered with 403. Decided over whole hours and without the request's filters, so that
-- a wider window or a narrower filter never changes who counts.
SELECT cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, bucket
FROM red_1h
WHERE tenant = {tenant:String}
  AND /*range*/
  AND reporter = /*reporter*/
GROUP BY cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, bucket
HAVING sum(requests) > 0 OR sum(denied) > 0
