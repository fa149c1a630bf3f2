import protobuf from 'protobufjs';

/** FlowFilter as a client's generated code has it (hubble note, section 3), written out apart from our field table. */
const TEXT = `
syntax = "proto3";
package flow;
message EventTypeFilter { int32 type = 1; bool match_sub_type = 2; int32 sub_type = 3; }
message Workload { string name = 1; string kind = 2; }
message NetworkInterface { uint32 index = 1; string name = 2; }
message HTTPHeader { string key = 1; string value = 2; }
message TCPFlags {
  bool FIN = 1; bool SYN = 2; bool RST = 3; bool PSH = 4; bool ACK = 5;
  bool URG = 6; bool ECE = 7; bool CWR = 8; bool NS = 9;
}
enum Verdict {
  VERDICT_UNKNOWN = 0; FORWARDED = 1; DROPPED = 2; ERROR = 3; AUDIT = 4; REDIRECTED = 5; TRACED = 6; TRANSLATED = 7;
}
enum IPVersion { IP_NOT_USED = 0; IPv4 = 1; IPv6 = 2; }
enum TrafficDirection { TRAFFIC_DIRECTION_UNKNOWN = 0; INGRESS = 1; EGRESS = 2; }
enum DropReason { DROP_REASON_UNKNOWN = 0; POLICY_DENIED = 133; UNSUPPORTED_L3_PROTOCOL = 139; POLICY_DENY = 181; }
message FlowFilter {
  message Experimental { repeated string cel_expression = 1; }
  repeated string source_ip = 1; repeated string source_pod = 2; repeated string destination_ip = 3;
  repeated string destination_pod = 4; repeated Verdict verdict = 5; repeated EventTypeFilter event_type = 6;
  repeated string source_fqdn = 7; repeated string destination_fqdn = 8; repeated string http_status_code = 9;
  repeated string source_label = 10; repeated string destination_label = 11; repeated string protocol = 12;
  repeated string source_port = 13; repeated string destination_port = 14; repeated bool reply = 15;
  repeated string source_service = 16; repeated string destination_service = 17; repeated string dns_query = 18;
  repeated uint32 source_identity = 19; repeated uint32 destination_identity = 20; repeated string http_method = 21;
  repeated string http_path = 22; repeated TCPFlags tcp_flags = 23; repeated string node_name = 24;
  repeated IPVersion ip_version = 25; repeated Workload source_workload = 26; repeated Workload destination_workload = 27;
  repeated string trace_id = 28; repeated string uuid = 29; repeated TrafficDirection traffic_direction = 30;
  repeated string http_url = 31; repeated HTTPHeader http_header = 32; repeated DropReason drop_reason_desc = 33;
  repeated string source_ip_xlated = 34; repeated NetworkInterface interface = 35; repeated string node_labels = 36;
  repeated string source_cluster_name = 37; repeated string destination_cluster_name = 38; repeated uint64 ip_trace_id = 39;
  repeated bool encrypted = 40; Experimental experimental = 999;
}`;

/** The message type in protobufjs, for encoding filters as a client does. */
export function flowFilterType(): protobuf.Type {
  return protobuf.parse(TEXT, { keepCase: true }).root.resolveAll().lookupType('flow.FlowFilter');
}
