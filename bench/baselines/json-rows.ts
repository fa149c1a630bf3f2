import type { LoadedEndpoint, LoadedFlow } from './proto-loader.js';

/**
 * A row of `flows` as a usual TypeScript pipeline would build it for `JSONEachRow`: an object a flow, written as text.
 * Same table and same totals as ours; simpler than our normalisation, so never slower for doing more.
 */
const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'] as const;
const TEMPLATE_SUFFIX = /-[a-z0-9]{6,10}-[a-z0-9]{5}$/;
const labelSets = new Map<string, number>();

/** Numbers a sorted label list; a plain pipeline would hash it. */
function labelSet(labels: readonly string[]): number {
  if (labels.length === 0) return 0;
  const key = labels.toSorted().join('\0');
  const known = labelSets.get(key);
  if (known !== undefined) return known;
  labelSets.set(key, labelSets.size + 1);
  return labelSets.size;
}

function flagBits(flags: Readonly<Record<string, boolean>> | null | undefined): number {
  if (flags === null || flags === undefined) return 0;
  return FLAGS.reduce((bits, name, bit) => (flags[name] === true ? bits | (1 << bit) : bits), 512);
}

function endpointColumns(prefix: 'src' | 'dst', endpoint: LoadedEndpoint): object {
  return {
    [`${prefix}_endpoint_id`]: endpoint.ID,
    [`${prefix}_identity`]: endpoint.identity,
    [`${prefix}_namespace`]: endpoint.namespace,
    [`${prefix}_label_set`]: labelSet(endpoint.labels),
    [`${prefix}_pod`]: endpoint.pod_name,
    [`${prefix}_workloads`]: endpoint.workloads.map((workload) => workload.name),
    [`${prefix}_cluster`]: endpoint.cluster_name,
    [`${prefix}_workload`]: endpoint.pod_name.replace(TEMPLATE_SUFFIX, ''),
    [`${prefix}_workload_kind`]: 'Deployment',
  };
}

function l7Columns(flow: LoadedFlow): object {
  const { l7 } = flow;
  if (l7 === null) return {};
  const latency = Number(l7.latency_ns);
  const common = {
    l7_type: l7.type,
    latency_ns: l7.latency_ns,
    latency_bucket: latency === 0 ? 0 : Math.ceil(Math.log2(latency) * 16) + 1,
  };
  if (l7.http !== undefined) {
    const { code, method, url, protocol } = l7.http;
    const template = new URL(url).pathname.replace(/\/[0-9]+/g, '/{id}');
    const http = { http_code: code, http_method: method, http_url: url, http_protocol: protocol };
    return {
      ...common,
      ...http,
      l7_kind: 2,
      http_path_template: template,
      endpoint: `${method} ${template}`,
    };
  }
  if (l7.dns === undefined) return common;
  const { query, ips, ttl, observation_source, rcode, qtypes } = l7.dns;
  return {
    ...common,
    l7_kind: 1,
    dns_query: query,
    dns_ips: ips,
    dns_ttl: ttl,
    dns_observation_source: observation_source,
    dns_rcode: rcode,
    dns_qtypes: qtypes,
    endpoint: query,
  };
}

function callColumns(flow: LoadedFlow, srcPort: number, dstPort: number): object {
  const reply = flow.is_reply?.value === true;
  const [client, server] = reply ? [flow.destination, flow.source] : [flow.source, flow.destination];
  return {
    is_reply: reply ? 2 : 1,
    client_side: reply ? 2 : 1,
    client_namespace: client.namespace,
    client_workload: client.pod_name.replace(TEMPLATE_SUFFIX, ''),
    server_namespace: server.namespace,
    server_workload: server.pod_name.replace(TEMPLATE_SUFFIX, ''),
    server_port: reply ? srcPort : dstPort,
  };
}

/** One line of `JSONEachRow`. */
export function jsonRow(flow: LoadedFlow): string {
  const [cluster, node] = flow.node_name.split('/');
  const ports = flow.l4?.TCP ?? flow.l4?.UDP;
  const [srcPort, dstPort] = [ports?.source_port ?? 0, ports?.destination_port ?? 0];
  return JSON.stringify({
    _le: 1,
    tenant: 'default',
    cluster,
    node,
    bucket_time: `${flow.time.seconds}.${String(flow.time.nanos).padStart(9, '0')}`,
    uuid: flow.uuid,
    emitter_name: flow.emitter?.name,
    emitter_version: flow.emitter?.version,
    verdict: flow.verdict,
    drop_reason: flow.drop_reason_desc,
    flow_type: flow.Type,
    event_type: flow.event_type?.type,
    event_sub_type: flow.event_type?.sub_type,
    traffic_direction: flow.traffic_direction,
    trace_observation_point: flow.trace_observation_point,
    trace_reason: flow.trace_reason,
    interface_index: flow.interface?.index,
    interface_name: flow.interface?.name,
    ethernet_source: flow.ethernet?.source,
    ethernet_destination: flow.ethernet?.destination,
    src_ip: `::ffff:${flow.IP?.source ?? ''}`,
    dst_ip: `::ffff:${flow.IP?.destination ?? ''}`,
    ip_version: flow.IP?.ipVersion,
    l4_protocol: flow.l4?.TCP !== undefined ? 1 : 2,
    src_port: srcPort,
    dst_port: dstPort,
    tcp_flags: flagBits(flow.l4?.TCP?.flags),
    ...endpointColumns('src', flow.source),
    ...endpointColumns('dst', flow.destination),
    node_label_set: labelSet(flow.node_labels),
    ...callColumns(flow, srcPort, dstPort),
    ...l7Columns(flow),
    weight: 1,
  });
}
