SELECT id, any(labels) AS labels
FROM label_sets
WHERE tenant = {tenant:String} AND id IN {ids:Array(UInt64)}
GROUP BY id
-- tenant = "acme"
-- ids = ["18446744073709551615n","1n"]
