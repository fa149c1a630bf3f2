import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { SimulatedDisk } from '../testing/simulated-disk.js';
import { readSmallFile, writeSmallFile } from './file-system.js';
import { GenerationLock } from './generation-lock.js';
import type { HeldLock } from './generation-lock.js';
import type { Liveness, ProcessTable } from './process-table.js';

const ROOT = '/data/group';

let disk: SimulatedDisk;
let clock: ManualClock;
let states: Map<number, Liveness>;
beforeEach(() => {
  disk = new SimulatedDisk();
  clock = new ManualClock();
  states = new Map();
});

function tableOf(pid: number): ProcessTable {
  return {
    self: () => Promise.resolve({ pid, host: 'h', started: `${pid}`, boot: 'b', namespace: 'n' }),
    liveness: (owner) => Promise.resolve(states.get(owner.pid) ?? 'alive'),
  };
}

const lockOf = (pid: number): GenerationLock => new GenerationLock(disk, ROOT, tableOf(pid), clock);
const nothing = (): Promise<void> => Promise.resolve();

async function acquire(pid: number): Promise<HeldLock> {
  const held = await lockOf(pid).tryAcquire(nothing);
  if (held === undefined) throw new Error(`process ${pid} did not get the lock`);
  return held;
}

describe('a lock between processes', () => {
  it('is not given away while its owner lives', async () => {
    await acquire(1);
    expect(await lockOf(2).tryAcquire(nothing)).toBeUndefined();
  });

  it('passes on at once when released or when the owner is dead, with a higher generation each time', async () => {
    const first = await acquire(1);
    await first.release();
    const second = await acquire(2);
    states.set(2, 'dead');
    const third = await acquire(3);
    expect([first, second, third].map(({ generation }) => generation)).toEqual([1, 2, 3]);
    expect(await second.isCurrent()).toBe(false);
    expect(await third.isCurrent()).toBe(true);
  });

  it('goes to exactly one of many who see the owner dead at the same time', async () => {
    await acquire(1);
    states.set(1, 'dead');
    const takers = await Promise.all([2, 3, 4, 5].map((pid) => lockOf(pid).tryAcquire(nothing)));
    const holders = takers.filter((held) => held !== undefined);
    expect(holders).toHaveLength(1);
    expect(await holders[0]?.isCurrent()).toBe(true);
  });

  it('is not taken by one who was overtaken and cleaned up behind while it prepared', async () => {
    await acquire(1);
    states.set(1, 'dead');
    let later: HeldLock | undefined;
    const slow = await lockOf(2).tryAcquire(async () => {
      await acquire(3);
      states.set(3, 'dead');
      later = await acquire(4);
    });
    expect(slow).toBeUndefined();
    expect(await later?.isCurrent()).toBe(true);
    expect(await lockOf(5).tryAcquire(nothing)).toBeUndefined();
  });

  it('hands the previous directory to the next owner before the new one is visible', async () => {
    const first = await acquire(1);
    await writeSmallFile(disk, `${first.directory}/note`, Buffer.from('kept'));
    await first.release();
    const second = await lockOf(2).tryAcquire(async (previous, next) => {
      await writeSmallFile(disk, `${next}/note`, await readSmallFile(disk, `${previous}/note`));
    });
    expect((await readSmallFile(disk, `${second?.directory}/note`)).toString()).toBe('kept');
    expect(disk.paths().filter((path) => path.startsWith(first.directory))).toEqual([]);
  });

  it('leaves an owner alone that cannot be seen but beats, and gives it up after ten silent seconds', async () => {
    const first = await acquire(1);
    states.set(1, 'unknown');
    const waiter = lockOf(2);
    for (let second = 0; second < 30; second += 1) {
      await first.beat();
      expect(await waiter.tryAcquire(nothing)).toBeUndefined();
      clock.advance(1_000);
    }
    expect(waiter.ownerIsUnseen).toBe(true);
    expect(await waiter.tryAcquire(nothing)).toBeUndefined();
    clock.advance(8_999);
    expect(await waiter.tryAcquire(nothing)).toBeUndefined();
    clock.advance(1);
    expect((await waiter.tryAcquire(nothing))?.generation).toBe(2);
    expect(await first.isCurrent()).toBe(false);
  });

  it('treats an owner file that makes no sense like an owner it cannot see', async () => {
    const first = await acquire(1);
    disk.damage(`${first.directory}/owner`, () => Buffer.from('{"pid":'));
    const waiter = lockOf(2);
    expect(await waiter.tryAcquire(nothing)).toBeUndefined();
    clock.advance(10_000);
    expect((await waiter.tryAcquire(nothing))?.generation).toBe(2);
  });

  it('ignores what an overtaken owner does afterwards', async () => {
    const first = await acquire(1);
    states.set(1, 'dead');
    const second = await acquire(2);
    await first.release();
    expect(await second.isCurrent()).toBe(true);
    expect(await lockOf(3).tryAcquire(nothing)).toBeUndefined();
  });
});
