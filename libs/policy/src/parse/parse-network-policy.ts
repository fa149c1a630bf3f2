import { NAMESPACE_LABELS, POD_NAMESPACE } from '../endpoint-view.js';
import { isObject, listAt, objectAt, textAt, type Json, type JsonObject } from '../json.js';
import type { DirectionRules, Entry, Peer, Rule } from '../policy.js';
import type { Requirement } from '../selector.js';
import type { Findings } from './findings.js';
import { inNamespace } from './parse-peers.js';
import { parseNetworkPorts } from './parse-ports.js';
import { parseSelector } from './parse-selector.js';

const SPEC_KEYS = new Set(['podSelector', 'ingress', 'egress', 'policyTypes']);
const PEER_KEYS = new Set(['podSelector', 'namespaceSelector', 'ipBlock']);
const ANY_POD: Requirement = { source: 'k8s', key: POD_NAMESPACE, operator: 'Exists', values: [] };

/** A selector of namespaces is one of pods by the labels that they carry of their namespace. */
function namespaceRequirements(value: Json | undefined, path: string, find: Findings) {
  const { requirements, doubts } = parseSelector(value, path, 'k8s', find);
  const carried = requirements.map((one) => ({ ...one, key: NAMESPACE_LABELS + one.key }));
  return { requirements: carried.length === 0 ? [ANY_POD] : carried, doubts };
}

function peer(value: Json, path: string, namespace: string, find: Findings): Peer {
  const given: JsonObject = isObject(value) ? value : {};
  const [unknown] = find.unknownKeys(given, PEER_KEYS, path);
  if (unknown !== undefined) return { kind: 'unknown', reason: unknown };
  if ('ipBlock' in given) {
    const block = objectAt(given, 'ipBlock');
    return { kind: 'cidr', cidr: textAt(block, 'cidr'), except: (listAt(block, 'except') ?? []).map(String) };
  }
  const pods = parseSelector(given['podSelector'], `${path}.podSelector`, 'k8s', find);
  const places =
    'namespaceSelector' in given
      ? namespaceRequirements(given['namespaceSelector'], `${path}.namespaceSelector`, find)
      : { requirements: [inNamespace(namespace)], doubts: [] };
  const [doubt] = [...pods.doubts, ...places.doubts];
  return doubt === undefined
    ? {
        kind: 'selector',
        selector: { requirements: [...pods.requirements, ...places.requirements] },
        anywhere: false,
      }
    : { kind: 'unknown', reason: doubt };
}

function entry(value: Json, path: string, key: 'from' | 'to', namespace: string, find: Findings): Entry {
  const rule: JsonObject = isObject(value) ? value : {};
  const doubts = find.unknownKeys(rule, new Set([key, 'ports']), path);
  const peers = listAt(rule, key) ?? [];
  const list = listAt(rule, 'ports') ?? [];
  const ports = parseNetworkPorts(list, `${path}.ports`, find);
  return {
    path,
    // Absent and empty mean the same here: everybody, every port.
    peers:
      peers.length === 0 ? null : peers.map((one, i) => peer(one, `${path}.${key}[${i}]`, namespace, find)),
    ports: list.length === 0 ? null : ports.ports,
    icmps: null,
    doubts: [...doubts, ...ports.doubts],
  };
}

/** Reads the `spec` of a Kubernetes NetworkPolicy. */
export function parseNetworkPolicySpec(value: Json, namespace: string, find: Findings): Rule | null {
  if (!isObject(value)) {
    find.say('spec', 'no rule');
    return null;
  }
  const unknown = find.unknownKeys(value, SPEC_KEYS, 'spec');
  const subject = parseSelector(value['podSelector'], 'spec.podSelector', 'k8s', find);
  const types = listAt(value, 'policyTypes')?.map(String) ?? [
    'Ingress',
    ...('egress' in value ? ['Egress'] : []),
  ];
  const rules = (key: 'ingress' | 'egress', type: string): DirectionRules => {
    const defaultDeny = types.includes(type);
    const list = defaultDeny ? (listAt(value, key) ?? []) : [];
    const side = key === 'ingress' ? 'from' : 'to';
    return {
      defaultDeny,
      allow: list.map((one, i) => entry(one, `spec.${key}[${i}]`, side, namespace, find)),
      deny: [],
    };
  };
  return {
    subject: { requirements: [...subject.requirements, inNamespace(namespace)] },
    aboutNodes: false,
    ingress: rules('ingress', 'Ingress'),
    egress: rules('egress', 'Egress'),
    doubts: [...unknown, ...subject.doubts],
  };
}
