-- Calls of whole minutes or hours.
SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port,
  reporter,
  toDateTime(toStartOfHour(bucket), 'UTC') AS hour,
  /*keys*/
  /*step*/ AS step_number,
  requests AS m_requests,
  denied AS m_denied,
  faults AS m_faults,
  failures AS m_failures,
  latency_known AS m_latency_known,
  latency_sum_ns AS m_latency_sum_ns,
  latency_max_ns AS m_latency_max_ns,
  latency_histogram AS m_histogram
FROM /*table*/
WHERE tenant = {tenant:String}
  AND /*range*/
  AND (/*filter*/)
