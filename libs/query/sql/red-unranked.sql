-- RED of all groups, if they are few: they are ranked by who reads them.
SELECT
  /*names*/
  step_number,
  requests,
  denied,
  faults,
  failures,
  server_requests,
  http_requests,
  latency_known,
  latency_sum_ns,
  latency_max_ns,
  mapKeys(histogram) AS histogram_buckets,
  mapValues(histogram) AS histogram_counts
FROM (/*groups*/)
LIMIT {most:UInt32}
