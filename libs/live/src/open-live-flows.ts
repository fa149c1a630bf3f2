import { AppError, silentLog, systemClock, type Clock, type Log, type Metrics } from '@flowledger/platform';
import type { AcceptedKeys } from '@flowledger/model';
import type { LiveEndpointHistory, LiveStep, LogCursor, OpenLiveFlows, TailRequest } from '@flowledger/query';
import { LiveEndpoints, type ReadRows } from './live-endpoints.js';
import { PartitionHub } from './partition-hub.js';
import { Reader } from './reader.js';
import type { TailContext, TailedLog, TailEvents } from './tail-context.js';
import { Turns } from './turns.js';

export interface LiveFlowsOptions {
  /** Stays the caller's to close. */
  readonly log: TailedLog;
  /** Consumer group of the loader (`LOADER_GROUP`). */
  readonly group: string;
  /** Only its flows are delivered. */
  readonly tenant: string;
  /** Days that `flows` keeps its rows: the same as the loader's, or ids would differ. */
  readonly rawTtlDays: number;
  /** What the loader accepted before (`storedKeys` of the sink over the reading user's store). */
  readonly keys: AcceptedKeys;
  /** Reads the endpoint history for predicates that match inferred names; without it there are none. */
  readonly endpoints?: ReadRows;
  /** Bytes of decoded records that each partition keeps for readers who come late. Default 16 MiB. */
  readonly recentBytes?: number;
  /** How long the tail goes on when the last reader has left, so that the next one finds it running, ms. Default 30 s. */
  readonly lingerMs?: number;
  /** Readers that may read the log for themselves at once, because they are far behind. Default 4. */
  readonly catchUps?: number;
  readonly clock?: Clock;
  readonly logger?: Log;
  readonly metrics?: Metrics;
}

const DAY_MS = 86_400_000;
const RECENT_BYTES = 16 * 1024 * 1024;
const CATCH_UPS = 4;
const LINGER_MS = 30_000;

/**
 * Tails the event log for any number of readers: each partition is read and decoded once for all who are at its end, and
 * not at all while nobody listens, but for a moment after the last one. What the loader would not store (duplicates) is not delivered.
 */
export function openLiveFlows(options: LiveFlowsOptions): OpenLiveFlows {
  const { endpoints, tenant, clock = systemClock, logger = silentLog } = options;
  const context: TailContext = {
    log: options.log,
    group: options.group,
    tenant,
    rawTtlMs: options.rawTtlDays * DAY_MS,
    keys: options.keys,
    lingerMs: options.lingerMs ?? LINGER_MS,
    recentBytes: options.recentBytes ?? RECENT_BYTES,
    endpoints:
      endpoints === undefined ? undefined : new LiveEndpoints({ read: endpoints, tenant, clock, logger }),
    clock,
    logger,
    events: tailEvents(options.metrics),
  };
  return new LiveTail(context, options.catchUps ?? CATCH_UPS);
}

class LiveTail implements OpenLiveFlows {
  readonly #hubs: readonly PartitionHub[];
  #readers = 0;

  constructor(
    private readonly context: TailContext,
    catchUps: number,
  ) {
    const turns = new Turns(catchUps);
    const { partitions } = context.log;
    this.#hubs = Array.from({ length: partitions }, (_, p) => new PartitionHub(context, p, turns));
  }

  get endpoints(): LiveEndpointHistory | undefined {
    return this.context.endpoints;
  }

  async loaded(): Promise<LogCursor> {
    const { log, group } = this.context;
    const committed = await Promise.all(this.#hubs.map((_, p) => log.committed(group, p)));
    const partitions = committed.map((place) => ({ offset: place?.offset ?? 0n, event: 0 }));
    return { epoch: log.epoch, partitions };
  }

  async end(): Promise<LogCursor> {
    const { log } = this.context;
    const bounds = await Promise.all(this.#hubs.map((_, p) => log.bounds(p)));
    return { epoch: log.epoch, partitions: bounds.map(({ end }) => ({ offset: end, event: 0 })) };
  }

  async *tail(request: TailRequest): AsyncGenerator<LiveStep, void, undefined> {
    const { log, events } = this.context;
    const { after, signal } = request;
    if (after.epoch !== log.epoch || after.partitions.length !== log.partitions)
      throw new AppError('INVALID_ARGUMENT', 'tail from a cursor of another log', { retry: false });
    const ends = (await Promise.all(this.#hubs.map((_, p) => log.bounds(p)))).map(({ end }) => end);
    const gone = new AbortController();
    const reader = new Reader(
      this.context,
      { ...request, signal: AbortSignal.any([signal, gone.signal]) },
      ends,
    );
    events.readers(++this.#readers);
    const joined = this.#hubs.map((hub, p) => hub.join(reader, ends[p] ?? 0n));
    try {
      yield* reader.steps();
    } finally {
      gone.abort();
      for (const hub of this.#hubs) hub.leave(reader);
      events.readers(--this.#readers);
      await Promise.all(joined);
    }
  }
}

function tailEvents(metrics: Metrics | undefined): TailEvents {
  if (metrics === undefined)
    return { decoded: () => undefined, missed: () => undefined, readers: () => undefined };
  const flows = metrics.counter('flowledger_live_flows_decoded_total', 'Flows decoded for live readers');
  const missed = metrics.counter(
    'flowledger_live_flows_missed_total',
    'Flows that live readers were told they missed',
    ['reason'],
  );
  const readers = metrics.gauge('flowledger_live_readers', 'Live readers now');
  return {
    decoded: (count) => flows.inc(count),
    missed: (count, reason) => missed.inc({ reason }, count),
    readers: (now) => readers.set(now),
  };
}
