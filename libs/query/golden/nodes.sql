SELECT
  cluster,
  node,
  max(last_ns) AS last_seen_ns,
  sum(flow_count) AS flow_total,
  sum(lost_count) AS lost_total,
  argMax(label_set, last_ns) AS node_label_set
FROM (
  SELECT cluster, node, toUnixTimestamp64Nano(max(bucket_time)) AS last_ns, count() AS flow_count, toUInt64(0) AS lost_count, argMax(node_label_set, bucket_time) AS label_set
  FROM flows
  WHERE tenant = {tenant:String} AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
  GROUP BY cluster, node
  UNION ALL
  SELECT cluster, node, toUnixTimestamp64Nano(max(bucket_time)) AS last_ns, toUInt64(0) AS flow_count, toUInt64(least(sum(toUInt128(if(kind = 'lost_events', count, 0))), toUInt128(9007199254740991))) AS lost_count, toUInt64(0) AS label_set
  FROM events
  WHERE tenant = {tenant:String} AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND kind IN ('lost_events', 'agent_event')
  GROUP BY cluster, node
)
GROUP BY cluster, node
ORDER BY cluster, node
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 10000
-- p1 = "1767261599999999999n"
-- p2 = "1767268800000000000n"
