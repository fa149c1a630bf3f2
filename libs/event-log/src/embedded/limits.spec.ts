import { beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddedLog } from './embedded-log.js';
import type { RemovedRange } from './retention.js';
import {
  appendEach,
  faultOf,
  numbered,
  range,
  readNumbers,
  SimulatedMachine,
} from '../testing/open-simulated.js';

const HOUR_MS = 3_600_000;
const NEVER = Number.MAX_SAFE_INTEGER;

let machine: SimulatedMachine;
beforeEach(() => {
  machine = new SimulatedMachine();
});

async function commitAs(log: EmbeddedLog, group: string, offset: bigint): Promise<void> {
  const done = new AbortController();
  let left = log.partitions;
  await log.consume(
    group,
    async (lease) => {
      await lease.commit({ offset, metadata: '' });
      left -= 1;
      if (left === 0) done.abort();
    },
    done.signal,
  );
}

function removals(): RemovedRange[] {
  return machine.events.flatMap((event) => (event.kind === 'removed' ? [event.range] : []));
}

describe('size limit', () => {
  const retention = { maxBytes: 4_000, maxAgeMs: NEVER, groups: ['loader'] };

  it('refuses with a retryable LOG_FULL rather than remove what the loader has not committed', async () => {
    const log = await machine.open({ retention });
    const fault = await faultOf(appendEach(log, numbered(100)));
    expect(fault).toMatchObject({ code: 'LOG_FULL', retry: true });
    const { end, start, bytes } = await log.bounds(0);
    expect(start).toBe(0n);
    expect(bytes).toBeLessThanOrEqual(retention.maxBytes);
    expect(await readNumbers(log)).toEqual(range(0, Number(end)));
    expect(removals()).toEqual([]);
  });

  it('takes records again once the loader has committed', async () => {
    const log = await machine.open({ retention });
    await faultOf(appendEach(log, numbered(100)));
    const { end } = await log.bounds(0);
    await commitAs(log, 'loader', end);
    await log.append(numbered(1, Number(end)));
    const { start } = await log.bounds(0);
    expect(start).toBeGreaterThan(0n);
    expect(removals()).toMatchObject([
      { partition: 0, from: 0n, to: start, events: start, reason: 'full', uncommitted: false },
    ]);
    expect(await readNumbers(log)).toEqual(range(Number(start), Number(end) + 1));
  });

  it('goes on for ever with drop_oldest and names every range that was lost', async () => {
    const log = await machine.open({ retention, fullPolicy: 'drop_oldest' });
    await appendEach(log, numbered(200));
    const { start, end, bytes } = await log.bounds(0);
    expect(end).toBe(200n);
    expect(bytes).toBeLessThanOrEqual(retention.maxBytes);
    expect(await readNumbers(log)).toEqual(range(Number(start), 200));
    const lost = removals();
    expect(lost.every(({ uncommitted }) => uncommitted)).toBe(true);
    expect(lost.reduce((sum, { from, to }) => sum + (to - from), 0n)).toBe(start);
    const batch = await log.read(0, 0n, { maxBytes: 1, maxWaitMs: 0 });
    expect(batch.truncated).toEqual({ from: 0n, to: start });
  });

  it('waits for the slowest of several protected groups', async () => {
    const log = await machine.open({ retention: { ...retention, groups: ['loader', 'archive'] } });
    await faultOf(appendEach(log, numbered(100)));
    const { end } = await log.bounds(0);
    await commitAs(log, 'loader', end);
    expect(await faultOf(log.append(numbered(1)))).toMatchObject({ code: 'LOG_FULL' });
    await commitAs(log, 'archive', end);
    await log.append(numbered(1));
  });

  it('removes the oldest records first whatever partition they are in', async () => {
    const log = await machine.open({ retention: { ...retention, groups: [] } });
    for (let at = 0; at < 60; at += 1) {
      machine.clock.advance(1);
      await log.append(numbered(1, at, at < 20 ? 1 : 0));
    }
    expect((await log.bounds(1)).start).toBeGreaterThan(10n);
    expect((await log.bounds(0)).start).toBeLessThan(30n);
  });
});

