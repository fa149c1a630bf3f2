import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiServer, readPolicyDocuments, type ApiServer, type PolicySource } from '@flowledger/graphql';
import { openLog, systemClock } from '@flowledger/platform';
import { applied, evaluate, type JsonObject, type Policy } from '@flowledger/policy';
import { countedIn, weightOf } from './truth/drop-truth.js';
import { appOf, decisionsOf, inForce, type Decision } from './truth/policy-truth.js';
import { linesOf, type Line } from './truth/record-truth.js';
import {
  AFTERWARDS_MS,
  MINUTE_NS,
  SETUP_MS,
  timeNs,
  windowInput,
  type Scenario,
  type Span,
} from './truth/scenarios.js';
import { startTruthPipeline, type TruthPipeline } from './truth/truth-pipeline.js';

const FILE = fileURLToPath(new URL('../examples/policies/demo-cluster.yaml', import.meta.url));
const DAY_NS = 86_400_000_000_000n;
const TENANT = 'default';

const END_NS = BigInt(AFTERWARDS_MS) * 1_000_000n - 60n * MINUTE_NS;
const BEGIN_NS = END_NS - 40n * MINUTE_NS;
const INCIDENT_NS = BEGIN_NS + 20n * MINUTE_NS;
/** A policy breaks payments half-way. */
const INCIDENT: Scenario = {
  name: 'a policy breaks payments',
  fromNs: BEGIN_NS,
  toNs: END_NS,
  simulations: [
    {
      seed: 33,
      from: BEGIN_NS,
      to: END_NS,
      callsPerSecond: 0.8,
      scenario: 'test',
      incidents: true,
      incidentStart: INCIDENT_NS,
      keepCalls: true,
    },
  ],
};
const BEFORE: Span = { fromNs: BEGIN_NS, toNs: INCIDENT_NS - MINUTE_NS };
const AFTER: Span = { fromNs: INCIDENT_NS, toNs: END_NS };

const { snapshot } = readPolicyDocuments(readFileSync(FILE, 'utf8'), 'demo-cluster.yaml');
const DEMO: readonly Policy[] = snapshot.policies;
const source: PolicySource = { state: () => Promise.resolve({ snapshots: [snapshot], problems: [] }) };

let pipeline: TruthPipeline;
let server: ApiServer;
let lines: readonly Line[];
let decisions: readonly Decision[];

beforeAll(async () => {
  pipeline = await startTruthPipeline([INCIDENT]);
  lines = linesOf(pipeline.played(INCIDENT).events);
  decisions = decisionsOf(lines);
  server = await createApiServer({
    store: pipeline.store,
    host: '127.0.0.1',
    port: 0,
    tenant: TENANT,
    version: '0.0.0-test',
    retention: { rawNs: 20_000n * DAY_NS, minuteNs: 20_000n * DAY_NS, hourNs: 20_000n * DAY_NS },
    status: () => Promise.resolve({ ok: true }),
    logger: openLog('policy-test', 'warn'),
    clock: { ...systemClock, now: () => AFTERWARDS_MS },
    policies: source,
  });
}, SETUP_MS);

afterAll(async () => {
  await server?.close();
  await pipeline?.stop();
});

async function ask<Data>(query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Data; errors?: unknown };
  if (errors !== undefined || data === undefined) throw new Error(JSON.stringify(errors));
  return data;
}

function documentsOf(yaml: string): readonly JsonObject[] {
  return parseAllDocuments(yaml).map((one) => one.toJS() as JsonObject);
}

