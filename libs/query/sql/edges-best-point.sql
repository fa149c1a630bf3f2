-- The observation point nearest to the server, by edge and hour; whole hours and no filters, as for RED.
SELECT cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port,
  bucket AS hour, max(point) AS best
FROM edges_1h
WHERE tenant = {tenant:String}
  AND /*range*/
  AND known = 1 AND point != 0
GROUP BY cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port, hour
