SELECT
  bucket_time + toIntervalNanosecond(time_shift) AS time,
  uuid,
  cluster,
  node,
  transform(verdict, [0, 1, 2, 3, 4, 5, 6, 7], ['VERDICT_UNKNOWN', 'FORWARDED', 'DROPPED', 'ERROR', 'AUDIT', 'REDIRECTED', 'TRACED', 'TRANSLATED'], toString(verdict)) AS verdict,
  if(drop_reason = 0, '', transform(drop_reason, [0, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153, 154, 155, 156, 157, 158, 160, 161, 162, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175, 176, 177, 178, 179, 180, 181, 182, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199, 200, 201, 202, 203, 204, 205], ['DROP_REASON_UNKNOWN', 'INVALID_SOURCE_MAC', 'INVALID_DESTINATION_MAC', 'INVALID_SOURCE_IP', 'POLICY_DENIED', 'INVALID_PACKET_DROPPED', 'CT_TRUNCATED_OR_INVALID_HEADER', 'CT_MISSING_TCP_ACK_FLAG', 'CT_UNKNOWN_L4_PROTOCOL', 'CT_CANNOT_CREATE_ENTRY_FROM_PACKET', 'UNSUPPORTED_L3_PROTOCOL', 'MISSED_TAIL_CALL', 'ERROR_WRITING_TO_PACKET', 'UNKNOWN_L4_PROTOCOL', 'UNKNOWN_ICMPV4_CODE', 'UNKNOWN_ICMPV4_TYPE', 'UNKNOWN_ICMPV6_CODE', 'UNKNOWN_ICMPV6_TYPE', 'ERROR_RETRIEVING_TUNNEL_KEY', 'ERROR_RETRIEVING_TUNNEL_OPTIONS', 'INVALID_GENEVE_OPTION', 'UNKNOWN_L3_TARGET_ADDRESS', 'STALE_OR_UNROUTABLE_IP', 'NO_MATCHING_LOCAL_CONTAINER_FOUND', 'ERROR_WHILE_CORRECTING_L3_CHECKSUM', 'ERROR_WHILE_CORRECTING_L4_CHECKSUM', 'CT_MAP_INSERTION_FAILED', 'INVALID_IPV6_EXTENSION_HEADER', 'IP_FRAGMENTATION_NOT_SUPPORTED', 'SERVICE_BACKEND_NOT_FOUND', 'NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT', 'FAILED_TO_INSERT_INTO_PROXYMAP', 'REACHED_EDT_RATE_LIMITING_DROP_HORIZON', 'UNKNOWN_CONNECTION_TRACKING_STATE', 'LOCAL_HOST_IS_UNREACHABLE', 'NO_CONFIGURATION_AVAILABLE_TO_PERFORM_POLICY_DECISION', 'UNSUPPORTED_L2_PROTOCOL', 'NO_MAPPING_FOR_NAT_MASQUERADE', 'UNSUPPORTED_PROTOCOL_FOR_NAT_MASQUERADE', 'FIB_LOOKUP_FAILED', 'ENCAPSULATION_TRAFFIC_IS_PROHIBITED', 'INVALID_IDENTITY', 'UNKNOWN_SENDER', 'NAT_NOT_NEEDED', 'IS_A_CLUSTERIP', 'FIRST_LOGICAL_DATAGRAM_FRAGMENT_NOT_FOUND', 'FORBIDDEN_ICMPV6_MESSAGE', 'DENIED_BY_LB_SRC_RANGE_CHECK', 'SOCKET_LOOKUP_FAILED', 'SOCKET_ASSIGN_FAILED', 'PROXY_REDIRECTION_NOT_SUPPORTED_FOR_PROTOCOL', 'POLICY_DENY', 'VLAN_FILTERED', 'INVALID_VNI', 'INVALID_TC_BUFFER', 'NO_SID', 'MISSING_SRV6_STATE', 'NAT46', 'NAT64', 'AUTH_REQUIRED', 'CT_NO_MAP_FOUND', 'SNAT_NO_MAP_FOUND', 'INVALID_CLUSTER_ID', 'UNSUPPORTED_PROTOCOL_FOR_DSR_ENCAP', 'NO_EGRESS_GATEWAY', 'UNENCRYPTED_TRAFFIC', 'TTL_EXCEEDED', 'NO_NODE_ID', 'DROP_RATE_LIMITED', 'IGMP_HANDLED', 'IGMP_SUBSCRIBED', 'MULTICAST_HANDLED', 'DROP_HOST_NOT_READY', 'DROP_EP_NOT_READY', 'DROP_NO_EGRESS_IP', 'DROP_PUNT_PROXY'], toString(drop_reason))) AS drop_reason,
  transform(flow_type, [0, 1, 2, 3], ['UNKNOWN_TYPE', 'L3_L4', 'L7', 'SOCK'], toString(flow_type)) AS flow_type,
  event_type,
  event_sub_type,
  transform(traffic_direction, [0, 1, 2], ['TRAFFIC_DIRECTION_UNKNOWN', 'INGRESS', 'EGRESS'], toString(traffic_direction)) AS traffic_direction,
  if(is_reply = 0, NULL, CAST(is_reply = 2, 'Bool')) AS is_reply,
  transform(l4_protocol, [0, 1, 2, 3, 4, 5, 6, 7], ['NONE', 'TCP', 'UDP', 'ICMPv4', 'ICMPv6', 'SCTP', 'VRRP', 'IGMP'], toString(l4_protocol)) AS l4_protocol,
  if(src_ip = toIPv6('::'), '', replaceOne(IPv6NumToString(src_ip), '::ffff:', '')) AS src_ip,
  src_port,
  src_identity,
  src_cluster,
  src_namespace,
  src_pod,
  src_workload,
  src_workload_kind,
  src_names,
  src_service_namespace,
  src_service_name,
  if(dst_ip = toIPv6('::'), '', replaceOne(IPv6NumToString(dst_ip), '::ffff:', '')) AS dst_ip,
  dst_port,
  dst_identity,
  dst_cluster,
  dst_namespace,
  dst_pod,
  dst_workload,
  dst_workload_kind,
  dst_names,
  dst_service_namespace,
  dst_service_name,
  tcp_flags,
  if(l7_kind = 0, '', transform(l7_type, [0, 1, 2, 3], ['UNKNOWN_L7_TYPE', 'REQUEST', 'RESPONSE', 'SAMPLE'], toString(l7_type))) AS l7_type,
  nullIf(latency_ns, 0) AS latency_ns,
  nullIf(http_code, 0) AS http_code,
  http_method,
  http_url,
  http_path_template,
  http_protocol,
  dns_query,
  dns_ips,
  if(l7_kind = 1 AND l7_type = 2, dns_rcode, NULL) AS dns_rcode,
  dns_qtypes,
  kafka_api_key,
  kafka_topic,
  trace_id,
  weight
