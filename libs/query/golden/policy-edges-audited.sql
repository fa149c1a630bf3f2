SELECT
  cluster, direction,
  client_namespace, client_workload, client_labels, client_identity, client_names,
  server_namespace, server_workload, server_labels, server_identity, server_names,
  protocol, port, icmp,
  sum(m_weight) AS flow_count,
  arraySort(arrayMap(one -> toString(one), groupUniqArray({addresses:UInt32})(client_address))) AS client_addresses,
  uniq(client_address) AS client_address_count,
  arraySort(arrayMap(one -> toString(one), groupUniqArray({addresses:UInt32})(server_address))) AS server_addresses,
  uniq(server_address) AS server_address_count,
  toUnixTimestamp64Nano(min(at)) AS first_ns,
  toUnixTimestamp64Nano(max(at)) AS last_ns,
  arrayMap(one -> toString(one), argMin(position, at)) AS first_position,
  arrayMap(one -> toString(one), argMax(position, at)) AS last_position,
  arrayMap(one -> base64Encode(one), groupUniqArray(20)(policies)) AS policy_lists,
  count() OVER () AS edge_total
FROM (
  SELECT
    [_le, toUInt64(_lp), _lo, toUInt64(_li)] AS position,
    cluster, bucket_time AS at, toInt64(weight) AS m_weight,
    traffic_direction AS direction,
    client_namespace, client_workload, server_namespace, server_workload,
    client_side = 2 AS turned,
    if(turned, dst_label_set, src_label_set) AS client_labels,
    if(turned, src_label_set, dst_label_set) AS server_labels,
    if(turned, dst_identity, src_identity) AS client_number,
    if(turned, src_identity, dst_identity) AS server_number,
    -- Numbers say who it is only where they are reserved, or by their scope.
    if(client_number < 256 OR client_number >= 16777216, client_number, 0) AS client_identity,
    if(server_number < 256 OR server_number >= 16777216, server_number, 0) AS server_identity,
    if(client_namespace = '', arraySort(if(turned, dst_names, src_names)), []) AS client_names,
    if(server_namespace = '', arraySort(if(turned, src_names, dst_names)), []) AS server_names,
    if(client_namespace != '', toIPv6('::'), if(turned, dst_ip, src_ip)) AS client_address,
    if(server_namespace != '', toIPv6('::'), if(turned, src_ip, dst_ip)) AS server_address,
    l4_protocol AS protocol,
    if(server_port != 0, server_port, if(turned, src_port, dst_port)) AS port,
    if(l4_protocol IN (3, 4), toInt16(icmp_type), toInt16(-1)) AS icmp,
    policies
  FROM flows
  WHERE tenant = {tenant:String}
    AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
    AND traffic_direction IN (1, 2)
    AND (verdict = 4 AND (cluster, toStartOfFiveMinutes(bucket_time), server_namespace, server_workload) IN (SELECT DISTINCT cluster, toStartOfFiveMinutes(bucket) AS five_minutes, server_namespace, server_workload
FROM drops_1m
WHERE tenant = {tenant:String} AND bucket >= toDateTime({p3:Int64}, 'UTC') AND bucket < toDateTime({p4:Int64}, 'UTC') AND audited != 0))
    AND (true)
    -- The answer to a ping is no connection of its own.
    AND NOT (l4_protocol IN (3, 4) AND client_side = 2)
)
GROUP BY
  cluster, direction,
  client_namespace, client_workload, client_labels, client_identity, client_names,
  server_namespace, server_workload, server_labels, server_identity, server_names,
  protocol, port, icmp
ORDER BY flow_count DESC, cluster, direction, client_namespace, client_workload, server_namespace, server_workload, protocol, port, client_labels, server_labels, client_names, server_names, client_identity, server_identity, icmp
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 5000
-- addresses = 20
-- p1 = "1767261599999999999n"
-- p2 = "1767268800000000000n"
-- p3 = "1767261540n"
-- p4 = "1767268800n"
