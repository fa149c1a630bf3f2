import { isObject, listAt, objectAt, type Json, type JsonObject } from '../json.js';
import type { DirectionRules, Entry, Rule } from '../policy.js';
import type { Findings } from './findings.js';
import { parsePeers, peerKeys, inNamespace } from './parse-peers.js';
import { parseIcmps, parseToPorts } from './parse-ports.js';
import { parseSelector } from './parse-selector.js';

const SPEC_KEYS = new Set([
  'endpointSelector',
  'nodeSelector',
  'ingress',
  'ingressDeny',
  'egress',
  'egressDeny',
  'enableDefaultDeny',
  'description',
  'labels',
  'log',
]);
const ENTRY_KEYS = ['toPorts', 'icmps', 'authentication'];

interface Place {
  readonly namespace: string;
  readonly prefix: 'from' | 'to';
}

function authDoubt(rule: JsonObject, path: string): string[] {
  const mode = objectAt(rule, 'authentication')['mode'];
  return mode === undefined || mode === 'disabled'
    ? []
    : [`${path}: mutual authentication decides as well (${String(mode)})`];
}

function entry(value: Json, path: string, { namespace, prefix }: Place, find: Findings): Entry {
  const rule: JsonObject = isObject(value) ? value : {};
  const requires = `${prefix}Requires`;
  const known = new Set([...ENTRY_KEYS, ...peerKeys(prefix), requires]);
  const doubts = [...find.unknownKeys(rule, known, path), ...authDoubt(rule, path)];
  if (requires in rule)
    doubts.push(find.say(`${path}.${requires}`, 'requirements of other rules are not judged'));
  const peers = parsePeers(rule, prefix, { path, namespace }, find);
  const ports = parseToPorts(listAt(rule, 'toPorts'), `${path}.toPorts`, find);
  const icmps = parseIcmps(listAt(rule, 'icmps'), `${path}.icmps`, find);
  // A rule that says nothing at all selects nobody: it only switches default deny on.
  const says = peers.peers !== null || ports.ports !== null || icmps !== null || doubts.length > 0;
  return {
    path,
    peers: says ? peers.peers : [],
    ports: ports.ports,
    icmps,
    doubts: [...doubts, ...peers.doubts, ...ports.doubts],
  };
}

function direction(
  spec: JsonObject,
  key: 'ingress' | 'egress',
  path: string,
  at: Place,
  find: Findings,
): DirectionRules {
  const read = (name: string): readonly Entry[] =>
    (listAt(spec, name) ?? []).map((one, i) => entry(one, `${path}.${name}[${i}]`, at, find));
  const allow = read(key);
  const deny = read(`${key}Deny`);
  const chosen = objectAt(spec, 'enableDefaultDeny')[key];
  const defaultDeny = typeof chosen === 'boolean' ? chosen : allow.length > 0 || deny.length > 0;
  return { defaultDeny, allow, deny };
}

/** Reads one `spec` of a CiliumNetworkPolicy (`namespace` set) or CiliumClusterwideNetworkPolicy (''). */
export function parseCiliumSpec(value: Json, path: string, namespace: string, find: Findings): Rule | null {
  if (!isObject(value)) {
    find.say(path, 'no rule');
    return null;
  }
  const unknown = find.unknownKeys(value, SPEC_KEYS, path);
  const aboutNodes = 'nodeSelector' in value;
  if (!aboutNodes && !('endpointSelector' in value)) {
    find.say(path, 'neither endpointSelector nor nodeSelector: Cilium refuses it');
    return null;
  }
  const subject = parseSelector(value['endpointSelector'], `${path}.endpointSelector`, 'any', find);
  const scope = namespace === '' ? [] : [inNamespace(namespace)];
  return {
    subject: aboutNodes ? null : { requirements: [...subject.requirements, ...scope] },
    aboutNodes,
    ingress: direction(value, 'ingress', path, { namespace, prefix: 'from' }, find),
    egress: direction(value, 'egress', path, { namespace, prefix: 'to' }, find),
    doubts: [...unknown, ...subject.doubts],
  };
}
