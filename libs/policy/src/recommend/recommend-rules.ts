import {
  matchLabels,
  peerMembers,
  hostRange,
  peerSource,
  type PeerSource,
  type Precision,
} from '../draft/peer-source.js';
import { portMember } from '../draft/allow-rule.js';
import { isPod, POD_NAMESPACE, type EndpointView } from '../endpoint-view.js';
import type { Json, JsonObject } from '../json.js';
import type { Direction } from '../policy.js';
import { commonLabels } from './common-labels.js';
import type { ObservedEdge } from './observed-edge.js';

/** Addresses of the world that are listed one by one; more become the entity. */
const MAX_ADDRESSES = 8;
const DNS_PORT = 53;

/** A rule, and the edges that it was made from. */
export interface RecommendedRule {
  readonly rule: JsonObject;
  /** Peer and ports, in words. */
  readonly text: string;
  readonly edges: readonly ObservedEdge[];
}

/** Rules of one direction of a workload. */
export interface DirectionRecommendation {
  readonly rules: readonly RecommendedRule[];
  readonly warnings: readonly string[];
}

/** What the whole window shows about pods, so that selectors tell workloads apart. */
export interface KnownPods {
  readonly ofWorkload: (namespace: string, workload: string) => readonly EndpointView[];
  readonly othersIn: (namespace: string, workload: string) => readonly EndpointView[];
}

interface PeerGroup {
  readonly members: Record<string, Json>;
  readonly text: string;
  readonly warning: string | null;
}

function fqdnLabels(end: EndpointView): readonly string[] {
  return end.labels.filter(({ source }) => source === 'fqdn').map(({ key }) => key);
}

function worldGroup(edges: readonly ObservedEdge[], direction: Direction): PeerGroup {
  const prefix = direction === 'INGRESS' ? 'from' : 'to';
  const ends = edges.flatMap((edge) => edge.views.map((view) => view.peer));
  const [first] = ends;
  const patterns = [...new Set(ends.flatMap(fqdnLabels))];
  if (direction === 'EGRESS' && patterns.length > 0)
    return {
      members: { toFQDNs: patterns.map((one) => ({ matchPattern: one })) },
      text: patterns.join(', '),
      warning: null,
    };
  const ranges = [
    ...new Set(
      ends.flatMap((end) => end.labels.filter(({ source }) => source === 'cidr').map(({ key }) => key)),
    ),
  ];
  if (ranges.length > 0)
    return { members: { [`${prefix}CIDR`]: ranges }, text: ranges.join(', '), warning: null };
  const addresses = [...new Set(ends.map((end) => end.ip).filter((ip) => ip !== null))];
  const count = Math.max(addresses.length, ...edges.map((edge) => edge.peerAddresses));
  if (count <= MAX_ADDRESSES && addresses.length > 0)
    return {
      members: { [`${prefix}CIDR`]: addresses.map(hostRange) },
      text: addresses.join(', '),
      warning: null,
    };
  const entity = first?.reserved.has('world') === false ? ([...first.reserved][0] ?? 'world') : 'world';
  return {
    members: { [`${prefix}Entities`]: [entity] },
    text: `entity ${entity}`,
    warning: `${count} addresses of the world ${direction === 'INGRESS' ? 'call' : 'are called'} without names: the rule allows all of it`,
  };
}

function podGroup(
  edge: ObservedEdge,
  known: KnownPods,
  namespace: string,
  direction: Direction,
  precision: Precision,
): PeerGroup | null {
  const { peerNamespace, peerWorkload } = edge;
  const labels = commonLabels(
    known.ofWorkload(peerNamespace, peerWorkload),
    known.othersIn(peerNamespace, peerWorkload),
    precision,
  );
  if (labels === undefined) return null;
  const elsewhere: JsonObject =
    peerNamespace === namespace ? {} : { [`k8s:${POD_NAMESPACE}`]: peerNamespace };
  const prefix = direction === 'INGRESS' ? 'from' : 'to';
  return {
    members: { [`${prefix}Endpoints`]: [{ matchLabels: { ...matchLabels(labels), ...elsewhere } }] },
    text: `${peerNamespace}/${peerWorkload}`,
    warning: null,
  };
}

function peerGroup(
  edges: readonly ObservedEdge[],
  known: KnownPods,
  at: { readonly namespace: string; readonly direction: Direction; readonly precision: Precision },
): PeerGroup | null {
  const [edge] = edges;
  const peer = edge?.views[0]?.peer;
  if (edge === undefined || peer === undefined) return null;
  if (isPod(peer)) return podGroup(edge, known, at.namespace, at.direction, at.precision);
  const source: PeerSource | undefined = peerSource(peer, at.direction, at.precision);
  if (source === undefined) return null;
  if (source.kind === 'address') return worldGroup(edges, at.direction);
  const text =
    source.kind === 'entity'
      ? `entity ${source.entity}`
      : source.kind === 'names'
        ? source.names.join(', ')
        : '';
  return { members: peerMembers(source, at.direction, at.namespace), text, warning: null };
}

