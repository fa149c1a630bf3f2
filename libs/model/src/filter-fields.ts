/**
 * One field of Hubble's `flow.FlowFilter` (hubble note, section 3). This table is the single source of the GraphQL input
 * `FlowFilter` ({@link flowFilterSdl}) and of the filter reference ({@link filterReference}); the filter compiler in
 * `query` is compared with it by a test.
 */
export interface FilterFieldSpec {
  /** GraphQL name: the proto name in camelCase. */
  readonly name: string;
  /** Proto name; null for our own extension. */
  readonly proto: string | null;
  /** Field number in the proto message, `999.1` for a nested one; null for our own extension. */
  readonly number: string | null;
  /** GraphQL type text of the input field. */
  readonly input: string;
  /** When a flow matches, in one sentence. */
  readonly meaning: string;
  /** Columns of `flows` that decide it. */
  readonly columns: readonly string[];
}

function filter(
  name: string,
  number: string,
  input: string,
  columns: readonly string[],
  meaning: string,
): FilterFieldSpec {
  const proto = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return { name, proto, number, input, columns, meaning };
}

const POD =
  '`name` = namespace default and pod name starting with it, `ns/name`, `ns/` = whole namespace, `/name` = any namespace';
const SELECTOR =
  'label selector: `k8s:app=web`, `app in (a, b)`, `!app`; `,` is AND; a key without source means any source';
const GLOB = 'lower case, `*` spans labels but not underscores; no trailing dot needed';

/** Every field of `FlowFilter`, in the order of the schema. */
// prettier-ignore
export const FILTER_FIELDS: readonly FilterFieldSpec[] = [
  filter('uuid', '29', '[String!]', ['uuid'], 'the uuid is equal'),
  filter('sourceIp', '1', '[String!]', ['src_ip'], 'address equal, or inside a CIDR block; compared as addresses'),
  filter('destinationIp', '3', '[String!]', ['dst_ip'], 'address equal, or inside a CIDR block; compared as addresses'),
  filter('sourceIpXlated', '34', '[String!]', ['src_ip_xlated'], 'source address after SNAT equal, or inside a CIDR block'),
  filter('ipVersion', '25', '[IpVersion!]', ['ip_version'], 'IP family equal; IP_NOT_USED = not IP'),
  filter('encrypted', '40', '[Boolean!]', ['encrypted'], 'encrypted on the wire; false also matches flows that do not know'),
  filter('sourcePod', '2', '[String!]', ['src_namespace', 'src_pod'], POD),
  filter('destinationPod', '4', '[String!]', ['dst_namespace', 'dst_pod'], POD),
  filter('sourceService', '16', '[String!]', ['src_service_namespace', 'src_service_name'], `as pods, on the service; seen only before address translation. ${POD}`),
  filter('destinationService', '17', '[String!]', ['dst_service_namespace', 'dst_service_name'], `as pods, on the service; seen only before address translation. ${POD}`),
  filter('sourceFqdn', '7', '[String!]', ['src_names'], `glob on any DNS name of the address: ${GLOB}`),
  filter('destinationFqdn', '8', '[String!]', ['dst_names'], `glob on any DNS name of the address: ${GLOB}`),
  filter('sourceLabel', '10', '[String!]', ['src_label_set'], SELECTOR),
  filter('destinationLabel', '11', '[String!]', ['dst_label_set'], SELECTOR),
  filter('nodeLabels', '36', '[String!]', ['node_label_set'], `of the observing node; ${SELECTOR}`),
  filter('sourceWorkload', '26', '[WorkloadInput!]', ['src_workloads'], 'a workload as sent has this name and kind, exactly; sent only for the side local to the node (see matchInferred)'),
  filter('destinationWorkload', '27', '[WorkloadInput!]', ['dst_workloads'], 'a workload as sent has this name and kind, exactly; sent only for the side local to the node (see matchInferred)'),
  filter('sourceIdentity', '19', '[Int!]', ['src_identity'], 'numeric security identity equal'),
  filter('destinationIdentity', '20', '[Int!]', ['dst_identity'], 'numeric security identity equal'),
  filter('sourceClusterName', '37', '[String!]', ['src_cluster'], 'cluster of the endpoint equal, exactly'),
  filter('destinationClusterName', '38', '[String!]', ['dst_cluster'], 'cluster of the endpoint equal, exactly'),
  filter('nodeName', '24', '[String!]', ['cluster', 'node'], `globs of \`cluster/node\`, \`node\` = any cluster, \`cluster/\` = any node; ${GLOB}`),
  filter('interface', '35', '[InterfaceInput!]', ['interface_index', 'interface_name'], 'index equal if set and name equal if set; flows without interface never match'),
  filter('sourcePort', '13', '[String!]', ['src_port', 'l4_protocol'], 'TCP, UDP or SCTP port equal; decimal, no ranges'),
  filter('destinationPort', '14', '[String!]', ['dst_port', 'l4_protocol'], 'TCP, UDP or SCTP port equal; decimal, no ranges'),
  filter('protocol', '12', '[String!]', ['l4_protocol', 'l7_kind'], 'icmp, icmpv4, icmpv6, tcp, udp, sctp, vrrp, igmp, dns, http or kafka'),
  filter('tcpFlags', '23', '[TcpFlagsInput!]', ['tcp_flags'], 'every flag that is true in the entry is set; more may be set'),
  filter('reply', '15', '[Boolean!]', ['is_reply', 'verdict'], 'is a reply; unknown matches neither, except that for dropped flows unknown counts as false'),
  filter('verdict', '5', '[Verdict!]', ['verdict'], 'verdict equal; UNRECOGNIZED = a number that has no name here'),
  filter('dropReasonDesc', '33', '[String!]', ['verdict', 'drop_reason'], 'verdict is DROPPED and the drop reason is equal; the name or the number'),
  filter('trafficDirection', '30', '[TrafficDirection!]', ['traffic_direction'], 'direction of the connection at the local endpoint'),
  filter('eventType', '6', '[EventTypeInput!]', ['event_type', 'event_sub_type'], 'type equal (0 = any) and, when given, sub type equal'),
  filter('dnsQuery', '18', '[String!]', ['l7_kind', 'dns_query'], 'RE2 anywhere in the DNS name, which ends with a dot'),
  filter('httpStatusCode', '9', '[String!]', ['l7_kind', 'http_code'], '`404`, or a prefix with plus: `5+` = 5xx'),
  filter('httpMethod', '21', '[String!]', ['l7_kind', 'http_method'], 'HTTP method equal, in any case'),
  filter('httpPath', '22', '[String!]', ['l7_kind', 'http_url'], 'RE2 anywhere in the decoded path of the URL, without query string'),
  filter('httpUrl', '31', '[String!]', ['l7_kind', 'http_url'], 'RE2 anywhere in the URL'),
  filter('httpHeader', '32', '[HeaderInput!]', ['http_header_keys', 'http_header_values'], 'a header with exactly this key and value'),
  filter('traceId', '28', '[String!]', ['trace_id'], 'W3C trace id equal; empty = no trace'),
  filter('ipTraceId', '39', '[UInt64!]', ['ip_trace_id'], 'trace id of the IP option equal'),
  { ...filter('celExpression', '999.1', '[String!]', [], 'CEL condition on `_flow`, a subset (docs: Ask, section CEL): any of them is true; an error while it is evaluated is no match'), proto: 'experimental.cel_expression' },
  { ...filter('matchInferred', '', 'Boolean = false', ['src_workload', 'dst_workload'], 'ours: workload and service filters also match what was inferred from pod names, labels and the endpoint history'), proto: null, number: null },
];

