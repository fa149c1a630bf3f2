SELECT
  if(position > {limit:UInt32}, 0, position) AS group_rank,
  if(group_rank = 0, '', key_1) AS shown_key_1, if(group_rank = 0, '', key_2) AS shown_key_2, max(key_1 = '') AS shown_unnamed_1,
  step_number,
  max(position) AS last_position,
  sum(requests) AS requests,
  sum(denied) AS denied,
  sum(faults) AS faults,
  sum(failures) AS failures,
  sum(server_requests) AS server_requests,
  sum(http_requests) AS http_requests,
  sum(latency_known) AS latency_known,
  sum(latency_sum_ns) AS latency_sum_ns,
  max(latency_max_ns) AS latency_max_ns,
  max(unsided) AS unsided,
  mapKeys(sumMap(histogram) AS histogram_sum) AS histogram_buckets,
  mapValues(histogram_sum) AS histogram_counts
FROM (
  SELECT
    *,
    dense_rank() OVER (ORDER BY order_value DESC , key_1, key_2) AS position
  FROM (
    SELECT
      *,
      arrayFirst((bucket, seen) -> seen >= 0.95 * arraySum(mapValues(mapSort((k, v) -> k, sumMap(histogram) OVER (PARTITION BY key_1, key_2)))), mapKeys(mapSort((k, v) -> k, sumMap(histogram) OVER (PARTITION BY key_1, key_2))), arrayCumSum(mapValues(mapSort((k, v) -> k, sumMap(histogram) OVER (PARTITION BY key_1, key_2))))) AS order_value
    FROM (SELECT
  key_1, key_2,
  step_number,
  sumIf(m_requests, counted) AS requests,
  sum(m_denied) AS denied,
  sumIf(m_faults, counted) AS faults,
  sumIf(m_failures, counted) AS failures,
  sumIf(m_requests, counted AND reporter = 1) AS server_requests,
  sumIf(m_requests, counted AND l7_kind = 2) AS http_requests,
  sumIf(m_latency_known, counted) AS latency_known,
  sumIf(m_latency_sum_ns, counted) AS latency_sum_ns,
  maxIf(m_latency_max_ns, counted) AS latency_max_ns,
  max(reporter = 0) AS unsided,
  sumMapIf(m_histogram, counted) AS histogram
FROM (
  SELECT
    *,
    reporter = 1 OR (
      cityHash64(cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, hour),
      xxh3(cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, hour)
    ) NOT IN (SELECT
  cityHash64(cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, bucket) AS edge_hour,
  xxh3(cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, bucket) AS edge_hour_too
FROM red_edges_1h
WHERE tenant = {tenant:String}
  AND bucket >= toDateTime({p7:Int64}, 'UTC') AND bucket < toDateTime({p8:Int64}, 'UTC')
  AND reporter = 1
GROUP BY edge_hour, edge_hour_too
HAVING sum(requests) > 0 OR sum(denied) > 0) AS counted
  FROM (SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port,
  reporter,
  toDateTime(toStartOfHour(bucket), 'UTC') AS hour,
  multiIf(server_workload = '', '', server_namespace = '', server_workload, concat(server_namespace, '/', server_workload)) AS key_1, endpoint AS key_2,
  intDiv(toInt64(toUnixTimestamp(bucket)), {p12:Int64}) AS step_number,
  requests AS m_requests,
  denied AS m_denied,
  faults AS m_faults,
  failures AS m_failures,
  latency_known AS m_latency_known,
  latency_sum_ns AS m_latency_sum_ns,
  latency_max_ns AS m_latency_max_ns,
  latency_histogram AS m_histogram
FROM red_1m
WHERE tenant = {tenant:String}
  AND bucket >= toDateTime({p13:Int64}, 'UTC') AND bucket < toDateTime({p14:Int64}, 'UTC')
  AND ((server_namespace = {p4:String}) AND (server_port = {p5:UInt16}) AND (l7_kind = {p6:UInt8}))
UNION ALL
SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port,
  toUInt8(traffic_direction) AS reporter,
  toDateTime(toStartOfHour(bucket_time), 'UTC') AS hour,
  multiIf(server_workload = '', '', server_namespace = '', server_workload, concat(server_namespace, '/', server_workload)) AS key_1, endpoint AS key_2,
  intDiv(toUnixTimestamp64Nano(bucket_time), {p9:Int64}) AS step_number,
  if(l7_type = 2, toInt64(weight), 0) AS m_requests,
  if(l7_type = 1, toInt64(weight), 0) AS m_denied,
  if(l7_type = 2 AND (http_code >= 500 OR (l7_kind = 1 AND dns_rcode = 2)), toInt64(weight), 0) AS m_faults,
  if(l7_type = 2 AND (http_code >= 400 OR (l7_kind = 1 AND dns_rcode != 0) OR kafka_error_code != 0), toInt64(weight), 0) AS m_failures,
  if(l7_type = 2 AND latency_bucket != 0, toInt64(weight), 0) AS m_latency_known,
  if(l7_type = 2 AND latency_bucket != 0, toInt64(latency_ns * weight), 0) AS m_latency_sum_ns,
  if(l7_type = 2, latency_ns, 0) AS m_latency_max_ns,
  if(l7_type = 2 AND latency_bucket != 0, map(latency_bucket, toInt64(weight)), CAST(map(), 'Map(UInt16, Int64)')) AS m_histogram
FROM flows

WHERE tenant = {tenant:String}
  AND bucket_time >= fromUnixTimestamp64Nano({p10:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p11:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p10:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p11:Int64}, 'UTC'))
  AND (l7_type = 2 OR (l7_type = 1 AND verdict = 2))
  AND ((server_namespace = {p1:String}) AND (server_port = {p2:UInt16}) AND (l7_kind = {p3:UInt8})))
)
GROUP BY key_1, key_2, step_number
HAVING requests != 0 OR denied != 0
)
  )
)
GROUP BY group_rank, shown_key_1, shown_key_2, step_number
ORDER BY group_rank, step_number
LIMIT {rows:UInt32}
-- tenant = "acme"
-- limit = 50
-- p1 = "shop"
-- p2 = 80
-- p3 = 2
-- p4 = "shop"
-- p5 = 80
-- p6 = 2
-- rows = 1276
-- p7 = "1767258000n"
-- p8 = "1767268800n"
-- p9 = "300000000000n"
-- p10 = "1767261599999999999n"
-- p11 = "1767261600000000000n"
-- p12 = "300n"
-- p13 = "1767261600n"
-- p14 = "1767268800n"
