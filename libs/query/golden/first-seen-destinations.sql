SELECT
  cluster, client_namespace, server_namespace, destination,
  arraySort(groupUniqArrayIf(10)(client_workload, at >= {from:Int64})) AS client_workloads,
  arraySort(groupUniqArrayIf(10)(port, at >= {from:Int64})) AS ports,
  sum(m_weight) AS flow_count,
  sumIf(m_weight, dropped) AS drop_count,
  min(at) AS first_ns,
  count() OVER () AS found_total
FROM (
  SELECT
    cluster, client_namespace, client_workload, server_namespace,
    toUnixTimestamp64Nano(bucket_time) AS at,
    toInt64(weight) AS m_weight,
    is_drop AS dropped,
    server_port AS port,
    if(client_side = 2, src_names, dst_names) AS names,
    replaceOne(toString(if(client_side = 2, src_ip, dst_ip)), '::ffff:', '') AS address,
    arrayJoin(if(empty(names), [address], names)) AS destination
  FROM flows
  WHERE tenant = {tenant:String}
    AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
    AND client_side != 0
    AND client_namespace != ''
    AND server_namespace = ''
    AND server_workload = 'reserved:world'
    AND verdict NOT IN (6, 7)
    AND (cluster = {p3:String} AND (client_namespace = {p4:String} OR server_namespace = {p4:String}))
)
GROUP BY cluster, client_namespace, server_namespace, destination
HAVING first_ns >= {from:Int64} AND first_ns < {to:Int64}
ORDER BY first_ns DESC, cluster, client_namespace, destination
LIMIT {limit:UInt32}
-- tenant = "acme"
-- from = "1767261599999999999n"
-- to = "1767268800000000000n"
-- limit = 100
-- p1 = "1764676800000000000n"
-- p2 = "1767268800000000000n"
-- p3 = "eu"
-- p4 = "shop"
