-- Every call once, grouped. Requests, errors and latency come from one reporter per edge and hour (design section 6): the
-- server side when it reported anything in that hour, else the client side, else whoever saw it. A denied call is denied
-- once, so all of them count. An edge's hour is compared by 128 bits of two hash functions: a set of the eight columns costs three times as
-- much as all the rest of the look-up.
SELECT
  /*keys*/
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
  /*histogram*/
FROM (
  SELECT
    *,
    reporter = 1 OR (
      cityHash64(cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, hour),
      xxh3(cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, hour)/*against*/
    ) NOT IN (/*beaten*/) AS counted
  FROM (/*calls*/)
)
GROUP BY /*group_keys*/ step_number
HAVING requests != 0 OR denied != 0
/*limit*/
