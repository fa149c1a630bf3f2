import {
  DEFAULT_LIMITS,
  DEFAULT_RETENTION,
  hourOf,
  KnownEndpoints,
  planHourEndpoints,
  type HistoricEndpoint,
  type HourEndpointRow,
  type LabelledFlow,
  type LiveEndpointHistory,
  type QueryPlan,
} from '@flowledger/query';
import { describeError, type Clock, type Log } from '@flowledger/platform';
import type { ColumnBatch } from '@flowledger/model';

/** Asks the store; a reading user is enough. */
export type ReadRows = <Row>(plan: QueryPlan, signal: AbortSignal) => Promise<readonly Row[]>;

/** What the history is made from. */
export interface LiveEndpointsOptions {
  readonly read: ReadRows;
  readonly tenant: string;
  readonly clock: Clock;
  readonly logger: Log;
}

/** Addresses in memory, about 200 bytes each; more than a cluster of 5,000 nodes has in an hour. */
const MAX_ADDRESSES = 250_000;
/** After so long an hour is read again, for what was stored without passing this tail. */
const FRESH_MS = 60_000;
const HOUR_S = 3600;

/**
 * The endpoint history for live flows: the hours that flows are of are read from the table before the flows are matched,
 * and what the tail decodes itself is added at once. Does nothing until somebody prepares it.
 */
export class LiveEndpoints implements LiveEndpointHistory {
  readonly #known = new KnownEndpoints(MAX_ADDRESSES);
  /** When an hour was read last, by the clock that never jumps. */
  readonly #readMs = new Map<number, number>();
  readonly #reading = new Map<number, Promise<void>>();
  #wanted = false;

  constructor(private readonly options: LiveEndpointsOptions) {}

  at(cluster: string, timeNs: bigint, ip: string): readonly HistoricEndpoint[] {
    return this.#known.at(cluster, timeNs, ip);
  }

  async prepare(): Promise<void> {
    this.#wanted = true;
    const hour = hourOf(BigInt(this.options.clock.now()) * 1_000_000n);
    await Promise.all([this.#fresh(hour - HOUR_S), this.#fresh(hour)]);
  }

  /** Has what flows of one record can match; a store that does not answer is told, and asked again with the next flows. */
  async ready(flows: readonly LabelledFlow[]): Promise<void> {
    if (!this.#wanted) return;
    const hours = new Set<number>();
    for (const { flow } of flows) hours.add(hourOf(flow.position.bucketNs));
    try {
      for (const hour of hours) await this.#fresh(hour);
    } catch (error) {
      const reason = describeError(error);
      this.options.logger.warn({ reason }, 'live flows are matched without the endpoint history');
    }
  }

  /** Like {@link ready} for records that were just decoded, with the endpoints they told. */
  async take(flows: readonly LabelledFlow[], told: ColumnBatch): Promise<void> {
    await this.ready(flows);
    if (this.#wanted) this.#known.learn(told, this.options.tenant);
  }

  /** Reads an hour unless that was done a moment ago; who comes meanwhile waits for the same answer. */
  #fresh(hour: number): Promise<void> {
    const readMs = this.#readMs.get(hour);
    const fresh = readMs !== undefined && this.options.clock.monotonic() - readMs < FRESH_MS;
    if (fresh && this.#known.holds(hour)) return Promise.resolve();
    const reading = this.#reading.get(hour) ?? this.#read(hour).finally(() => this.#reading.delete(hour));
    this.#reading.set(hour, reading);
    return reading;
  }

  async #read(hour: number): Promise<void> {
    const { read, tenant, clock } = this.options;
    const nowNs = BigInt(clock.now()) * 1_000_000n;
    const context = { tenant, nowNs, limits: DEFAULT_LIMITS, retention: DEFAULT_RETENTION };
    const plan = planHourEndpoints([hour], MAX_ADDRESSES, context);
    const rows = await read<HourEndpointRow>(plan, AbortSignal.timeout(DEFAULT_LIMITS.maxSeconds * 1000));
    this.#known.add([hour], rows);
    this.#readMs.set(hour, clock.monotonic());
    for (const old of this.#readMs.keys()) if (!this.#known.holds(old)) this.#readMs.delete(old);
  }
}
