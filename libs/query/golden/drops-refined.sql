SELECT
  if(position > {limit:UInt32} OR order_value <= 0, 0, position) AS group_rank,
  if(group_rank = 0, '', key_1) AS shown_key_1, max(was_1) AS shown_inferred_1,
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
        key_1, max(inferred_1) AS was_1,
        step_number,
        sum(m_drops) AS drops,
        sum(m_audited) AS audited,
        minIf(m_first_seen, m_drops != 0) AS first_seen,
        maxIf(m_last_seen, m_drops != 0) AS last_seen,
        sumMap(map(drop_reason, m_drops)) AS reasons
      FROM (SELECT
  if(client_workload = '' AND length(client_workload_was) < 64 AND length((arrayDistinct(arrayMap(was -> (was.1, was.3, was.4), arrayFilter(was -> (if(client_side = 2, dst_pod, src_pod) = '' OR was.2 = if(client_side = 2, dst_pod, src_pod)) AND (if(client_side = 2, dst_namespace, src_namespace) = '' OR was.1 = if(client_side = 2, dst_namespace, src_namespace)), client_workload_was))) AS client_owners)) = 1, multiIf(client_owners[1].3 = '', '', client_owners[1].1 = '', client_owners[1].3, concat(client_owners[1].1, '/', client_owners[1].3)), multiIf(client_workload = '', '', client_namespace = '', client_workload, concat(client_namespace, '/', client_workload))) AS key_1, toUInt8(client_workload = '' AND length(client_workload_was) < 64 AND length((arrayDistinct(arrayMap(was -> (was.1, was.3, was.4), arrayFilter(was -> (if(client_side = 2, dst_pod, src_pod) = '' OR was.2 = if(client_side = 2, dst_pod, src_pod)) AND (if(client_side = 2, dst_namespace, src_namespace) = '' OR was.1 = if(client_side = 2, dst_namespace, src_namespace)), client_workload_was))) AS client_owners)) = 1) AS inferred_1,
  toInt64(0) AS step_number,
  drop_reason,
  if(is_drop, toInt64(weight), 0) AS m_drops,
  if(verdict = 4, toInt64(weight), 0) AS m_audited,
  bucket_time AS m_first_seen,
  bucket_time AS m_last_seen
FROM flows
LEFT ANY JOIN (
  SELECT cluster AS client_workload_was_cluster, hour AS client_workload_was_hour, ip AS client_workload_was_ip, groupUniqArray(64)((namespace, pod, workload_kind, workload)) AS client_workload_was
  FROM endpoints
  WHERE tenant = {tenant:String}
    AND hour >= toDateTime({p1:Int64}, 'UTC') AND hour < toDateTime({p2:Int64}, 'UTC')
    AND workload != ''
  GROUP BY cluster, hour, ip
) AS client_workload_was_history ON cluster = client_workload_was_cluster
  AND toDateTime(toStartOfHour(bucket_time), 'UTC') = client_workload_was_hour
  AND if(client_side = 2, dst_ip, src_ip) = client_workload_was_ip
WHERE tenant = {tenant:String}
  AND bucket_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p4:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p3:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p4:Int64}, 'UTC'))
  AND (is_drop OR verdict = 4)
  AND (true)
UNION ALL
SELECT
  multiIf(client_workload = '', '', client_namespace = '', client_workload, concat(client_namespace, '/', client_workload)) AS key_1, toUInt8(0) AS inferred_1,
  toInt64(0) AS step_number,
  drop_reason,
  toInt64(drops) AS m_drops,
  toInt64(audited) AS m_audited,
  CAST(first_seen, 'DateTime64(9, \'UTC\')') AS m_first_seen,
  CAST(last_seen, 'DateTime64(9, \'UTC\')') AS m_last_seen
FROM drops_1m
WHERE tenant = {tenant:String}
  AND bucket >= toDateTime({p5:Int64}, 'UTC') AND bucket < toDateTime({p6:Int64}, 'UTC')
  AND ((true) AND NOT ((client_workload = '') AND toDateTime(toStartOfHour(bucket), 'UTC') >= toDateTime({p7:Int64}, 'UTC') AND toDateTime(toStartOfHour(bucket), 'UTC') >= (SELECT max(until) FROM retention_cuts WHERE class = 'raw')))