/**
 * SDL text of the GraphQL input `FlowFilter`, one described field a line; `WorkloadInput` and the other input types it
 * names are in the hand-written schema.
 */
export function flowFilterSdl(): string {
  const lines = FILTER_FIELDS.map((field) => {
    return `  "${field.meaning.replaceAll('"', "'")}"\n  ${field.name}: ${field.input}`;
  });
  return [
    '"""',
    'Hubble’s FlowFilter, field for field: set fields are AND, values of one field are OR; an empty filter matches',
    'every flow. In `flows` source and destination are the sender and the receiver of the packet, as in Hubble. In',
    '`redMetrics`, `drops` and `serviceMap` they are the client and the server of the call, the destination port is',
    'the server’s port, and a workload is the canonical workload that these answers group by.',
    '"""',
    'input FlowFilter {',
    ...lines,
    '}',
    '',
  ].join('\n');
}

/** Markdown reference of the filter fields, for `docs/reference/filters.md`. */
export function filterReference(): string {
  const rows = FILTER_FIELDS.map((field) => {
    const number = field.number ?? 'ours';
    const columns = field.columns.map((column) => `\`${column}\``).join(', ');
    const cell = field.meaning.replaceAll('|', '\\|');
    return `| \`${field.name}\` | ${number} | \`${field.input}\` | ${cell} | ${columns} |`;
  });
  return [
    '# Flow filters',
    '',
    'Set fields of one filter are AND, values of one field are OR, filters of a list are OR. A flow is in the answer when',
    'the allow list is empty or matches, and the deny list does not match.',
    '',
    '| field | FlowFilter number | type | matches when | columns |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
