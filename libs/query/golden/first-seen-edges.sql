SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port,
  sum(flows) AS flow_count,
  sum(drops) AS drop_count,
  toUnixTimestamp64Nano(min(first_seen)) AS first_ns,
  count() OVER () AS found_total
FROM edges_1m
WHERE tenant = {tenant:String}
  AND bucket >= toDateTime({p1:Int64}, 'UTC') AND bucket < toDateTime({p2:Int64}, 'UTC')
  AND known = 1
  AND (cluster = {p3:String} AND (client_namespace = {p4:String} OR server_namespace = {p4:String}))
GROUP BY cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port
HAVING first_ns >= {from:Int64} AND first_ns < {to:Int64} AND sum(forwarded) + sum(drops) + sum(audited) > 0
ORDER BY first_ns DESC, cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port
LIMIT {limit:UInt32}
-- tenant = "acme"
-- from = "1767261599999999999n"
-- to = "1767268800000000000n"
-- limit = 100
-- p1 = "1764669540n"
-- p2 = "1767268800n"
-- p3 = "eu"
-- p4 = "shop"
