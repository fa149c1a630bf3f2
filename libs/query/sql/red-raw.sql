-- Calls from single flows, with the expressions of the rollups' views.
SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port,
  toUInt8(traffic_direction) AS reporter,
  toDateTime(toStartOfHour(bucket_time), 'UTC') AS hour,
  /*keys*/
  /*step*/ AS step_number,
  if(l7_type = 2, toInt64(weight), 0) AS m_requests,
  if(l7_type = 1, toInt64(weight), 0) AS m_denied,
  if(l7_type = 2 AND (http_code >= 500 OR (l7_kind = 1 AND dns_rcode = 2)), toInt64(weight), 0) AS m_faults,
  if(l7_type = 2 AND (http_code >= 400 OR (l7_kind = 1 AND dns_rcode != 0) OR kafka_error_code != 0), toInt64(weight), 0) AS m_failures,
  if(l7_type = 2 AND latency_bucket != 0, toInt64(weight), 0) AS m_latency_known,
  if(l7_type = 2 AND latency_bucket != 0, toInt64(latency_ns * weight), 0) AS m_latency_sum_ns,
  if(l7_type = 2, latency_ns, 0) AS m_latency_max_ns,
  if(l7_type = 2 AND latency_bucket != 0, map(latency_bucket, toInt64(weight)), CAST(map(), 'Map(UInt16, Int64)')) AS m_histogram
FROM flows
/*history*/
WHERE tenant = {tenant:String}
  AND /*range*/
  AND (l7_type = 2 OR (l7_type = 1 AND verdict = 2))
  AND (/*filter*/)
