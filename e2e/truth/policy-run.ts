import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { createApiServer, readPolicyDocuments, type PolicySource } from '@flowledger/graphql';
import { openLog, systemClock } from '@flowledger/platform';
import type { JsonObject, Policy } from '@flowledger/policy';
import type { CallRecord } from '@flowledger/simulator';
import { decisionsOf, type Decision } from './policy-truth.js';
import { linesOf } from './record-truth.js';
import { AFTERWARDS_MS, MINUTE_NS, type Scenario, type Span } from './scenarios.js';
import { startTruthPipeline } from './truth-pipeline.js';

const FILE = fileURLToPath(new URL('../../examples/policies/demo-cluster.yaml', import.meta.url));
const DAY_NS = 86_400_000_000_000n;
const TENANT = 'default';

const END_NS = BigInt(AFTERWARDS_MS) * 1_000_000n - 60n * MINUTE_NS;
/** Begin of the run, ns since 1970. */
export const BEGIN_NS = END_NS - 40n * MINUTE_NS;
/** When the policy takes effect, ns since 1970. */
export const INCIDENT_NS = BEGIN_NS + 20n * MINUTE_NS;
/** A policy breaks payments half-way. */
export const INCIDENT: Scenario = {
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
/** Before the incident. */
export const BEFORE: Span = { fromNs: BEGIN_NS, toNs: INCIDENT_NS - MINUTE_NS };
/** From the incident on. */
export const AFTER: Span = { fromNs: INCIDENT_NS, toNs: END_NS };

/** The demo cluster's policies as read from the example. */
export const { snapshot } = readPolicyDocuments(readFileSync(FILE, 'utf8'), 'demo-cluster.yaml');
/** The policies of the demo cluster. */
export const DEMO: readonly Policy[] = snapshot.policies;
/** Two dumps: one of long before, one of the moment at which the incident's policy came. */
const source: PolicySource = {
  state: () => {
    const policies = DEMO.filter(({ name }) => name !== 'payments-lockdown');
    const before = { ...snapshot, policies, origin: 'before.yaml', validFromNs: BEGIN_NS - 60n * MINUTE_NS };
    const snapshots = [before, { ...snapshot, validFromNs: INCIDENT_NS - MINUTE_NS / 60n }];
    return Promise.resolve({ snapshots, problems: [] });
  },
};

/** The run, loaded, with an API that knows the demo cluster's policies. */
export interface PolicyRun {
  /** Every decision of the datapath, read from the source's bytes. */
  readonly decisions: readonly Decision[];
  readonly calls: readonly CallRecord[];
  ask<Data>(query: string, variables?: object): Promise<Data>;
  stop(): Promise<void>;
}

/** Plays and loads the run. */
export async function startPolicyRun(): Promise<PolicyRun> {
  const pipeline = await startTruthPipeline([INCIDENT]);
  const { calls, events } = pipeline.played(INCIDENT);
  const kept = 20_000n * DAY_NS;
  const server = await createApiServer({
    store: pipeline.store,
    host: '127.0.0.1',
    port: 0,
    tenant: TENANT,
    version: '0.0.0-test',
    retention: { rawNs: kept, minuteNs: kept, hourNs: kept },
    status: () => Promise.resolve({ ok: true }),
    logger: openLog('policy-test', 'warn'),
    clock: { ...systemClock, now: () => AFTERWARDS_MS },
    policies: source,
  }).catch(async (error: unknown) => {
    await pipeline.stop();
    throw error;
  });
  return {
    decisions: decisionsOf(linesOf(events)),
    calls,
    ask: (query, variables = {}) => ask(server.url, query, variables),
    stop: async () => {
      await server.close();
      await pipeline.stop();
    },
  };
}

async function ask<Data>(url: string, query: string, variables: object): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Data; errors?: unknown };
  if (errors !== undefined || data === undefined) throw new Error(JSON.stringify(errors));
  return data;
}

/** The objects of YAML text. */
export function documentsOf(yaml: string): readonly JsonObject[] {
  return parseAllDocuments(yaml).map((one) => one.toJS() as JsonObject);
}
