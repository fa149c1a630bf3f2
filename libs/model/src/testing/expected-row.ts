import { FLOW_FIELDS, type FieldSpec } from '../fields.js';
import { summaryOf } from '../hubble/summary.js';
import { clientSide, serverPort, type CallEvidence } from '../normalise/client-side.js';
import { labelSetHash } from '../normalise/label-set.js';
import { latencyBucket } from '../normalise/latency-bucket.js';
import { pathTemplate } from '../normalise/path-template.js';
import { canonicalWorkload } from '../normalise/workload.js';
import { OPTIONS, RECEIVED_MS } from './project.js';
import type { Row } from './rows.js';

/** A decoded message as protobufjs gives it, see `plainObject`. */
type Plain = Record<string, unknown>;

const RECEIVED_NS = BigInt(RECEIVED_MS) * 1_000_000n;
const MEMBERS = ['TCP', 'UDP', 'ICMPv4', 'ICMPv6', 'SCTP', 'VRRP', 'IGMP'];

const PATHS = new Map<string, readonly string[]>();

function at(value: unknown, path: string): unknown {
  let names = PATHS.get(path);
  if (names === undefined) PATHS.set(path, (names = path.split('.')));
  let part = value;
  for (const name of names) part = (part as Plain | undefined)?.[name];
  return part;
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');
const number = (value: unknown) => (typeof value === 'number' ? value : 0);
const big = (value: unknown) => (typeof value === 'bigint' ? value : 0n);
const texts = (value: unknown) => (Array.isArray(value) ? value.map(text) : []);

/** Columns whose value is simply that of the proto field at `FieldSpec.proto`, cut to what the type holds. */
function direct(field: FieldSpec, flow: Plain): unknown {
  const value = at(flow, field.proto ?? '');
  switch (field.type) {
    case 'Int16':
      return number(value) >= -32_768 && number(value) <= 32_767 ? number(value) : 0;
    case 'UInt8':
      return typeof value === 'boolean' ? Number(value) : number(value) > 255 ? 0 : number(value);
    case 'UInt16':
      return number(value) > 65_535 ? 0 : number(value);
    case 'UInt32':
    case 'Int32':
      return number(value);
    case 'UInt64':
      return big(value);
    case 'Array(String)':
    case 'Array(LowCardinality(String))':
      return texts(value);
    default:
      return text(value);
  }
}

/**
 * The row that a flow must give, made the slow and plain way from what protobufjs decoded. Positions, `extra` and
 * `fallback_key` are not in it.
 */
export function expectedRow(flow: Plain, responseNode = '', responseTime?: Plain): Row {
  const row: Row = {};
  for (const field of FLOW_FIELDS) if (field.proto !== null) row[field.column] = direct(field, flow);
  const l4 = layer4(flow);
  Object.assign(
    row,
    placeOf(flow, responseNode),
    timeOf(at(flow, 'time') ?? responseTime),
    l4,
    addressesOf(flow),
    l7Of(flow),
    sideOf(flow, 'source', 'src'),
    sideOf(flow, 'destination', 'dst'),
    deprecatedOf(flow),
    aggregateOf(flow),
  );
  row['node_label_set'] = labelSetHash(texts(flow['node_labels']));
  row['event_type'] = flow['event_type'] === undefined ? -1 : number(at(flow, 'event_type.type'));
  row['uuid'] = uuidOf(text(flow['uuid']));
  Object.assign(row, callOf(row));
  row['summary'] = summaryColumn(flow, row);
  return row;
}

function placeOf(flow: Plain, responseNode: string): Row {
  const name = text(flow['node_name']) || responseNode || 'sender';
  const slash = name.indexOf('/');
  return {
    tenant: 'default',
    cluster: (slash > 0 && name.slice(0, slash)) || 'c1',
    node: (slash < 0 ? name : name.slice(slash + 1)) || 'unknown',
  };
}

function timeOf(time: unknown): Row {
  if (time === undefined) return { bucket_time: RECEIVED_NS, time_shift: 0n, time_quality: 3 };
  const seconds = big(at(time, 'seconds'));
  const nanos = BigInt(number(at(time, 'nanos')));
  const valid =
    seconds >= -2_208_988_800n && seconds <= 9_223_372_035n && nanos >= 0n && nanos < 1_000_000_000n;
  if (!valid) return { bucket_time: RECEIVED_NS, time_shift: 0n, time_quality: 4 };
  const ns = seconds * 1_000_000_000n + nanos;
  const ancient = ns < RECEIVED_NS - BigInt(OPTIONS.rawTtlMs) * 1_000_000n;
  const future = ns > RECEIVED_NS + 3_600_000_000_000n;
  if (!ancient && !future) return { bucket_time: ns, time_shift: 0n, time_quality: 0 };
  return { bucket_time: RECEIVED_NS, time_shift: ns - RECEIVED_NS, time_quality: future ? 1 : 2 };
}

function layer4(flow: Plain): Row {
  const l4 = (flow['l4'] ?? {}) as Plain;
  const member = MEMBERS.findIndex((name) => l4[name] !== undefined) + 1;
  const body = (l4[MEMBERS[member - 1] ?? ''] ?? {}) as Plain;
  const port = (value: unknown) => (number(value) > 65_535 ? 0 : number(value));
  const icmp = member === 3 || member === 4;
  const byte = (value: unknown) => (icmp && number(value) < 256 ? number(value) : 0);
  const flags = (body['flags'] ?? undefined) as Plain | undefined;
  const names = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'];
  const bits = names.reduce((sum, name, bit) => sum | (flags?.[name] === true ? 1 << bit : 0), 0);
  return {
    l4_protocol: member,
    src_port: icmp || member > 5 ? 0 : port(body['source_port']),
    dst_port: icmp || member > 5 ? 0 : port(body['destination_port']),
    tcp_flags: flags === undefined ? 0 : bits | 512,
    icmp_type: byte(body['type']),
    icmp_code: byte(body['code']),
  };
}

function addressesOf(flow: Plain): Row {
  return {
    src_ip: addressHex(text(at(flow, 'IP.source'))),
    dst_ip: addressHex(text(at(flow, 'IP.destination'))),
    src_ip_xlated: addressHex(text(at(flow, 'IP.source_xlated'))),
  };
}

/** The slow way: IPv4 by four decimal numbers, IPv6 by splitting at `::`; anything odd is zero. */
export function addressHex(address: string): string {
  const none = '0'.repeat(32);
  const ipv4 = /^(?:(?:0|[1-9]\d{0,2})(?:\.(?=.)|$)){4}$/.test(address) && address.split('.').map(Number);
  if (ipv4) return ipv4.some((part) => part > 255) ? none : `${'0'.repeat(20)}ffff${hexBytes(ipv4)}`;
  const mapped = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (mapped !== null) {
    const tail = addressHex(mapped[2] ?? '').slice(24);
    return addressHex(`${mapped[1] ?? ''}${tail.slice(0, 4)}:${tail.slice(4)}`);
  }
  const halves = address.split('::');
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const count = groups.flat().length;
  if (halves.length > 2 || (halves.length === 1 ? count !== 8 : count > 7)) return none;
  if (!groups.flat().every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return none;
  const [head = [], tail = []] = groups;
  const all = [...head, ...Array.from({ length: 8 - count }, () => '0'), ...tail];
  return all.map((group) => group.padStart(4, '0').toLowerCase()).join('');
}

function hexBytes(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function sideOf(flow: Plain, name: 'source' | 'destination', prefix: 'src' | 'dst'): Row {
  const endpoint = (flow[name] ?? {}) as Plain;
  const labels = texts(endpoint['labels']);
  const workload = canonicalWorkload({
    namespace: text(endpoint['namespace']),
    podName: text(endpoint['pod_name']),
    labels,
    identity: number(endpoint['identity']),
  });
  const workloads = (endpoint['workloads'] ?? []) as Plain[];
  return {
    [`${prefix}_label_set`]: labelSetHash(labels),
    [`${prefix}_workloads`]: workloads.map(({ kind, name: own }) => `${text(kind)}/${text(own)}`),
    [`${prefix}_workload`]: workload.name,
    [`${prefix}_workload_kind`]: workload.kind,
  };
}

function l7Of(flow: Plain): Row {
  const l7 = flow['l7'] as Plain | undefined;
  const kind =
    l7 === undefined ? 0 : ['dns', 'http', 'kafka'].findIndex((name) => l7[name] !== undefined) + 1 || 4;
  const headers = (at(l7, 'http.headers') ?? []) as Plain[];
  const url = text(at(l7, 'http.url'));
  const template = pathTemplate(url);
  const words = {
    1: text(at(l7, 'dns.query')).replace(/(.)\.$/, '$1'),
    2: [text(at(l7, 'http.method')), template].filter((word) => word !== '').join(' '),
    3: [text(at(l7, 'kafka.api_key')), text(at(l7, 'kafka.topic'))].filter((word) => word !== '').join(' '),
  };
  return {
    l7_kind: kind,
    latency_bucket: latencyBucket(big(l7?.['latency_ns'])),
    http_path_template: template,
    http_header_keys: headers.map(({ key }) => text(key)),
    http_header_values: headers.map(({ value }) => text(value)),
    endpoint: kind === 1 || kind === 2 || kind === 3 ? words[kind] : '',
  };
}

function deprecatedOf(flow: Plain): Row {
  const fits = (value: number) => (value <= 32_767 ? value : 0);
  const reason = fits(number(flow['drop_reason_desc'])) || fits(number(flow['drop_reason']));
  const wrapper = flow['is_reply'] as Plain | undefined;
  const own = wrapper === undefined ? 0 : wrapper['value'] === true ? 2 : 1;
  return { drop_reason: reason, is_reply: own || (flow['reply'] === true ? 2 : 0) };
}

function aggregateOf(flow: Plain): Row {
  const counters = (flow['aggregate'] ?? {}) as Plain;
  const sum = Object.values(counters).reduce<number>((total, value) => total + number(value), 0);
  return {
    policies: undefined,
    weight: BigInt(sum === 0 ? 1 : sum),
    aggregate_ingress: number(counters['ingress_flow_count']),
    aggregate_egress: number(counters['egress_flow_count']),
    aggregate_unknown: number(counters['unknown_direction_flow_count']),
  };
}

function uuidOf(uuid: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) return '0'.repeat(32);
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
  return Buffer.concat([bytes.subarray(0, 8).reverse(), bytes.subarray(8).reverse()]).toString('hex');
}

function callOf(row: Row): Row {
  const call: CallEvidence = {
    eventType: number(row['event_type']),
    verdict: number(row['verdict']) & 0xffff,
    isReply: number(row['is_reply']),
    trafficDirection: number(row['traffic_direction']) & 0xffff,
    l4Protocol: number(row['l4_protocol']),
    srcPort: number(row['src_port']),
    dstPort: number(row['dst_port']),
    tcpFlags: number(row['tcp_flags']),
    icmpType: number(row['icmp_type']),
    l7Kind: number(row['l7_kind']),
    l7Type: number(row['l7_type']),
    srcLocal: row['src_endpoint_id'] !== 0,
    dstLocal: row['dst_endpoint_id'] !== 0,
    srcService: row['src_service_name'] !== '',
    dstService: row['dst_service_name'] !== '',
  };
  const side = clientSide(call);
  const [client, server] = side === 2 ? ['dst', 'src'] : ['src', 'dst'];
  return {
    client_side: side,
    client_namespace: row[`${client}_namespace`],
    client_workload: row[`${client}_workload`],
    server_namespace: row[`${server}_namespace`],
    server_workload: row[`${server}_workload`],
    server_port: serverPort(call, side),
  };
}

function summaryColumn(flow: Plain, row: Row): string {
  const sent = text(flow['Summary']);
  const made = summaryOf({
    l4Protocol: number(row['l4_protocol']),
    tcpFlags: number(row['tcp_flags']),
    icmpType: number(row['icmp_type']),
    icmpCode: number(row['icmp_code']),
    l7Kind: number(row['l7_kind']),
    l7Type: number(row['l7_type']),
    latencyNs: big(row['latency_ns']),
    http: {
      code: number(row['http_code']),
      method: text(row['http_method']),
      url: text(row['http_url']),
      protocol: text(row['http_protocol']),
    },
    dns: {
      query: text(row['dns_query']),
      ips: texts(row['dns_ips']),
      cnames: texts(row['dns_cnames']),
      ttl: number(row['dns_ttl']),
      rcode: number(row['dns_rcode']),
      qtypes: texts(row['dns_qtypes']),
      source: text(row['dns_observation_source']),
    },
    kafka: {
      errorCode: number(row['kafka_error_code']),
      apiKey: text(row['kafka_api_key']),
      correlationId: number(row['kafka_correlation_id']),
      topic: text(row['kafka_topic']),
    },
  });
  return sent === made ? '' : sent;
}
