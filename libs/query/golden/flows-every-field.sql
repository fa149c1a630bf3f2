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
  AND bucket_time >= fromUnixTimestamp64Nano({p70:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p71:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p70:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p71:Int64}, 'UTC'))
  AND (true)
  AND ((((uuid IN {p1:Array(UUID)}) AND ((src_ip BETWEEN {p2:IPv6} AND {p3:IPv6}) OR (src_ip = {p4:IPv6})) AND (dst_ip BETWEEN {p5:IPv6} AND {p6:IPv6} AND (dst_ip != toIPv6('::') OR ip_version = 2)) AND ((src_ip_xlated != toIPv6('::')) AND (src_ip_xlated = {p7:IPv6})) AND (ip_version IN {p8:Array(Int16)}) AND (encrypted = 1) AND (((src_namespace = {p9:String}) AND (startsWith(src_pod, {p10:String}))) OR ((src_namespace = {p11:String}) AND (startsWith(src_pod, {p12:String}))) OR (src_namespace = {p13:String}) OR (startsWith(src_pod, {p14:String})) OR ((src_pod != '') OR (src_namespace != ''))) AND ((dst_service_namespace = {p15:String}) AND (startsWith(dst_service_name, {p16:String}))) AND ((arrayExists(n -> match(n, {p17:String}), src_names)) OR (has(src_names, {p18:String}))) AND ((src_label_set IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p19:String}), labels) AND extract(arrayFirst(l -> match(l, {p19:String}), labels), '(?s)^[^=]*=(.*)$') IN {p20:Array(String)})) AND (src_label_set IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p21:String}), labels) AND extract(arrayFirst(l -> match(l, {p21:String}), labels), '(?s)^[^=]*=(.*)$') IN {p22:Array(String)})) AND (src_label_set NOT IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p23:String}), labels))) AND (src_label_set NOT IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p24:String}), labels) AND extract(arrayFirst(l -> match(l, {p24:String}), labels), '(?s)^[^=]*=(.*)$') IN {p25:Array(String)})) AND (src_label_set IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p26:String}), labels) AND toInt64OrNull(extract(arrayFirst(l -> match(l, {p26:String}), labels), '(?s)^[^=]*=(.*)$')) > {p27:Int64}))) AND (node_label_set IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p28:String}), labels))) AND ((has(src_workloads, {p29:String})) OR (arrayExists(w -> substring(w, position(w, '/') + 1) = {p30:String}, src_workloads)) OR (arrayExists(w -> startsWith(w, {p31:String}), src_workloads)) OR (notEmpty(src_workloads))) AND (dst_identity IN {p32:Array(UInt32)}) AND (src_cluster IN {p33:Array(String)}) AND (((interface_index = {p37:UInt32}) AND (interface_name = {p38:String})) OR (interface_index != 0 OR interface_name != '')) AND (src_port IN {p39:Array(UInt16)} AND l4_protocol IN (1, 2, 5)) AND (dst_port IN {p40:Array(UInt16)} AND l4_protocol IN (1, 2, 5)) AND ((l4_protocol IN (1)) OR (l4_protocol IN (3, 4)) OR (l7_kind = 2)) AND ((bitAnd(tcp_flags, {p41:UInt16}) = {p41:UInt16}) OR (bitAnd(tcp_flags, {p42:UInt16}) = {p42:UInt16})) AND (is_reply = 1 OR (is_reply = 0 AND verdict = 2)) AND ((verdict IN {p43:Array(Int16)}) OR (verdict NOT BETWEEN 0 AND 7)) AND ((verdict = 2) AND (drop_reason IN {p44:Array(Int16)})) AND (traffic_direction IN {p45:Array(Int16)}) AND ((event_type = {p46:Int32}) OR ((event_type = {p47:Int32}) AND (event_sub_type = {p48:Int32})) OR (event_type != -1)) AND ((l7_kind = 2) AND ((http_code IN {p49:Array(UInt32)}) OR (startsWith(toString(http_code), {p50:String})))) AND ((l7_kind = 2) AND (upper(http_method) IN {p51:Array(String)})) AND ((l7_kind = 2) AND ((NOT match(extract(http_url, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?(?://[^/?#]*)?([^?#]*)'), '%(?:[^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f]|[0-9A-Fa-f]?$)')) AND (match(decodeURLComponent(extract(http_url, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?(?://[^/?#]*)?([^?#]*)')), {p52:String})))) AND ((l7_kind = 2) AND (match(http_url, {p53:String}))) AND ((l7_kind = 2) AND (arrayExists((k, v) -> k = {p54:String} AND v = {p55:String}, http_header_keys, http_header_values))) AND (trace_id IN {p56:Array(String)}) AND (ip_trace_id IN {p57:Array(UInt64)})) OR (((l7_kind = 1) AND (match(dns_query, {p58:String}))) AND ((arrayExists(w -> substring(w, position(w, '/') + 1) = {p59:String}, dst_workloads)) OR (dst_workload = {p60:String}) OR ((cluster, toDateTime(toStartOfHour(bucket_time), 'UTC'), dst_ip) IN (SELECT cluster, hour, ip FROM endpoints WHERE tenant = {tenant:String} AND hour BETWEEN toDateTime({p62:Int64}, 'UTC') AND toDateTime({p63:Int64}, 'UTC') AND workload != '' AND workload = {p61:String}))) AND (((src_service_namespace = {p64:String}) AND (startsWith(src_service_name, {p65:String}))) OR ((cluster, toDateTime(toStartOfHour(bucket_time), 'UTC'), src_ip) IN (SELECT cluster, hour, ip FROM endpoints WHERE tenant = {tenant:String} AND hour BETWEEN toDateTime({p68:Int64}, 'UTC') AND toDateTime({p69:Int64}, 'UTC') AND service_name != '' AND service_namespace = {p66:String} AND startsWith(service_name, {p67:String})))))) AND (NOT (true)))
ORDER BY toStartOfFiveMinutes(bucket_time) DESC, bucket_time DESC, _le DESC, _lp DESC, _lo DESC, _li DESC
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 21
-- p1 = ["43eea867-dd4b-4e5e-b2b8-fe80e0f51b06"]
-- p2 = "::ffff:10.0.0.0"
-- p3 = "::ffff:10.255.255.255"
-- p4 = "0:0:0:0:0:0:0:1"
-- p5 = "0:0:0:0:0:0:0:0"
-- p6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
-- p7 = "::ffff:192.0.2.7"
-- p8 = [1]
-- p9 = "shop"
-- p10 = "front"
-- p11 = "default"
-- p12 = "web"
-- p13 = "shop"
-- p14 = "web"
-- p15 = "shop"
-- p16 = "checkout"
-- p17 = "^[-.0-9a-z]*\\.example\\.com$"
-- p18 = "api.example.org"
-- p19 = "^k8s:app(=|$)"
-- p20 = ["web"]
-- p21 = "^([^:=]*:)?tier(=|$)"
-- p22 = ["a","b"]
-- p23 = "^([^:=]*:)?canary(=|$)"
-- p24 = "^([^:=]*:)?version(=|$)"
-- p25 = ["2"]
-- p26 = "^([^:=]*:)?weight(=|$)"
-- p27 = "3n"
-- p28 = "^([^:=]*:)?zone(=|$)"
-- p29 = "Deployment/web"
-- p30 = "web"
-- p31 = "Job/"
-- p32 = [2,16777217]
-- p33 = ["eu"]
-- p37 = 4
-- p38 = "eth0"
-- p39 = [0,443]
-- p40 = [8080]
-- p41 = 514
-- p42 = 512
-- p43 = [2]
-- p44 = [133,181]
-- p45 = [1,0]
-- p46 = 129
-- p47 = 4
-- p48 = 0
-- p49 = [404]
-- p50 = "5"
-- p51 = ["GET"]
-- p52 = "(?-s)^/a/[0-9]+$"
-- p53 = "(?-s)example"
-- p54 = "X-Id"
-- p55 = "7"
-- p56 = [""]
-- p57 = ["18446744073709551615n"]
-- p58 = "(?-s)\\.com\\.$"
-- p59 = "dns"
-- p60 = "dns"
-- p61 = "dns"
-- p62 = "1767258000n"
-- p63 = "1767268800n"
-- p64 = "a"
-- p65 = "b"
-- p66 = "a"
-- p67 = "b"
-- p68 = "1767258000n"
-- p69 = "1767268800n"
-- p70 = "1767261599999999999n"
-- p71 = "1767268800000000000n"
