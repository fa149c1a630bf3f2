import { beforeEach, describe, expect, it } from 'vitest';
import type { EventLog, PartitionLease } from '../port.js';
import type { ProcessTable } from './process-table.js';
import {
  appendEach,
  faultOf,
  numbered,
  onlyProcess,
  range,
  SimulatedMachine,
} from '../testing/open-simulated.js';

let machine: SimulatedMachine;
beforeEach(() => {
  machine = new SimulatedMachine();
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    // Waiting members sleep on the machine's clock.
    machine.clock.advance(100);
    await turn();
  }
}

interface Member {
  readonly leases: PartitionLease[];
  leave(): Promise<void>;
}

function join(log: EventLog): Member {
  const leases: PartitionLease[] = [];
  const leaving = new AbortController();
  const consuming = log.consume(
    'loader',
    async (lease) => {
      leases.push(lease);
      await new Promise<void>((resolve) => {
        if (lease.signal.aborted) resolve();
        lease.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
    leaving.signal,
  );
  return {
    leases,
    leave: () => {
      leaving.abort();
      return consuming;
    },
  };
}

describe('an owner that was taken for dead', () => {
  it('is refused at its next commit, told to stop, and cannot change what its successor committed', async () => {
    const paused = join(await machine.open({ processes: onlyProcess(1) }));
    await until(() => paused.leases.length === 2);
    const [old] = paused.leases;
    await old?.commit({ offset: 3n, metadata: 'old' });
    // In the eyes of process 2 there is no process 1 any more.
    const successor = await machine.open({ mode: 'reader', processes: onlyProcess(2) });
    const second = join(successor);
    await until(() => second.leases.length === 2);
    const lease = second.leases.find(({ partition }) => partition === old?.partition);
    expect(lease?.committed).toEqual({ offset: 3n, metadata: 'old' });
    expect(lease?.generation).toBeGreaterThan(old?.generation ?? 0);
    await lease?.commit({ offset: 7n, metadata: 'new' });
    const fault = await faultOf(old?.commit({ offset: 4n, metadata: 'late' }) ?? Promise.resolve());
    expect(fault).toMatchObject({ code: 'LEASE_LOST', retry: false });
    expect(old?.signal.aborted).toBe(true);
    expect(await successor.committed('loader', old?.partition ?? 0)).toEqual({ offset: 7n, metadata: 'new' });
    await second.leave();
    await paused.leave();
  });

  it('notices by its heartbeat when it commits nothing, and stands by again', async () => {
    const trusting: ProcessTable = { ...onlyProcess(1), liveness: () => Promise.resolve('alive') };
    const paused = join(await machine.open({ processes: trusting }));
    await until(() => paused.leases.length === 2);
    const second = join(await machine.open({ mode: 'reader', processes: onlyProcess(2) }));
    await until(() => second.leases.length === 2 && paused.leases.every(({ signal }) => signal.aborted));
    await second.leave();
    await until(() => paused.leases.length === 4);
    await paused.leave();
  });
});

describe('a damaged consumer offset', () => {
  it('is a fault, not a fresh start', async () => {
    const log = await machine.open();
    const member = join(log);
    await until(() => member.leases.length === 2);
    await member.leases[0]?.commit({ offset: 3n, metadata: 'm' });
    await member.leave();
    const path = machine.disk.paths().find((name) => name.includes('/loader/') && name.endsWith('p00000'));
    machine.disk.damage(path ?? '', (content) => content.fill(9, 8, 10));
    expect(await faultOf(log.committed('loader', 0))).toMatchObject({ code: 'LOG_CORRUPT', retry: false });
    expect(await faultOf(join(log).leave())).toMatchObject({ code: 'LOG_CORRUPT' });
  });
});

describe('reading while retention removes', () => {
  it('never skips a record without saying so', async () => {
    const log = await machine.open();
    const reader = await machine.open({ mode: 'reader' });
    const seen: number[] = [];
    const removed: number[] = [];
    const following = (async () => {
      for (let next = 0n; next < 200n;) {
        const { records, truncated } = await reader.read(0, next, { maxBytes: 1, maxWaitMs: 0 });
        if (truncated !== undefined) {
          removed.push(...range(Number(truncated.from), Number(truncated.to)));
          next = truncated.to;
        }
        seen.push(...records.map(({ offset }) => Number(offset)));
        next += BigInt(records.length);
        await turn();
      }
    })();
    for (let at = 0; at < 200; at += 4) {
      await appendEach(log, numbered(4, at));
      if (at % 20 === 0) await log.trim(0, BigInt(at));
    }
    await following;
    expect([...seen, ...removed].sort((a, b) => a - b)).toEqual(range(0, 200));
    expect(seen.length).toBeGreaterThan(0);
    expect(removed.length).toBeGreaterThan(0);
  });
});
