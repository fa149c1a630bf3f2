import { POD_NAMESPACE, POLICY_CLUSTER } from '../endpoint-view.js';
import { isObject, listAt, type Json, type JsonObject } from '../json.js';
import { hostRange, type PeerSource } from './peer-source.js';

/** Everything that the entity `all` means beside pods. */
const NO_PODS = ['host', 'remote-node', 'kube-apiserver', 'health', 'init', 'ingress', 'unmanaged'];
const NAMESPACE_KEY = `k8s:${POD_NAMESPACE}`;
const EVERY_ADDRESS = ['0.0.0.0/0', '::/0'];

/** Members of rules that name peers, by member (`fromEndpoints`, …). Each needs a rule of its own. */
export type PeerLists = Readonly<Record<string, readonly Json[]>>;

const inList = (key: string, values: readonly string[]): JsonObject => ({ key, operator: 'In', values });
const notIn = (key: string, values: readonly string[]): JsonObject => ({ key, operator: 'NotIn', values });

function withExpressions(selector: Json, expressions: readonly JsonObject[]): JsonObject {
  const given: JsonObject = isObject(selector) ? selector : {};
  return { ...given, matchExpressions: [...(listAt(given, 'matchExpressions') ?? []), ...expressions] };
}

/** Whether a selector says itself which namespaces it means. */
function namesNamespace(selector: Json): boolean {
  return JSON.stringify(selector).includes(POD_NAMESPACE);
}

/**
 * Selectors that together select what one selects, without some pods: one selector for each label that those pods have,
 * which selects whatever has another value there. `scope` = the policy's namespace, '' for a cluster-wide one.
 */
function withoutPods(
  selector: Json,
  { namespace, labels }: Extract<PeerSource, { kind: 'pods' }>,
  scope: string,
): readonly Json[] {
  const free = scope === '' || namesNamespace(selector);
  // A selector of the policy's own namespace only: pods elsewhere are not among what it selects.
  if (!free && namespace !== scope) return [selector];
  const here = free ? [inList(NAMESPACE_KEY, [namespace])] : [];
  const others = labels.map((label) => withExpressions(selector, [...here, notIn(label.key, [label.value])]));
  const elsewhere = withExpressions(selector, [
    { key: NAMESPACE_KEY, operator: 'Exists' },
    notIn(NAMESPACE_KEY, [namespace]),
  ]);
  return free ? [elsewhere, ...others] : others;
}

function everyPodBut(peer: Extract<PeerSource, { kind: 'pods' }>, onlyCluster: boolean): readonly Json[] {
  const cluster: JsonObject =
    onlyCluster && peer.cluster !== undefined
      ? { matchLabels: { [`k8s:${POLICY_CLUSTER}`]: peer.cluster } }
      : {};
  return withoutPods(cluster, peer, '');
}

/** `all` or `cluster` taken apart, so that one peer can be left out. */
function wideEntity(entity: 'all' | 'cluster', peer: PeerSource, prefix: string): PeerLists {
  const rest = NO_PODS.filter((name) => peer.kind !== 'entity' || name !== peer.entity);
  const world = entity === 'all' ? ['world'] : [];
  if (peer.kind === 'pods')
    return {
      [`${prefix}Endpoints`]: everyPodBut(peer, entity === 'cluster'),
      [`${prefix}Entities`]: [...world, ...rest],
    };
  const pods = [{ matchExpressions: [{ key: NAMESPACE_KEY, operator: 'Exists' }] }];
  if (peer.kind === 'entity')
    return { [`${prefix}Endpoints`]: pods, [`${prefix}Entities`]: [...world, ...rest] };
  if (entity === 'cluster') return { [`${prefix}Entities`]: ['cluster'] };
  return {
    [`${prefix}Endpoints`]: pods,
    [`${prefix}Entities`]: NO_PODS,
    ...everyAddressBut(peer, prefix),
  };
}

function everyAddressBut(peer: PeerSource, prefix: string): PeerLists {
  const ip = peer.kind === 'address' || peer.kind === 'names' ? peer.ip : null;
  if (ip === null) return { [`${prefix}Entities`]: ['world'] };
  return {
    [`${prefix}CIDRSet`]: EVERY_ADDRESS.map((cidr): JsonObject =>
      cidr.includes(':') === ip.includes(':') ? { cidr, except: [hostRange(ip)] } : { cidr },
    ),
  };
}

function withoutAddress(
  range: { readonly cidr: string; readonly except: readonly string[] },
  ip: string,
): readonly Json[] {
  const host = hostRange(ip);
  return range.cidr === host ? [] : [{ cidr: range.cidr, except: [...range.except, host] }];
}

/** One element of a member without a peer; undefined when the member cannot be narrowed. */
function subtractOne(member: string, value: Json, peer: PeerSource, scope: string): PeerLists | undefined {
  const prefix = member.startsWith('from') ? 'from' : 'to';
  const kind = member.slice(prefix.length);
  if (kind === 'Endpoints')
    return { [member]: peer.kind === 'pods' ? withoutPods(value, peer, scope) : [value] };
  if (kind === 'Entities') {
    if (value === 'all' || value === 'cluster') return wideEntity(value, peer, prefix);
    if (value === 'world' && (peer.kind === 'address' || peer.kind === 'names'))
      return everyAddressBut(peer, prefix);
    return { [member]: peer.kind === 'entity' && peer.entity === value ? [] : [value] };
  }
  const ip = peer.kind === 'address' || peer.kind === 'names' ? peer.ip : null;
  if (kind === 'CIDR')
    return {
      [`${prefix}CIDRSet`]:
        ip === null ? [{ cidr: value }] : withoutAddress({ cidr: String(value), except: [] }, ip),
    };
  if (kind !== 'CIDRSet' || !isObject(value) || typeof value['cidr'] !== 'string') return undefined;
  const except = (listAt(value, 'except') ?? []).map(String);
  return { [member]: ip === null ? [value] : withoutAddress({ cidr: value['cidr'], except }, ip) };
}

/**
 * Peers of a rule without one of them, by member; members need rules of their own, since Cilium refuses several in one.
 * `lists` empty = everybody. Undefined when something in it cannot be narrowed.
 */
export function subtractPeer(
  lists: PeerLists,
  prefix: 'from' | 'to',
  peer: PeerSource,
  scope: string,
): PeerLists | undefined {
  if (Object.keys(lists).length === 0) return wideEntity('all', peer, prefix);
  const result: Record<string, readonly Json[]> = {};
  for (const [member, values] of Object.entries(lists)) {
    for (const value of values) {
      const parts = subtractOne(member, value, peer, scope);
      if (parts === undefined) return undefined;
      for (const [name, list] of Object.entries(parts)) result[name] = [...(result[name] ?? []), ...list];
    }
  }
  return Object.fromEntries(Object.entries(result).filter(([, list]) => list.length > 0));
}