FROM (
  SELECT *
  FROM flows
  WHERE tenant = {tenant:String}
    AND bucket_time >= fromUnixTimestamp64Nano({p92:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p93:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p92:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p93:Int64}, 'UTC'))
    AND ((((uuid IN {p1:Array(UUID)}) AND ((src_ip BETWEEN {p2:IPv6} AND {p3:IPv6}) OR (src_ip = {p4:IPv6})) AND (dst_ip BETWEEN {p5:IPv6} AND {p6:IPv6} AND NOT (dst_ip BETWEEN {p7:IPv6} AND {p8:IPv6}) AND (dst_ip != toIPv6('::') OR ip_version = 2)) AND ((src_ip_xlated != toIPv6('::')) AND (src_ip_xlated = {p9:IPv6})) AND (ip_version = {p10:Int16}) AND (encrypted = {p11:UInt8}) AND (((src_namespace = {p12:String}) AND (startsWith(src_pod, {p13:String}))) OR ((src_namespace = {p14:String}) AND (startsWith(src_pod, {p15:String}))) OR (src_namespace = {p16:String}) OR (startsWith(src_pod, {p17:String})) OR ((src_pod != '') OR (src_namespace != ''))) AND ((dst_service_namespace = {p18:String}) AND (startsWith(dst_service_name, {p19:String}))) AND ((arrayExists(n -> match(n, {p20:String}), src_names)) OR (has(src_names, {p21:String}))) AND ((src_label_set IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p22:String}), labels) AND extract(arrayFirst(l -> match(l, {p22:String}), labels), '(?s)^[^=]*=(.*)$') IN {p23:Array(String)})) AND (src_label_set IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p24:String}), labels) AND extract(arrayFirst(l -> match(l, {p24:String}), labels), '(?s)^[^=]*=(.*)$') IN {p25:Array(String)})) AND (src_label_set NOT IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p26:String}), labels))) AND (src_label_set NOT IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p27:String}), labels) AND extract(arrayFirst(l -> match(l, {p27:String}), labels), '(?s)^[^=]*=(.*)$') IN {p28:Array(String)})) AND (src_label_set IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p29:String}), labels) AND toInt64OrNull(extract(arrayFirst(l -> match(l, {p29:String}), labels), '(?s)^[^=]*=(.*)$')) > {p30:Int64}))) AND (node_label_set IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND arrayExists(l -> match(l, {p31:String}), labels))) AND ((has(src_workloads, {p32:String})) OR (arrayExists(w -> substring(w, position(w, '/') + 1) = {p33:String}, src_workloads)) OR (arrayExists(w -> startsWith(w, {p34:String}), src_workloads)) OR (notEmpty(src_workloads))) AND (dst_identity IN {p35:Array(UInt32)}) AND (src_cluster = {p36:String}) AND (((interface_index = {p40:UInt32}) AND (interface_name = {p41:String})) OR ((NOT (interface_index = {p42:UInt32})) OR (interface_name != ''))) AND ((src_port IN {p43:Array(UInt16)}) AND (l4_protocol IN {p44:Array(UInt8)})) AND ((dst_port = {p45:UInt16}) AND (l4_protocol IN {p46:Array(UInt8)})) AND ((l4_protocol = {p47:UInt8}) OR (l4_protocol IN {p48:Array(UInt8)}) OR (l7_kind = {p49:UInt8})) AND ((bitAnd(tcp_flags, {p50:UInt16}) = {p50:UInt16}) OR (bitAnd(tcp_flags, {p51:UInt16}) = {p51:UInt16})) AND ((is_reply = {p52:UInt8}) OR ((is_reply = {p53:UInt8}) AND (verdict = {p54:Int16}))) AND ((verdict = {p55:Int16}) OR (verdict NOT BETWEEN 0 AND 7)) AND ((verdict = {p57:Int16}) AND (drop_reason IN {p56:Array(Int16)})) AND (traffic_direction IN {p58:Array(Int16)}) AND ((event_type = {p59:Int32}) OR ((event_type = {p60:Int32}) AND (event_sub_type = {p61:Int32})) OR (NOT (event_type = {p62:Int32}))) AND ((l7_kind = {p63:UInt8}) AND ((http_code = {p64:UInt32}) OR (startsWith(toString(http_code), {p65:String})))) AND ((l7_kind = {p66:UInt8}) AND (upper(http_method) IN {p67:Array(String)})) AND ((l7_kind = {p68:UInt8}) AND (if(l7_kind = 2, if(match(decodeURLComponent(if(match(http_url, '^[a-zA-Z][a-zA-Z0-9+.-]*:'), extract(http_url, '^[a-zA-Z][a-zA-Z0-9+.-]*:(?://[^/?#]*)?((?:/[^?#]*)?)'), extract(http_url, '^(?://[^/?#]*)?([^?#]*)'))), {p69:String}), NOT (match(http_url, '^[^#]*[\\x00-\\x1f\\x7f]') OR (match(http_url, '^[^/?#:]*:') AND NOT match(http_url, '^[a-zA-Z][a-zA-Z0-9+.-]*:')) OR match(if(match(http_url, '^[a-zA-Z][a-zA-Z0-9+.-]*:'), extract(http_url, '^[a-zA-Z][a-zA-Z0-9+.-]*:(?://[^/?#]*)?((?:/[^?#]*)?)'), extract(http_url, '^(?://[^/?#]*)?([^?#]*)')), '%(?:[^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f]|[0-9A-Fa-f]?$)')), 0), 0))) AND ((l7_kind = {p70:UInt8}) AND (match(http_url, {p71:String}))) AND (ifNull((multiIf(src_label_set = 0, (SELECT if(arrayExists(_cel0 -> ifNull(startsWith(_cel0, {p72:String}), 0), labels), 1, 0) FROM (SELECT CAST([], 'Array(String)') AS labels)), src_label_set IN (SELECT id FROM label_sets WHERE tenant = {tenant:String} AND ifNull(if(arrayExists(_cel0 -> ifNull(startsWith(_cel0, {p72:String}), 0), labels), 1, 0), 0)), 1, 0)) OR ((if(length(dns_ips) > 0, dns_ips[1], NULL)) = ({p73:String})), 0) = 1) AND ((l7_kind = {p74:UInt8}) AND (arrayExists((k, v) -> k = {p75:String} AND v = {p76:String}, http_header_keys, http_header_values))) AND (trace_id = {p77:String}) AND (ip_trace_id IN {p78:Array(UInt64)})) OR (((l7_kind = {p79:UInt8}) AND (match(dns_query, {p80:String}))) AND ((arrayExists(w -> substring(w, position(w, '/') + 1) = {p81:String}, dst_workloads)) OR (dst_workload = {p82:String}) OR ((dst_ip != toIPv6('::') OR ip_version = 2) AND (cluster, toDateTime(toStartOfHour(bucket_time), 'UTC'), dst_ip) IN (SELECT cluster, hour, ip FROM endpoints WHERE tenant = {tenant:String} AND hour BETWEEN toDateTime({p83:Int64}, 'UTC') AND toDateTime({p84:Int64}, 'UTC') AND workload != '' AND workload = {p85:String}))) AND (((src_service_namespace = {p86:String}) AND (startsWith(src_service_name, {p87:String}))) OR ((src_ip != toIPv6('::') OR ip_version = 2) AND (cluster, toDateTime(toStartOfHour(bucket_time), 'UTC'), src_ip) IN (SELECT cluster, hour, ip FROM endpoints WHERE tenant = {tenant:String} AND hour BETWEEN toDateTime({p88:Int64}, 'UTC') AND toDateTime({p89:Int64}, 'UTC') AND service_name != '' AND service_namespace = {p90:String} AND startsWith(service_name, {p91:String})))))) AND (NOT (true)))
  ORDER BY toStartOfFiveMinutes(bucket_time) DESC, bucket_time DESC, _le DESC, _lp DESC, _lo DESC, _li DESC
  LIMIT {limit:UInt32}
)
ORDER BY bucket_time, _le, _lp, _lo, _li
-- tenant = "acme"
-- limit = 5
-- p1 = ["43eea867-dd4b-4e5e-b2b8-fe80e0f51b06"]
-- p2 = "::ffff:10.0.0.0"
-- p3 = "::ffff:10.255.255.255"
-- p4 = "0:0:0:0:0:0:0:1"
-- p5 = "0:0:0:0:0:0:0:0"
-- p6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
-- p7 = "::ffff:0.0.0.0"
-- p8 = "::ffff:255.255.255.255"
-- p9 = "::ffff:192.0.2.7"
-- p10 = 1
-- p11 = 1
-- p12 = "shop"
-- p13 = "front"
-- p14 = "default"
-- p15 = "web"
-- p16 = "shop"
-- p17 = "web"
-- p18 = "shop"
-- p19 = "checkout"
-- p20 = "^[-.0-9a-z]*\\.example\\.com$"
-- p21 = "api.example.org"
-- p22 = "^k8s:app(=|$)"
-- p23 = ["web"]
-- p24 = "^([^:=]*:)?tier(=|$)"
-- p25 = ["a","b"]
-- p26 = "^([^:=]*:)?canary(=|$)"
-- p27 = "^([^:=]*:)?version(=|$)"
-- p28 = ["2"]
-- p29 = "^([^:=]*:)?weight(=|$)"
-- p30 = "3n"
-- p31 = "^([^:=]*:)?zone(=|$)"
-- p32 = "Deployment/web"
-- p33 = "web"
-- p34 = "Job/"
-- p35 = [2,16777217]
-- p36 = "eu"
-- p40 = 4
-- p41 = "eth0"
-- p42 = 0
-- p43 = [0,443]
-- p44 = [1,2,5]
-- p45 = 8080
-- p46 = [1,2,5]
-- p47 = 1
-- p48 = [3,4]
-- p49 = 2
-- p50 = 514
-- p51 = 512
-- p52 = 1
-- p53 = 0
-- p54 = 2
-- p55 = 2
-- p56 = [133,181]
-- p57 = 2
-- p58 = [1,0]
-- p59 = 129
-- p60 = 4
-- p61 = 0
-- p62 = -1
-- p63 = 2
-- p64 = 404
-- p65 = "5"
-- p66 = 2
-- p67 = ["GET"]
-- p68 = 2
-- p69 = "(?-s)^/a/[0-9]+$"
-- p70 = 2
-- p71 = "(?-s)example"
-- p72 = "k8s:app="
-- p73 = "10.0.0.1"
-- p74 = 2
-- p75 = "X-Id"
-- p76 = "7"
-- p77 = ""
-- p78 = ["18446744073709551615n"]
-- p79 = 1
-- p80 = "(?-s)\\.com\\.$"
-- p81 = "dns"
-- p82 = "dns"
-- p83 = "1767258000n"
-- p84 = "1767268800n"
-- p85 = "dns"
-- p86 = "a"
-- p87 = "b"
-- p88 = "1767258000n"
-- p89 = "1767268800n"
-- p90 = "a"
-- p91 = "b"
-- p92 = "1767261599999999999n"
-- p93 = "1767268800000000000n"
