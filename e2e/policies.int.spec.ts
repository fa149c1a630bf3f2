import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '@flowledger/policy';
import { countedIn, weightOf } from './truth/drop-truth.js';
import { checkExplanations } from './truth/explanation-checks.js';
import { checkFirstSeen } from './truth/first-seen-checks.js';
import {
  AFTER,
  DEMO,
  INCIDENT,
  INCIDENT_NS,
  snapshot,
  startPolicyRun,
  type PolicyRun,
} from './truth/policy-run.js';
import { inForce } from './truth/policy-truth.js';
import { checkRecommendations } from './truth/recommendation-checks.js';
import { SETUP_MS, windowInput } from './truth/scenarios.js';

let run: PolicyRun;

beforeAll(async () => {
  run = await startPolicyRun();
}, SETUP_MS);

afterAll(() => run?.stop());

describe('the demo cluster’s policies and the evaluator', () => {
  it('have no member that is not understood', () => {
    expect(snapshot.problems).toEqual([]);
    expect(DEMO).toHaveLength(15);
  });

  it('decide as the simulated datapath did, about every first packet, and by the policy that it names', () => {
    const counts = { passed: 0, explicit: 0, byDefault: 0, audited: 0 };
    for (const { timeNs: at, view, verdict, reason, policies, edge } of run.decisions) {
      const answer = evaluate(inForce(DEMO, INCIDENT_NS, at), view);
      const about = `${edge} ${verdict} ${reason}`;
      if (verdict === 'FORWARDED' || verdict === 'REDIRECTED') {
        expect(answer.verdict, about).toBe('ALLOWED');
        const by = answer.verdict === 'ALLOWED' ? answer.by.map((one) => one.policy.name) : [];
        for (const name of policies) expect(by, about).toContain(name);
        counts.passed++;
      } else if (reason === 'POLICY_DENY') {
        expect(answer, about).toMatchObject({ verdict: 'DENIED', how: 'EXPLICIT' });
        const by = answer.verdict === 'DENIED' ? answer.by.map((one) => one.policy.name) : [];
        expect(by, about).toEqual(policies);
        counts.explicit++;
      } else {
        expect(answer, about).toMatchObject({ verdict: 'DENIED', how: 'DEFAULT' });
        if (verdict === 'AUDIT') counts.audited++;
        else counts.byDefault++;
      }
    }
    expect(counts.passed).toBeGreaterThan(500);
    expect(Math.min(counts.explicit, counts.byDefault, counts.audited)).toBeGreaterThan(10);
  });
});

describe('policyAudit', () => {
  it('counts what audit mode let pass, and names the policy that would deny it', async () => {
    const { policyAudit } = await run.ask<{
      policyAudit: { total: number; other: number; groups: readonly object[] };
    }>(
      `query ($window: WindowInput) { policyAudit(window: $window) { total other groupCount
        groups { direction client server protocol port flows basis verdict policies { kind namespace name } reasons } } }`,
      { window: windowInput(INCIDENT) },
    );
    const audited = weightOf(countedIn(run.calls, INCIDENT, 'audit'));
    expect(audited).toBeGreaterThan(10);
    expect(policyAudit).toEqual({
      total: audited,
      other: 0,
      groupCount: 1,
      groups: [
        {
          direction: 'INGRESS',
          client: 'staging/batch',
          server: 'staging/legacy-db',
          protocol: 'TCP',
          port: 5432,
          flows: audited,
          basis: 'EVALUATED',
          verdict: 'DENIED',
          policies: [{ kind: 'CiliumNetworkPolicy', namespace: 'staging', name: 'legacy-db-audit' }],
          reasons: [],
        },
      ],
    });
  });
});

const CHECK = `query ($documents: String!, $window: WindowInput) { policyCheck(documents: $documents, window: $window, cluster: "demo") {
  policies { name } problems { path reason } storedPolicies staysAllowed undetermined unexplained
  wouldBreak { client server port flows policies { name } } wouldAllow { client server port } } }`;

describe('policyCheck', () => {
  it('tells which connections of the window a policy would break', async () => {
    const documents = `{ kind: CiliumNetworkPolicy, metadata: { name: narrow, namespace: shop }, spec: {
      endpointSelector: { matchLabels: { app: redis-cart } }, ingressDeny: [{ fromEndpoints: [{ matchLabels: { app: cart } }] }] } }`;
    const { policyCheck } = await run.ask<{ policyCheck: Record<string, unknown> }>(CHECK, {
      documents,
      window: windowInput(AFTER),
    });
    expect(policyCheck).toMatchObject({
      policies: [{ name: 'narrow' }],
      problems: [],
      storedPolicies: 15,
      undetermined: 0,
      wouldAllow: [],
      wouldBreak: [
        { client: 'shop/cart', server: 'shop/redis-cart', port: 6379, policies: [{ name: 'narrow' }] },
      ],
    });
    expect(policyCheck['staysAllowed']).toBeGreaterThan(100);
    // Audit mode lets pass what its policy would deny.
    expect(policyCheck['unexplained']).toBeGreaterThan(10);
  });

  it('reports what it does not understand', async () => {
    const documents =
      '{ kind: CiliumNetworkPolicy, metadata: { name: odd }, spec: { endpointSelector: {}, ingress: [{ fromMoon: [] }] } }';
    const { policyCheck } = await run.ask<{ policyCheck: Record<string, unknown> }>(CHECK, {
      documents,
      window: windowInput(AFTER),
    });
    expect(policyCheck).toMatchObject({
      problems: [{ path: 'spec.ingress[0].fromMoon', reason: 'not understood by this version' }],
    });
  });
});

checkExplanations(() => run);
checkRecommendations(() => run);
checkFirstSeen(() => run);
