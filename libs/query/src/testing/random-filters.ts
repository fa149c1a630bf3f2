import { TCP_FLAGS } from '../filter/flow-filter.js';
import type { FlowFilter, FlowFilterLists, FlowFilters } from '../filter/flow-filter.js';
import { VERDICT } from '@flowledger/model';
import fc from 'fast-check';
import { WORDS } from './odd-flows.js';

function among<T>(values: readonly T[]): fc.Arbitrary<T> {
  return fc.constantFrom(...values);
}

const present = (values: readonly string[]) => among(values.filter((value) => value !== ''));
const block = fc.tuple(present(WORDS.ips), fc.integer({ min: 0, max: 128 })).map(([ip, bits]) => {
  const width = ip.includes(':') ? 128 : 32;
  return `${ip}/${Math.min(bits, width)}`;
});
const address = fc.oneof(present(WORDS.ips), block);
const prefix = (values: readonly string[]) =>
  fc.tuple(among(values), fc.nat({ max: 8 })).map(([text, length]) => text.slice(0, length));
const named = (names: readonly string[]) =>
  fc
    .oneof(
      prefix(names),
      fc.tuple(among(WORDS.namespaces), prefix(names)).map(([namespace, name]) => `${namespace}/${name}`),
    )
    .filter((text) => text !== '');
const glob = (values: readonly string[]) =>
  fc
    .tuple(present(values), fc.nat({ max: 12 }), fc.nat({ max: 12 }))
    .map(
      ([text, start, end]) =>
        text.slice(0, start) + (start < end ? '*' : '') + text.slice(Math.max(start, end)),
    )
    .filter((text) => /^[-\w.*]*[-\w*]\.?$/.test(text));
const KEYS = [
  'app',
  'k8s:app',
  'any:app',
  'tier',
  'reserved:world',
  'world',
  'cidr:10.0.0.0/8',
  'a.b/c',
  'k8s:tier',
];
const requirement = fc.oneof(
  among(KEYS),
  among(KEYS).map((key) => `!${key}`),
  fc
    .tuple(among(KEYS), among(['=', '==', '!=']), among(['web', 'db', '7', '', 'd_e']))
    .map((parts) => parts.join('')),
  fc.tuple(among(KEYS), among([' in (web, 7)', ' notin (db, abc)'])).map((parts) => parts.join('')),
  fc.tuple(among(KEYS), among(['>', '<']), among(['6', '7', '-1'])).map((parts) => parts.join('')),
);
const selector = fc.oneof(
  requirement,
  fc.tuple(requirement, requirement).map((both) => both.join(', ')),
  fc.constant(''),
);
const regex = (values: readonly string[]) =>
  fc.oneof(
    prefix(values).map((text) => text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')),
    among([
      '',
      '.',
      '^/',
      '$',
      '^$',
      '(?i)example',
      'a|b',
      '[a-z]+\\.com\\.$',
      '\\d{1,3}',
      '^.*b$',
      '日',
      '(?s)a.b',
      'a.b',
      '\\bweb\\b',
      '[^a]',
      '(',
      'a**',
    ]),
  );
const workload = fc.record(
  { name: among([...WORDS.workloads, 'none']), kind: among(WORDS.kinds) },
  { requiredKeys: [] },
);
const flags = fc.dictionary(among(TCP_FLAGS), fc.boolean(), { maxKeys: 2 });
const node = fc.oneof(
  glob(['node-1', 'node-2', 'us']),
  fc
    .tuple(among(['', 'eu', '*', 'default']), among(['', 'node-1', 'node-*']))
    .map((parts) => parts.join('/')),
);

type Values = { readonly [Field in keyof FlowFilterLists]: fc.Arbitrary<FlowFilterLists[Field][number]> };

/** Values of each field; `celExpression` has its own test. */
export const FILTER_VALUES: Omit<Values, 'celExpression'> = {
  uuid: among([
    ...WORDS.uuids,
    '00000000-0000-0000-0000-000000000000',
    '43EEA867-DD4B-4E5E-B2B8-FE80E0F51B06',
  ]),
  sourceIp: address,
  destinationIp: address,
  sourceIpXlated: address,
  ipVersion: among(['IPv4', 'IPv6', 'IP_NOT_USED']),
  encrypted: fc.boolean(),
  sourcePod: named(WORDS.pods),
  destinationPod: named(WORDS.pods),
  sourceService: named(WORDS.workloads),
  destinationService: named(WORDS.workloads),
  sourceFqdn: glob(WORDS.names),
  destinationFqdn: glob(WORDS.names),
  sourceLabel: selector,
  destinationLabel: selector,
  nodeLabels: selector,
  sourceWorkload: workload,
  destinationWorkload: workload,
  sourceIdentity: among(WORDS.identities),
  destinationIdentity: among(WORDS.identities),
  sourceClusterName: present(WORDS.clusters),
  destinationClusterName: present(WORDS.clusters),
  nodeName: node,
  interface: fc.record({ index: among([0, 4]), name: among(WORDS.interfaces) }, { requiredKeys: [] }),
  sourcePort: among(WORDS.ports).map(String),
  destinationPort: among(WORDS.ports).map(String),
  protocol: among(['tcp', 'UDP', 'icmp', 'icmpv4', 'icmpv6', 'sctp', 'vrrp', 'igmp', 'dns', 'http', 'kafka']),
  tcpFlags: flags,
  reply: fc.boolean(),
  verdict: among([...Object.values(VERDICT.names), 'UNRECOGNIZED', 'UNKNOWN_99']),
  dropReasonDesc: among(['POLICY_DENIED', '181', '9999', '0']),
  trafficDirection: among(['UNKNOWN', 'INGRESS', 'EGRESS']),
  eventType: fc.record(
    { type: among([0, 1, 4, 129]), subType: among([0, 3, 133]) },
    { requiredKeys: ['type'] },
  ),
  dnsQuery: regex(WORDS.queries),
  httpStatusCode: among(['404', '200', '5+', '50+', '503', '2+']),
  httpMethod: among(['GET', 'get', 'Post']),
  httpPath: regex(WORDS.urls),
  httpUrl: regex(WORDS.urls),
  httpHeader: fc.record({ key: among(WORDS.headers), value: among(WORDS.traces) }),
  traceId: among(WORDS.traces),
  ipTraceId: among(WORDS.ipTraces),
};

function lists(fields: readonly string[]): fc.Arbitrary<FlowFilter> {
  const chosen = Object.entries(FILTER_VALUES).filter(([name]) => fields.includes(name));
  const values = chosen.map(([name, value]): [string, fc.Arbitrary<unknown>] => [
    name,
    fc.array<unknown>(value, { minLength: 1, maxLength: 2 }),
  ]);
  return fc.record({ ...Object.fromEntries(values), matchInferred: fc.boolean() });
}

/** A filter of one to three fields. */
export const randomFilter: fc.Arbitrary<FlowFilter> = fc
  .uniqueArray(among(Object.keys(FILTER_VALUES)), { minLength: 1, maxLength: 3 })
  .chain(lists);

/** Allow and deny lists. */
export const randomFilters: fc.Arbitrary<FlowFilters> = fc.record({
  allow: fc.array(randomFilter, { maxLength: 2 }),
  deny: fc.array(randomFilter, { maxLength: 1 }),
});
