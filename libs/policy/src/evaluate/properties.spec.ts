import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../json.js';
import { anyPolicies, cilium, flow, network, pod, reserved } from '../testing/views.js';
import type { Policy } from '../policy.js';
import { evaluate } from './evaluate.js';

const APPS = ['a', 'b', 'c'];
const NAMESPACES = ['x', 'y'];
const ends = fc.oneof(
  fc.tuple(fc.constantFrom(...NAMESPACES), fc.constantFrom(...APPS)).map(([ns, name]) => pod(ns, name)),
  fc.constantFrom('world', 'host', 'remote-node', 'kube-apiserver').map((name) => reserved(name)),
  fc.constant(reserved('world', '198.51.100.9', 'api.example.com')),
);
const views = fc
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
const entryOf = (prefix: 'from' | 'to', l7: boolean): fc.Arbitrary<Json> =>
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
const sets: fc.Arbitrary<readonly Policy[]> = fc
  .array(fc.tuple(fc.constantFrom('', ...NAMESPACES), specs), { maxLength: 4 })
  .map((many) => anyPolicies(...many.map(([namespace, spec], i) => cilium(namespace, `p${i}`, spec))));

const KEYS = { INGRESS: ['ingress', 'fromEntities'], EGRESS: ['egress', 'toEntities'] } as const;

describe('whatever the policies', () => {
  it('their order does not matter', () => {
    fc.assert(
      fc.property(sets, views, fc.infiniteStream(fc.nat()), (set, view, order) => {
        const shuffled = set
          .map((policy) => ({ policy, at: order.next().value as number }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ policy }) => policy);
        expect(evaluate(shuffled, view).verdict).toBe(evaluate(set, view).verdict);
      }),
      { numRuns: 500 },
    );
  });

  it('an allow rule for an endpoint in default deny never turns an allowed flow denied', () => {
    fc.assert(
      fc.property(sets, views, entryOf('from', true), entryOf('to', true), (set, view, from, to) => {
        const spec = {
          endpointSelector: {},
          ingress: [from],
          egress: [to],
          enableDefaultDeny: { ingress: false, egress: false },
        };
        const more = [...set, ...anyPolicies(cilium('', 'added', spec))];
        const [was, is] = [evaluate(set, view).verdict, evaluate(more, view).verdict];
        if (was === 'ALLOWED') expect(is).toBe('ALLOWED');
        if (was === 'UNDETERMINED') expect(is).not.toBe('DENIED');
      }),
      { numRuns: 500 },
    );
  });

  it('a deny rule that matches wins, and never lets anything through', () => {
    fc.assert(
      fc.property(sets, views, fc.boolean(), (set, view, everyone) => {
        const [key, member] = KEYS[view.direction];
        const spec = { endpointSelector: {}, [`${key}Deny`]: [{ [member]: [everyone ? 'all' : 'world'] }] };
        const more = [...set, ...anyPolicies(cilium('', 'added', spec as Json))];
        const [was, is] = [evaluate(set, view), evaluate(more, view)];
        const pods = view.subject.namespace !== '';
        if (everyone && pods) expect(is).toMatchObject({ verdict: 'DENIED', how: 'EXPLICIT' });
        if (was.verdict === 'DENIED') expect(is.verdict).toBe('DENIED');
        if (!pods) expect(is.verdict).toBe(was.verdict);
      }),
      { numRuns: 500 },
    );
  });

  it('a policy that selects the endpoint closes it for what no rule allows', () => {
    fc.assert(
      fc.property(views, (view) => {
        const closed = anyPolicies(
          network('x', 'closed', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
        );
        const selected = view.subject.namespace === 'x';
        const own = view.direction === 'INGRESS' && view.peer.reserved.has('host');
        expect(evaluate(closed, view).verdict).toBe(selected && !own ? 'DENIED' : 'ALLOWED');
      }),
    );
  });

  it('every verdict that is undetermined has a reason', () => {
    fc.assert(
      fc.property(sets, views, (set, view) => {
        const answer = evaluate(set, view);
        if (answer.verdict === 'UNDETERMINED') expect(answer.reasons.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
