import { describe, expect, it } from 'vitest';
import { applied, evaluate } from '@flowledger/policy';
import { BEFORE, documentsOf, INCIDENT, type PolicyRun } from './policy-run.js';
import { windowInput, type Span } from './scenarios.js';

const RECOMMEND = `query ($namespace: String!, $window: WindowInput) { policyRecommendation(namespace: $namespace, window: $window) {
  yaml warnings rules { policy path direction workload text flows samples } conflicts { workload peer port denied }
  check { forwardedAllowed forwardedDenied forwardedUndetermined deniedStayDenied deniedBecomeAllowed deniedUndetermined deniedConflicting reasons }
  coverage { status }
} }`;

interface Recommendation {
  readonly yaml: string;
  readonly warnings: readonly string[];
  readonly rules: readonly {
    readonly text: string;
    readonly workload: string;
    readonly flows: number;
    readonly samples: readonly string[];
  }[];
  readonly conflicts: readonly {
    readonly workload: string;
    readonly peer: string;
    readonly port: number;
    readonly denied: number;
  }[];
  readonly check: Readonly<Record<string, number>>;
}

async function recommended(run: PolicyRun, namespace: string, window: Span): Promise<Recommendation> {
  const { policyRecommendation } = await run.ask<{ policyRecommendation: Recommendation }>(RECOMMEND, {
    namespace,
    window: windowInput(window),
  });
  return policyRecommendation;
}

/** What `policyRecommendation` must say. */
export function checkRecommendations(run: () => PolicyRun): void {
  describe('policyRecommendation', () => {
    it.each(['shop', 'production', 'monitoring'])(
      'for %s allows all that passed and nothing that was denied, by an independent reading of the flows',
      async (namespace) => {
        const answer = await recommended(run(), namespace, BEFORE);
        const policies = applied([], documentsOf(answer.yaml));
        const within = run().decisions.filter(
          ({ timeNs: at, view }) =>
            at >= BEFORE.fromNs && at < BEFORE.toNs && view.subject.namespace === namespace,
        );
        let passed = 0;
        for (const { view, verdict, edge } of within) {
          const expected = verdict === 'FORWARDED' || verdict === 'REDIRECTED' ? 'ALLOWED' : 'DENIED';
          expect(evaluate(policies, view).verdict, edge).toBe(expected);
          if (expected === 'ALLOWED') passed++;
        }
        expect(within.length).toBeGreaterThan(5);
        expect(passed).toBeGreaterThan(5);
        expect(answer.check).toMatchObject({
          forwardedDenied: 0,
          forwardedUndetermined: 0,
          deniedBecomeAllowed: 0,
          deniedUndetermined: 0,
          deniedConflicting: 0,
        });
        expect(answer.check['forwardedAllowed']).toBeGreaterThan(100);
        expect(answer.conflicts).toEqual([]);
        expect(answer.warnings[0]).toMatch(/the window is 0\.3 hours long/);
      },
    );

    it('gives every rule the flows that support it', async () => {
      const { rules } = await recommended(run(), 'shop', BEFORE);
      const redis = rules.filter(
        ({ workload, text }) => workload === 'redis-cart' && text === 'shop/cart on TCP 6379',
      );
      expect(redis).toHaveLength(1);
      expect(redis[0]?.flows).toBeGreaterThan(10);
      const [sample] = redis[0]?.samples ?? [];
      const { flow } = await run().ask<{ flow: object }>(
        'query ($id: ID!) { flow(id: $id) { verdict client { workload { name } } server { workload { name } } } }',
        { id: sample },
      );
      expect(flow).toEqual({
        verdict: 'FORWARDED',
        client: { workload: { name: 'cart' } },
        server: { workload: { name: 'redis-cart' } },
      });
    });

    it('tells what both passed and was denied in the window', async () => {
      const answer = await recommended(run(), 'shop', INCIDENT);
      expect(answer.conflicts).toEqual([
        { workload: 'payments', peer: 'shop/checkout', port: 8443, denied: expect.any(Number) },
      ]);
      expect(answer.check).toMatchObject({ forwardedDenied: 0, deniedBecomeAllowed: 0 });
      expect(answer.check['deniedConflicting']).toBe(answer.conflicts[0]?.denied);
    });
  });
}
