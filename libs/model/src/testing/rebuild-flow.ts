import type { BytesColumn, ColumnBatch, DictionaryColumn } from '../columns.js';
import type { Row } from './rows.js';

type Plain = Record<string, unknown>;

/** Raw bytes of a value in a bytes or dictionary column. */
export function bytesIn(batch: ColumnBatch, name: string, row: number): Uint8Array {
  const column = batch.columns.find((each): each is BytesColumn | DictionaryColumn => each.name === name);
  if (column === undefined) throw new RangeError(`no column ${name}`);
  if (column.kind === 'dictionary') return column.dictionary[column.indices[row] ?? 0] ?? new Uint8Array(0);
  return column.data.subarray(row === 0 ? 0 : column.ends[row - 1], column.ends[row]);
}

/** The text of a stored address, as Go's netip writes it. */
export function addressText(hex: unknown): string {
  const text = String(hex);
  if (/^0+$/.test(text)) return '';
  if (text.startsWith('00000000000000000000ffff'))
    return [24, 26, 28, 30].map((i) => Number.parseInt(text.slice(i, i + 2), 16)).join('.');
  const groups = (text.match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, '')).join(':');
  const runs = groups.match(/(^|:)0(:0)+(?=:|$)/g) ?? [];
  const longest = runs.reduce((best, run) => (length(run) > length(best) ? run : best), '');
  if (longest === '') return groups;
  const at = groups.indexOf(longest);
  return `${groups.slice(0, at)}::${groups.slice(at + longest.length).replace(/^:/, '')}`;
}

const length = (run: string) => run.replaceAll(':', '').length;

function side(row: Row, prefix: string, labels: readonly string[]): Plain {
  const workloads = row[`${prefix}_workloads`] as string[];
  return {
    ID: row[`${prefix}_endpoint_id`],
    identity: row[`${prefix}_identity`],
    namespace: row[`${prefix}_namespace`],
    labels,
    pod_name: row[`${prefix}_pod`],
    workloads: workloads.map((workload) => {
      const slash = workload.indexOf('/');
      return { kind: workload.slice(0, slash), name: workload.slice(slash + 1) };
    }),
    cluster_name: row[`${prefix}_cluster`],
  };
}

function layer4(row: Row): Plain {
  const names = ['TCP', 'UDP', 'ICMPv4', 'ICMPv6', 'SCTP', 'VRRP', 'IGMP'];
  const member = names[Number(row['l4_protocol']) - 1];
  if (member === undefined) return {};
  const bits = Number(row['tcp_flags']);
  const flagNames = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'];
  const flags = Object.fromEntries(flagNames.map((name, bit) => [name, (bits & (1 << bit)) !== 0]));
  const ports = { source_port: row['src_port'], destination_port: row['dst_port'] };
  if (member.startsWith('ICMP')) return { [member]: { type: row['icmp_type'], code: row['icmp_code'] } };
  if (member === 'TCP') return { TCP: { ...ports, ...(bits === 0 ? {} : { flags }) } };
  return { [member]: member === 'VRRP' || member === 'IGMP' ? {} : ports };
}

function layer7(row: Row): Plain {
  const headerValues = row['http_header_values'] as string[];
  const headers = (row['http_header_keys'] as string[]).map((key, i) => ({ key, value: headerValues[i] }));
  const strip = (prefix: string) =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([column]) => column.startsWith(prefix))
        .map(([column, value]) => [column.slice(prefix.length), value]),
    );
  const bodies: readonly Plain[] = [
    {},
    { dns: strip('dns_') },
    { http: { ...strip('http_'), headers } },
    { kafka: strip('kafka_') },
  ];
  const kind = Number(row['l7_kind']);
  return { l7: { type: row['l7_type'], latency_ns: row['latency_ns'], ...bodies[kind] } };
}

/**
 * The flow as its columns give it back, for protobufjs; `policies` and `extra` are added by joining their bytes. Labels
 * come from `labelsOf`. What only repeats another field (3, 16) and the summary are left out.
 */
export function rebuildFlow(row: Row, labelsOf: (id: unknown) => readonly string[]): Plain {
  const ns = BigInt(row['bucket_time'] as bigint) + BigInt(row['time_shift'] as bigint);
  const billion = 1_000_000_000n;
  const nanos = ((ns % billion) + billion) % billion;
  const uuid = String(row['uuid']).match(/../g) ?? [];
  const id = [...uuid.slice(0, 8).reverse(), ...uuid.slice(8).reverse()].join('');
  const reply = Number(row['is_reply']);
  return {
    ...(Number(row['time_quality']) < 3
      ? { time: { seconds: (ns - nanos) / billion, nanos: Number(nanos) } }
      : {}),
    uuid: /^0+$/.test(id) ? '' : id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    emitter: { name: row['emitter_name'], version: row['emitter_version'] },
    verdict: row['verdict'],
    auth_type: row['auth_type'],
    ethernet: { source: row['ethernet_source'], destination: row['ethernet_destination'] },
    IP: {
      source: addressText(row['src_ip']),
      destination: addressText(row['dst_ip']),
      source_xlated: addressText(row['src_ip_xlated']),
      ipVersion: row['ip_version'],
      encrypted: row['encrypted'] === 1,
    },
    l4: layer4(row),
    source: side(row, 'src', labelsOf(row['src_label_set'])),
    destination: side(row, 'dst', labelsOf(row['dst_label_set'])),
    Type: row['flow_type'],
    node_name: `${String(row['cluster'])}/${String(row['node'])}`,
    node_labels: labelsOf(row['node_label_set']),
    source_names: row['src_names'],
    destination_names: row['dst_names'],
    ...(row['l7_kind'] === 0 ? {} : layer7(row)),
    ...(row['event_type'] === -1 && row['event_sub_type'] === 0
      ? {}
      : { event_type: { type: row['event_type'], sub_type: row['event_sub_type'] } }),
    source_service: { name: row['src_service_name'], namespace: row['src_service_namespace'] },
    destination_service: { name: row['dst_service_name'], namespace: row['dst_service_namespace'] },
    traffic_direction: row['traffic_direction'],
    policy_match_type: row['policy_match_type'],
    trace_observation_point: row['trace_observation_point'],
    trace_reason: row['trace_reason'],
    drop_reason_desc: row['drop_reason'],
    ...(reply === 0 ? {} : { is_reply: { value: reply === 2 } }),
    debug_capture_point: row['debug_capture_point'],
    interface: { index: row['interface_index'], name: row['interface_name'] },
    file: { name: row['file_name'], line: row['file_line'] },
    ip_trace_id: { trace_id: row['ip_trace_id'], ip_option_type: row['ip_option_type'] },
    proxy_port: row['proxy_port'],
    trace_context: { parent: { trace_id: row['trace_id'] } },
    sock_xlate_point: row['sock_xlate_point'],
    socket_cookie: row['socket_cookie'],
    cgroup_id: row['cgroup_id'],
    policy_log: row['policy_log'],
    aggregate: {
      ingress_flow_count: row['aggregate_ingress'],
      egress_flow_count: row['aggregate_egress'],
      unknown_direction_flow_count: row['aggregate_unknown'],
    },
  };
}
