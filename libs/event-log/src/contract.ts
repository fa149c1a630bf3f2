import { setTimeout as pause } from 'node:timers/promises';
import { AppError, isAppError } from '@flowledger/platform';
import { afterEach, describe, expect, it } from 'vitest';
import type { AppendRecord, EventLog, LogBatch, PartitionLease, StoredRecord } from './port.js';

/** One fresh, empty log of an adapter under test, and what the suite must be able to do to it. */
export interface LogUnderTest {
  /** A handle that appends. */
  readonly log: EventLog;
  /** Another handle on the same log, as another process would have it: reads, consumes, need not append. */
  connect(): Promise<EventLog>;
  /** Closes the appending handle and opens the log again. */
  reopen(): Promise<EventLog>;
  /** Removes what it can of the records before an offset, as retention would; resolves with the new start. */
  removeBefore(partition: number, before: bigint): Promise<bigint>;
  /** Closes every handle given out and deletes the log. */
  dispose(): Promise<void>;
}

const GROUP = 'loader';
const DEADLINE_MS = 20_000;
const READ = { maxBytes: 1 << 20, maxWaitMs: 0 };

function record(partition: number, text: string, events = 1): AppendRecord {
  return { partition, events, value: Buffer.from(text) };
}

function texts(records: readonly StoredRecord[]): string[] {
  return records.map(({ value }) => Buffer.from(value).toString());
}

/** Repeats a check until it holds; a suite that waits for other members cannot know how long. */
async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    await pause(10);
  }
}

async function readAll(log: EventLog, partition: number, from = 0n): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for (;;) {
    const next = from + BigInt(records.length);
    const batch = await log.read(partition, next, { maxBytes: 4096, maxWaitMs: 0 });
    if (batch.records.length === 0) return records;
    records.push(...batch.records);
  }
}