function groupKey(edge: ObservedEdge): string {
  const peer = edge.views[0]?.peer;
  if (peer === undefined) return '';
  if (isPod(peer)) return JSON.stringify([edge.peerNamespace, edge.peerWorkload]);
  const own = peer.labels.map(({ source, key }) => `${source}:${key}`).toSorted();
  return JSON.stringify([own, edge.direction === 'EGRESS' ? peer.names : []]);
}

function grouped(edges: readonly ObservedEdge[]): ReadonlyMap<string, readonly ObservedEdge[]> {
  const groups = new Map<string, ObservedEdge[]>();
  for (const edge of edges) {
    const key = groupKey(edge);
    groups.set(key, [...(groups.get(key) ?? []), edge]);
  }
  return groups;
}

interface Ports {
  readonly toPorts: readonly JsonObject[];
  readonly icmps: readonly Json[];
  readonly unnamed: readonly string[];
}

function portsOf(edges: readonly ObservedEdge[]): Ports {
  const toPorts = new Map<string, JsonObject>();
  const icmps = new Map<string, Json>();
  const unnamed = new Set<string>();
  for (const view of edges.flatMap((edge) => edge.views)) {
    const member = portMember(view);
    const port = (member?.['toPorts'] as readonly [{ ports: readonly [JsonObject] }] | undefined)?.[0]
      .ports[0];
    const icmp = (member?.['icmps'] as readonly [{ fields: readonly [Json] }] | undefined)?.[0].fields[0];
    if (port !== undefined) toPorts.set(JSON.stringify(port), port);
    else if (icmp !== undefined) icmps.set(JSON.stringify(icmp), icmp);
    else unnamed.add(view.protocol || 'an unknown protocol');
  }
  const byPort = (a: JsonObject, b: JsonObject): number => Number(a['port']) - Number(b['port']);
  return {
    toPorts: [...toPorts.values()].toSorted(byPort),
    icmps: [...icmps.values()],
    unnamed: [...unnamed],
  };
}

/** The rules that allow the observed connections of one workload in one direction, one for each peer. */
export function recommendRules(
  edges: readonly ObservedEdge[],
  known: KnownPods,
  at: { readonly namespace: string; readonly direction: Direction; readonly precision: Precision },
): DirectionRecommendation {
  const rules: RecommendedRule[] = [];
  const warnings: string[] = [];
  for (const group of grouped(edges).values()) {
    const peer = peerGroup(group, known, at);
    const [first] = group;
    if (peer === null) {
      warnings.push(
        `no rule for ${first?.peerNamespace}/${first?.peerWorkload}: nothing tells this peer apart`,
      );
      continue;
    }
    if (peer.warning !== null) warnings.push(peer.warning);
    const { toPorts, icmps, unnamed } = portsOf(group);
    for (const name of unnamed)
      warnings.push(`no rule for ${name} with ${peer.text}: policies cannot name it`);
    const isPort = (edge: ObservedEdge): boolean =>
      portMember(edge.views[0] ?? NO_VIEW)?.['toPorts'] !== undefined;
    if (toPorts.length > 0) {
      const text = toPorts.map(({ protocol, port }) => `${String(protocol)} ${String(port)}`).join(', ');
      rules.push({
        rule: { ...peer.members, toPorts: [{ ports: toPorts }] },
        text: `${peer.text} on ${text}`,
        edges: group.filter(isPort),
      });
    }
    if (icmps.length > 0)
      rules.push({
        rule: { ...peer.members, icmps: [{ fields: icmps }] },
        text: `${peer.text} by ICMP`,
        edges: group.filter((edge) => !isPort(edge)),
      });
  }
  return { rules: withDns(rules, warnings), warnings };
}

const NO_VIEW = {
  direction: 'INGRESS',
  subject: { labels: [], namespace: '', ip: null, names: [], reserved: new Set<string>(), known: false },
  peer: { labels: [], namespace: '', ip: null, names: [], reserved: new Set<string>(), known: false },
  protocol: '',
  port: null,
  icmpType: null,
  l7: false,
} as const;

/** Rules by name work only where look-ups pass the DNS proxy: the rule to the resolver says so. */
function withDns(rules: readonly RecommendedRule[], warnings: string[]): readonly RecommendedRule[] {
  if (!rules.some(({ rule }) => 'toFQDNs' in rule)) return rules;
  const isDns = ({ edges, rule }: RecommendedRule): boolean =>
    'toEndpoints' in rule && edges.some(({ views }) => views.some(({ port }) => port === DNS_PORT));
  if (!rules.some(isDns)) {
    warnings.push(
      'rules by name need look-ups through the DNS proxy, but no look-up of this workload was observed',
    );
    return rules;
  }
  return rules.map((one) => {
    if (!isDns(one)) return one;
    const [first] = one.rule['toPorts'] as readonly [JsonObject];
    return {
      ...one,
      rule: { ...one.rule, toPorts: [{ ...first, rules: { dns: [{ matchPattern: '*' }] } }] },
    };
  });
}
