SELECT toUnixTimestamp64Nano(min(first_seen)) AS first_ns, count() AS row_count
FROM edges_1m
WHERE tenant = {tenant:String} AND bucket >= toDateTime({p2:Int64}, 'UTC') AND bucket < toDateTime({p3:Int64}, 'UTC') AND (cluster = {p1:String})
-- tenant = "acme"
-- p1 = "eu"
-- p2 = "1764673200n"
-- p3 = "1767265200n"
