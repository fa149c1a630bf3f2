SELECT DISTINCT cluster
FROM edges_1m
WHERE tenant = {tenant:String} AND bucket >= toDateTime({p1:Int64}, 'UTC') AND bucket < toDateTime({p2:Int64}, 'UTC')
ORDER BY cluster
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 10000
-- p1 = "1767182520n"
-- p2 = "1767268920n"
