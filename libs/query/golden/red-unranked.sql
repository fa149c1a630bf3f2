SELECT
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
  mapKeys(sumMapIf(m_histogram, counted) AS histogram) AS histogram_buckets, mapValues(histogram) AS histogram_counts
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
  AND bucket >= toDateTime({p8:Int64}, 'UTC') AND bucket < toDateTime({p9:Int64}, 'UTC')
  AND reporter = 1
GROUP BY edge_hour, edge_hour_too
HAVING sum(requests) > 0 OR sum(denied) > 0) AS counted
  FROM (SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port,
  reporter,
  toDateTime(toStartOfHour(bucket), 'UTC') AS hour,
  multiIf(server_workload = '', '', server_namespace = '', server_workload, concat(server_namespace, '/', server_workload)) AS key_1,
  toInt64(0) AS step_number,
  requests AS m_requests,
  denied AS m_denied,
  faults AS m_faults,
  failures AS m_failures,
  latency_known AS m_latency_known,
  latency_sum_ns AS m_latency_sum_ns,
  latency_max_ns AS m_latency_max_ns,
  latency_histogram AS m_histogram
FROM red_edges_1h
WHERE tenant = {tenant:String}
  AND bucket >= toDateTime({p12:Int64}, 'UTC') AND bucket < toDateTime({p13:Int64}, 'UTC')
  AND (true)
UNION ALL
SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port,
  toUInt8(traffic_direction) AS reporter,
  toDateTime(toStartOfHour(bucket_time), 'UTC') AS hour,
  multiIf(server_workload = '', '', server_namespace = '', server_workload, concat(server_namespace, '/', server_workload)) AS key_1,
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
  AND bucket_time >= fromUnixTimestamp64Nano({p10:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p11:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p10:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p11:Int64}, 'UTC'))
  AND (l7_type = 2 OR (l7_type = 1 AND verdict = 2))
  AND (true))
)
GROUP BY key_1, step_number
HAVING requests != 0 OR denied != 0
LIMIT {p7:UInt32}
-- tenant = "acme"
-- p7 = 2001
-- p8 = "1767258000n"
-- p9 = "1767268800n"
-- p10 = "1767261599999999999n"
-- p11 = "1767261600000000000n"
-- p12 = "1767261600n"
-- p13 = "1767268800n"
