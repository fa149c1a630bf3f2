-- Edges from single flows, with the expressions of the rollup's view.
SELECT
  cluster, client_namespace, client_workload, server_namespace, server_workload, l4_protocol, server_port,
  toUInt8(multiIf(event_type != 4, 0, trace_observation_point = 101 AND traffic_direction = 1, 4,
    traffic_direction != 2, 0, trace_observation_point = 3, 3, trace_observation_point = 4, 2, trace_observation_point = 11, 1, 0)) AS point,
  /*parties*/
  toDateTime(toStartOfHour(bucket_time), 'UTC') AS hour,
  toInt64(weight) AS m_flows,
  if(point != 0 AND trace_reason = 1 AND is_reply = 1 AND (bitAnd(tcp_flags, 512) = 0 OR bitAnd(tcp_flags, 18) = 2), toInt64(weight), 0) AS m_connections,
  if(is_drop, toInt64(weight), 0) AS m_drops,
  if(event_type = 4, toInt64(weight), 0) AS m_trace_flows,
  if(event_type = 4 AND encrypted = 1, toInt64(weight), 0) AS m_encrypted_flows,
  bucket_time AS m_first_seen,
  bucket_time AS m_last_seen
FROM flows
/*history*/
WHERE tenant = {tenant:String}
  AND /*range*/
  AND client_side != 0
  AND (/*filter*/)
