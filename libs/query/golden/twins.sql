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
  summary,
  http_code,
  http_method,
  http_url,
  http_path_template,
  http_protocol,
  http_header_keys,
  http_header_values,
  dns_query,
  dns_ips,
  dns_ttl,
  dns_cnames,
  dns_observation_source,
  dns_rcode,
  dns_qtypes,
  dns_rrtypes,
  kafka_error_code,
  kafka_api_version,
  kafka_api_key,
  kafka_correlation_id,
  kafka_topic,
  endpoint,
  base64Encode(policies) AS policies_base64,
  policy_log,
  base64Encode(extra) AS extra_base64
FROM flows
WHERE tenant = {tenant:String}
  AND true
  AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
  AND (event_type = 5 AND verdict = 2)
  AND ((cluster = {p5:String} AND node = {p6:String} AND src_ip = {p7:IPv6} AND dst_ip = {p8:IPv6} AND l4_protocol = {p9:UInt8} AND src_port = {p10:UInt16} AND dst_port = {p11:UInt16} AND bucket_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p4:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p3:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p4:Int64}, 'UTC'))))
ORDER BY toStartOfFiveMinutes(bucket_time) ASC, bucket_time ASC, _le ASC, _lp ASC, _lo ASC, _li ASC
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 1000
-- p1 = "1767268798999999995n"
-- p2 = "1767268800999999996n"
-- p3 = "1767268798999999995n"
-- p4 = "1767268800999999996n"
-- p5 = "eu"
-- p6 = "n1"
-- p7 = "10.0.0.1"
-- p8 = "fd00::2"
-- p9 = 0
-- p10 = 0
-- p11 = 0
