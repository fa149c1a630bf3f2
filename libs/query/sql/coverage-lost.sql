-- Events that were lost upstream, by node and minute.
SELECT
  cluster,
  node,
  toStartOfMinute(bucket_time) AS minute,
  toUnixTimestamp64Nano(min(if(toUnixTimestamp64Nano(first_time) = 0, bucket_time, first_time))) AS first_ns,
  toUnixTimestamp64Nano(max(if(toUnixTimestamp64Nano(last_time) = 0, bucket_time, last_time))) AS last_ns,
  sum(count) AS lost
FROM events
WHERE tenant = {tenant:String}
  AND /*range*/
  AND kind = 'lost_events'
  AND /*scope*/
GROUP BY cluster, node, minute
ORDER BY minute, cluster, node
LIMIT {limit:UInt32}
