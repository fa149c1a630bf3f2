import type { FlowView } from '../evaluate/flow-view.js';
import { isObject, listAt, objectAt, type Json, type JsonObject } from '../json.js';
import type { Entry, Policy, PortRule } from '../policy.js';
import type { Drafted } from './allow-rule.js';
import { peerMembers, peerSource, type PeerSource, type Precision } from './peer-source.js';
import { splitSubject } from './split-subject.js';
import { subtractPeer, type PeerLists } from './subtract-peer.js';

const WITH_PORTS = ['TCP', 'UDP', 'SCTP'];
const LAST_PORT = 65_535;
const RULES = /^(spec|specs\[(\d+)\])\.(ingressDeny|egressDeny)\[(\d+)\]$/;
/** What Kubernetes writes into objects; a draft is applied anew. */
const WRITTEN = ['creationTimestamp', 'generation', 'managedFields', 'resourceVersion', 'uid', 'selfLink'];
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function portJson(protocol: string, from: number, to: number): JsonObject {
  return { port: String(from), protocol, ...(to > from ? { endPort: to } : {}) };
}

/** One port rule without the port of a flow. */
function withoutPort(rule: PortRule, flow: FlowView): readonly JsonObject[] {
  const { protocol, from, to, named } = rule;
  const port = flow.port ?? 0;
  const protocols = protocol === 'ANY' ? WITH_PORTS : [protocol];
  return protocols.flatMap((one) => {
    if (named !== '') return [{ port: named, protocol: one }];
    const [first, last] = from === 0 ? [1, LAST_PORT] : [from, to];
    if (one !== flow.protocol || port < first || port > last) return [portJson(one, first, last)];
    const below = port > first ? [portJson(one, first, port - 1)] : [];
    return port < last ? [...below, portJson(one, port + 1, last)] : below;
  });
}

function peerLists(raw: JsonObject, prefix: 'from' | 'to'): PeerLists {
  const members = Object.keys(raw).filter((key) => key.startsWith(prefix) && key !== 'toPorts');
  return Object.fromEntries(members.map((key) => [key, listAt(raw, key) ?? []]));
}

/** The rules that deny what one rule denies, but for one peer on one port. */
function narrowed(
  raw: JsonObject,
  entry: Entry,
  flow: FlowView,
  peer: PeerSource,
  scope: string,
): readonly Json[] | undefined {
  const prefix = flow.direction === 'INGRESS' ? 'from' : 'to';
  const others = subtractPeer(peerLists(raw, prefix), prefix, peer, scope);
  if (others === undefined) return undefined;
  const toPorts = raw['toPorts'];
  const ports: JsonObject = toPorts === undefined ? {} : { toPorts };
  const rest = Object.entries(others).map(([member, list]) => ({ [member]: list, ...ports }));
  const everyPort: PortRule = { protocol: 'ANY', from: 0, to: 0, named: '', l7: false };
  const left = (entry.ports ?? [everyPort]).flatMap((rule) => withoutPort(rule, flow));
  if (left.length === 0) return rest;
  // A deny rule cannot be about names; the address is what it sees.
  const same = peer.kind === 'names' && peer.ip !== null ? ({ kind: 'address', ip: peer.ip } as const) : peer;
  return [...rest, { ...peerMembers(same, flow.direction, scope), toPorts: [{ ports: left }] }];
}

function cleaned(object: JsonObject): JsonObject {
  const metadata = objectAt(object, 'metadata');
  const kept = Object.entries(metadata).filter(([key]) => !WRITTEN.includes(key) && key !== 'annotations');
  const annotations = Object.entries(objectAt(metadata, 'annotations')).filter(
    ([key]) => key !== LAST_APPLIED,
  );
  const { status: _, ...rest } = object;
  return {
    ...rest,
    metadata: {
      ...Object.fromEntries(kept),
      ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    },
  };
}

/** Replaces elements of the deny lists of one spec. */
function replaceIn(
  spec: JsonObject,
  list: string,
  replacements: ReadonlyMap<number, readonly Json[]>,
): JsonObject {
  const changed = (listAt(spec, list) ?? []).flatMap((one, i) => replacements.get(i) ?? [one]);
  const { [list]: _, ...rest } = spec;
  if (changed.length > 0) return { ...rest, [list]: changed };
  // The deny rule alone closed the endpoint by default; an empty allow rule goes on doing that.
  const allow = list.replace('Deny', '');
  return (listAt(spec, allow) ?? []).length > 0 ? rest : { ...rest, [allow]: [{}] };
}

/** A place in a policy object: the spec by its number (null = `spec`), the list, and the element. */
interface RulePlace {
  readonly specs: number | null;
  readonly list: string;
  readonly index: number;
}

function placeOf({ path }: Entry): RulePlace {
  const [, , specs, list = '', index = ''] = RULES.exec(path) ?? [];
  return { specs: specs === undefined ? null : Number(specs), list, index: Number(index) };
}

function specOf(object: JsonObject, specs: number | null): JsonObject {
  const spec = specs === null ? object['spec'] : listAt(object, 'specs')?.[specs];
  return isObject(spec) ? spec : {};
}

/** An object with other specs: `spec` where one is left of one, else `specs`. */
function withSpecs(
  object: JsonObject,
  changed: ReadonlyMap<number | null, readonly JsonObject[]>,
): JsonObject {
  const { spec, specs: _, ...rest } = object;
  const first = spec === undefined ? [] : (changed.get(null) ?? [spec]);
  const more = (listAt(object, 'specs') ?? []).flatMap((one, i): readonly Json[] => changed.get(i) ?? [one]);
  const [only, ...others] = [...first, ...more];
  return only !== undefined && others.length === 0 && spec !== undefined
    ? { ...rest, spec: only }
    : { ...rest, specs: [...first, ...more] };
}

/**
 * A policy object whose deny rules leave out exactly one peer on one port at one endpoint: the rest of what they deny
 * stays denied. The reason says which rule cannot be narrowed.
 */
export function narrowDeny(
  policy: Policy,
  entries: readonly Entry[],
  flow: FlowView,
  precision: Precision,
): Drafted<JsonObject> {
  const { object, namespace } = policy;
  const peer = peerSource(flow.peer, flow.direction, precision);
  if (peer === undefined) return { ok: false, reason: 'the flow does not show who the peer is' };
  const rulesBySpec = new Map<number | null, Map<number, readonly Json[]>>();
  for (const entry of entries) {
    const { specs, list, index } = placeOf(entry);
    const raw = listAt(specOf(object, specs), list)?.[index];
    const rules = isObject(raw) ? narrowed(raw, entry, flow, peer, namespace) : undefined;
    if (rules === undefined || entry.icmps !== null)
      return { ok: false, reason: `${entry.path} cannot be narrowed to leave this out` };
    const known = rulesBySpec.get(specs) ?? new Map<number, readonly Json[]>();
    rulesBySpec.set(specs, known.set(index, rules));
  }
  const list = flow.direction === 'INGRESS' ? 'ingressDeny' : 'egressDeny';
  const changed = new Map<number | null, readonly JsonObject[]>();
  for (const [specs, rules] of rulesBySpec) {
    const spec = specOf(object, specs);
    const split = splitSubject(spec, replaceIn(spec, list, rules), flow.subject, {
      scope: namespace,
      precision,
    });
    if (split === undefined)
      return { ok: false, reason: 'the flow shows no label by which the endpoint could be told apart' };
    changed.set(specs, split);
  }
  return { ok: true, value: cleaned(withSpecs(object, changed)) };
}
