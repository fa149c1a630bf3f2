-- RED from one snapshot: every call once, grouped, ranked, with all groups beyond the limit added up as rank 0. Requests,
-- errors and latency come from one reporter per edge and hour (design section 6): the server side when it reported
-- anything in that hour, else the client side, else whoever saw it. A denied call is denied once, so all of them count.
SELECT
  if(position > {limit:UInt32}, 0, position) AS group_rank,
  /*shown_keys*/
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
  sumMap(histogram) AS histogram_sum,
  mapKeys(histogram_sum) AS histogram_buckets,
  mapValues(histogram_sum) AS histogram_counts
FROM (
  SELECT
    *,
    dense_rank() OVER (ORDER BY order_value DESC /*order_keys*/) AS position
  FROM (
    SELECT
      *,
      /*order_value*/ AS order_value
    FROM (
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
        sumMapIf(m_histogram, counted) AS histogram
      FROM (
        SELECT
          *,
          (cluster, client_namespace, client_workload, server_namespace, server_workload, l7_kind, server_port, hour) AS edge_hour,
          reporter = 1
            OR (edge_hour NOT IN (/*server_reported*/)
              AND (reporter = 2 OR edge_hour NOT IN (/*client_reported*/))) AS counted
        FROM (/*calls*/)
      )
      GROUP BY /*group_keys*/ step_number
      HAVING requests != 0 OR denied != 0
    )
  )
)
GROUP BY group_rank, /*shown_names*/ step_number
ORDER BY group_rank, step_number
LIMIT {rows:UInt32}
