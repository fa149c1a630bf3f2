import fc from 'fast-check';
import type { Json } from '../json.js';
import type { Policy } from '../policy.js';
import { anyPolicies, cilium, flow, pod, reserved } from './views.js';

const APPS = ['a', 'b', 'c'];
const NAMESPACES = ['x', 'y'];
const ends = fc.oneof(
  fc.tuple(fc.constantFrom(...NAMESPACES), fc.constantFrom(...APPS)).map(([ns, name]) => pod(ns, name)),
  fc.constantFrom('world', 'host', 'remote-node', 'kube-apiserver').map((name) => reserved(name)),
  fc.constant(reserved('world', '198.51.100.9', 'api.example.com')),
);
/** Connections between a few ends. */
export const views = fc
  .record({
    direction: fc.constantFrom('INGRESS' as const, 'EGRESS' as const),
    subject: ends,
    peer: ends,
    port: fc.constantFrom<number | string>(80, 443, 8080, 'UDP/53', 'ICMPv4/'),
    l7: fc.boolean(),
  })
  .map(({ direction, subject, peer, port, l7 }) => flow(direction, subject, peer, port, { l7 }));

const labels = fc.constantFrom<Json>({}, ...APPS.map((name) => ({ matchLabels: { app: name } })));
const toPorts = fc.option(
  fc.constantFrom<Json>(
    [{ ports: [{ port: '80', protocol: 'TCP' }] }],
    [{ ports: [{ port: '443', endPort: 9000, protocol: 'TCP' }] }],
    [{ ports: [{ port: 'http', protocol: 'TCP' }] }],
    [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: [{ matchPattern: '*' }] } }],
  ),
  { nil: undefined },
);
const peersOf = (prefix: 'from' | 'to') =>
  fc.oneof(
    labels.map((one) => ({ [`${prefix}Endpoints`]: [one] })),
    fc
      .constantFrom('all', 'world', 'cluster', 'host', 'nonsense')
      .map((name) => ({ [`${prefix}Entities`]: [name] })),
    fc
      .constantFrom('0.0.0.0/0', '198.51.100.0/24', '10.0.0.0/8')
      .map((one) => ({ [`${prefix}CIDR`]: [one] })),
    fc.constant({}),
  );
/** One rule of a list. */
export const entryOf = (prefix: 'from' | 'to', l7: boolean): fc.Arbitrary<Json> =>
  fc.tuple(peersOf(prefix), toPorts).map(([peers, ports]) => ({
    ...peers,
    ...(ports === undefined || (!l7 && JSON.stringify(ports).includes('rules')) ? {} : { toPorts: ports }),
  }));
const list = (prefix: 'from' | 'to', l7: boolean) =>
  fc.option(fc.array(entryOf(prefix, l7), { maxLength: 2 }), { nil: undefined });
const specs = fc
  .record({
    endpointSelector: labels,
    ingress: list('from', true),
    egress: list('to', true),
    ingressDeny: list('from', false),
    egressDeny: list('to', false),
  })
  .map((spec) => Object.fromEntries(Object.entries(spec).filter(([, one]) => one !== undefined)) as Json);
/** A few policies, understood or not. */
export const sets: fc.Arbitrary<readonly Policy[]> = fc
  .array(fc.tuple(fc.constantFrom('', ...NAMESPACES), specs), { maxLength: 4 })
  .map((many) => anyPolicies(...many.map(([namespace, spec], i) => cilium(namespace, `p${i}`, spec))));
