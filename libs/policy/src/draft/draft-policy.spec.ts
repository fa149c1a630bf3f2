import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpointView, type EndpointView } from '../endpoint-view.js';
import { evaluate } from '../evaluate/evaluate.js';
import type { FlowView } from '../evaluate/flow-view.js';
import type { Json } from '../json.js';
import type { Policy } from '../policy.js';
import { sets, views } from '../testing/random-policies.js';
import { cilium, flow, network, pod, policies, reserved } from '../testing/views.js';
import { draftChecked, draftPolicy, type PolicyDraft } from './draft-policy.js';

const CHECKOUT = pod('shop', 'checkout');
const PAYMENTS = pod('shop', 'payments', 'k8s:pci=true', 'k8s:pod-template-hash=abc');
const PROMETHEUS = pod('monitoring', 'prometheus');
const GRAFANA = pod('monitoring', 'grafana');
const BANK = reserved('world', '203.0.113.21', 'api.bank.example.com');
const METADATA = endpointView({
  namespace: '',
  labels: ['cidr:169.254.169.254/32', 'reserved:world'],
  ip: '169.254.169.254',
});
const EVERYBODY: readonly EndpointView[] = [
  CHECKOUT,
  PAYMENTS,
  PROMETHEUS,
  GRAFANA,
  pod('batch', 'checkout'),
  pod('shop', 'cart'),
  reserved('world', '203.0.113.9'),
  reserved('host', '192.168.0.1'),
  reserved('remote-node', '192.168.0.2'),
  METADATA,
];
const PORTS = [8443, 8442, 8444, 9090, 1, 65_535, 'UDP/8443', 'SCTP/8443'] as const;
const NAMES = { subject: 'payments', peer: 'checkout' };

function drafted(set: readonly Policy[], view: FlowView, deniedExplicitly = false): PolicyDraft {
  const draft = draftPolicy(set, view, NAMES, { precision: 'app', deniedExplicitly });
  if (!draft.ok) throw new Error(draft.reason);
  return draft.value;
}

/** Every other connection into `payments` (or from it) has the verdict that it had before. */
function changesOnly(
  set: readonly Policy[],
  draft: PolicyDraft,
  view: FlowView,
  but: readonly string[] = [],
): void {
  expect(evaluate(set, view).verdict).toBe('DENIED');
  expect(evaluate(draft.policies, view).verdict).toBe('ALLOWED');
  let compared = 0;
  for (const peer of EVERYBODY.filter(({ reserved: own }) => !but.some((name) => own.has(name)))) {
    for (const port of PORTS) {
      const other = flow(view.direction, view.subject, peer, port);
      if (peer === view.peer && other.protocol === view.protocol && other.port === view.port) continue;
      const about = `${JSON.stringify(peer.labels)} ${port}`;
      expect(evaluate(draft.policies, other).verdict, about).toBe(evaluate(set, other).verdict);
      compared++;
    }
  }
  expect(compared).toBeGreaterThanOrEqual((EVERYBODY.length - but.length) * PORTS.length - 1);
}

const app = (name: string): Json => ({ matchLabels: { app: name } });
const onPort = (port: string): Json => [{ ports: [{ port, protocol: 'TCP' }] }];
const MONITORED: Json = [
  {
    fromEndpoints: [{ matchLabels: { app: 'prometheus', 'k8s:io.kubernetes.pod.namespace': 'monitoring' } }],
    toPorts: onPort('9090'),
  },
];
const into = (peer: EndpointView, port: number | string = 8443): FlowView =>
  flow('INGRESS', PAYMENTS, peer, port);

