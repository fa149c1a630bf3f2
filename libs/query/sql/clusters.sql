-- Clusters seen in the last day.
SELECT DISTINCT cluster
FROM edges_1m
WHERE tenant = {tenant:String} AND /*range*/
ORDER BY cluster
LIMIT {limit:UInt32}
