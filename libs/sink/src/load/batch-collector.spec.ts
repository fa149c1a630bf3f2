import { describe, expect, it } from 'vitest';
import type { PartitionLease, StoredRecord } from '@flowledger/event-log';
import { silentLog, type Clock } from '@flowledger/platform';
import type { ColumnStore } from '@flowledger/column-store';
import { Deduplicator } from '../dedup/deduplicator.js';
import { madeRecord } from '../testing/made-flows.js';
import { loaderContext } from '../loader.js';
import { BatchCollector } from './batch-collector.js';
import type { LoaderContext } from './loader-context.js';
import { newPartitionStatus } from './loader-status.js';
import { Patience } from './patience.js';
import { WritePlace } from './write-place.js';

const NOW = Date.UTC(2026, 8, 21, 12);
const EVENTS = 1_000;

/** Ages of reads: how long the log was asked to wait for more. */
interface FakeLog {
  readonly lease: PartitionLease;
  readonly waits: number[];
}

/** A partition of so many records, appended so long ago. */
function partition(number: number, records: number, ageMs: number): FakeLog {
  const made = Array.from({ length: records }, (_, i): StoredRecord => {
    const envelope = {
      node: `node-${number}`,
      partition: number,
      startMs: NOW - ageMs,
      stepMs: 1,
      count: EVENTS,
      first: (number * records + i) * EVENTS,
      receivedMs: NOW - ageMs,
    };
    return { offset: BigInt(i), appendedMs: NOW - ageMs, ...madeRecord(envelope) };
  });
  const waits: number[] = [];
  const lease: PartitionLease = {
    partition: number,
    generation: 1,
    committed: undefined,
    signal: new AbortController().signal,
    read: (from, { maxWaitMs }) => {
      waits.push(maxWaitMs);
      return Promise.resolve({ partition: number, records: made.slice(Number(from), Number(from) + 1) });
    },
    commit: () => Promise.resolve(),
  };
  return { lease, waits };
}

const clock: Clock = { now: () => NOW, monotonic: () => 0, sleep: () => Promise.resolve() };
const noStore = {} as ColumnStore;

function context(limits: object = {}): LoaderContext {
  const log = { epoch: 1n } as LoaderContext['log'];
  return loaderContext({ log, store: noStore, logger: silentLog, rawTtlDays: 14, clock, limits });
}

function collectorOf(shared: LoaderContext, lease: PartitionLease): BatchCollector {
  const place = { epoch: 1n, partition: lease.partition };
  const status = newPartitionStatus(lease.partition);
  const patience = new Patience({ clock, log: silentLog, status, signal: lease.signal });
  return new BatchCollector(shared, lease, new Deduplicator(noStore, place), patience, () => undefined);
}

async function soon(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('the batches of a loader that is behind', () => {
  it('are written as soon as they are worth an insert while the store has nothing to do', async () => {
    const shared = context();
    const collector = collectorOf(shared, partition(0, 60, 60_000).lease);
    expect((await collector.collect(0n))?.projected.flows.rows).toBe(50_000);
  });

  it('grow up to their limit while another one is being written', async () => {
    const shared = context({ maxRows: 20_000 });
    await shared.writing.take(new AbortController().signal);
    const collector = collectorOf(shared, partition(0, 30, 60_000).lease);
    expect((await collector.collect(0n))?.projected.flows.rows).toBe(20_000);
  });

  it('are made one after the other, the next one once the one before has its place in the store', async () => {
    const shared = context();
    const first = collectorOf(shared, partition(0, 60, 60_000).lease);
    const second = collectorOf(shared, partition(1, 60, 60_000).lease);
    await first.collect(0n);
    let ready = false;
    const next = second.collect(0n).finally(() => (ready = true));
    await soon();
    expect(ready).toBe(false);
    const place = new WritePlace(shared.writing, first, new AbortController().signal);
    await place.enter();
    await soon();
    place.leave();
    expect((await next)?.projected.flows.rows).toBeGreaterThanOrEqual(50_000);
  });

  it('do not wait for more when the rest of what was there is small', async () => {
    const { lease, waits } = partition(0, 52, 60_000);
    const collector = collectorOf(context(), lease);
    await collector.collect(0n);
    waits.length = 0;
    expect((await collector.collect(50n))?.to).toBe(51n);
    expect(waits.slice(1)).toEqual([0, 0]);
  });

  it('wait for more when nothing was cut before, so that a clock that lags does not make small inserts', async () => {
    const { lease, waits } = partition(0, 2, 60_000);
    await collectorOf(context(), lease).collect(0n);
    expect(waits.slice(1)).toEqual([1_000, 1_000]);
  });
});

describe('the batches of a loader that keeps up', () => {
  it('are not cut before their time, however idle the store is', async () => {
    const collector = collectorOf(context(), partition(0, 15, 0).lease);
    expect((await collector.collect(0n))?.projected.flows.rows).toBe(15_000);
  });
});
