import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpointView, type EndpointView } from '../endpoint-view.js';
import { evaluate } from '../evaluate/evaluate.js';
import type { FlowView } from '../evaluate/flow-view.js';
import { parsePolicies } from '../parse/parse-policies.js';
import { flow, pod, reserved } from '../testing/views.js';
import type { ObservedEdge } from './observed-edge.js';
import { recommendPolicies, type Recommendation } from './recommend-policies.js';

const WEB = pod('shop', 'web');
const DB = pod('shop', 'db', 'k8s:tier=data');
const DB_CANARY = pod('shop', 'db', 'k8s:tier=data', 'k8s:track=canary');
const SCRAPER = pod('monitoring', 'prometheus');
const DNS = endpointView({
  namespace: 'kube-system',
  labels: ['k8s:k8s-app=kube-dns', 'k8s:io.kubernetes.pod.namespace=kube-system'],
});
const API = reserved('world', '203.0.113.9', 'api.example.com');

function appOf(end: EndpointView): string {
  return (
    end.labels.find(({ key }) => key === 'app' || key === 'k8s-app')?.value ??
    `reserved:${[...end.reserved].join()}`
  );
}

function edge(view: FlowView, flows = 1, peerAddresses = 1): ObservedEdge {
  return {
    direction: view.direction,
    workload: appOf(view.subject),
    peerNamespace: view.peer.namespace,
    peerWorkload: appOf(view.peer),
    views: [view],
    peerAddresses,
    flows,
    firstNs: 1n,
    lastNs: 2n,
    samples: [`${appOf(view.subject)}-${appOf(view.peer)}`],
  };
}

function recommend(forwarded: readonly ObservedEdge[], denied: readonly ObservedEdge[] = []): Recommendation {
  return recommendPolicies({ namespace: 'shop', forwarded, denied, directions: ['INGRESS', 'EGRESS'] });
}

function specOf(answer: Recommendation, name: string): unknown {
  return answer.documents.find((one) => JSON.stringify(one['metadata']).includes(`recommended-${name}"`))?.[
    'spec'
  ];
}

