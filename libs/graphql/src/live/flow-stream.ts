import {
  encodeCursor,
  hashFilters,
  planFlows,
  readFlows,
  type FlowFilters,
  type FlowPart,
  type FlowPosition,
  type FlowPredicate,
  type FlowRow,
  type LabelledFlow,
  type LiveFlows,
  type LogCursor,
} from '@flowledger/query';
import type { RequestScope } from '../request/request-scope.js';
import { planned } from '../resolvers/planned.js';
import { RateCap } from './rate-cap.js';
import { encodeStreamCursor, type StreamPlace } from './stream-cursor.js';
import { BATCH_FLOWS, batchOf, behind, eventOf, type StreamEvent } from './stream-events.js';

/** How long a batch waits for more flows; the schema promises 250 ms, and a busy machine needs the rest itself. */
const BATCH_MS = 100;
/** How long a drop may wait for the loader before it is explained, and how often it looks. */
const LOADED_MS = 15_000;
const LOADED_POLL_MS = 200;
const PARTS: readonly FlowPart[] = ['l7', 'policies'];
const HOUR_NS = 3_600_000_000_000n;

/** What a subscription asks for, checked. */
export interface StreamRequest {
  readonly filters: FlowFilters | null;
  /** The same filters over live flows. */
  readonly matches: FlowPredicate;
  /** Hash of everything that cursors of this subscription depend on. */
  readonly filterHash: string;
  readonly place: StreamPlace;
  readonly maxPerSecond: number;
  readonly maxBufferedBytes: number;
  /** Batches carry explanations. */
  readonly explain: boolean;
  /** Scope of the resolvers that show the flows: the connection's. */
  readonly shownBy: RequestScope;
  readonly signal: AbortSignal;
}

/** Everything a subscription sends: history up to the place in the log, then the tail from there, until it is cancelled. */
export async function* streamFlows(
  scope: RequestScope,
  live: LiveFlows,
  request: StreamRequest,
): AsyncGenerator<StreamEvent, void, undefined> {
  const stream = new FlowStream(scope, live, request);
  try {
    yield* stream.history();
    yield* stream.tail();
  } catch (error) {
    // A wait that was cancelled is the end, not a fault.
    if (!request.signal.aborted) throw error;
  }
}

class FlowStream {
  readonly #cap: RateCap;
  #sentMs = -Infinity;

  constructor(
    private readonly scope: RequestScope,
    private readonly live: LiveFlows,
    private readonly request: StreamRequest,
  ) {
    this.#cap = new RateCap(request.maxPerSecond, scope.deps.clock.monotonic());
  }

  /** Pages of the tables in time order; no faster than the client reads or the rate allows. */
  async *history(): AsyncGenerator<StreamEvent, void, undefined> {
    const { scope, request } = this;
    const { place, filters, signal } = request;
    if (place.history === undefined) return;
    const { sinceNs } = place.history;
    let { after } = place.history;
    const window = { fromNs: sinceNs, toNs: scope.nowNs + HOUR_NS };
    const clusters = await scope.deps.clusters.known(scope);
    for (let more = true; more && !signal.aborted;) {
      const plan = planned(
        planFlows(
          {
            window,
            filters,
            first: BATCH_FLOWS,
            after: after === null ? null : encodeCursor(after, hashFilters(filters)),
            parts: PARTS,
            clusters,
            loadedBefore: place.log,
          },
          scope.planning,
        ),
      );
      const { flows, hasNextPage } = readFlows((await scope.query<FlowRow>(plan.plan)).rows, plan);
      more = hasNextPage;
      const last = flows.at(-1);
      if (last === undefined) return;
      await this.#afford(flows.length);
      after = last.position;
      const cursor = more ? this.#historyCursor(sinceNs, after) : this.#cursor(place.log);
      yield batchOf(flows, cursor, this.request.explain);
    }
  }

