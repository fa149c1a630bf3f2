-- DNS from single flows, from one snapshot: grouped, ranked, with all groups beyond the limit added up as rank 0. One
-- reporter per edge and hour as in red.sql; a refused query is refused once, so all of them count. A query is unanswered
-- when no answer for the same name, types and client socket came until five seconds after the window.
SELECT
  if(position > {limit:UInt32}, 0, position) AS group_rank,
  /*shown_keys*/
  max(position) AS last_position,
  sum(queries) AS queries,
  sum(answers) AS answers,
  sum(denied) AS denied,
  sum(unanswered) AS unanswered,
  mapKeys(sumMap(rcodes) AS rcode_sum) AS rcode_numbers,
  mapValues(rcode_sum) AS rcode_counts,
  mapKeys(sumMap(histogram) AS histogram_sum) AS histogram_buckets,
  mapValues(histogram_sum) AS histogram_counts
FROM (
  SELECT *, dense_rank() OVER (ORDER BY order_value DESC /*order_keys*/) AS position
  FROM (
    SELECT *, /*order_value*/ AS order_value
    FROM (
      SELECT
        /*keys*/
        sum(socket_queries) AS queries,
        sum(socket_answers) AS answers,
        sum(socket_denied) AS denied,
        sum(socket_unanswered) AS unanswered,
        sumMap(socket_rcodes) AS rcodes,
        sumMap(socket_histogram) AS histogram
      FROM (
        SELECT
          /*keys*/
          sumIf(m_weight, in_window AND kind = 'query') AS socket_queries,
          sumIf(m_weight, in_window AND kind = 'answer') AS socket_answers,
          sumIf(m_weight, in_window AND kind = 'denied') AS socket_denied,
          minIf(bucket_time, in_window AND kind = 'query') - INTERVAL 1 SECOND AS first_query,
          arraySum(arrayMap(a -> a.2, arrayFilter(a -> a.1 >= first_query, groupArrayIf((bucket_time, m_weight), kind = 'answer')))) AS in_time,
          greatest(toInt64(0), socket_queries - in_time) AS socket_unanswered,
          sumMapIf(map(dns_rcode, m_weight), in_window AND kind = 'answer') AS socket_rcodes,
          sumMapIf(map(latency_bucket, m_weight), in_window AND kind = 'answer' AND latency_bucket != 0) AS socket_histogram
        FROM (
          SELECT
            *,
            (
              cityHash64(cluster, client_namespace, client_workload, server_namespace, server_workload, toUInt8(1), server_port, hour),
              xxh3(cluster, client_namespace, client_workload, server_namespace, server_workload, toUInt8(1), server_port, hour)
            ) AS edge_hour,
            reporter = 1
              OR (edge_hour NOT IN (/*server_reported*/)
                AND (reporter = 2 OR edge_hour NOT IN (/*client_reported*/))) AS counted
          FROM (
            SELECT
              cluster, node, client_namespace, client_workload, server_namespace, server_workload, server_port,
              toUInt8(traffic_direction) AS reporter,
              toDateTime(toStartOfHour(bucket_time), 'UTC') AS hour,
              /*keyed*/
              bucket_time, bucket_time < fromUnixTimestamp64Nano({to:Int64}, 'UTC') AS in_window,
              if(client_side = 2, dst_ip, src_ip) AS client_ip,
              if(client_side = 2, dst_port, src_port) AS client_port,
              if(client_side = 2, src_ip, dst_ip) AS server_ip,
              dns_query, arraySort(dns_qtypes) AS types, dns_rcode, latency_bucket,
              toInt64(weight) AS m_weight,
              multiIf(l7_type = 2, 'answer', verdict = 2, 'denied', 'query') AS kind
            FROM flows
            WHERE tenant = {tenant:String}
              AND /*range*/
              AND l7_kind = 1 AND l7_type IN (1, 2)
              AND (/*filter*/)
          )
        )
        WHERE counted OR kind = 'denied'
        GROUP BY /*group_keys*/ node, reporter, client_ip, client_port, server_ip, dns_query, types
      )
      GROUP BY /*named_keys*/
      HAVING queries != 0 OR answers != 0 OR denied != 0
    )
  )
)
GROUP BY group_rank /*shown_names*/
ORDER BY group_rank
LIMIT {rows:UInt32}
