SELECT
  cluster, client_namespace, '' AS client_workload, server_namespace, '' AS server_workload, drop_reason,
  sum(drops) AS flow_count,
  sum(drops) AS drop_count,
  toUnixTimestamp64Nano(min(first_seen)) AS first_ns,
  count() OVER () AS found_total
FROM drops_1m
WHERE tenant = {tenant:String}
  AND bucket >= toDateTime({p1:Int64}, 'UTC') AND bucket < toDateTime({p2:Int64}, 'UTC')
  AND drops != 0
  AND (cluster = {p3:String} AND (client_namespace = {p4:String} OR server_namespace = {p4:String}))
GROUP BY cluster, client_namespace, server_namespace, drop_reason
HAVING first_ns >= {from:Int64} AND first_ns < {to:Int64}
ORDER BY first_ns DESC, cluster, client_namespace, server_namespace, drop_reason
LIMIT {limit:UInt32}
-- tenant = "acme"
-- from = "1767261599999999999n"
-- to = "1767268800000000000n"
-- limit = 100
-- p1 = "1764669540n"
-- p2 = "1767268800n"
-- p3 = "eu"
-- p4 = "shop"
