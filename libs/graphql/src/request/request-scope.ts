import type { ColumnStore, QueryPlan, QueryResult } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import { AppError, type Clock, type Log, type Metrics } from '@flowledger/platform';
import type { QueryContext, Retention } from '@flowledger/query';
import type { Limits } from '../limits/limits.js';
import { HistoryLoader } from './history-loader.js';
import type { KnownClusters } from './known-clusters.js';
import { LabelLoader } from './label-loader.js';
import type { QueryGate } from './query-gate.js';
import { TwinLoader } from './twin-loader.js';

/** What all requests of one server share. */
export interface RequestDeps {
  readonly store: ColumnStore;
  /** Absent when this process answers without a log of its own; `unaccounted` is null then. */
  readonly log?: Pick<EventLog, 'epoch' | 'partitions' | 'bounds' | 'read'>;
  readonly tenant: string;
  readonly limits: Limits;
  readonly retention: Retention;
  readonly gate: QueryGate;
  readonly clusters: KnownClusters;
  readonly clock: Clock;
  readonly logger: Log;
  readonly queries: ReturnType<Metrics['counter']>;
  readonly errors: ReturnType<Metrics['counter']>;
}

/** What `extensions.cost` says. */
export interface CostReport {
  requested: number;
  rowsRead: number;
  elapsedMs: number;
  queries: number;
}

/**
 * One GraphQL request: its time, its deadline, its cost, and answers that several fields of it need. The signal aborts
 * when the client goes away or the request has lasted `limits.requestMs`.
 */
export class RequestScope {
  readonly cost: CostReport = { requested: 0, rowsRead: 0, elapsedMs: 0, queries: 0 };
  /** The request's "now", ns since 1970: the same for every window in it. */
  readonly nowNs: bigint;
  readonly signal: AbortSignal;
  /** What planners know beside the question. */
  readonly planning: QueryContext;
  readonly labels: LabelLoader;
  readonly history: HistoryLoader;
  readonly twins: TwinLoader;
  readonly #deadline: number;
  readonly #shared = new Map<string, Promise<unknown>>();

  constructor(
    readonly id: string,
    readonly deps: RequestDeps,
    gone: AbortSignal,
  ) {
    const { limits, tenant, retention } = deps;
    this.nowNs = BigInt(deps.clock.now()) * 1_000_000n;
    this.#deadline = deps.clock.monotonic() + limits.requestMs;
    this.signal = AbortSignal.any([gone, AbortSignal.timeout(limits.requestMs)]);
    this.planning = { tenant, nowNs: this.nowNs, retention, limits: queryLimits(limits) };
    this.labels = new LabelLoader(this);
    this.history = new HistoryLoader(this);
    this.twins = new TwinLoader(this);
  }

  /**
   * Runs one plan: waits for a free place, gives the engine no more time than the request has left, aborts it with the
   * request. A failed query fails the whole field: rows that came before the failure are never an answer.
   */
  async query<Row>(plan: QueryPlan): Promise<QueryResult<Row>> {
    try {
      return await this.deps.gate.run(async () => {
        const result = await this.deps.store.query<Row>(this.#limited(plan), this.signal);
        this.cost.queries++;
        this.cost.rowsRead += result.rowsRead;
        this.cost.elapsedMs += result.elapsedMs;
        return result;
      }, this.signal);
    } catch (error) {
      // Whatever the store made of the abort, the reason for it is what the caller should hear.
      if (this.signal.aborted) throw this.#gaveUp(error);
      throw error;
    } finally {
      this.deps.queries.inc({ query: plan.name });
    }
  }

  /** The answer under `key`, made at most once in this request. */
  once<T>(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#shared.get(key);
    if (known !== undefined) return known as Promise<T>;
    const made = make();
    this.#shared.set(key, made);
    return made;
  }

  #limited(plan: QueryPlan): QueryPlan {
    const left = Math.max(1, Math.ceil((this.#deadline - this.deps.clock.monotonic()) / 1000));
    const planned = Number(plan.settings['max_execution_time'] ?? left);
    return { ...plan, settings: { ...plan.settings, max_execution_time: Math.min(left, planned) } };
  }

  #gaveUp(cause: unknown): AppError {
    const late = this.signal.reason instanceof DOMException && this.signal.reason.name === 'TimeoutError';
    return new AppError(late ? 'TIMEOUT' : 'CANCELLED', 'query for a request', { retry: true, cause });
  }
}

function queryLimits(limits: Limits): QueryContext['limits'] {
  return {
    maxSeconds: Math.ceil(limits.requestMs / 1000),
    maxRowsToRead: limits.rowsToRead,
    maxMemoryBytes: limits.queryMemoryBytes,
    maxWindowNs: BigInt(limits.windowMs) * 1_000_000n,
  };
}

/** The value that GraphQL hands to every resolver. */
export interface ApiContext {
  readonly scope: RequestScope;
}