  /** The log from the place on. What the rate does not allow is missed once the tail has caught up. */
  async *tail(): AsyncGenerator<StreamEvent, void, undefined> {
    const { request, live } = this;
    const { matches, maxBufferedBytes, signal } = request;
    let at = request.place.log;
    let caughtUp = false;
    const steps = live.tail({ after: at, matches, maxBufferedBytes, signal })[Symbol.asyncIterator]();
    try {
      for (;;) {
        await this.#pause();
        const { done, value: step } = await steps.next();
        if (done === true) return;
        if (step.kind !== 'flows') {
          caughtUp ||= step.kind === 'caught_up';
          yield eventOf(step, (cursor) => this.#cursor(cursor));
          continue;
        }
        for (let from = 0; from < step.flows.length; from += BATCH_FLOWS) {
          const batch = step.flows.slice(from, from + BATCH_FLOWS);
          const sent = caughtUp ? this.#cap.take(batch.length, this.#now()) : batch.length;
          if (!caughtUp) await this.#afford(sent);
          const allowed = batch.slice(0, sent);
          const next = behind(at, allowed);
          const end = from + BATCH_FLOWS >= step.flows.length ? step.cursor : behind(at, batch);
          if (sent > 0) yield await this.#batch(allowed, sent === batch.length ? end : next);
          if (sent < batch.length) yield this.#capped(batch.slice(sent), next);
          at = end;
        }
        this.#sentMs = step.flows.length < BATCH_FLOWS ? this.#now() : -Infinity;
      }
    } finally {
      await steps.return?.();
    }
  }

  /** A batch of live flows; one that is to be explained waits until the tables hold it and what explains it. */
  async #batch(flows: readonly LabelledFlow[], behindIt: LogCursor): Promise<StreamEvent> {
    const { explain, shownBy } = this.request;
    if (explain) await this.#loaded(behindIt);
    else shownBy.takeLive(flows);
    return batchOf(
      flows.map(({ flow }) => flow),
      this.#cursor(behindIt),
      explain,
    );
  }

  /** Waits until the loader has passed a place, at most {@link LOADED_MS}: then what is there must do. */
  async #loaded(place: LogCursor): Promise<void> {
    const { clock } = this.scope.deps;
    const deadline = clock.monotonic() + LOADED_MS;
    while (clock.monotonic() < deadline) {
      const { partitions } = await this.live.loaded();
      if (partitions.every(({ offset }, p) => offset >= (place.partitions[p]?.offset ?? 0n))) return;
      await clock.sleep(LOADED_POLL_MS, this.request.signal);
    }
  }

  #capped(flows: readonly LabelledFlow[], resume: LogCursor): StreamEvent {
    let [fromNs, toNs] = [flows[0]?.flow.timeNs ?? 0n, 0n];
    for (const { flow } of flows) {
      if (flow.timeNs < fromNs) fromNs = flow.timeNs;
      if (flow.timeNs > toNs) toNs = flow.timeNs;
    }
    const count = BigInt(flows.length);
    const step = { kind: 'missed', count, reason: 'RATE_CAP', fromNs, toNs, resume } as const;
    return eventOf(step, (cursor) => this.#cursor(cursor));
  }

  /** Lets what comes within {@link BATCH_MS} of the last batch wait in the tail's buffer, so that it is sent together. */
  async #pause(): Promise<void> {
    const wait = this.#sentMs + BATCH_MS - this.#now();
    if (wait > 0) await this.scope.deps.clock.sleep(wait, this.request.signal);
  }

  /** Waits until the rate allows so many flows. */
  async #afford(count: number): Promise<void> {
    const { clock } = this.scope.deps;
    for (let left = count; left > 0;) {
      left -= this.#cap.take(left, this.#now());
      if (left > 0) await clock.sleep(Math.max(1, this.#cap.waitMs(this.#now())), this.request.signal);
    }
  }

  #now(): number {
    return this.scope.deps.clock.monotonic();
  }

  #cursor(log: LogCursor): string {
    return encodeStreamCursor({ log }, this.request.filterHash);
  }

  #historyCursor(sinceNs: bigint, after: FlowPosition): string {
    const place = { log: this.request.place.log, history: { sinceNs, after } };
    return encodeStreamCursor(place, this.request.filterHash);
  }
}
