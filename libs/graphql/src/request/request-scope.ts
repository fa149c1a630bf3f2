import type { ColumnStore, QueryPlan, QueryResult } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import { AppError, type Clock, type Log, type Metrics, type Turnstile } from '@flowledger/platform';
import type { FlowRecord, LabelledFlow, OpenLiveFlows, QueryContext, Retention } from '@flowledger/query';
import type { Limits } from '../limits/limits.js';
import type { TokenBuckets } from '../limits/token-bucket.js';
import type { SharedPredicates } from '../live/shared-predicates.js';
import type { SubscriptionLimits } from '../live/subscription-limits.js';
import type { PolicySource } from '../policies/policy-source.js';
import { HistoryLoader } from './history-loader.js';
import type { KnownClusters } from './known-clusters.js';
import { LabelLoader } from './label-loader.js';
import { TwinLoader } from './twin-loader.js';

/** What subscriptions share. */
export interface LiveDeps {
  readonly flows: OpenLiveFlows;
  readonly limits: SubscriptionLimits;
  readonly predicates: SharedPredicates;
  /** Bytes that may wait for one subscriber. */
  readonly bufferBytes: number;
}

/** What all requests of one server share. */
export interface RequestDeps {
  readonly store: ColumnStore;
  /** Absent when this process answers without a log of its own; `unaccounted` is null then. */
  readonly log?: Pick<EventLog, 'epoch' | 'partitions' | 'bounds' | 'read'>;
  readonly tenant: string;
  readonly limits: Limits;
  readonly retention: Retention;
  /** Queries of all requests to the store. */
  readonly gate: Turnstile;
  readonly clusters: KnownClusters;
  /** What each caller may still ask for. */
  readonly rate: TokenBuckets;
  /** Absent when this process has no live tail: subscriptions are refused then. */
  readonly live?: LiveDeps;
  /** Policy objects; nothing is stored when absent. */
  readonly policies?: PolicySource;
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
  readonly #live = new WeakSet<FlowRecord>();

  /** `lasting`: a subscription, which has no deadline of its own; each of its queries has that of a request. */
  constructor(
    readonly id: string,
    readonly deps: RequestDeps,
    gone: AbortSignal,
    lasting = false,
  ) {
    const { limits, tenant, retention } = deps;
    this.nowNs = BigInt(deps.clock.now()) * 1_000_000n;
    this.#deadline = lasting ? Infinity : deps.clock.monotonic() + limits.requestMs;
    this.signal = lasting ? gone : AbortSignal.any([gone, AbortSignal.timeout(limits.requestMs)]);
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

  /** Takes flows of the live tail: their labels are known, and the tables do not hold them yet. */
  takeLive(flows: readonly LabelledFlow[]): void {
    for (const { flow, sourceLabels, destinationLabels, nodeLabels } of flows) {
      this.#live.add(flow);
      this.labels.know(flow.source.labelSet, sourceLabels);
      this.labels.know(flow.destination.labelSet, destinationLabels);
      this.labels.know(flow.wire?.nodeLabelSet ?? '', nodeLabels);
    }
  }

  /** True for flows of the live tail: nothing is looked up for them. */
  isLive(flow: FlowRecord): boolean {
    return this.#live.has(flow);
  }

  #limited(plan: QueryPlan): QueryPlan {
    const { requestMs } = this.deps.limits;
    const leftMs = Math.min(requestMs, this.#deadline - this.deps.clock.monotonic());
    const left = Math.max(1, Math.ceil(leftMs / 1000));
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
