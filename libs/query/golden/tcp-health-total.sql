SELECT
  if(position > {limit:UInt32}, 0, position) AS group_rank,
  
  max(position) AS last_position,
  sum(opened) AS opened,
  sum(established) AS established,
  sum(unanswered) AS unanswered,
  sum(refused) AS refused,
  sum(half_open) AS half_open,
  sum(dropped) AS dropped,
  sum(client_resets) AS client_resets,
  sum(server_resets) AS server_resets
FROM (
  SELECT *, dense_rank() OVER (ORDER BY order_value DESC ) AS position
  FROM (
    SELECT *, client_resets + server_resets AS order_value
    FROM (
      SELECT
        
        sumIf(syn_weight, is_opened) AS opened,
        sumIf(syn_weight, is_opened AND is_answered) AS established,
        sumIf(syn_weight, is_opened AND NOT is_answered AND NOT server_reset AND NOT was_dropped) AS unanswered,
        sumIf(syn_weight, is_opened AND NOT is_answered AND server_reset) AS refused,
        sumIf(syn_weight, is_opened AND is_answered AND NOT client_acked AND NOT is_redirected AND NOT server_reset AND NOT client_reset) AS half_open,
        sumIf(syn_weight, is_opened AND NOT is_answered AND NOT server_reset AND was_dropped) AS dropped,
        sumIf(any_weight, client_reset) AS client_resets,
        sumIf(any_weight, server_reset AND (is_answered OR NOT is_opened)) AS server_resets
      FROM (
        SELECT
          
          arrayFilter(p -> bitAnd(p.2, 18) = 2 AND p.3 = 1, attempt) AS syns,
          arrayExists(p -> p.6 = 1, attempt) AS is_redirected,
          arrayExists(p -> p.4 = 1, attempt) AS was_dropped,
          notEmpty(syns) AND syns[1].1 >= {from:Int64} AND syns[1].1 < {to:Int64}
            AND (NOT edge_proxied OR is_redirected OR was_dropped) AS is_opened,
          arrayMax(arrayPushBack(arrayMap(p -> p.5, syns), toInt64(0))) AS syn_weight,
          arrayMax(arrayMap(p -> p.5, attempt)) AS any_weight,
          arrayExists(p -> bitAnd(p.2, 18) = 18 AND p.3 = 0 AND p.4 = 0, attempt) AS is_answered,
          arrayExists(p -> bitAnd(p.2, 18) = 16 AND p.3 = 1 AND p.4 = 0, attempt) AS client_acked,
          arrayExists(p -> bitAnd(p.2, 4) != 0 AND p.3 = 1 AND p.4 = 0 AND p.1 < {to:Int64}, attempt) AS client_reset,
          arrayExists(p -> bitAnd(p.2, 4) != 0 AND p.3 = 0 AND p.4 = 0 AND p.1 < {to:Int64}, attempt) AS server_reset
        FROM (
          SELECT
            
            max(edge_has_proxy) AS edge_proxied,
            arraySort(p -> (p.1, p.2, p.3), groupArray((at_ns, flags, from_client, is_dropped, m_weight, to_proxy, reporter))) AS every,
            arrayExists(p -> p.7 = 2 AND p.4 = 0 AND p.3 = 1 AND bitAnd(p.2, 18) = 2, every) AS client_saw_syn,
            arrayExists(p -> p.7 = 2 AND p.4 = 0, every) AS client_saw_any,
            max(client_reported) AS edge_client_reported,
            arrayFilter(p -> p.4 = 1 OR if(client_saw_syn, p.7 = 2, client_saw_any OR NOT edge_client_reported), every) AS packets,
            arraySlice(arrayPushFront(packets, (toInt64(0), toUInt16(0), toUInt8(0), toUInt8(0), toInt64(0), toUInt8(0), toUInt8(0))), 1, length(packets)) AS former,
            arraySplit((p, q) -> bitAnd(p.2, 18) = 2 AND p.3 = 1 AND (p.1 - q.1 > 60000000000 OR bitAnd(q.2, 5) != 0), packets, former) AS attempts
          FROM (
            SELECT *, max(reporter = 2) OVER (PARTITION BY cluster, client_namespace, client_workload, server_namespace, server_workload, server_port, hour) AS client_reported,
              max(to_proxy AND reporter = 2) OVER (PARTITION BY cluster, client_namespace, client_workload, server_namespace, server_workload, server_port, hour) AS edge_has_proxy
            FROM (
              SELECT
                cluster, client_namespace, client_workload, server_namespace, server_workload, server_port,
                toUInt8(traffic_direction) AS reporter,
                toStartOfHour(bucket_time) AS hour,
                
                if(client_side = 2, dst_ip, src_ip) AS client_ip,
                if(client_side = 2, dst_port, src_port) AS client_port,
                if(client_side = 2, src_ip, dst_ip) AS server_ip,
                if(client_side = 2, src_port, dst_port) AS server_socket,
                toUnixTimestamp64Nano(bucket_time) AS at_ns,
                toUInt16(bitAnd(tcp_flags, 511)) AS flags,
                toUInt8(client_side = 1) AS from_client,
                toUInt8(is_drop) AS is_dropped,
                toUInt8(event_type = 4 AND trace_observation_point = 1) AS to_proxy,
                toInt64(weight) AS m_weight
              FROM flows
              WHERE tenant = {tenant:String}
                AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
                AND l4_protocol = 1 AND bitAnd(tcp_flags, 512) != 0 AND event_type IN (1, 4) AND client_side != 0
                AND (true)
            )
          )
          GROUP BY  cluster, client_ip, client_port, server_ip, server_socket
        )
        ARRAY JOIN attempts AS attempt
      )
      GROUP BY tuple()
      HAVING opened != 0 OR client_resets != 0 OR server_resets != 0
    )
  )
)
GROUP BY group_rank 
ORDER BY group_rank
LIMIT {rows:UInt32}
-- tenant = "acme"
-- limit = 50
-- rows = 52
-- from = "1767265200000000000n"
-- to = "1767268800000000000n"
-- p1 = "1767265200000000000n"
-- p2 = "1767268805000000000n"
