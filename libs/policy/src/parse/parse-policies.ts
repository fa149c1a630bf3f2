import { isObject, listAt, objectAt, textAt, type Json, type JsonObject } from '../json.js';
import {
  policyTitle,
  type Policy,
  type PolicyKind,
  type PolicyName,
  type Problem,
  type Rule,
} from '../policy.js';
import { Findings } from './findings.js';
import { parseCiliumSpec } from './parse-cilium.js';
import { parseNetworkPolicySpec } from './parse-network-policy.js';

const KINDS: readonly PolicyKind[] = [
  'CiliumNetworkPolicy',
  'CiliumClusterwideNetworkPolicy',
  'NetworkPolicy',
];
const MILLISECOND_NS = 1_000_000n;

/** What a list of documents says: policies, and what was not understood of them. */
export interface ParsedPolicies {
  readonly policies: readonly Policy[];
  readonly problems: readonly Problem[];
}

function createdNs(metadata: JsonObject): bigint | null {
  const text = textAt(metadata, 'creationTimestamp');
  const ms = text === '' ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? null : BigInt(ms) * MILLISECOND_NS;
}

function rulesOf(object: JsonObject, name: PolicyName, find: Findings): readonly Rule[] {
  if (name.kind === 'NetworkPolicy') {
    const rule = parseNetworkPolicySpec(object['spec'] ?? null, name.namespace, find);
    return rule === null ? [] : [rule];
  }
  const specs = (listAt(object, 'specs') ?? []).map((spec, i) => [spec, `specs[${i}]`] as const);
  const spec = object['spec'];
  const given = spec === undefined ? specs : [[spec, 'spec'] as const, ...specs];
  if (given.length === 0) find.say('spec', 'no rule');
  return given
    .map(([one, path]) => parseCiliumSpec(one, path, name.namespace, find))
    .filter((rule) => rule !== null);
}

function policy(object: JsonObject, place: string): ParsedPolicies {
  const metadata = objectAt(object, 'metadata');
  const kind = KINDS.find((one) => one === object['kind']);
  if (kind === undefined) return { policies: [], problems: [] };
  const name = textAt(metadata, 'name');
  if (name === '')
    return { policies: [], problems: [{ policy: place, path: 'metadata.name', reason: 'no name' }] };
  const clusterwide = kind === 'CiliumClusterwideNetworkPolicy';
  const namespace = clusterwide ? '' : textAt(metadata, 'namespace') || 'default';
  const named: PolicyName = { kind, namespace, name };
  const find = new Findings(policyTitle(named));
  const rules = rulesOf(object, named, find);
  const read: Policy = { ...named, createdNs: createdNs(metadata), rules, doubt: null, object };
  return { policies: [read], problems: find.problems };
}

function objectsOf(document: Json, place: string): readonly (readonly [JsonObject, string])[] {
  if (!isObject(document)) return [];
  const items = listAt(document, 'items');
  if (items === undefined) return [[document, place]];
  return items.flatMap((item, i) => objectsOf(item, `${place} items[${i}]`));
}

/**
 * Reads policies from parsed documents: single objects and lists (`kubectl get cnp,ccnp,netpol -A -o yaml`). Objects of
 * other kinds are passed over. What is not understood is a problem, and keeps the rule it belongs to from being certain.
 */
export function parsePolicies(documents: readonly Json[]): ParsedPolicies {
  const read = documents
    .flatMap((document, i) => objectsOf(document, `document ${i + 1}`))
    .map(([object, place]) => policy(object, place));
  return {
    policies: read.flatMap((one) => one.policies),
    problems: read.flatMap((one) => one.problems),
  };
}
