-- Calls of whole minutes or hours.
SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port,
  toUInt8(reporter) AS reporter,
  toDateTime(toStartOfHour(bucket), 'UTC') AS hour,
  /*keys*/
  /*step*/ AS step_number,
  toInt64(requests) AS m_requests,
  toInt64(denied) AS m_denied,
  toInt64(faults) AS m_faults,
  toInt64(failures) AS m_failures,
  toInt64(latency_known) AS m_latency_known,
  toInt64(latency_sum_ns) AS m_latency_sum_ns,
  toUInt64(latency_max_ns) AS m_latency_max_ns,
  CAST(latency_histogram, 'Map(UInt16, Int64)') AS m_histogram
FROM /*table*/
WHERE tenant = {tenant:String}
  AND /*range*/
  AND (/*filter*/)
