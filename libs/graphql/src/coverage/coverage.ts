import {
  coverageStatus,
  planCoverage,
  readCoverage,
  type CoverageFacts,
  type CoveragePlan,
  type CoverageRequest,
  type ExtentRow,
  type LedgerRow,
  type LostRow,
  type StatusRow,
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
  const key = `coverage ${fromNs} ${toNs} ${JSON.stringify([request.cluster ?? null, request.node ?? null])}`;
  const { facts, unaccounted, overdue } = await scope.once(key, () => measure(scope, plan));
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
    sampledShare: null,
    unknownLatencyShare: extras.unknownLatencyShare ?? null,
    repairing: facts.repairing,
    unaccounted,
  };
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
