-- RED from one snapshot: ranked groups, with all groups beyond the limit added up as rank 0.
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
  max(unsided) AS unsided,
  mapKeys(sumMap(histogram) AS histogram_sum) AS histogram_buckets,
  mapValues(histogram_sum) AS histogram_counts
FROM (
  SELECT
    *,
    dense_rank() OVER (ORDER BY order_value DESC /*order_keys*/) AS position
  FROM (
    SELECT
      *,
      /*order_value*/ AS order_value
    FROM (/*groups*/)
  )
)
GROUP BY group_rank, /*shown_names*/ step_number
ORDER BY group_rank, step_number
LIMIT {rows:UInt32}
