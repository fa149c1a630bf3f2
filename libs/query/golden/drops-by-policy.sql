SELECT
  if(position > {limit:UInt32} OR order_value <= 0, 0, position) AS group_rank,
  if(group_rank = 0, '', key_1) AS shown_key_1,
  step_number,
  max(if(order_value <= 0, 0, position)) AS last_position,
  sum(drops) AS drop_count,
  sum(audited) AS audited_count,
  toUnixTimestamp64Nano(min(first_seen)) AS first_ns,
  toUnixTimestamp64Nano(max(last_seen)) AS last_ns,
  mapKeys(sumMap(reasons) AS reason_sum) AS reason_codes,
  mapValues(reason_sum) AS reason_counts
FROM (
  SELECT
    *,
    dense_rank() OVER (ORDER BY order_value DESC , key_1) AS position
  FROM (
    SELECT
      *,
      sum(drops) OVER (PARTITION BY key_1) AS order_value
    FROM (
      SELECT
        key_1,
        step_number,
        sum(m_drops) AS drops,
        sum(m_audited) AS audited,
        minIf(m_first_seen, m_drops != 0) AS first_seen,
        maxIf(m_last_seen, m_drops != 0) AS last_seen,
        sumMap(map(drop_reason, m_drops)) AS reasons
      FROM (SELECT
  twin_policies AS key_1,
  toInt64(0) AS step_number,
  drop_reason,
  m_drops,
  m_audited,
  bucket_time AS m_first_seen,
  bucket_time AS m_last_seen
FROM (SELECT
  *,
  if(is_drop, toInt64(weight), 0) AS m_drops,
  if(verdict = 4, toInt64(weight), 0) AS m_audited,
  arraySort(
    twin -> abs(twin.1 - toUnixTimestamp64Nano(bucket_time)),
    arrayFilter(twin -> abs(twin.1 - toUnixTimestamp64Nano(bucket_time)) <= 1000000000, twins)
  ) AS near_twins,
  if(drop_reason IN (133, 181, 189) AND notEmpty(near_twins), base64Encode(near_twins[1].2), '') AS twin_policies
FROM (
  SELECT _le, _lp, _lo, _li, cluster, node, bucket_time, drop_reason, traffic_direction, is_drop, verdict, weight, client_side, server_port, l4_protocol,
    client_namespace, client_workload, server_namespace, server_workload,
    src_ip, dst_ip, src_port, dst_port, src_namespace, dst_namespace, src_pod, dst_pod, src_names, dst_names,
    src_service_namespace, src_service_name, dst_service_namespace, dst_service_name
  FROM flows
  
  WHERE tenant = {tenant:String}
    AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
    AND (is_drop OR verdict = 4)
    AND (true)
) AS dropped
LEFT JOIN (
  SELECT cluster, node, src_ip, dst_ip, l4_protocol, src_port, dst_port,
    groupArray(tuple(toUnixTimestamp64Nano(bucket_time), toString(policies))) AS twins
  FROM flows
  WHERE tenant = {tenant:String}
    AND bucket_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p4:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p3:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p4:Int64}, 'UTC'))
    AND event_type = 5 AND verdict = 2
  GROUP BY cluster, node, src_ip, dst_ip, l4_protocol, src_port, dst_port
) AS verdicts USING (cluster, node, src_ip, dst_ip, l4_protocol, src_port, dst_port)))
      GROUP BY key_1, step_number
      HAVING drops != 0 OR audited != 0
    )
  )
)
GROUP BY group_rank, shown_key_1, step_number
ORDER BY group_rank, step_number
LIMIT {rows:UInt32}
-- tenant = "acme"
-- limit = 1000
-- rows = 1002
-- p1 = "1767265200000000000n"
-- p2 = "1767268800000000000n"
-- p3 = "1767265199000000000n"
-- p4 = "1767268801000000000n"
