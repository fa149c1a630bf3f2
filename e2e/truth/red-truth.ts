import { expectedRed, type CallRecord, type ExpectedRed, type WeightedLatency } from '@flowledger/simulator';
import type { Span } from './scenarios.js';

/** What the counting rules say about a set of calls. */
export interface RedTruth {
  requests: number;
  denied: number;
  faults: number;
  /** Faults and everything else that failed, denied calls not among them. */
  failures: number;
  unknownLatency: number;
  latencies: readonly WeightedLatency[];
}

export type ErrorRule = 'SERVER_FAULT' | 'ANY_FAILURE';

/** The numbers of one `RedStats` that must be equal, not near. */
export interface ExactStats {
  readonly requests: number;
  readonly denied: number;
  readonly errors: number;
  readonly errorRatio: number | null;
  readonly ratePerSecond: number;
  readonly avgMs: number | null;
  readonly maxMs: number | null;
}

/** Name of a party as `KeyPart.value` has it. */
export function partyName({ namespace, workload }: { namespace: string; workload: string }): string | null {
  if (workload === '') return null;
  return namespace === '' ? workload : `${namespace}/${workload}`;
}

/** Groupings that truth can be asked for, by what they are called in a question. */
export const RED_KEYS = {
  SERVER: ({ edge }: ExpectedRed) => [partyName(edge.server)],
  CLIENT: ({ edge }: ExpectedRed) => [partyName(edge.client)],
  ENDPOINT: ({ endpoint }: ExpectedRed) => [endpoint === '' ? null : endpoint],
  EDGE: ({ edge }: ExpectedRed) => [
    edge.cluster,
    partyName(edge.client),
    partyName(edge.server),
    String(edge.serverPort),
  ],
  KIND: ({ edge }: ExpectedRed) => [
    edge.protocol,
    edge.server.namespace === '' ? null : edge.server.namespace,
  ],
} as const;

/** `groupBy` of each key above. */
export const RED_GROUPINGS: Readonly<Record<keyof typeof RED_KEYS, readonly object[]>> = {
  SERVER: [{ dimension: 'WORKLOAD', side: 'SERVER' }],
  CLIENT: [{ dimension: 'WORKLOAD', side: 'CLIENT' }],
  ENDPOINT: [{ dimension: 'ENDPOINT' }],
  EDGE: [
    { dimension: 'CLUSTER' },
    { dimension: 'WORKLOAD', side: 'CLIENT' },
    { dimension: 'WORKLOAD', side: 'SERVER' },
    { dimension: 'PORT' },
  ],
  KIND: [{ dimension: 'PROTOCOL' }, { dimension: 'NAMESPACE', side: 'SERVER' }],
};

function emptyTruth(): RedTruth {
  return { requests: 0, denied: 0, faults: 0, failures: 0, unknownLatency: 0, latencies: [] };
}

function add(sum: RedTruth, row: ExpectedRed): RedTruth {
  return {
    requests: sum.requests + row.requests,
    denied: sum.denied + row.denied,
    faults: sum.faults + row.faults,
    failures: sum.failures + row.failures,
    unknownLatency: sum.unknownLatency + row.unknownLatency,
    latencies: [...sum.latencies, ...row.latencies],
  };
}

/** All calls of a window together. */
export function redTotal(calls: readonly CallRecord[], window: Span): RedTruth {
  return expectedRed(calls, window, 'edge').reduce(add, emptyTruth());
}

/** Calls of a window by a key of {@link RED_KEYS}; keys as JSON texts. */
export function redGroups(
  calls: readonly CallRecord[],
  window: Span,
  by: keyof typeof RED_KEYS,
): ReadonlyMap<string, RedTruth> {
  const groups = new Map<string, RedTruth>();
  for (const row of expectedRed(calls, window, 'endpoint')) {
    const key = JSON.stringify(RED_KEYS[by](row));
    groups.set(key, add(groups.get(key) ?? emptyTruth(), row));
  }
  return groups;
}

/** The numbers that an answer must give for it. */
export function exactStats(truth: RedTruth, rule: ErrorRule, window: Span): ExactStats {
  const any = rule === 'ANY_FAILURE';
  const errors = any ? truth.failures + truth.denied : truth.faults;
  const calls = any ? truth.requests + truth.denied : truth.requests;
  const known = truth.latencies.reduce((sum, one) => sum + one.weight, 0);
  const sumNs = truth.latencies.reduce((sum, one) => sum + one.ns * BigInt(one.weight), 0n);
  const maxNs = truth.latencies.reduce((max, one) => (one.ns > max ? one.ns : max), 0n);
  return {
    requests: truth.requests,
    denied: truth.denied,
    errors,
    errorRatio: calls === 0 ? null : errors / calls,
    ratePerSecond: truth.requests / (Number(window.toNs - window.fromNs) / 1e9),
    avgMs: known === 0 ? null : Number(sumNs) / known / 1e6,
    maxMs: known === 0 ? null : Number(maxNs) / 1e6,
  };
}

/** The exact q-quantile by nearest rank, ms; null when no latency is known. */
export function exactQuantileMs(truth: RedTruth, q: number): number | null {
  const sorted = truth.latencies.toSorted((a, b) => (a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0));
  const count = sorted.reduce((sum, one) => sum + one.weight, 0);
  const rank = Math.max(1, Math.ceil(q * count));
  let seen = 0;
  for (const { ns, weight } of sorted) {
    seen += weight;
    if (seen >= rank) return Number(ns) / 1e6;
  }
  return null;
}

/** Whose reports each group by `EDGE` counts: the server's, unless only the client has a proxy. */
export function reporters(
  calls: readonly CallRecord[],
  groups: ReadonlyMap<string, RedTruth>,
): ReadonlyMap<string, string> {
  const clientOnly = new Set(
    calls
      .filter((call) => call.l7ReportedBy === 'client')
      .map(({ cluster, client, server, serverPort }) =>
        JSON.stringify([cluster, partyName(client), partyName(server), String(serverPort)]),
      ),
  );
  const reporter = (key: string): string => (clientOnly.has(key) ? 'client' : 'server');
  return new Map([...groups].map(([key, { requests }]) => [key, requests === 0 ? 'none' : reporter(key)]));
}
