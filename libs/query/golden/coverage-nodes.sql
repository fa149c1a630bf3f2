SELECT groupUniqArrayArray(nodes) AS node_names, countIf(empty(nodes)) AS unheard_pods
FROM (
  SELECT groupUniqArrayIf(concat(cluster, '/', node), party.2) AS nodes
  FROM flows
  ARRAY JOIN [(src_pod, src_endpoint_id != 0, src_namespace), (dst_pod, dst_endpoint_id != 0, dst_namespace)] AS party
  WHERE tenant = {tenant:String}
    AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
    AND true AND true
    AND (src_namespace = {namespace:String} OR dst_namespace = {namespace:String})
    AND party.3 = {namespace:String}
  GROUP BY cluster, party.1
)
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 10000
-- namespace = "shop"
-- p1 = "1767261599999999999n"
-- p2 = "1767268800000000000n"
