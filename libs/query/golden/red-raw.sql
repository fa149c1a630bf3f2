SELECT
  if(position > {limit:UInt32}, 0, position) AS group_rank,
  if(group_rank = 0, '', key_1) AS shown_key_1,
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
    dense_rank() OVER (ORDER BY order_value DESC , key_1) AS position
  FROM (
    SELECT
      *,
      sum(requests) OVER (PARTITION BY key_1) AS order_value
    FROM (SELECT
  key_1,
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
  AND bucket >= toDateTime({p4:Int64}, 'UTC') AND bucket < toDateTime({p5:Int64}, 'UTC')
  AND reporter = 1
GROUP BY edge_hour, edge_hour_too
HAVING sum(requests) > 0 OR sum(denied) > 0) AS counted
  FROM (SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port,
  toUInt8(traffic_direction) AS reporter,
  toDateTime(toStartOfHour(bucket_time), 'UTC') AS hour,
  multiIf(if(client_side = 2, dst_pod, src_pod) = '', '', if(client_side = 2, dst_namespace, src_namespace) = '', if(client_side = 2, dst_pod, src_pod), concat(if(client_side = 2, dst_namespace, src_namespace), '/', if(client_side = 2, dst_pod, src_pod))) AS key_1,
  toInt64(0) AS step_number,
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
  AND bucket_time >= fromUnixTimestamp64Nano({p6:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p7:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p6:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p7:Int64}, 'UTC'))
  AND (l7_type = 2 OR (l7_type = 1 AND verdict = 2))
  AND (NOT ((l7_kind = {p1:UInt8}) AND (http_code = {p2:UInt32}))))
)
GROUP BY key_1, step_number
HAVING requests != 0 OR denied != 0
)
  )
)
GROUP BY group_rank, shown_key_1, step_number
ORDER BY group_rank, step_number
LIMIT {rows:UInt32}
-- tenant = "acme"
-- limit = 50
-- p1 = 2
-- p2 = 404
-- rows = 52
-- p4 = "1767265200n"
-- p5 = "1767268800n"
-- p6 = "1767265200000000000n"
-- p7 = "1767268800000000000n"
