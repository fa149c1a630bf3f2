-- Earlier drops with the same cause between the same workloads.
SELECT
  sum(weight) AS similar_count,
  toUnixTimestamp64Nano(min(bucket_time)) AS first_ns
FROM flows
WHERE tenant = {tenant:String}
  AND cluster = {cluster:String}
  AND /*range*/
  AND client_namespace = {client_namespace:String} AND client_workload = {client_workload:String}
  AND server_namespace = {server_namespace:String} AND server_workload = {server_workload:String}
  AND /*cause*/
