import { describe, expect, it } from 'vitest';
import type { AppendRecord } from '@flowledger/event-log';
import { decodeEnvelope } from '@flowledger/model';
import { silentLog, type Clock } from '@flowledger/platform';
import { AppendQueue } from './append-queue.js';

/** A clock on which every wait is over at once, unless it is that of an envelope that is not old enough. */
function impatientClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    now: () => 1_790_000_000_000,
    monotonic: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        waits.push(ms);
        if (ms !== 500) resolve();
        else if (signal?.aborted === true) reject(new Error('aborted'));
        else signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      }),
  };
}

interface Run {
  readonly queue: AppendQueue<number>;
  readonly appended: (readonly AppendRecord[])[];
  readonly marks: number[];
  add(bytes: number, rate?: number): void;
  stop(): Promise<void>;
}

function start(maxBytes: number, append: (records: readonly AppendRecord[]) => Promise<void>): Run {
  const [appended, marks]: [(readonly AppendRecord[])[], number[]] = [[], []];
  let added = 0;
  const queue = new AppendQueue<number>({
    tenant: 't',
    cluster: 'c',
    partitions: 4,
    clock: impatientClock(),
    log: silentLog,
    maxBytes,
    append: async (records) => {
      const kept = records.map((record) => ({ ...record, value: Uint8Array.from(record.value) }));
      await append(records);
      // The memory of records is used again, but not before the log has them.
      for (const [at, { value }] of kept.entries())
        expect(Buffer.compare(value, records[at]?.value ?? new Uint8Array(0))).toBe(0);
      appended.push(kept);
    },
    mark: () => added,
    onDurable: (mark) => void marks.push(mark),
    random: () => 0.5,
  });
  const stopping = new AbortController();
  const running = queue.run(stopping.signal);
  const lanes = new Map<number, ReturnType<typeof queue.lane>>();
  return {
    queue,
    appended,
    marks,
    add: (bytes, samplingRate = 1) => {
      let lane = lanes.get(samplingRate);
      if (lane === undefined)
        lanes.set(samplingRate, (lane = queue.lane({ source: 's', codec: 'control', samplingRate })));
      added++;
      lane.add(`node-${added % 3}`, new Uint8Array(bytes).fill(added), 5n);
    },
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}

const eventsOf = (appended: readonly (readonly AppendRecord[])[]): number =>
  appended.flat().reduce((sum, record) => sum + record.events, 0);

describe('AppendQueue', () => {
  it('appends what was added before a stop, and says how far that reaches', async () => {
    const run = start(1 << 20, () => Promise.resolve());
    for (let i = 0; i < 10; i++) run.add(100);
    expect(run.queue.pendingBytes).toBe(1000);
    await run.stop();
    expect(eventsOf(run.appended)).toBe(10);
    expect(run.marks.at(-1)).toBe(10);
    expect(run.queue.pendingBytes).toBe(0);
  });

  it('never says that something is durable before everything up to it is', async () => {
    const refused = new Set<number>();
    let calls = 0;
    const run = start(8 << 20, async () => {
      const call = calls++;
      if (call % 3 !== 0) return;
      refused.add(call);
      throw new Error('not now');
    });
    for (let i = 0; i < 30; i++) run.add(200_000);
    await run.stop();
    expect(refused.size).toBeGreaterThan(1);
    expect(eventsOf(run.appended)).toBe(30);
    expect(run.marks.at(-1)).toBe(30);
  });

  it('appends each event as it came, in memory that is used again', async () => {
    const run = start(400_000, () => Promise.resolve());
    for (let i = 0; i < 60; i++) {
      if (run.queue.full) await run.queue.room();
      run.add(10_000);
    }
    await run.stop();
    const events = run.appended.flat().flatMap(({ value }) => {
      const envelope = decodeEnvelope(value);
      return envelope.ok ? envelope.value.events : [];
    });
    expect(events.every((event) => event.length === 10_000 && new Set(event).size === 1)).toBe(true);
    expect(events.map((event) => event[0] ?? 0).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, at) => at + 1),
    );
  });

  it('asks for room at its bound and grants it when half is free', async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const run = start(400_000, () => gate);
    while (!run.queue.full) run.add(10_000);
    let granted = false;
    const room = run.queue.room().then(() => (granted = true));
    await Promise.resolve();
    expect(granted).toBe(false);
    open();
    await room;
    expect(run.queue.pendingBytes).toBeLessThanOrEqual(200_000);
    await run.stop();
  });

  it('gives a broker no more than it takes at once', async () => {
    const run = start(64 << 20, () => Promise.resolve());
    for (let i = 0; i < 100; i++) run.add(100_000);
    await run.stop();
    for (const records of run.appended)
      expect(records.reduce((sum, { value }) => sum + value.length, 0)).toBeLessThanOrEqual(1 << 20);
    expect(eventsOf(run.appended)).toBe(100);
  });

  it('keeps flows of different sampling rates in envelopes of their own, which say the rate', async () => {
    const run = start(1 << 20, () => Promise.resolve());
    for (let i = 0; i < 12; i++) run.add(10, i % 2 === 0 ? 1 : 8);
    await run.stop();
    const rates = run.appended.flat().map(({ value, events }) => {
      const envelope = decodeEnvelope(value);
      return [envelope.ok ? envelope.value.header.samplingRate : 'bad', events];
    });
    expect(rates.filter(([rate]) => rate === 8).reduce((sum, [, events]) => sum + Number(events), 0)).toBe(6);
    expect(rates.filter(([rate]) => rate === undefined)).toHaveLength(3);
  });
});
