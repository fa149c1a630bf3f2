-- Clusters with flows in the window beside those that are known: a page that reads the known ones in key order leaves none out.
SELECT DISTINCT cluster
FROM flows
WHERE tenant = {tenant:String}
  AND /*range*/
  AND cluster NOT IN {known:Array(String)}
LIMIT {limit:UInt32}
