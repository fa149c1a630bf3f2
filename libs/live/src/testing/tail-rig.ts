import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog, type AppendRecord, type EmbeddedLog } from '@flowledger/event-log';
import { Packer } from '@flowledger/ingest';
import type { AcceptedKeys } from '@flowledger/model';
import type { FlowPredicate, FlowRecord, LiveStep, LogCursor, OpenLiveFlows } from '@flowledger/query';
import { Simulation, type SimulatedEvent, type SimulationOptions } from '@flowledger/simulator';
import { openLiveFlows, type LiveFlowsOptions } from '../open-live-flows.js';
import type { TailedLog } from '../tail-context.js';
import { ModelLoader, RAW_DAYS } from './model-loader.js';

export const NOW_MS = Date.UTC(2026, 5, 1, 12);
const SECOND_NS = 1_000_000_000n;
const ALL = { maxBytes: 2 ** 28, maxWaitMs: 0 };

/** Events of some seconds of the simulated cluster, ending at {@link NOW_MS}. */
export function simulated(seconds: number, more: Partial<SimulationOptions> = {}): SimulatedEvent[] {
  const to = BigInt(NOW_MS) * 1_000_000n;
  const from = to - BigInt(seconds) * SECOND_NS;
  return [...new Simulation({ seed: 7, from, to, scenario: 'test', callsPerSecond: 10, ...more }).events()];
}

/** How a test reads the tail. */
export interface TailOptions {
  readonly maxBufferedBytes?: number;
  readonly matches?: FlowPredicate;
}

/** A real log on disk, its tail, and what a loader that is as far as it is told would have stored. */
export class TailRig {
  /** Reads that the tail made of the log. */
  reads = 0;
  /** Times that the tail read what was accepted before it began. */
  seeds = 0;
  readonly live: OpenLiveFlows;
  readonly #loaders: readonly ModelLoader[];

  private constructor(
    readonly log: EmbeddedLog,
    private readonly directory: string,
    options: Partial<LiveFlowsOptions>,
  ) {
    this.#loaders = Array.from({ length: log.partitions }, (_, p) => new ModelLoader(log.epoch, p));
    const base = {
      log: this.#watchedLog(),
      group: 'loader',
      tenant: 'default',
      rawTtlDays: RAW_DAYS,
      lingerMs: 0,
    };
    this.live = openLiveFlows({ ...base, keys: this.#keys(), ...options });
  }

  static async open(partitions: number, options: Partial<LiveFlowsOptions> = {}): Promise<TailRig> {
    const directory = await mkdtemp(join(tmpdir(), 'flowledger-live-'));
    const place = { directory: join(directory, 'log'), mode: 'writer', partitions } as const;
    const log = await openEmbeddedLog({ ...place, durability: 'process', flushMs: 1 });
    return new TailRig(log, directory, options);
  }

  async close(): Promise<void> {
    await this.log.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Appends events in envelopes of at most `each`; resolves when readers see them. */
  async append(events: readonly SimulatedEvent[], each = 50): Promise<void> {
    for (let from = 0; from < events.length; from += each) {
      const records = packed(events.slice(from, from + each), this.log.partitions);
      for (const { partition, offset } of await this.log.append(records)) {
        const seen = await this.log.read(partition, offset, { maxBytes: 1, maxWaitMs: 5_000 });
        if (seen.records.length === 0) throw new Error('an appended record does not show');
      }
    }
  }

  /** Lets the loader of a partition go on to an offset. */
  async load(partition: number, to: bigint): Promise<void> {
    const loader = this.#loaders[partition];
    if (loader === undefined || to <= loader.next) return;
    const { records } = await this.log.read(partition, loader.next, ALL);
    for (const record of records) if (record.offset < to) loader.load(record);
  }

  /** Everything that is stored once the loader has read all of the log. */
  async everything(): Promise<readonly FlowRecord[]> {
    const found: FlowRecord[] = [];
    for (let p = 0; p < this.log.partitions; p++) {
      const loader = new ModelLoader(this.log.epoch, p);
      const { records } = await this.log.read(p, 0n, ALL);
      for (const record of records) loader.load(record);
      found.push(...loader.flows);
    }
    return found;
  }

  /** The history before a cursor, as a query of the tables gives it. */
  before(cursor: LogCursor): readonly FlowRecord[] {
    return this.#loaders.flatMap(({ flows }, p) =>
      flows.filter(({ position }) => position.offset < (cursor.partitions[p]?.offset ?? 0n)),
    );
  }

  /** Steps of a tail until `enough` says so; throws when that has not come in half a minute. */
  async steps(
    after: LogCursor,
    enough: (steps: readonly LiveStep[]) => boolean | Promise<boolean>,
    { maxBufferedBytes = 2 ** 26, matches = () => true }: TailOptions = {},
  ): Promise<readonly LiveStep[]> {
    const signal = AbortSignal.timeout(30_000);
    const found: LiveStep[] = [];
    for await (const step of this.live.tail({ after, matches, maxBufferedBytes, signal })) {
      found.push(step);
      if (await enough(found)) return found;
    }
    throw new Error(`the tail gave ${found.length} steps: ${found.map(({ kind }) => kind).join(' ')}`);
  }

  #keys(): AcceptedKeys {
    return {
      before: ({ partition }, next) => {
        this.seeds++;
        return Promise.resolve((this.#loaders[partition]?.keys ?? []).filter((row) => BigInt(row.lo) < next));
      },
      within: ({ partition }, before) =>
        Promise.resolve((this.#loaders[partition]?.keys ?? []).filter((row) => BigInt(row.lo) < before)),
    };
  }

  #watchedLog(): TailedLog {
    const { log } = this;
    return {
      epoch: log.epoch,
      partitions: log.partitions,
      bounds: (partition) => log.bounds(partition),
      read: (...args) => {
        this.reads++;
        return log.read(...args);
      },
      committed: (_group, partition) =>
        Promise.resolve({ offset: this.#loaders[partition]?.next ?? 0n, metadata: '' }),
    };
  }
}

function packed(events: readonly SimulatedEvent[], partitions: number): AppendRecord[] {
  const packer = new Packer({
    tenant: 'default',
    cluster: 'demo',
    source: 'relay',
    codec: 'hubble.get_flows_response',
    partitions,
    now: () => NOW_MS,
  });
  const full = events.flatMap(({ node, bytes, timeNs }) => {
    const done = packer.add(node, bytes, timeNs);
    return done === undefined ? [] : [done.record];
  });
  return [...full, ...packer.flush().map(({ record }) => record)];
}

/** Ids of all flows of the steps, in the order they came. */
export function idsOf(steps: readonly LiveStep[]): string[] {
  return steps.flatMap((step) => (step.kind === 'flows' ? step.flows.map(({ flow }) => flow.id) : []));
}