describe('a recommendation', () => {
  it('has one policy a workload, one rule a peer, and closes what nothing was seen to need', () => {
    const answer = recommend([
      edge(flow('INGRESS', DB, WEB, 5432), 7),
      edge(flow('INGRESS', DB_CANARY, WEB, 5433), 2),
      edge(flow('INGRESS', DB, SCRAPER, 9187)),
      edge(flow('EGRESS', WEB, DB, 5432)),
    ]);
    expect(answer.documents).toHaveLength(2);
    expect(specOf(answer, 'db')).toEqual({
      endpointSelector: { matchLabels: { app: 'db' } },
      ingress: [
        {
          fromEndpoints: [{ matchLabels: { app: 'web' } }],
          toPorts: [
            {
              ports: [
                { port: '5432', protocol: 'TCP' },
                { port: '5433', protocol: 'TCP' },
              ],
            },
          ],
        },
        {
          fromEndpoints: [
            { matchLabels: { app: 'prometheus', 'k8s:io.kubernetes.pod.namespace': 'monitoring' } },
          ],
          toPorts: [{ ports: [{ port: '9187', protocol: 'TCP' }] }],
        },
      ],
      egress: [{}],
    });
    expect(answer.rules[0]).toMatchObject({
      policy: 'recommended-db',
      path: 'spec.ingress[0]',
      text: 'shop/web on TCP 5432, TCP 5433',
      flows: 9,
      firstNs: 1n,
      lastNs: 2n,
      samples: ['db-web', 'db-web'],
    });
    expect(answer.check).toEqual({
      forwarded: { allowed: 11, denied: 0, undetermined: 0 },
      denied: { stayDenied: 0, becomeAllowed: 0, undetermined: 0 },
      conflicting: 0,
      reasons: [],
    });
  });

  it('names what is called by name, and sends look-ups through the proxy for it', () => {
    const answer = recommend([edge(flow('EGRESS', WEB, API, 443)), edge(flow('EGRESS', WEB, DNS, 'UDP/53'))]);
    expect(specOf(answer, 'web')).toMatchObject({
      egress: [
        { toFQDNs: [{ matchName: 'api.example.com' }] },
        { toPorts: [{ ports: [{ port: '53', protocol: 'UDP' }], rules: { dns: [{ matchPattern: '*' }] } }] },
      ],
    });
    expect(answer.check.forwarded).toEqual({ allowed: 2, denied: 0, undetermined: 0 });
    expect(recommend([edge(flow('EGRESS', WEB, API, 443))]).warnings.join()).toContain('DNS proxy');
  });

  it('lists a few addresses of the world, and says when it must allow all of it', () => {
    const few = recommend([edge(flow('INGRESS', WEB, reserved('world', '198.51.100.1'), 443))]);
    expect(specOf(few, 'web')).toMatchObject({ ingress: [{ fromCIDR: ['198.51.100.1/32'] }] });
    const many = recommend([edge(flow('INGRESS', WEB, reserved('world', '198.51.100.1'), 443), 1, 200)]);
    expect(specOf(many, 'web')).toMatchObject({ ingress: [{ fromEntities: ['world'] }] });
    expect(many.warnings.join()).toContain('200 addresses of the world');
  });

  it('tells neighbours apart that share the label of the application', () => {
    const a = pod('shop', 'svc', 'k8s:role=a');
    const b = pod('shop', 'svc', 'k8s:role=b');
    const named = (view: FlowView, workload: string): ObservedEdge => ({ ...edge(view), workload });
    const answer = recommend([
      named(flow('INGRESS', a, WEB, 1), 'a'),
      named(flow('INGRESS', b, WEB, 2), 'b'),
    ]);
    expect(specOf(answer, 'a')).toMatchObject({
      endpointSelector: { matchLabels: { app: 'svc', role: 'a' } },
    });
    const twins = recommend([named(flow('INGRESS', a, WEB, 1), 'a'), named(flow('INGRESS', a, WEB, 2), 'b')]);
    expect(twins.warnings.join()).toContain('no labels tell its pods apart');
  });

  it('tells connections apart that both passed and were denied', () => {
    const view = flow('INGRESS', DB, WEB, 5432);
    const answer = recommend([edge(view)], [edge(view, 5), edge(flow('INGRESS', DB, SCRAPER, 5432), 3)]);
    expect(answer.conflicts).toHaveLength(1);
    expect(answer.check).toMatchObject({ conflicting: 5, denied: { stayDenied: 3, becomeAllowed: 0 } });
  });

  it('allows all that passed and nothing else, whatever was observed', () => {
    const ends = fc.constantFrom(
      WEB,
      DB,
      DB_CANARY,
      SCRAPER,
      API,
      reserved('host'),
      reserved('remote-node'),
      reserved('world', '198.51.100.1'),
    );
    const views = fc
      .tuple(
        fc.constantFrom('INGRESS' as const, 'EGRESS' as const),
        fc.constantFrom(WEB, DB, DB_CANARY),
        ends,
        fc.constantFrom(80, 443, 'UDP/53'),
      )
      .map(([direction, subject, peer, port]) => flow(direction, subject, peer, port));
    fc.assert(
      fc.property(fc.array(views, { minLength: 1, maxLength: 12 }), views, (seen, other) => {
        const answer = recommend(seen.map((view) => edge(view)));
        const made = parsePolicies(answer.documents);
        expect(made.problems).toEqual([]);
        for (const view of seen) expect(evaluate(made.policies, view).verdict).toBe('ALLOWED');
        const like = (view: FlowView): string =>
          JSON.stringify([
            view.direction,
            appOf(view.subject),
            view.peer.namespace,
            appOf(view.peer),
            view.protocol,
            view.port,
          ]);
        const own = other.direction === 'INGRESS' && other.peer.reserved.has('host');
        const selected = seen.some((view) => appOf(view.subject) === appOf(other.subject));
        const worlds = other.peer.reserved.has('world');
        if (selected && !own && !worlds && !seen.map(like).includes(like(other)))
          expect(evaluate(made.policies, other).verdict).toBe('DENIED');
      }),
      { numRuns: 200 },
    );
  });
});