describe('a draft against a default deny', () => {
  const set = policies(cilium('shop', 'p', { endpointSelector: app('payments'), ingress: MONITORED }));

  it('allows this peer on this port, by labels that last, in the endpoint’s namespace', () => {
    const draft = drafted(set, into(CHECKOUT));
    expect(draft.documents).toEqual([
      {
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumNetworkPolicy',
        metadata: { name: 'allow-checkout-to-payments-8443', namespace: 'shop' },
        spec: {
          endpointSelector: { matchLabels: { app: 'payments' } },
          ingress: [{ fromEndpoints: [{ matchLabels: { app: 'checkout' } }], toPorts: onPort('8443') }],
        },
      },
    ]);
    expect(draft.replaces).toEqual([]);
    changesOnly(set, draft, into(CHECKOUT));
  });

  it.each([PROMETHEUS, reserved('remote-node', '192.168.0.2'), reserved('world', '203.0.113.9'), METADATA])(
    'names peers of other namespaces, entities and addresses (%#)',
    (peer) => {
      const same = EVERYBODY.find((one) => JSON.stringify(one) === JSON.stringify(peer)) ?? peer;
      changesOnly(set, drafted(set, into(same)), into(same));
    },
  );

  it('says names instead of addresses where a client calls by name, and what that needs', () => {
    const locked = policies(cilium('shop', 'p', { endpointSelector: {}, egress: [{}] }));
    const out = flow('EGRESS', PAYMENTS, BANK, 443);
    const draft = drafted(locked, out);
    expect(draft.documents[0]?.['spec']).toMatchObject({
      egress: [{ toFQDNs: [{ matchName: 'api.bank.example.com' }], toPorts: onPort('443') }],
    });
    expect(draft.notes.join()).toContain('DNS proxy');
    changesOnly(locked, draft, out);
  });

  it('narrows with all labels when those of the application would let another denied flow through', () => {
    const canary = pod('shop', 'checkout', 'k8s:track=canary');
    const stable = pod('shop', 'checkout', 'k8s:track=stable');
    const answer = draftChecked(set, into(canary), NAMES, false, [
      { view: into(stable), flows: 3 },
      { view: into(GRAFANA), flows: 1 },
    ]);
    expect(answer).toMatchObject({
      ok: true,
      value: {
        check: {
          before: 'DENIED',
          after: 'ALLOWED',
          others: { kinds: 2, checked: 4, stayDenied: 4, becomeAllowed: 0, undetermined: 0 },
        },
      },
    });
    const wide = draftChecked(set, into(stable), NAMES, false, [{ view: into(canary), flows: 1 }]);
    expect(wide.ok && JSON.stringify(wide.value.draft.documents)).toContain('stable');
  });

  it('is refused with a reason where policies cannot name the flow', () => {
    for (const view of [
      into(CHECKOUT, 'ICMPv4/'),
      into(CHECKOUT, 'TCP/'),
      into(endpointView({ namespace: '', labels: [] })),
      flow('INGRESS', reserved('host'), CHECKOUT, 22),
    ]) {
      const draft = draftPolicy(set, view, NAMES, { precision: 'app', deniedExplicitly: false });
      expect(draft.ok).toBe(false);
    }
  });
});