UNION ALL
SELECT
  if(client_workload = '' AND length(client_workload_was) < 64 AND length((arrayDistinct(arrayMap(was -> (was.1, was.3, was.4), arrayFilter(was -> (if(client_side = 2, dst_pod, src_pod) = '' OR was.2 = if(client_side = 2, dst_pod, src_pod)) AND (if(client_side = 2, dst_namespace, src_namespace) = '' OR was.1 = if(client_side = 2, dst_namespace, src_namespace)), client_workload_was))) AS client_owners)) = 1, multiIf(client_owners[1].3 = '', '', client_owners[1].1 = '', client_owners[1].3, concat(client_owners[1].1, '/', client_owners[1].3)), multiIf(client_workload = '', '', client_namespace = '', client_workload, concat(client_namespace, '/', client_workload))) AS key_1, toUInt8(client_workload = '' AND length(client_workload_was) < 64 AND length((arrayDistinct(arrayMap(was -> (was.1, was.3, was.4), arrayFilter(was -> (if(client_side = 2, dst_pod, src_pod) = '' OR was.2 = if(client_side = 2, dst_pod, src_pod)) AND (if(client_side = 2, dst_namespace, src_namespace) = '' OR was.1 = if(client_side = 2, dst_namespace, src_namespace)), client_workload_was))) AS client_owners)) = 1) AS inferred_1,
  toInt64(0) AS step_number,
  drop_reason,
  if(is_drop, toInt64(weight), 0) AS m_drops,
  if(verdict = 4, toInt64(weight), 0) AS m_audited,
  bucket_time AS m_first_seen,
  bucket_time AS m_last_seen
FROM flows
LEFT ANY JOIN (
  SELECT cluster AS client_workload_was_cluster, hour AS client_workload_was_hour, ip AS client_workload_was_ip, groupUniqArray(64)((namespace, pod, workload_kind, workload)) AS client_workload_was
  FROM endpoints
  WHERE tenant = {tenant:String}
    AND hour >= toDateTime({p11:Int64}, 'UTC') AND hour < toDateTime({p12:Int64}, 'UTC')
    AND workload != ''
  GROUP BY cluster, hour, ip
) AS client_workload_was_history ON cluster = client_workload_was_cluster
  AND toDateTime(toStartOfHour(bucket_time), 'UTC') = client_workload_was_hour
  AND if(client_side = 2, dst_ip, src_ip) = client_workload_was_ip
WHERE tenant = {tenant:String}
  AND bucket_time >= fromUnixTimestamp64Nano({p13:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p14:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p13:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p14:Int64}, 'UTC'))
  AND (is_drop OR verdict = 4)
  AND ((client_workload = '') AND toDateTime(toStartOfHour(bucket_time), 'UTC') >= toDateTime({p10:Int64}, 'UTC') AND toDateTime(toStartOfHour(bucket_time), 'UTC') >= (SELECT max(until) FROM retention_cuts WHERE class = 'raw') AND ((cluster, toStartOfFiveMinutes(bucket_time), server_namespace, server_workload) IN (SELECT DISTINCT cluster, toStartOfFiveMinutes(bucket) AS five_minutes, server_namespace, server_workload
FROM drops_1m
WHERE tenant = {tenant:String}
  AND bucket >= toDateTime({p8:Int64}, 'UTC') AND bucket < toDateTime({p9:Int64}, 'UTC')
  AND (client_workload = ''))) AND (true)))
      GROUP BY key_1, step_number
      HAVING drops != 0 OR audited != 0
    )
  )
)
GROUP BY group_rank, shown_key_1, step_number
ORDER BY group_rank, step_number
LIMIT {rows:UInt32}
-- tenant = "acme"
-- limit = 50
-- rows = 52
-- p1 = "1767258000n"
-- p2 = "1767261600n"
-- p3 = "1767261599999999999n"
-- p4 = "1767261600000000000n"
-- p5 = "1767261600n"
-- p6 = "1767268800n"
-- p7 = "1764676800n"
-- p8 = "1767261600n"
-- p9 = "1767268800n"
-- p10 = "1764676800n"
-- p11 = "1767261600n"
-- p12 = "1767268800n"
-- p13 = "1767261600000000000n"
-- p14 = "1767268800000000000n"
