import { describe, expect, it } from 'vitest';
import { applied, evaluate } from '@flowledger/policy';
import { countedIn, weightOf } from './drop-truth.js';
import { BEGIN_NS, DEMO, documentsOf, INCIDENT, type PolicyRun } from './policy-run.js';
import { timeNs, windowInput } from './scenarios.js';

const LAST_DROP = `query ($window: WindowInput, $filters: FlowFilters) {
  flows(window: $window, filters: $filters, last: 1) { nodes { id time } }
}`;
const EXPLAIN = `query ($id: ID!) { dropExplanation(flowId: $id) {
  kind conclusion enforcedAt similarBefore remedy policies { kind namespace name effect }
  selectingPolicies { policy { namespace name } certain enforces rules }
  draftPolicy draft { before after replaces { name } notes othersKinds othersChecked othersStayDenied othersBecomeAllowed othersUndetermined reasons }
  evidence { level statement } precedingChanges { kind object } missing { path hint }
} }`;

interface Explanation {
  readonly kind: string;
  readonly conclusion: string;
  readonly remedy: string | null;
  readonly similarBefore: number;
  readonly policies: readonly { readonly name: string; readonly effect: string }[];
  readonly selectingPolicies: readonly {
    readonly policy: { readonly name: string };
    readonly certain: boolean;
    readonly rules: readonly string[];
  }[];
  readonly draftPolicy: string | null;
  readonly draft: {
    readonly before: string;
    readonly after: string;
    readonly replaces: readonly { readonly name: string }[];
    readonly othersKinds: number;
    readonly othersChecked: number;
    readonly othersStayDenied: number;
    readonly othersBecomeAllowed: number;
  } | null;
  readonly evidence: readonly { readonly level: string; readonly statement: string }[];
  readonly precedingChanges: readonly { readonly kind: string; readonly object: string }[];
  readonly missing: readonly { readonly path: string; readonly hint: string }[];
}

interface Explained {
  readonly answer: Explanation;
  readonly atNs: bigint;
}

/** The last drop of a reason at a server, explained. */
async function explained(run: PolicyRun, reason: string, pod: string, type = 1): Promise<Explained> {
  const filters = {
    allow: [
      {
        ...(type === 1 ? { dropReasonDesc: [reason] } : { verdict: ['DROPPED'] }),
        eventType: [{ type }],
        destinationPod: [pod],
      },
    ],
  };
  const found = await run.ask<{ flows: { nodes: readonly { id: string; time: string }[] } }>(LAST_DROP, {
    window: windowInput(INCIDENT),
    filters,
  });
  const [drop] = found.flows.nodes;
  if (drop === undefined) throw new Error(`no drop: ${reason} ${pod}`);
  const { dropExplanation } = await run.ask<{ dropExplanation: Explanation }>(EXPLAIN, { id: drop.id });
  return { answer: dropExplanation, atNs: timeNs(drop.time) };
}

/** What a draft changes about every decision of the datapath after the incident began. */
function changedBy(run: PolicyRun, yaml: string): ReadonlySet<string> {
  const drafted = applied(DEMO, documentsOf(yaml));
  const changed = new Set<string>();
  for (const { view, edge } of run.decisions) {
    if (evaluate(drafted, view).verdict !== evaluate(DEMO, view).verdict) changed.add(edge);
  }
  return changed;
}

/** What `dropExplanation` must say where policies are stored. */
export function checkExplanations(run: () => PolicyRun): void {
  describe('dropExplanation with stored policies', () => {
    it('drafts a change of the policy that broke payments, which lets checkout in again and nobody else', async () => {
      const { answer, atNs } = await explained(run(), 'POLICY_DENY', 'shop/payments');
      expect(answer).toMatchObject({
        kind: 'EXPLICIT_DENY',
        policies: [{ name: 'payments-lockdown', effect: 'DENIED' }],
      });
      expect(answer.conclusion).toContain('denied explicitly by CiliumNetworkPolicy shop/payments-lockdown');
      const { draft, draftPolicy } = answer;
      expect(draft).toMatchObject({
        before: 'DENIED',
        after: 'ALLOWED',
        replaces: [{ name: 'payments-lockdown' }],
      });
      expect(draftPolicy).toBe(draftPolicy?.replaceAll(/[&*]a\d+/g, ''));
      expect([...changedBy(run(), draftPolicy ?? '')]).toEqual([
        'shop/checkout -> shop/payments TCP 8443 INGRESS',
      ]);
      // Every other flow that a policy denied in the day before was looked at, and stays denied.
      const calls = run().calls;
      const denied = countedIn(calls, { fromNs: BEGIN_NS, toNs: atNs + 1n }, 'drop').filter(
        ({ call }) => [133, 181].includes(call.denied?.reason ?? 0) && call.server.workload !== 'payments',
      );
      expect(draft).toMatchObject({
        othersKinds: 4,
        othersChecked: weightOf(denied),
        othersStayDenied: weightOf(denied),
        othersBecomeAllowed: 0,
      });
      expect(weightOf(denied)).toBeGreaterThan(50);
      expect(answer.precedingChanges[0]).toEqual({
        kind: 'POLICY_UPDATED',
        object: 'shop/payments-lockdown',
      });
      expect(answer.similarBefore).toBeGreaterThan(10);
      expect(answer.evidence.map(({ statement }) => statement).join('\n')).toMatch(
        /payments-lockdown was added between \S+ and \S+, by the stored states/,
      );
      expect(answer.missing).toEqual([]);
    });

    it('says which policy closes the endpoint by default and why none of its rules allows, and drafts one that does', async () => {
      const { answer } = await explained(run(), 'POLICY_DENIED', 'shop/redis-cart');
      expect(answer).toMatchObject({
        kind: 'DEFAULT_DENY',
        policies: [{ name: 'redis-clients', effect: 'SELECTS_WITHOUT_ALLOWING' }],
        selectingPolicies: [
          {
            policy: { name: 'redis-clients' },
            certain: true,
            rules: [
              'spec.ingress[0] allows app=cart in namespace shop on TCP 6379: this port, but not this peer',
            ],
          },
        ],
        draft: { before: 'DENIED', after: 'ALLOWED', replaces: [], othersBecomeAllowed: 0 },
      });
      expect(answer.conclusion).toContain(
        'the endpoint is selected by CiliumNetworkPolicy shop/redis-clients',
      );
      expect([...changedBy(run(), answer.draftPolicy ?? '')]).toEqual([
        'monitoring/grafana -> shop/redis-cart TCP 6379 INGRESS',
      ]);
    });

    it('drafts nothing for a call that the proxy refused, and says that L7 rules are not judged', async () => {
      const { answer } = await explained(run(), '', 'shop/catalog', 129);
      expect(answer).toMatchObject({ kind: 'L7_DENY', draftPolicy: null });
      expect(answer.selectingPolicies.map(({ policy }) => policy.name)).toEqual(['catalog-http']);
      expect(answer.missing.find(({ path }) => path === 'draftPolicy')?.hint).toContain('L7');
      expect(answer.evidence.map(({ statement }) => statement).join()).toContain('L7 rules judge the call');
    });
  });
}
