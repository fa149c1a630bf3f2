import {
  coveredShare,
  coverageStatus,
  planCoverage,
  planNamespaceNodes,
  planSampledShare,
  readCoverage,
  readNamespaceNodes,
  readSampledShare,
  redConfidence,
  type CoverageFacts,
  type CoveragePlan,
  type CoverageRequest,
  type ExtentRow,
  type LedgerRow,
  type LostRow,
  type NamespaceNodesRow,
  type RedStats,
  type SampledRow,
  type StatusRow,
  type Window,
} from '@flowledger/query';
import type { RequestScope } from '../request/request-scope.js';
import { planned } from '../resolvers/planned.js';
import { accountFor } from './accounting.js';

/** `Coverage` of the schema. */
export type CoverageView = Awaited<ReturnType<typeof coverageOf>>;

/** What only the answer beside a coverage knows. */
export interface CoverageExtras {
  readonly unknownLatencyShare?: number | null;
}

/**
 * How far answers about a window may be believed: what the tables know, and what the log holds that they do not. Made
 * once a request for a window, however many answers ask.
 */
export async function coverageOf(scope: RequestScope, request: CoverageRequest, extras: CoverageExtras = {}) {
  const plan = planned(planCoverage(request, scope.planning));
  const { fromNs, toNs } = plan.window;
  const { cluster = null, node = null, nodes = null } = request;
  const key = `${fromNs} ${toNs} ${JSON.stringify([cluster, node, nodes])}`;
  const { facts, unaccounted, overdue } = await scope.once(`coverage ${key}`, () => measure(scope, plan));
  return {
    from: fromNs,
    to: toNs,
    status: coverageStatus(facts, overdue),
    gaps: facts.gaps.map((gap) => ({ ...gap, from: gap.fromNs, to: gap.toNs })),
    watermark: facts.watermarkNs,
    oldestKept: facts.oldestKeptNs,
    eventsLostUpstream: facts.eventsLostUpstream,
    nodesExpected: facts.nodesExpected,
    nodesReporting: facts.nodesReporting,
    /** Looked up when asked for, once for all that ask. */
    sampledShare: () => scope.once(`sampled ${key}`, () => sampledShare(scope, request)),
    unknownLatencyShare: extras.unknownLatencyShare ?? null,
    repairing: facts.repairing,
    unaccounted,
    facts,
  };
}

async function sampledShare(scope: RequestScope, request: CoverageRequest): Promise<number | null> {
  const plan = planned(planSampledShare(request, scope.planning));
  return readSampledShare((await scope.query<SampledRow>(plan)).rows);
}

/**
 * Coverage of what a namespace's endpoints did: of the nodes that they ran on. Of all nodes when they are not known.
 */
export async function coverageOfNamespace(
  scope: RequestScope,
  namespace: string,
  request: CoverageRequest,
): Promise<CoverageView> {
  const plan = planned(planNamespaceNodes(namespace, request, scope.planning));
  const { rows } = await scope.query<NamespaceNodesRow>(plan);
  return coverageOf(scope, { ...request, nodes: readNamespaceNodes(rows) });
}

/** How far the numbers of calls in a window may be believed; see `redConfidence`. */
export async function confidenceOf(
  scope: RequestScope,
  stats: Pick<RedStats, 'requests' | 'knownLatencyShare'>,
  window: Window,
): Promise<number | null> {
  if (stats.requests === 0n) return null;
  const { facts, sampledShare: sampled } = await coverageOf(scope, { window });
  return redConfidence(stats, coveredShare(facts, scope.nowNs), await sampled());
}

interface Measured {
  readonly facts: CoverageFacts;
  readonly unaccounted: bigint | null;
  readonly overdue: bigint;
}

async function measure(scope: RequestScope, plan: CoveragePlan): Promise<Measured> {
  const [lost, status, extent, ledger] = await Promise.all([
    scope.query<LostRow>(plan.lost),
    scope.query<StatusRow>(plan.status),
    scope.query<ExtentRow>(plan.extent),
    scope.once('ledger', () => scope.query<LedgerRow>(plan.ledger)),
  ]);
  const rows = { lost: lost.rows, status: status.rows, extent: extent.rows, ledger: ledger.rows };
  const facts = readCoverage(rows, plan);
  const { log, clock } = scope.deps;
  if (log === undefined) return { facts, unaccounted: null, overdue: 0n };
  const books = await scope.once('accounting', () => accountFor(log, ledger.rows, clock.now()));
  return { facts, ...books };
}