describe('the demo cluster’s policies and the evaluator', () => {
  it('have no member that is not understood', () => {
    expect(snapshot.problems).toEqual([]);
    expect(DEMO).toHaveLength(15);
  });

  it('decide as the simulated datapath did, about every first packet, and by the policy that it names', () => {
    const counts = { passed: 0, explicit: 0, byDefault: 0, audited: 0 };
    for (const { timeNs: at, view, verdict, reason, policies, edge } of decisions) {
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
async function explained(reason: string, pod: string, type = 1): Promise<Explained> {
  const filters = {
    allow: [
      {
        ...(type === 1 ? { dropReasonDesc: [reason] } : { verdict: ['DROPPED'] }),
        eventType: [{ type }],
        destinationPod: [pod],
      },
    ],
  };
  const found = await ask<{ flows: { nodes: readonly { id: string; time: string }[] } }>(LAST_DROP, {
    window: windowInput(INCIDENT),
    filters,
  });
  const [drop] = found.flows.nodes;
  if (drop === undefined) throw new Error(`no drop: ${reason} ${pod}`);
  const { dropExplanation } = await ask<{ dropExplanation: Explanation }>(EXPLAIN, { id: drop.id });
  return { answer: dropExplanation, atNs: timeNs(drop.time) };
}

/** What a draft changes about every decision of the datapath after the incident began. */
function changedBy(yaml: string): ReadonlySet<string> {
  const drafted = applied(DEMO, documentsOf(yaml));
  const changed = new Set<string>();
  for (const { view, edge } of decisions) {
    if (evaluate(drafted, view).verdict !== evaluate(DEMO, view).verdict) changed.add(edge);
  }
  return changed;
}

describe('dropExplanation with stored policies', () => {
  it('drafts a change of the policy that broke payments, which lets checkout in again and nobody else', async () => {
    const { answer, atNs } = await explained('POLICY_DENY', 'shop/payments');
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
    expect([...changedBy(draftPolicy ?? '')]).toEqual(['shop/checkout -> shop/payments TCP 8443 INGRESS']);
    // Every other flow that a policy denied in the day before was looked at, and stays denied.
    const calls = pipeline.played(INCIDENT).calls;
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
    expect(answer.precedingChanges[0]).toEqual({ kind: 'POLICY_UPDATED', object: 'shop/payments-lockdown' });
    expect(answer.similarBefore).toBeGreaterThan(10);
    expect(answer.missing).toEqual([]);
  });

  it('says which policy closes the endpoint by default and why none of its rules allows, and drafts one that does', async () => {
    const { answer } = await explained('POLICY_DENIED', 'shop/redis-cart');
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
    expect(answer.conclusion).toContain('the endpoint is selected by CiliumNetworkPolicy shop/redis-clients');
    expect([...changedBy(answer.draftPolicy ?? '')]).toEqual([
      'monitoring/grafana -> shop/redis-cart TCP 6379 INGRESS',
    ]);
  });

  it('drafts nothing for a call that the proxy refused, and says that L7 rules are not judged', async () => {
    const { answer } = await explained('', 'shop/catalog', 129);
    expect(answer).toMatchObject({ kind: 'L7_DENY', draftPolicy: null });
    expect(answer.selectingPolicies.map(({ policy }) => policy.name)).toEqual(['catalog-http']);
    expect(answer.missing.find(({ path }) => path === 'draftPolicy')?.hint).toContain('L7');
    expect(answer.evidence.map(({ statement }) => statement).join()).toContain('L7 rules judge the call');
  });
});

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

async function recommended(namespace: string, window: Span): Promise<Recommendation> {
  const { policyRecommendation } = await ask<{ policyRecommendation: Recommendation }>(RECOMMEND, {
    namespace,
    window: windowInput(window),
  });
  return policyRecommendation;
}

describe('policyRecommendation', () => {
  it.each(['shop', 'production', 'monitoring'])(
    'for %s allows all that passed and nothing that was denied, by an independent reading of the flows',
    async (namespace) => {
      const answer = await recommended(namespace, BEFORE);
      const policies = applied([], documentsOf(answer.yaml));
      const within = decisions.filter(
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
      expect(answer.warnings[0]).toMatch(/the window is 0 days long/);
    },
  );

  it('gives every rule the flows that support it', async () => {
    const { rules } = await recommended('shop', BEFORE);
    const redis = rules.filter(
      ({ workload, text }) => workload === 'redis-cart' && text === 'shop/cart on TCP 6379',
    );
    expect(redis).toHaveLength(1);
    expect(redis[0]?.flows).toBeGreaterThan(10);
    const [sample] = redis[0]?.samples ?? [];
    const { flow } = await ask<{ flow: object }>(
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
    const answer = await recommended('shop', INCIDENT);
    expect(answer.conflicts).toEqual([
      { workload: 'payments', peer: 'shop/checkout', port: 8443, denied: expect.any(Number) },
    ]);
    expect(answer.check).toMatchObject({ forwardedDenied: 0, deniedBecomeAllowed: 0 });
    expect(answer.check['deniedConflicting']).toBe(answer.conflicts[0]?.denied);
  });
});

describe('policyAudit', () => {
  it('counts what audit mode let pass, and names the policy that would deny it', async () => {
    const { policyAudit } = await ask<{
      policyAudit: { total: number; other: number; groups: readonly object[] };
    }>(
      `query ($window: WindowInput) { policyAudit(window: $window) { total other groupCount
        groups { direction client server protocol port flows basis verdict policies { kind namespace name } reasons } } }`,
      { window: windowInput(INCIDENT) },
    );
    const audited = weightOf(countedIn(pipeline.played(INCIDENT).calls, INCIDENT, 'audit'));
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
    const { policyCheck } = await ask<{ policyCheck: Record<string, unknown> }>(CHECK, {
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
    const { policyCheck } = await ask<{ policyCheck: Record<string, unknown> }>(CHECK, {
      documents,
      window: windowInput(AFTER),
    });
    expect(policyCheck).toMatchObject({
      problems: [{ path: 'spec.ingress[0].fromMoon', reason: 'not understood by this version' }],
    });
  });
});

const FIRST_SEEN = `query ($window: WindowInput, $history: Duration, $kinds: [FirstSeenKind!]!) {
  firstSeen(window: $window, history: $history, kinds: $kinds, limit: 1000) {
    items { kind clients server ports dropReason { name } firstSeen text } truncated historyBegins missing { hint } historyCoverage { status }
  } }`;

interface FirstSeenAnswer {
  readonly items: readonly {
    readonly kind: string;
    readonly clients: readonly string[];
    readonly server: string;
    readonly ports: readonly number[];
    readonly dropReason: { readonly name: string } | null;
    readonly firstSeen: string;
  }[];
  readonly truncated: number;
  readonly historyBegins: string | null;
  readonly missing: readonly { readonly hint: string }[];
}

async function firstSeen(window: Span, kinds: readonly string[]): Promise<FirstSeenAnswer> {
  const variables = { window: windowInput(window), history: '1d', kinds };
  return (await ask<{ firstSeen: FirstSeenAnswer }>(FIRST_SEEN, variables)).firstSeen;
}

describe('firstSeen', () => {
  it('finds the drop reason that came with the incident, and says how short the history is', async () => {
    const answer = await firstSeen(AFTER, ['DROP_REASON']);
    const reasons = answer.items.map(
      ({ clients, server: to, dropReason }) => `${clients.join()} ${to} ${dropReason?.name}`,
    );
    expect(reasons).toContain('shop shop POLICY_DENY');
    expect(reasons).not.toContain('monitoring shop POLICY_DENIED');
    expect(answer.missing.map(({ hint }) => hint).join()).toContain('the history begins at');
    const calls = pipeline.played(INCIDENT).calls;
    const [first] = countedIn(calls, AFTER, 'drop')
      .filter(({ call }) => call.denied?.policy === 'payments-lockdown')
      .map(({ line }) => line.timeNs)
      .toSorted((a, b) => (a < b ? -1 : 1));
    const found = answer.items.find(
      ({ server: to, dropReason }) => to === 'shop' && dropReason?.name === 'POLICY_DENY',
    );
    expect(timeNs(found?.firstSeen ?? '')).toBe(first);
  });

  it('says the truth about edges: those in the window that are in no flow before it', async () => {
    const answer = await firstSeen(AFTER, ['EDGE']);
    expect(answer.truncated).toBe(0);
    const edges = (span: Span): ReadonlySet<string> => {
      const counted = (
        ['connection', 'established', 'drop', 'denied-verdict', 'audit', 'l7-response'] as const
      ).flatMap((kind) => countedIn(pipeline.played(INCIDENT).calls, span, kind));
      return new Set(
        counted.map(
          ({ call }) =>
            `${call.client.namespace}/${call.client.workload} ${call.server.namespace}/${call.server.workload} ${call.serverPort}`,
        ),
      );
    };
    const before = edges({ fromNs: BEGIN_NS, toNs: INCIDENT_NS });
    const slash = (name: string): string => (name.includes('/') ? name : `/${name}`);
    for (const { clients, server: to, ports } of answer.items)
      expect(before).not.toContain(`${slash(clients.join())} ${slash(to)} ${ports[0] ?? 0}`);
    const found = new Set(
      answer.items.map(
        ({ clients, server: to, ports }) => `${slash(clients.join())} ${slash(to)} ${ports[0] ?? 0}`,
      ),
    );
    for (const edge of edges(AFTER)) if (!before.has(edge)) expect(found).toContain(edge);
  });

  it('finds every external destination in a window without history, by name where one is known', async () => {
    const answer = await firstSeen(INCIDENT, ['EXTERNAL_DESTINATION']);
    expect(answer.historyBegins).toBeNull();
    expect(answer.missing[0]?.hint).toContain('everything looks new');
    const servers = new Set(answer.items.map(({ server: to }) => to));
    for (const name of ['api.bank.example.com', 'api.example.com', '169.254.169.254', '203.0.113.130'])
      expect(servers).toContain(name);
    expect(
      (await firstSeen(AFTER, ['EXTERNAL_DESTINATION'])).items.map(({ server: to }) => to),
    ).not.toContain('api.bank.example.com');
  });
});

describe('an independent reading of the run', () => {
  it('is about the same pods', () => {
    expect(new Set(decisions.map(({ view }) => appOf(view.subject)))).toContain('shop/payments');
    expect(lines.length).toBeGreaterThan(1000);
  });
});
