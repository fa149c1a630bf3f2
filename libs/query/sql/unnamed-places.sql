-- Where and in which five minutes the flows are whose workload nothing names: a part of the sort key, so that only they
-- are read.
SELECT DISTINCT cluster, /*five_minutes*/ AS five_minutes, server_namespace, server_workload
FROM /*table*/
WHERE tenant = {tenant:String}
  AND /*range*/
  AND (/*unnamed*/)