describe('age limit', () => {
  const retention = { maxBytes: NEVER, maxAgeMs: 8 * HOUR_MS, groups: ['loader'] };

  it('removes committed segments of that age, quiet partitions included, and keeps the rest', async () => {
    const log = await machine.open({ retention });
    await appendEach(log, numbered(5));
    await log.append(numbered(1, 0, 1));
    machine.clock.advance(9 * HOUR_MS);
    await appendEach(log, numbered(2, 5));
    await commitAs(log, 'loader', 7n);
    await log.retain();
    machine.clock.advance(1);
    expect((await log.bounds(1)).start).toBe(1n);
    expect(await readNumbers(log)).toEqual(expect.arrayContaining([5, 6]));
    expect((await log.bounds(0)).start).toBeGreaterThan(0n);
  });

  it('keeps what is not committed however old it is', async () => {
    const log = await machine.open({ retention, fullPolicy: 'drop_oldest' });
    await appendEach(log, numbered(20));
    machine.clock.advance(1_000 * HOUR_MS);
    expect(await log.retain()).toEqual([]);
    expect((await log.bounds(0)).start).toBe(0n);
  });

  it('is applied in the background', async () => {
    const log = await machine.open({ retention, retentionIntervalMs: 1_000 });
    await appendEach(log, numbered(20));
    await commitAs(log, 'loader', 20n);
    machine.clock.advance(9 * HOUR_MS);
    while (removals().length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(removals()[0]).toMatchObject({ reason: 'age', uncommitted: false });
    await log.close();
  });
});

describe('full disk', () => {
  it('takes a partial write back, keeps reading, and recovers when space is freed', async () => {
    const log = await machine.open();
    await log.append(numbered(1));
    const before = machine.disk.content(machine.segment(0)).length;
    const used = machine.disk.paths().reduce((sum, path) => sum + machine.disk.content(path).length, 0);
    machine.disk.capacity = used + 30;
    expect(await faultOf(log.append(numbered(1, 1)))).toMatchObject({ code: 'LOG_FULL', retry: true });
    expect(machine.disk.content(machine.segment(0)).length).toBe(before);
    expect(await readNumbers(log)).toEqual([0]);
    machine.disk.capacity = Number.POSITIVE_INFINITY;
    await log.append(numbered(1, 1));
    expect(await readNumbers(log)).toEqual([0, 1]);
  });

  it('leaves minFreeBytes to others and removes committed segments to do so', async () => {
    const retention = { maxBytes: NEVER, maxAgeMs: NEVER, groups: ['loader'] };
    machine.disk.capacity = 60_000;
    const log = await machine.open({ retention, minFreeBytes: 48_000 });
    expect(await faultOf(appendEach(log, numbered(100)))).toMatchObject({ code: 'LOG_FULL' });
    // Segment headers, indexes and consumer offsets come on top of what records were admitted for.
    expect(await machine.disk.freeBytes()).toBeGreaterThan(47_000);
    const { end } = await log.bounds(0);
    await commitAs(log, 'loader', end);
    await log.append(numbered(1));
    expect((await log.bounds(0)).start).toBeGreaterThan(0n);
  });

  it('drops the oldest segments when the disk refuses and the policy says so', async () => {
    const retention = { maxBytes: NEVER, maxAgeMs: NEVER, groups: ['loader'] };
    machine.disk.capacity = 20_000;
    const log = await machine.open({ retention, fullPolicy: 'drop_oldest' });
    await appendEach(log, numbered(300));
    const { start, end } = await log.bounds(0);
    expect(end).toBe(300n);
    expect(await readNumbers(log)).toEqual(range(Number(start), 300));
  });
});

describe('failing disk', () => {
  it('refuses everything after a failed fsync, and never tries that fsync again', async () => {
    const log = await machine.open();
    await log.append(numbered(1));
    machine.disk.failNext('sync', 'EIO');
    expect(await faultOf(log.append(numbered(1, 1)))).toMatchObject({
      code: 'LOG_UNAVAILABLE',
      retry: false,
    });
    expect(await faultOf(log.append(numbered(1, 1)))).toMatchObject({
      code: 'LOG_UNAVAILABLE',
      retry: false,
    });
    expect(log.stopped).toBe('an fsync failed');
    expect(await readNumbers(log)).toEqual([0]);
    await log.close();
    const again = await machine.open();
    expect(again.stopped).toBeUndefined();
    expect((await readNumbers(again))[0]).toBe(0);
  });

  it('stops at a write error that is not about space', async () => {
    const log = await machine.open();
    machine.disk.failNext('write', 'EROFS');
    expect(await faultOf(log.append(numbered(1)))).toMatchObject({ code: 'LOG_UNAVAILABLE', retry: false });
    expect(log.stopped).toBe('a write failed');
  });

  it('keeps the old committed offset when a commit fails half-way', async () => {
    const log = await machine.open();
    await commitAs(log, 'loader', 3n);
    const stop = new AbortController();
    await log.consume(
      'loader',
      async (lease) => {
        if (lease.partition === 1) return;
        machine.disk.failNext('rename', 'EIO');
        const fault = await faultOf(lease.commit({ offset: 4n, metadata: '' }));
        expect(fault).toMatchObject({ code: 'LOG_UNAVAILABLE', retry: true });
        expect(await log.committed('loader', 0)).toEqual({ offset: 3n, metadata: '' });
        await lease.commit({ offset: 5n, metadata: '' });
        stop.abort();
      },
      stop.signal,
    );
    expect(await log.committed('loader', 0)).toEqual({ offset: 5n, metadata: '' });
  });
});

describe('bounds on what callers ask', () => {
  it('refuses records that are too large or make no sense before writing any', async () => {
    const log = await machine.open({ maxRecordBytes: 100 });
    const value = Buffer.alloc(101);
    expect(await faultOf(log.append([...numbered(1), { partition: 0, events: 1, value }]))).toMatchObject({
      code: 'TOO_LARGE',
    });
    const strange = { partition: 0, events: -1, value: Buffer.alloc(1) };
    expect(await faultOf(log.append([strange]))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((await log.bounds(0)).end).toBe(0n);
  });

  it('refuses group names that would leave the directory', async () => {
    const log = await machine.open();
    for (const group of ['', '..', 'a/b', '.hidden']) {
      expect(await faultOf(log.committed(group, 0))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });

  it('makes appends wait while more bytes are pending than allowed', async () => {
    const log = await machine.open({ maxPendingBytes: 100 });
    const appends = numbered(50).map((record) => log.append([record]));
    expect((await Promise.all(appends)).flat().map(({ offset }) => Number(offset))).toEqual(range(0, 50));
  });
});

describe('durability process', () => {
  it('acknowledges before the fsync but shows readers only what is on the disk', async () => {
    const log = await machine.open({ durability: 'process', flushMs: 200 });
    await log.append(numbered(2));
    expect((await log.bounds(0)).end).toBe(0n);
    machine.clock.advance(200);
    while ((await log.bounds(0)).end === 0n) await new Promise((resolve) => setImmediate(resolve));
    expect(await readNumbers(log)).toEqual([0, 1]);
  });

  it('names the range that a power cut took', async () => {
    const log = await machine.open({ durability: 'process' });
    await log.append(numbered(3));
    // The head reached the disk, the records did not.
    const head = Buffer.from(machine.disk.content(machine.path('head')));
    machine.disk = machine.disk.cutPower(() => 0);
    machine.kill();
    machine.disk.damage(machine.path('head'), () => head);
    const again = await machine.open({ durability: 'process' });
    expect(again.notes).toMatchObject([{ kind: 'lost_range', partition: 0, from: 0n, to: 3n }]);
  });
});
