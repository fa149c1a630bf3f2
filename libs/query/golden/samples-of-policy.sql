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
  AND bucket_time >= fromUnixTimestamp64Nano({p6:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p7:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p6:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p7:Int64}, 'UTC'))
  AND (is_drop AND (bucket_time, _le, _lp, _lo, _li) IN (SELECT bucket_time, _le, _lp, _lo, _li
FROM (SELECT
  *,
  if(is_drop, toInt64(weight), 0) AS m_drops,
  if(verdict = 4, toInt64(weight), 0) AS m_audited,
  arraySort(
    twin -> abs(twin.1 - toUnixTimestamp64Nano(bucket_time)),
    arrayFilter(twin -> abs(twin.1 - toUnixTimestamp64Nano(bucket_time)) <= 1000000000, twins)
  ) AS near_twins,
  if(drop_reason IN (133, 181, 189) AND notEmpty(near_twins), base64Encode(near_twins[1].2), '') AS twin_policies
FROM (
  SELECT _le, _lp, _lo, _li, cluster, node, bucket_time, drop_reason, traffic_direction, is_drop, verdict, weight, client_side, server_port, l4_protocol,
    client_namespace, client_workload, server_namespace, server_workload,
    src_ip, dst_ip, src_port, dst_port, src_namespace, dst_namespace, src_pod, dst_pod, src_names, dst_names,
    src_service_namespace, src_service_name, dst_service_namespace, dst_service_name
  FROM flows
  
  WHERE tenant = {tenant:String}
    AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
    AND (is_drop OR verdict = 4)
    AND (true)
) AS dropped
LEFT JOIN (
  SELECT cluster, node, src_ip, dst_ip, l4_protocol, src_port, dst_port,
    groupArray(tuple(toUnixTimestamp64Nano(bucket_time), toString(policies))) AS twins
  FROM flows
  WHERE tenant = {tenant:String}
    AND bucket_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p4:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p3:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p4:Int64}, 'UTC'))
    AND event_type = 5 AND verdict = 2
  GROUP BY cluster, node, src_ip, dst_ip, l4_protocol, src_port, dst_port
) AS verdicts USING (cluster, node, src_ip, dst_ip, l4_protocol, src_port, dst_port))
WHERE twin_policies IN {p5:Array(String)}))
  AND (true)
ORDER BY toStartOfFiveMinutes(bucket_time) DESC, bucket_time DESC, _le DESC, _lp DESC, _lo DESC, _li DESC
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 3
-- p1 = "1767265200000000000n"
-- p2 = "1767268800000000000n"
-- p3 = "1767265199000000000n"
-- p4 = "1767268801000000000n"
-- p5 = ["eA=="]
-- p6 = "1767265200000000000n"
-- p7 = "1767268800000000000n"
