SELECT
  toUnixTimestamp64Nano(bucket_time) AS bucket_ns,
  _le,
  _lp,
  _lo,
  _li,
  cluster,
  node,
  time_shift,
  time_quality,
  uuid,
  verdict,
  drop_reason,
  auth_type,
  flow_type,
  event_type,
  event_sub_type,
  is_reply,
  traffic_direction,
  policy_match_type,
  trace_observation_point,
  trace_reason,
  proxy_port,
  interface_index,
  interface_name,
  file_name,
  file_line,
  src_ip,
  dst_ip,
  src_ip_xlated,
  ip_version,
  encrypted,
  l4_protocol,
  src_port,
  dst_port,
  tcp_flags,
  icmp_type,
  icmp_code,
  src_endpoint_id,
  src_identity,
  src_namespace,
  src_label_set,
  src_pod,
  src_workloads,
  src_cluster,
  src_workload,
  src_workload_kind,
  src_names,
  src_service_namespace,
  src_service_name,
  dst_endpoint_id,
  dst_identity,
  dst_namespace,
  dst_label_set,
  dst_pod,
  dst_workloads,
  dst_cluster,
  dst_workload,
  dst_workload_kind,
  dst_names,
  dst_service_namespace,
  dst_service_name,
  client_side,
  server_port,
  l7_type,
  l7_kind,
  latency_ns,
  trace_id,
  weight,
  summary
FROM flows
WHERE tenant = {tenant:String}
  AND true
  AND bucket_time >= fromUnixTimestamp64Nano({p7:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p8:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p7:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p8:Int64}, 'UTC'))
  AND ((bucket_time, _le, _lp, _lo, _li) > (fromUnixTimestamp64Nano({p2:Int64}, 'UTC'), {p3:UInt64}, {p4:UInt16}, {p5:UInt64}, {p6:UInt32}))
  AND (verdict = {p1:Int16})
ORDER BY toStartOfFiveMinutes(bucket_time) ASC, bucket_time ASC, _le ASC, _lp ASC, _lo ASC, _li ASC
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 6
-- p1 = 2
-- p2 = "1767268799999999999n"
-- p3 = "7n"
-- p4 = 3
-- p5 = "99n"
-- p6 = 4
-- p7 = "1767268799999999999n"
-- p8 = "1767268800000000000n"