/** Waits until a lease is aborted. */
function ended(lease: PartitionLease): Promise<void> {
  return new Promise((resolve) => {
    if (lease.signal.aborted) resolve();
    lease.signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A member of the group that collects its leases until it is told to leave. */
function join(log: EventLog): { leases: PartitionLease[]; leave: () => Promise<void> } {
  const leases: PartitionLease[] = [];
  const leaving = new AbortController();
  const consuming = log.consume(
    GROUP,
    async (lease) => {
      leases.push(lease);
      await ended(lease);
    },
    leaving.signal,
  );
  consuming.catch(() => undefined);
  return {
    leases,
    leave: () => {
      leaving.abort();
      return consuming;
    },
  };
}

function leaseOf(leases: readonly PartitionLease[], partition: number): PartitionLease {
  const lease = leases.findLast((candidate) => candidate.partition === partition);
  if (lease === undefined) throw new Error(`no lease of partition ${partition}`);
  return lease;
}

/**
 * The promises of the port that every adapter keeps. `create` makes a fresh log with a number of partitions; the suite
 * disposes of it.
 */
export function describeEventLog(name: string, create: (partitions: number) => Promise<LogUnderTest>): void {
  describe(`event log contract: ${name}`, () => {
    const opened: LogUnderTest[] = [];
    const fresh = async (partitions = 2): Promise<LogUnderTest> => {
      const log = await create(partitions);
      opened.push(log);
      return log;
    };
    afterEach(async () => {
      for (const log of opened.splice(0)) await log.dispose();
    });
    describeAppend(fresh);
    describeRead(fresh);
    describeRetention(fresh);
    describeConsume(fresh);
  });
}

type Fresh = (partitions?: number) => Promise<LogUnderTest>;

function describeAppend(fresh: Fresh): void {
  it('gives offsets from 0 without holes, per partition, in input order', async () => {
    const { log } = await fresh();
    const first = await log.append([record(1, 'a'), record(0, 'b'), record(1, 'c')]);
    const second = await log.append([record(1, 'd')]);
    const at = (partition: number, offset: bigint): unknown => ({ partition, offset });
    expect([...first, ...second]).toEqual([at(1, 0n), at(0, 0n), at(1, 1n), at(1, 2n)]);
  });

  it('keeps call order when appends are not awaited one by one', async () => {
    const { log } = await fresh();
    const calls = Array.from({ length: 50 }, (_, at) => log.append([record(0, `r${at}`)]));
    const offsets = (await Promise.all(calls)).map(([position]) => position?.offset);
    expect(offsets).toEqual(Array.from({ length: 50 }, (_, at) => BigInt(at)));
    expect(texts(await readAll(log, 0))).toEqual(Array.from({ length: 50 }, (_, at) => `r${at}`));
  });

  it('accepts an empty append, an empty value and a large value', async () => {
    const { log } = await fresh();
    const large = Buffer.alloc(600_000, 'flow ');
    expect(await log.append([])).toEqual([]);
    await log.append([record(0, ''), { partition: 0, events: 1000, value: large }]);
    const [empty, big] = await readAll(log, 0);
    expect(empty?.value.byteLength).toBe(0);
    expect(Buffer.compare(Buffer.from(big?.value ?? []), large)).toBe(0);
  });

  it('refuses a partition that does not exist without writing the rest', async () => {
    const { log } = await fresh();
    const fault = await log.append([record(0, 'a'), record(2, 'b')]).catch((error: unknown) => error);
    expect(isAppError(fault, 'INVALID_ARGUMENT')).toBe(true);
    expect((await log.bounds(0)).end).toBe(0n);
  });

  it('keeps epoch, partitions and records when it is opened again', async () => {
    const under = await fresh(3);
    const { epoch } = under.log;
    expect(epoch > 0n && epoch < 1n << 63n).toBe(true);
    await under.log.append([record(2, 'kept', 7)]);
    const again = await under.reopen();
    expect([again.epoch, again.partitions]).toEqual([epoch, 3]);
    expect(texts(await readAll(again, 2))).toEqual(['kept']);
    expect((await again.append([record(2, 'next')]))[0]?.offset).toBe(1n);
  });

  it('gives another log another epoch', async () => {
    const [one, two] = [await fresh(), await fresh()];
    expect(one.log.epoch).not.toBe(two.log.epoch);
  });
}

function describeRead(fresh: Fresh): void {
  it('reads back value, event count and append time', async () => {
    const { log } = await fresh();
    const before = Date.now();
    await log.append([record(0, 'a', 3)]);
    const [stored] = (await log.read(0, 0n, READ)).records;
    expect(stored).toMatchObject({ offset: 0n, events: 3 });
    expect(stored?.appendedMs).toBeGreaterThanOrEqual(before - 1);
    expect(stored?.appendedMs).toBeLessThanOrEqual(Date.now() + 1);
  });

  it('lets another handle read what was acknowledged', async () => {
    const under = await fresh();
    const other = await under.connect();
    await under.log.append([record(0, 'a'), record(0, 'b')]);
    expect(texts(await readAll(other, 0))).toEqual(['a', 'b']);
    expect((await other.bounds(0)).end).toBe(2n);
  });

  it('starts at any offset', async () => {
    const under = await fresh();
    for (let at = 0; at < 40; at += 1) await under.log.append([record(0, `r${at}`)]);
    const other = await under.connect();
    for (const from of [39n, 0n, 17n, 18n, 5n]) {
      const { records } = await other.read(0, from, { maxBytes: 1, maxWaitMs: 0 });
      expect(records[0]?.offset).toBe(from);
      expect(texts(records)[0]).toBe(`r${from}`);
    }
  });

  it('returns at least one record however small maxBytes is, and stops soon after it', async () => {
    const { log } = await fresh();
    const value = Buffer.alloc(10_000, 'x');
    await log.append(Array.from({ length: 20 }, () => ({ partition: 0, events: 1, value })));
    expect((await log.read(0, 0n, { maxBytes: 1, maxWaitMs: 0 })).records.length).toBe(1);
    const some = (await log.read(0, 0n, { maxBytes: 50_000, maxWaitMs: 0 })).records.length;
    expect(some).toBeGreaterThanOrEqual(1);
    expect(some).toBeLessThanOrEqual(6);
  });

  it('returns an empty batch at the end at once when told not to wait', async () => {
    const { log } = await fresh();
    expect(await log.read(0, 0n, READ)).toEqual({ partition: 0, records: [] });
  });

  it('wakes a waiting reader of another handle when a record arrives', async () => {
    const under = await fresh();
    const other = await under.connect();
    const waiting = other.read(0, 0n, { maxBytes: 100, maxWaitMs: DEADLINE_MS });
    await under.log.append([record(0, 'late')]);
    expect(texts((await waiting).records)).toEqual(['late']);
  });

  it('ends a waiting read when its signal aborts', async () => {
    const { log } = await fresh();
    const abort = new AbortController();
    const waiting = log.read(0, 0n, { maxBytes: 100, maxWaitMs: 600_000, signal: abort.signal });
    abort.abort();
    expect((await waiting).records).toEqual([]);
  });

  it('counts events on both ends', async () => {
    const { log } = await fresh();
    await log.append([record(0, 'a', 3), record(0, 'b', 0), record(0, 'c', 1000)]);
    const bounds = await log.bounds(0);
    expect(bounds).toMatchObject({ start: 0n, end: 3n, eventsBeforeStart: 0n, eventsBeforeEnd: 1003n });
    expect(bounds.bytes).toBeGreaterThan(0);
    expect(await log.bounds(1)).toMatchObject({ start: 0n, end: 0n, eventsBeforeEnd: 0n });
  });
}

function describeRetention(fresh: Fresh): void {
  it('reports the removed range to a reader that asks for it, and goes on with the first kept record', async () => {
    const under = await fresh();
    for (let at = 0; at < 10; at += 1) await under.log.append([record(0, `r${at}`, 2)]);
    const start = await under.removeBefore(0, 6n);
    expect(start).toBeGreaterThan(0n);
    const other = await under.connect();
    const batch: LogBatch = await other.read(0, 1n, READ);
    expect(batch.truncated).toEqual({ from: 1n, to: start });
    expect(batch.records[0]?.offset).toBe(start);
    const bounds = await other.bounds(0);
    expect(bounds).toMatchObject({ start, end: 10n, eventsBeforeStart: start * 2n, eventsBeforeEnd: 20n });
    expect((await other.read(0, start, READ)).truncated).toBeUndefined();
  });

  it('never uses an offset again after removal', async () => {
    const under = await fresh();
    for (let at = 0; at < 5; at += 1) await under.log.append([record(0, `r${at}`)]);
    await under.removeBefore(0, 5n);
    const again = await under.reopen();
    expect((await again.append([record(0, 'next')]))[0]?.offset).toBe(5n);
  });
}

function describeConsume(fresh: Fresh): void {
  it('leases every partition once and commits offset and metadata for the next member', async () => {
    const under = await fresh(3);
    const first = join(await under.connect());
    await eventually(() => first.leases.length === 3);
    const lease = leaseOf(first.leases, 1);
    expect(lease.committed).toBeUndefined();
    await lease.commit({ offset: 5n, metadata: '{"from":5}' });
    await lease.commit({ offset: 7n, metadata: 'ümlaut' });
    await first.leave();
    expect(first.leases.map(({ partition }) => partition).sort()).toEqual([0, 1, 2]);
    const other = await under.connect();
    expect(await other.committed(GROUP, 1)).toEqual({ offset: 7n, metadata: 'ümlaut' });
    expect(await other.committed(GROUP, 0)).toBeUndefined();
    expect(await other.committed('nobody', 0)).toBeUndefined();
    const second = join(other);
    await eventually(() => second.leases.length === 3);
    expect(leaseOf(second.leases, 1).committed).toEqual({ offset: 7n, metadata: 'ümlaut' });
    expect(leaseOf(second.leases, 1).generation).toBeGreaterThan(lease.generation);
    await second.leave();
  });

  it('keeps what was committed when the log is opened again', async () => {
    const under = await fresh(1);
    const member = join(under.log);
    await eventually(() => member.leases.length === 1);
    await leaseOf(member.leases, 0).commit({ offset: 3n, metadata: 'm' });
    await member.leave();
    expect(await (await under.reopen()).committed(GROUP, 0)).toEqual({ offset: 3n, metadata: 'm' });
  });

  it('reads through the lease', async () => {
    const under = await fresh(1);
    const member = join(await under.connect());
    await eventually(() => member.leases.length === 1);
    await under.log.append([record(0, 'a')]);
    const batch = await leaseOf(member.leases, 0).read(0n, { maxBytes: 100, maxWaitMs: DEADLINE_MS });
    expect(texts(batch.records)).toEqual(['a']);
    await member.leave();
  });

  it('takes 4 KiB of metadata and refuses more', async () => {
    const under = await fresh(1);
    const member = join(under.log);
    await eventually(() => member.leases.length === 1);
    const lease = leaseOf(member.leases, 0);
    await lease.commit({ offset: 1n, metadata: 'x'.repeat(4096) });
    const fault = await lease
      .commit({ offset: 2n, metadata: 'x'.repeat(4097) })
      .catch((error: unknown) => error);
    expect(isAppError(fault, 'TOO_LARGE')).toBe(true);
    expect((await under.log.committed(GROUP, 0))?.offset).toBe(1n);
    await member.leave();
  });

  it('never lets two members own a partition at once', async () => {
    const under = await fresh(1);
    const first = join(await under.connect());
    await eventually(() => first.leases.length === 1);
    const second = join(await under.connect());
    for (let at = 0; at < 40; at += 1) {
      await leaseOf(first.leases, 0).commit({ offset: BigInt(at), metadata: '' });
      expect(second.leases).toEqual([]);
    }
    await first.leave();
    await eventually(() => second.leases.length === 1);
    expect(leaseOf(second.leases, 0).generation).toBeGreaterThan(leaseOf(first.leases, 0).generation);
    await second.leave();
  });

  it('refuses a commit by a member that has left', async () => {
    const under = await fresh(1);
    const member = join(under.log);
    await eventually(() => member.leases.length === 1);
    await member.leave();
    const late = leaseOf(member.leases, 0).commit({ offset: 9n, metadata: '' });
    const fault = await late.catch((error: unknown) => error);
    expect(isAppError(fault, 'LEASE_LOST')).toBe(true);
    expect(isAppError(fault) && fault.retry).toBe(false);
    expect(await under.log.committed(GROUP, 0)).toBeUndefined();
  });

  it('keeps groups apart', async () => {
    const under = await fresh(1);
    const stop = new AbortController();
    const consume = (group: string, offset: bigint): Promise<void> =>
      under.log.consume(
        group,
        async (lease) => {
          await lease.commit({ offset, metadata: group });
          await ended(lease);
        },
        stop.signal,
      );
    const both = Promise.all([consume('one', 1n), consume('two', 2n)]);
    const committed = async (group: string): Promise<bigint | undefined> =>
      (await under.log.committed(group, 0))?.offset;
    await eventually(async () => (await committed('one')) === 1n && (await committed('two')) === 2n);
    stop.abort();
    await both;
  });

  it('rejects with the fault of a handler after the other handlers have returned', async () => {
    const under = await fresh(2);
    let returned = false;
    const fault = await under.log
      .consume(
        GROUP,
        async (lease) => {
          if (lease.partition === 0) throw new AppError('STORE_REJECTED', 'no such table', { retry: false });
          await ended(lease);
          await under.log.append([record(1, 'last words')]);
          returned = true;
        },
        new AbortController().signal,
      )
      .catch((error: unknown) => error);
    expect(isAppError(fault, 'STORE_REJECTED')).toBe(true);
    expect(returned).toBe(true);
  });
}