describe('a draft against an explicit deny', () => {
  const denying = (...rules: Json[]): readonly Policy[] =>
    policies(
      cilium('shop', 'lock', { endpointSelector: app('payments'), ingress: MONITORED, ingressDeny: rules }),
      network('shop', 'other', { podSelector: app('cart') }),
    );

  it.each<[string, Json]>([
    ['everybody on the port', { fromEntities: ['all'], toPorts: onPort('8443') }],
    ['everybody in the cluster', { fromEntities: ['cluster'], toPorts: onPort('8443') }],
    ['everybody by a rule of ports only', { toPorts: onPort('8443') }],
    ['pods of the namespace', { fromEndpoints: [{}], toPorts: onPort('8443') }],
    ['pods by label', { fromEndpoints: [app('checkout')] }],
    [
      'pods of any namespace',
      {
        fromEndpoints: [
          { matchExpressions: [{ key: 'k8s:io.kubernetes.pod.namespace', operator: 'Exists' }] },
        ],
      },
    ],
    [
      'a range of ports',
      { fromEndpoints: [{}], toPorts: [{ ports: [{ port: '8000', endPort: 9000, protocol: 'TCP' }] }] },
    ],
    ['the port of any protocol', { fromEndpoints: [{}], toPorts: [{ ports: [{ port: '8443' }] }] }],
  ])('narrows what denies %s, so that nothing else changes', (_name, rule) => {
    const set = denying(rule);
    expect(evaluate(set, into(CHECKOUT))).toMatchObject({ how: 'EXPLICIT' });
    const draft = drafted(set, into(CHECKOUT), true);
    expect(draft.replaces).toEqual([{ kind: 'CiliumNetworkPolicy', namespace: 'shop', name: 'lock' }]);
    expect(draft.documents).toHaveLength(2);
    changesOnly(set, draft, into(CHECKOUT));
  });

  it.each<[string, EndpointView, Json]>([
    ['the world', reserved('world', '203.0.113.9'), { fromEntities: ['world'] }],
    ['a range', reserved('world', '203.0.113.9'), { fromCIDR: ['203.0.113.0/24'] }],
    [
      'a range with exceptions',
      reserved('world', '203.0.113.9'),
      { fromCIDRSet: [{ cidr: '203.0.113.0/24', except: ['203.0.113.64/26'] }] },
    ],
    ['everybody', reserved('world', '203.0.113.9'), { fromEntities: ['all'] }],
    ['every entity', reserved('remote-node', '192.168.0.2'), { fromEntities: ['all'] }],
    ['another entity', reserved('remote-node', '192.168.0.2'), { fromEntities: ['remote-node', 'world'] }],
  ])('narrows what denies %s', (_name, peer, rule) => {
    const set = denying(rule);
    const same = EVERYBODY.find((one) => JSON.stringify(one) === JSON.stringify(peer)) ?? peer;
    // Instead of an entity there are ranges now, and whether those are about nodes is a setting of the agent.
    const but =
      JSON.stringify(rule).includes('world') && same.reserved.has('world') ? ['host', 'remote-node'] : [];
    changesOnly(set, drafted(set, into(same), true), into(same), but);
  });

  it('of one address leaves the rule out', () => {
    const set = policies(
      cilium('shop', 'meta', {
        endpointSelector: {},
        egress: [{ toEntities: ['all'] }],
        egressDeny: [{ toCIDRSet: [{ cidr: '169.254.169.254/32' }] }, { toEntities: ['init'] }],
      }),
    );
    const out = flow('EGRESS', CHECKOUT, METADATA, 80);
    const draft = drafted(set, out, true);
    expect(draft.documents).toHaveLength(1);
    changesOnly(set, draft, out);
  });

  it('keeps the endpoint closed by default where the deny rule alone closed it', () => {
    const set = policies(
      cilium('shop', 'meta', {
        endpointSelector: {},
        egressDeny: [{ toCIDR: ['169.254.169.254/32'], toPorts: onPort('80') }],
      }),
    );
    const out = flow('EGRESS', CHECKOUT, METADATA, 80);
    const draft = drafted(set, out, true);
    const [before] = set;
    const rule = { key: 'app', values: ['checkout'] };
    expect(draft.documents[0]?.['specs']).toEqual([
      {
        ...(before?.object['spec'] as object),
        endpointSelector: { matchExpressions: [{ ...rule, operator: 'NotIn' }] },
      },
      { endpointSelector: { matchExpressions: [{ ...rule, operator: 'In' }] }, egress: [{}] },
    ]);
    changesOnly(set, draft, out);
  });

  it('keeps the object as it is but for the rule and what Kubernetes wrote into it', () => {
    const [before] = denying({ fromEntities: ['all'], toPorts: onPort('8443') });
    const written = {
      ...before!.object,
      metadata: { name: 'lock', namespace: 'shop', labels: { team: 'a' }, uid: 'u', resourceVersion: '7' },
      status: { conditions: [] },
    };
    const [document] = drafted(policies(written), into(CHECKOUT), true).documents;
    expect(document).toMatchObject({ metadata: { name: 'lock', namespace: 'shop', labels: { team: 'a' } } });
    expect(JSON.stringify(document)).not.toMatch(/resourceVersion|uid|status/);
    expect(document?.['spec']).toMatchObject({ endpointSelector: app('payments'), ingress: MONITORED });
  });

  it('is refused where the deny rule cannot be judged, and names the policy', () => {
    const named = { fromEndpoints: [{}], toPorts: onPort('https') };
    const draft = draftPolicy(denying(named), into(CHECKOUT), NAMES, {
      precision: 'app',
      deniedExplicitly: true,
    });
    expect(draft).toMatchObject({
      ok: false,
      reason: expect.stringContaining('perhaps of CiliumNetworkPolicy shop/lock'),
    });
  });

  it('is refused when no stored policy denies: no added rule would help', () => {
    const set = policies(cilium('shop', 'p', { endpointSelector: app('payments'), ingress: MONITORED }));
    const draft = draftPolicy(set, into(CHECKOUT), NAMES, { precision: 'app', deniedExplicitly: true });
    expect(draft).toMatchObject({
      ok: false,
      reason: expect.stringContaining('none of the stored policies'),
    });
  });
});

describe('whatever the policies, a draft', () => {
  it('allows what it is for, opens nothing else and closes nothing', () => {
    const end = ({ namespace, labels, ip, reserved: own }: EndpointView): string =>
      own.size > 0 ? JSON.stringify([[...own], ip]) : JSON.stringify([namespace, labels]);
    const counts = { allow: 0, narrowed: 0 };
    fc.assert(
      fc.property(sets, views, fc.array(views, { minLength: 20, maxLength: 20 }), (set, view, others) => {
        const was = evaluate(set, view);
        if (was.verdict !== 'DENIED') return;
        const explicit = was.how === 'EXPLICIT';
        const draft = draftPolicy(set, view, NAMES, { precision: 'all', deniedExplicitly: explicit });
        if (!draft.ok) return;
        counts[explicit ? 'narrowed' : 'allow']++;
        expect(evaluate(draft.value.policies, view).verdict).not.toBe('DENIED');
        for (const other of others) {
          const same =
            other.direction === view.direction &&
            end(other.subject) === end(view.subject) &&
            end(other.peer) === end(view.peer) &&
            other.protocol === view.protocol &&
            other.port === view.port;
          // A rule about every port denies ICMP messages as well; in its parts it cannot.
          if (same || other.protocol === 'ICMPv4') continue;
          const [before, after] = [
            evaluate(set, other).verdict,
            evaluate(draft.value.policies, other).verdict,
          ];
          if (before === 'DENIED') expect(after).not.toBe('ALLOWED');
          if (before === 'ALLOWED') expect(after).not.toBe('DENIED');
        }
      }),
      { numRuns: 4000 },
    );
    expect(Math.min(counts.allow, counts.narrowed)).toBeGreaterThan(20);
  });
});
