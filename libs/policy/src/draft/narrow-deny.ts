import type { FlowView } from '../evaluate/flow-view.js';
import { isObject, listAt, objectAt, type Json, type JsonObject } from '../json.js';
import type { Entry, Policy, PortRule } from '../policy.js';
import type { Drafted } from './allow-rule.js';
import { peerMembers, peerSource, type PeerSource, type Precision } from './peer-source.js';
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
    if (one !== flow.protocol) return [portJson(one, from, to)];
    const [first, last] = from === 0 ? [1, LAST_PORT] : [from, to];
    if (port < first || port > last) return [portJson(one, from, to)];
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
  return changed.length === 0 ? rest : { ...rest, [list]: changed };
}

function replaced(
  object: JsonObject,
  at: { specs: number | null; list: string },
  by: ReadonlyMap<number, readonly Json[]>,
): JsonObject {
  if (at.specs === null) return { ...object, spec: replaceIn(objectAt(object, 'spec'), at.list, by) };
  const specs = (listAt(object, 'specs') ?? []).map((spec, i) =>
    i === at.specs && isObject(spec) ? replaceIn(spec, at.list, by) : spec,
  );
  return { ...object, specs };
}

function rawEntry(
  object: JsonObject,
  specs: number | null,
  list: string,
  index: number,
): JsonObject | undefined {
  const spec = specs === null ? object['spec'] : listAt(object, 'specs')?.[specs];
  const raw = isObject(spec) ? listAt(spec, list)?.[index] : undefined;
  return isObject(raw) ? raw : undefined;
}

/**
 * A policy object whose deny rules leave out exactly one peer on one port: the rest of what they deny stays denied. The
 * reason says which rule cannot be narrowed.
 */
export function narrowDeny(
  policy: Policy,
  entries: readonly Entry[],
  flow: FlowView,
  precision: Precision,
): Drafted<JsonObject> {
  const peer = peerSource(flow.peer, flow.direction, precision);
  if (peer === undefined) return { ok: false, reason: 'the flow does not show who the peer is' };
  let object = cleaned(policy.object);
  const places = new Map<string, { specs: number | null; list: string; by: Map<number, readonly Json[]> }>();
  for (const entry of entries) {
    const [, , specsText, list = '', index = ''] = RULES.exec(entry.path) ?? [];
    const specs = specsText === undefined ? null : Number(specsText);
    const raw = rawEntry(policy.object, specs, list, Number(index));
    const rules = raw && narrowed(raw, entry, flow, peer, policy.namespace);
    if (rules === undefined || entry.icmps !== null)
      return { ok: false, reason: `${entry.path} cannot be narrowed to leave this out` };
    const key = `${specs} ${list}`;
    const place = places.get(key) ?? { specs, list, by: new Map() };
    place.by.set(Number(index), rules);
    places.set(key, place);
  }
  for (const { by, ...at } of places.values()) object = replaced(object, at, by);
  return { ok: true, value: object };
}
