-- Where and in which five minutes anything was refused or audited: a part of the sort key, so that only its flows are read.
SELECT DISTINCT cluster, toStartOfFiveMinutes(bucket) AS five_minutes, server_namespace, server_workload
FROM drops_1m
WHERE tenant = {tenant:String} AND /*minutes*/ AND /*counted*/
