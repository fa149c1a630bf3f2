import { NAMESPACE_LABELS, POD_NAMESPACE } from '../endpoint-view.js';
import { isObject, listAt, textAt, type Json, type JsonObject } from '../json.js';
import type { Peer } from '../policy.js';
import type { Requirement, Selector } from '../selector.js';
import type { Findings } from './findings.js';
import { parseSelector } from './parse-selector.js';

/** Entities that Cilium knows. */
const ENTITIES = new Set([
  'all',
  'world',
  'world-ipv4',
  'world-ipv6',
  'cluster',
  'host',
  'remote-node',
  'kube-apiserver',
  'health',
  'init',
  'ingress',
  'unmanaged',
  'none',
]);
const CIDR_KEYS = new Set(['cidr', 'except']);

/** A condition that an endpoint is in a namespace. */
export function inNamespace(namespace: string): Requirement {
  return { source: 'k8s', key: POD_NAMESPACE, operator: 'In', values: [namespace] };
}

const ANY_POD: Requirement = { source: 'k8s', key: POD_NAMESPACE, operator: 'Exists', values: [] };

/**
 * A peer selector of a Cilium policy means, unless it speaks of namespaces itself, the policy's own namespace; in a
 * cluster-wide policy every pod. Selectors of reserved labels are not narrowed.
 */
function scoped(requirements: readonly Requirement[], namespace: string): Peer {
  const free = requirements.some(
    ({ source, key }) => source === 'reserved' || key === POD_NAMESPACE || key.startsWith(NAMESPACE_LABELS),
  );
  if (free) return { kind: 'selector', selector: { requirements }, anywhere: false };
  const scope = namespace === '' ? ANY_POD : inNamespace(namespace);
  const selector: Selector = { requirements: [...requirements, scope] };
  return { kind: 'selector', selector, anywhere: namespace === '' };
}

function endpoint(value: Json, path: string, namespace: string, find: Findings): Peer {
  const { requirements, doubts } = parseSelector(value, path, 'any', find);
  const [doubt] = doubts;
  return doubt === undefined ? scoped(requirements, namespace) : { kind: 'unknown', reason: doubt };
}

function entity(value: Json, path: string, find: Findings): Peer {
  const name = String(value);
  return ENTITIES.has(name)
    ? { kind: 'entity', entity: name }
    : { kind: 'unknown', reason: find.say(path, `entity ${name} is not known to this version`) };
}

function cidrSet(value: Json, path: string, find: Findings): Peer {
  const given: JsonObject = isObject(value) ? value : {};
  const [doubt] = find.unknownKeys(given, CIDR_KEYS, path);
  if (doubt !== undefined) return { kind: 'unknown', reason: doubt };
  const except = (listAt(given, 'except') ?? []).map(String);
  return { kind: 'cidr', cidr: textAt(given, 'cidr'), except };
}

function fqdn(value: Json): Peer {
  const given: JsonObject = isObject(value) ? value : {};
  return { kind: 'fqdn', name: textAt(given, 'matchName'), pattern: textAt(given, 'matchPattern') };
}

type Reader = (value: Json, path: string, namespace: string, find: Findings) => Peer;

const notJudged =
  (what: string): Reader =>
  () => ({ kind: 'unknown', reason: `${what} name objects whose addresses are not stored` });

/** Members of a Cilium rule that name peers, without their `from`/`to`. */
const READERS: Readonly<Record<string, Reader>> = {
  Endpoints: endpoint,
  Entities: (value, path, _namespace, find) => entity(value, path, find),
  CIDR: (value) => ({ kind: 'cidr', cidr: String(value), except: [] }),
  CIDRSet: (value, path, _namespace, find) => cidrSet(value, path, find),
  FQDNs: (value) => fqdn(value),
  Nodes: () => ({ kind: 'nodes', text: 'nodes by label' }),
  Services: notJudged('toServices'),
  Groups: notJudged('groups of a cloud provider'),
};

/** Keys of a Cilium rule that name peers, in one direction. */
export function peerKeys(prefix: 'from' | 'to'): readonly string[] {
  return Object.keys(READERS).map((member) => prefix + member);
}

/** Peers of one Cilium rule; null when it names none, so that only ports matter. */
export function parsePeers(
  rule: JsonObject,
  prefix: 'from' | 'to',
  at: { readonly path: string; readonly namespace: string },
  find: Findings,
): { readonly peers: readonly Peer[] | null; readonly doubts: readonly string[] } {
  const peers: Peer[] = [];
  let named = 0;
  let filled = 0;
  for (const [member, read] of Object.entries(READERS)) {
    const key = prefix + member;
    const list = listAt(rule, key);
    if (list === undefined) continue;
    named++;
    if (list.length > 0) filled++;
    peers.push(...list.map((one, i) => read(one, `${at.path}.${key}[${i}]`, at.namespace, find)));
  }
  const doubts =
    filled > 1 ? [find.say(at.path, 'several kinds of peers in one rule, which Cilium refuses')] : [];
  return { peers: named === 0 ? null : peers, doubts };
}
